import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './lib/bench.ts';
import { startSubject } from './lib/gateway.ts';
import { referenceName, type Lab } from './lib/lab.ts';
import { readResidentBytes } from './lib/proc-stats.ts';
import { checkAtMost, checkNone, type BenchResult, type Table } from './lib/report.ts';
import { formatSpread, ratiosOf, spreadOf } from './lib/stats.ts';
import type { Target } from './lib/target.ts';
import type { Worker } from './lib/worker.ts';
import type { OpenStreamsOptions, SseClientCommands } from './load/sse-client.ts';
import { startSseClient, startSseUpstream } from './load/workers.ts';
import { startReference } from './reference/reference.ts';

const STREAMS = 5_000;
const INTERVAL_MS = 1_000;
const BYTES_PER_MB = 1024 * 1024;

interface StreamsPlan {
  readonly rounds: number;
  readonly rampMs: number;
  /** How long all streams run before memory is read; the reading goes on for as long again. */
  readonly holdMs: number;
}

const QUICK_PLAN: StreamsPlan = { rounds: 1, rampMs: 4_000, holdMs: 2_500 };
const FULL_PLAN: StreamsPlan = { rounds: 3, rampMs: 5_000, holdMs: 8_000 };

/** What one freshly started proxy needed. */
interface Sample {
  readonly idleBytes: number;
  readonly openBytes: number;
  readonly bytesPerStream: number;
  readonly failures: number;
}

/** Streams that are mostly silent: what one open stream costs in memory. */
export const streamsBench: Bench = {
  name: 'streams',
  question: 'memory per open stream: 5,000 streams of one event per second',
  run: runStreamsBench,
};

async function runStreamsBench(lab: Lab): Promise<BenchResult> {
  const { port: upstreamPort } = await startSseUpstream(lab);
  const client = startSseClient(lab);
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  const theirs: Sample[] = [];
  const ours: Sample[] = [];
  // Memory that has been used once is seldom given back, so each round starts its own processes.
  for (let round = 0; round < plan.rounds; round += 1) {
    const reference = await startReference(lab, { upstreamPort, responseBuffering: 'off' });
    theirs.push(await measureMemory(client, reference, plan));
    await reference.stop();
    const subject = await startSubject(lab, upstreamPort);
    ours.push(await measureMemory(client, subject, plan));
    await subject.stop();
  }
  const perStream = spreadOf(ours.map((sample) => sample.bytesPerStream / 1024)).middle;
  const failures = ours.reduce((sum, sample) => sum + sample.failures, 0);
  return {
    reference: referenceName(lab),
    tables: [createTable(theirs, ours)],
    notes: [],
    checks: [
      checkAtMost('memory per open stream', perStream, { unit: 'KB', must: 60, aim: 20 }),
      checkNone('failed streams', failures, 'streams'),
    ],
  };
}

async function measureMemory(
  client: Worker<SseClientCommands>,
  target: Target,
  plan: StreamsPlan,
): Promise<Sample> {
  const pid = target.pid ?? 0;
  await warmUp(client, target);
  const idleBytes = readResidentBytes(pid);
  await client.call('open', openOptions(target, STREAMS, plan.rampMs), plan.rampMs + 15_000);
  await sleep(plan.holdMs);
  const measured = client.call('measure', { windowMs: plan.holdMs }, plan.holdMs + 10_000);
  const readings: number[] = [];
  for (let reading = 0; reading < 10; reading += 1) {
    readings.push(readResidentBytes(pid));
    await sleep(plan.holdMs / 10);
  }
  const counts = await measured;
  await client.call('close', null);
  const openBytes = spreadOf(readings).middle;
  const bytesPerStream = (openBytes - idleBytes) / STREAMS;
  // Every stream has an event each second: missing ones are failures as much as broken streams.
  const expected = (STREAMS * plan.holdMs) / INTERVAL_MS;
  const silent = Math.max(0, Math.round(STREAMS * (1 - counts.chunks / expected) - STREAMS * 0.05));
  return { idleBytes, openBytes, bytesPerStream, failures: counts.failures + silent };
}

/** A few streams, so that code is loaded and buffers exist, but not memory for many. */
async function warmUp(client: Worker<SseClientCommands>, target: Target): Promise<void> {
  await client.call('open', openOptions(target, 100, 500));
  await sleep(1_500);
  await client.call('close', null);
  await sleep(500);
}

function openOptions(target: Target, streams: number, rampMs: number): OpenStreamsOptions {
  const { port } = target;
  return { port, streams, chunksPerStream: 100_000, intervalMs: INTERVAL_MS, rampMs };
}

function createTable(theirs: readonly Sample[], ours: readonly Sample[]): Table {
  const heading = ['target', 'idle MB', `${STREAMS} streams MB`, 'KB/stream', 'x reference'];
  const perStream = (samples: readonly Sample[]): readonly number[] =>
    samples.map((sample) => sample.bytesPerStream / 1024);
  const createRow = (name: string, samples: readonly Sample[]): readonly string[] => [
    name,
    formatSpread(spreadOf(samples.map((sample) => sample.idleBytes / BYTES_PER_MB)), 0),
    formatSpread(spreadOf(samples.map((sample) => sample.openBytes / BYTES_PER_MB)), 0),
    formatSpread(spreadOf(perStream(samples)), 1),
    formatSpread(spreadOf(ratiosOf(perStream(samples), perStream(theirs))), 2),
  ];
  return [heading, createRow('reference', theirs), createRow('subject', ours)];
}
