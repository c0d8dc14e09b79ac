import type { Bench } from './lib/bench.ts';
import { describeDisturbances, watchCores, type CoreUse } from './lib/core-watch.ts';
import { startSubject } from './lib/gateway.ts';
import { referenceName, type Lab } from './lib/lab.ts';
import {
  checkAtLeast,
  checkAtMost,
  checkNone,
  type BenchResult,
  type Check,
  type Table,
} from './lib/report.ts';
import { differencesOf, formatSpread, ratiosOf, spreadOf } from './lib/stats.ts';
import { directTarget, measureInRounds, type Target } from './lib/target.ts';
import { formatCores } from './lib/throughput.ts';
import type { Worker } from './lib/worker.ts';
import type { SseClientCommands, StreamCounts } from './load/sse-client.ts';
import { startSseClient, startSseUpstream } from './load/workers.ts';
import { startReference } from './reference/reference.ts';

const STREAMS = 256;
/** 50 events per second and stream. */
const INTERVAL_MS = 20;
/** A stream lasts 4 s and is followed by another: starts and ends are part of what is measured. */
const CHUNKS_PER_STREAM = 200;
const RAMP_MS = 300;

interface StreamPlan {
  readonly warmUpMs: number;
  readonly rounds: number;
  readonly windowMs: number;
}

const QUICK_PLAN: StreamPlan = { warmUpMs: 2_500, rounds: 4, windowMs: 1_800 };
const FULL_PLAN: StreamPlan = { warmUpMs: 5_000, rounds: 7, windowMs: 5_000 };

interface Sample extends StreamCounts {
  readonly use: CoreUse;
  readonly cpuUsPerChunk: number;
}

/** Many streams at a model's pace: what one event costs and how much later it arrives. */
export const streamBench: Bench = {
  name: 'stream',
  question: 'CPU per SSE event and added delay: 256 streams of 50 events/s',
  run: runStreamBench,
};

async function runStreamBench(lab: Lab): Promise<BenchResult> {
  const { port: upstreamPort, process: upstream } = await startSseUpstream(lab);
  const client = startSseClient(lab);
  const reference = await startReference(lab, { upstreamPort, responseBuffering: 'off' });
  const subject = await startSubject(lab, upstreamPort);
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  for (const target of [reference, subject]) {
    await measureStreams(lab, client, { target, windowMs: plan.warmUpMs });
  }
  await upstream.call('takeCounts', null);
  const targets = [directTarget(upstreamPort), reference, subject] as const;
  const samples = await measureInRounds(targets, plan.rounds, (target) =>
    measureStreams(lab, client, { target, windowMs: plan.windowMs }),
  );
  const { streams, usageAsked, worstLagMs } = await upstream.call('takeCounts', null);
  const [, theirs, ours] = samples;
  return {
    reference: referenceName(lab),
    tables: [createTable(targets, samples)],
    notes: [
      `upstream: usage asked in ${usageAsked} of ${streams} streams (by the client: in none)`,
      `the upstream's pace was late by ${worstLagMs.toFixed(0)} ms at worst`,
      ...describeDisturbances([...theirs, ...ours].map((sample) => sample.use)),
    ],
    checks: createChecks(samples),
  };
}

async function measureStreams(
  lab: Lab,
  client: Worker<SseClientCommands>,
  options: { readonly target: Target; readonly windowMs: number },
): Promise<Sample> {
  const { target, windowMs } = options;
  await client.call('open', {
    port: target.port,
    streams: STREAMS,
    chunksPerStream: CHUNKS_PER_STREAM,
    intervalMs: INTERVAL_MS,
    rampMs: RAMP_MS,
  });
  const { result, use } = await watchCores(lab, target, () =>
    client.call('measure', { windowMs }, windowMs + 10_000),
  );
  await client.call('close', null);
  return { ...result, use, cpuUsPerChunk: use.proxyUs / result.chunks };
}

type Samples = readonly (readonly Sample[])[];

function createChecks(samples: Samples): readonly Check[] {
  const [direct = [], theirs = [], ours = []] = samples;
  const ratio = spreadOf(ratiosOf(cpuCosts(theirs), cpuCosts(ours)));
  const added = spreadOf(differencesOf(p99sOf(ours), p99sOf(direct)));
  const expected = (STREAMS * 1000) / INTERVAL_MS;
  const rate = spreadOf(ours.map(chunksPerSecond)).middle / expected;
  return [
    checkAtLeast('CPU per event', ratio.middle, { unit: 'x reference', must: 0.5, aim: 0.85 }),
    checkAtMost('added event delay p99', added.middle, { unit: 'ms', must: 3, aim: null }),
    checkAtLeast('events delivered', rate, { unit: 'x offered', must: 0.95, aim: 1 }),
    checkNone('failed streams', sum(ours, 'failures'), 'streams'),
    checkNone('usage events not taken out', sum(ours, 'usageEvents'), 'events'),
  ];
}

function createTable(targets: readonly Target[], samples: Samples): Table {
  const [direct = [], theirs = []] = samples;
  const rows = targets.map((target, index) => {
    const own = samples[index] ?? [];
    const added = differencesOf(p99sOf(own), p99sOf(direct));
    return [
      target.name,
      formatSpread(spreadOf(own.map(chunksPerSecond)), 0),
      formatSpread(spreadOf(cpuCosts(own)), 1),
      target.pid === null
        ? '-'
        : formatSpread(spreadOf(ratiosOf(cpuCosts(theirs), cpuCosts(own))), 2),
      formatSpread(spreadOf(own.map((sample) => sample.p50Ms)), 2),
      formatSpread(spreadOf(p99sOf(own)), 2),
      formatSpread(spreadOf(added), 2),
      formatCores(own.map((sample) => sample.use.proxyCores)),
      formatCores(own.map((sample) => sample.use.loadCores)),
    ];
  });
  const heading = ['target', 'events/s', 'CPU us/event', 'ratio', 'delay p50 ms', 'delay p99 ms'];
  return [[...heading, 'added p99 ms', 'proxy core', 'load core'], ...rows];
}

function cpuCosts(samples: readonly Sample[]): readonly number[] {
  return samples.map((sample) => sample.cpuUsPerChunk);
}

function p99sOf(samples: readonly Sample[]): readonly number[] {
  return samples.map((sample) => sample.p99Ms);
}

function chunksPerSecond(sample: Sample): number {
  return (sample.chunks * 1000) / sample.windowMs;
}

function sum(samples: readonly Sample[], field: 'failures' | 'usageEvents'): number {
  return samples.reduce((total, sample) => total + sample[field], 0);
}
