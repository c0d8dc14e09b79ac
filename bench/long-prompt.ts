import type { Bench } from './lib/bench.ts';
import { describeDisturbances } from './lib/core-watch.ts';
import { BenchFailure } from './lib/failure.ts';
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
import { differencesOf, formatSpread, spreadOf } from './lib/stats.ts';
import { directTarget, measureInRounds, type Target } from './lib/target.ts';
import {
  compareThroughput,
  throughputTable,
  type Throughput,
  type ThroughputPlan,
} from './lib/throughput.ts';
import type { Worker } from './lib/worker.ts';
import { createChatBodies } from './load/bodies.ts';
import { createClosedLoopLoad } from './load/closed-loop.ts';
import type { HttpClientCommands } from './load/http-client.ts';
import type { LoadResult } from './load/load-result.ts';
import { startAnswerUpstream, startHttpClient } from './load/workers.ts';
import { startReference } from './reference/reference.ts';

const BODY_BYTES = 220_000;
/** Enough that the bodies together (14 MB) do not stay in the processor's nearer caches. */
const DISTINCT_BODIES = 64;
const OPEN_LOOP_PER_SECOND = 100;

interface LongPromptPlan extends ThroughputPlan {
  readonly openLoopMs: number;
}

const QUICK_PLAN: LongPromptPlan = {
  connections: 16,
  warmUpMs: 2_000,
  rounds: 5,
  durationMs: 1_000,
  openLoopMs: 1_000,
};
const FULL_PLAN: LongPromptPlan = {
  connections: 16,
  warmUpMs: 4_000,
  rounds: 9,
  durationMs: 3_000,
  openLoopMs: 4_000,
};

/** Prompts of 220 KB: as many as one core passes on, and what each waits at a moderate rate. */
export const longPromptBench: Bench = {
  name: 'long-prompt',
  question: 'requests/s on one core with 220 KB prompts, and added time to first byte at 100/s',
  run: runLongPromptBench,
};

async function runLongPromptBench(lab: Lab): Promise<BenchResult> {
  const { port: upstreamPort, process: upstream } = await startAnswerUpstream(lab);
  const reference = await startReference(lab, { upstreamPort, responseBuffering: 'on' });
  const subject = await startSubject(lab, upstreamPort);
  const direct = directTarget(upstreamPort);
  const bodies = createChatBodies(DISTINCT_BODIES, BODY_BYTES);
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;

  const load = await createClosedLoopLoad(lab, bodies);
  const [theirs, ours] = await compareThroughput(lab, load, [reference, subject], plan);
  // The upstream's own ceiling: if it is close to the reference, the upstream was what was
  // measured.
  const directPlan = { ...plan, warmUpMs: 1_000, rounds: 1, durationMs: 1_000 };
  const [ceiling] = await compareThroughput(lab, load, [direct], directPlan);

  const client = await startHttpClient(lab, bodies);
  await upstream.call('takeCounts', null);
  const targets = [direct, reference, subject] as const;
  const waits = await measureInRounds(targets, plan.rounds, (target) =>
    runOpenLoop(client, target, plan.openLoopMs),
  );
  assertWholeBodies(await upstream.call('takeCounts', null), bodies);
  return {
    reference: referenceName(lab),
    tables: [throughputTable([theirs, ours, ceiling], theirs), waitTable(targets, waits)],
    notes: describeDisturbances([...theirs.uses, ...ours.uses]),
    checks: createChecks(ours, waits),
  };
}

function runOpenLoop(
  client: Worker<HttpClientCommands>,
  target: Target,
  durationMs: number,
): Promise<LoadResult> {
  const options = { port: target.port, requestsPerSecond: OPEN_LOOP_PER_SECOND, durationMs };
  return client.call('runOpenLoop', options, durationMs + 10_000);
}

/** A proxy that loses part of a prompt would look fast. */
function assertWholeBodies(
  counts: { readonly posts: number; readonly bodyBytes: number },
  bodies: readonly string[],
): void {
  const sizes = bodies.map((body) => Buffer.byteLength(body));
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const perPost = counts.bodyBytes / counts.posts;
  if (Math.abs(perPost / mean - 1) > 0.001) {
    throw new BenchFailure(`the upstream got ${perPost} bytes per request instead of ${mean}`);
  }
}

type Waits = readonly (readonly LoadResult[])[];

function createChecks(ours: Throughput, waits: Waits): readonly Check[] {
  const [direct = [], , subject = []] = waits;
  const added = differencesOf(p99sOf(subject), p99sOf(direct));
  const failures = ours.failures + subject.reduce((sum, wait) => sum + wait.failures, 0);
  const perSecond = { unit: 'requests/s', must: 600, aim: 2_000 };
  const wait = { unit: 'ms', must: 10, aim: null };
  return [
    checkAtLeast('requests per second', spreadOf(ours.requestsPerSecond).middle, perSecond),
    checkAtMost('added time to first byte p99', spreadOf(added).middle, wait),
    checkNone('failed requests', failures, 'requests'),
  ];
}

function p99sOf(waits: readonly LoadResult[]): readonly number[] {
  return waits.map((wait) => wait.p99Ms);
}

/** Time to first byte at a constant rate, and what each target adds to the upstream's own. */
function waitTable(targets: readonly Target[], waits: Waits): Table {
  const directP99s = p99sOf(waits[0] ?? []);
  const rows = targets.map((target, index) => {
    const own = waits[index] ?? [];
    return [
      target.name,
      formatSpread(spreadOf(own.map((wait) => wait.p50Ms)), 2),
      formatSpread(spreadOf(p99sOf(own)), 2),
      formatSpread(spreadOf(differencesOf(p99sOf(own), directP99s)), 2),
    ];
  });
  return [[`at ${OPEN_LOOP_PER_SECOND}/s`, 'TTFB p50 ms', 'TTFB p99 ms', 'added p99 ms'], ...rows];
}
