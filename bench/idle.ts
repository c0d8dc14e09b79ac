import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './lib/bench.ts';
import { Child } from './lib/child.ts';
import { watchCores } from './lib/core-watch.ts';
import { startGateway } from './lib/gateway.ts';
import type { Lab } from './lib/lab.ts';
import { readResidentBytes } from './lib/proc-stats.ts';
import { checkAtMost, type BenchResult } from './lib/report.ts';
import { formatSpread, meanSpreadOf } from './lib/stats.ts';
import type { Target } from './lib/target.ts';
import type { Worker } from './lib/worker.ts';
import type { EndpointFleetCommands } from './load/endpoint-fleet.ts';
import { startEndpointFleet } from './load/workers.ts';

const ENDPOINTS = 100;
const BYTES_PER_MB = 1024 * 1024;
/** Keeps the reference going when the gateway does not look at its endpoints at all. */
const LEAST_POLLS_PER_SECOND = 1;

interface IdlePlan {
  readonly settleMs: number;
  readonly windows: number;
  readonly windowMs: number;
}

const QUICK_PLAN: IdlePlan = { settleMs: 8_000, windows: 4, windowMs: 3_000 };
const FULL_PLAN: IdlePlan = { settleMs: 20_000, windows: 6, windowMs: 10_000 };

/**
 * One idle process over consecutive windows of time. Their mean is what counts, not their median:
 * work that comes in bursts every few seconds falls into some windows and not into others.
 */
interface Idling {
  readonly name: string;
  readonly cpuPercent: readonly number[];
  readonly requestsPerSecond: readonly number[];
  readonly residentBytes: number;
}

/** No traffic at all: what watching a hundred endpoints costs. */
export const idleBench: Bench = {
  name: 'idle',
  question: 'CPU of a core with 100 endpoints and no traffic',
  run: runIdleBench,
};

async function runIdleBench(lab: Lab): Promise<BenchResult> {
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  const fleet = startEndpointFleet(lab);
  const ports = await fleet.call('listen', { count: ENDPOINTS });
  const ours = await startIdler(lab, ports);
  await sleep(plan.settleMs);
  const idling = await watchIdling(lab, fleet, { target: ours, plan });
  await ours.stop();
  const rate = meanSpreadOf(idling.requestsPerSecond).middle;
  const poller = startPoller(lab, Math.max(LEAST_POLLS_PER_SECOND, rate), ports);
  await sleep(2_000);
  const polling = await watchIdling(lab, fleet, { target: poller, plan });
  const percent = { unit: '% of a core', must: 3, aim: 1 };
  return {
    reference: 'bare poller',
    tables: [createTable([polling, idling])],
    notes: [
      'the reference is a bare poller that makes as many requests per second as the subject ' +
        'and ignores the answers',
    ],
    checks: [checkAtMost('CPU when idle', meanSpreadOf(idling.cpuPercent).middle, percent)],
  };
}

/** The gateway; with `--subject raw-proxy` a process that is known to do next to nothing. */
async function startIdler(lab: Lab, ports: readonly number[]): Promise<Target> {
  return lab.subject === 'penstock'
    ? startGateway(lab, ports)
    : startPoller(lab, ports.length / 5, ports);
}

function startPoller(lab: Lab, requestsPerSecond: number, ports: readonly number[]): Target {
  const file = new URL('./reference/bare-poller.ts', import.meta.url).pathname;
  const command = [process.execPath, file, String(requestsPerSecond), ...ports.map(String)];
  const child = new Child(command, {
    name: 'bare poller',
    cpu: lab.cpus.proxyCpu,
    cleanup: lab.cleanup,
    channel: 'none',
  });
  return { name: 'bare poller', port: 0, pid: child.pid, stop: () => child.stop() };
}

async function watchIdling(
  lab: Lab,
  fleet: Worker<EndpointFleetCommands>,
  options: { readonly target: Target; readonly plan: IdlePlan },
): Promise<Idling> {
  const { target, plan } = options;
  const cpuPercent: number[] = [];
  const requestsPerSecond: number[] = [];
  for (let window = 0; window < plan.windows; window += 1) {
    await fleet.call('takeRequestCount', null);
    const { result, use } = await watchCores(lab, target, async () => {
      await sleep(plan.windowMs);
      return fleet.call('takeRequestCount', null);
    });
    cpuPercent.push(use.proxyCores * 100);
    requestsPerSecond.push((result * 1000) / plan.windowMs);
  }
  const residentBytes = readResidentBytes(target.pid ?? 0);
  return { name: target.name, cpuPercent, requestsPerSecond, residentBytes };
}

function createTable(idlings: readonly [Idling, Idling]): readonly (readonly string[])[] {
  const referencePercent = meanSpreadOf(idlings[0].cpuPercent).middle;
  const heading = ['process', 'CPU %', 'x reference', 'requests/s', 'RSS MB'];
  const rows = idlings.map((idling) => [
    idling.name,
    formatSpread(meanSpreadOf(idling.cpuPercent), 2),
    (meanSpreadOf(idling.cpuPercent).middle / referencePercent).toFixed(2),
    formatSpread(meanSpreadOf(idling.requestsPerSecond), 1),
    (idling.residentBytes / BYTES_PER_MB).toFixed(0),
  ]);
  return [heading, ...rows];
}
