import type { Bench } from './lib/bench.ts';
import { BenchFailure } from './lib/failure.ts';
import { describeDisturbances } from './lib/core-watch.ts';
import { join } from 'node:path';
import { startGateway, startSubject } from './lib/gateway.ts';
import { referenceName, type Lab } from './lib/lab.ts';
import {
  checkAtLeast,
  checkAtMost,
  checkNone,
  type BenchResult,
  type Check,
} from './lib/report.ts';
import { spreadOf } from './lib/stats.ts';
import { directTarget, type Target } from './lib/target.ts';
import {
  compareThroughput,
  throughputRatio,
  throughputTable,
  type Throughput,
  type ThroughputPlan,
} from './lib/throughput.ts';
import { createChatBodies } from './load/bodies.ts';
import { createClosedLoopLoad } from './load/closed-loop.ts';
import { startAnswerUpstream } from './load/workers.ts';
import { startNginxUpstream } from './reference/nginx.ts';
import { startReference } from './reference/reference.ts';

const BODY_BYTES = 1_024;
/** Many short rounds: a disturbance of the machine then spoils few of them, and the median none. */
const QUICK_PLAN: ThroughputPlan = {
  connections: 32,
  warmUpMs: 3_000,
  rounds: 7,
  durationMs: 1_000,
};
const FULL_PLAN: ThroughputPlan = { ...QUICK_PLAN, warmUpMs: 6_000, rounds: 15, durationMs: 3_000 };

/**
 * Small requests as fast as one core can pass them on; the gateway does its whole path for each.
 */
export const proxyBench: Bench = {
  name: 'proxy',
  question: 'requests/s on one core: 1 KB chat body, small JSON answer, 32 connections',
  run: runProxyBench,
};

async function runProxyBench(lab: Lab): Promise<BenchResult> {
  const upstreamPort =
    lab.nginxVersion === null
      ? (await startAnswerUpstream(lab)).port
      : await startNginxUpstream(lab);
  const reference = await startReference(lab, { upstreamPort, responseBuffering: 'on' });
  const subject = await startSubject(lab, upstreamPort);
  const load = await createClosedLoopLoad(lab, createChatBodies(1, BODY_BYTES));
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  const recorder = await startRecorder(lab, upstreamPort);
  const targets = [reference, subject, ...recorder];
  const [theirs, ours, ...recorded] = await compareThroughput(lab, load, targets, plan);
  if (theirs === undefined || ours === undefined) throw new BenchFailure('nothing was measured');
  // The upstream's own ceiling: if it is close to the reference, the upstream was what was
  // measured.
  const directPlan = { ...plan, warmUpMs: 1_000, rounds: 1, durationMs: 2_000 };
  const [direct] = await compareThroughput(lab, load, [directTarget(upstreamPort)], directPlan);
  const goal = { unit: 'x reference', must: 0.33, aim: 0.8 };
  return {
    reference: referenceName(lab),
    tables: [throughputTable([theirs, ours, ...recorded, direct], theirs)],
    notes: describeDisturbances([...theirs.uses, ...ours.uses]),
    checks: [
      checkAtLeast('requests per second', throughputRatio(ours, theirs).middle, goal),
      ...recorded.map((each) => checkRecording(ours, each)),
      checkNone('failed requests', failuresOf([ours, ...recorded]), 'requests'),
    ],
  };
}

/** The gateway once more, with `--record`; none when it is not the gateway that is measured. */
async function startRecorder(lab: Lab, upstreamPort: number): Promise<readonly Target[]> {
  if (lab.subject !== 'penstock') return [];
  const args = ['--record', join(lab.tempDir, 'trace.jsonl')];
  return [await startGateway(lab, [upstreamPort], { name: 'penstock --record', args })];
}

/**
 * Least CPU time per request with recording against least without: what a round takes more than
 * its least is the machine's doing, and larger than what is looked for.
 */
function checkRecording(plain: Throughput, recorded: Throughput): Check {
  const without = spreadOf(plain.cpuUsPerRequest).min;
  const percent = (spreadOf(recorded.cpuUsPerRequest).min / without - 1) * 100;
  return checkAtMost('recording overhead', percent, { unit: '% CPU', must: 2, aim: 1 });
}

function failuresOf(results: readonly Throughput[]): number {
  return results.reduce((sum, { failures }) => sum + failures, 0);
}
