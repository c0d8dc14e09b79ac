import type { Bench } from './lib/bench.ts';
import { describeDisturbances } from './lib/core-watch.ts';
import { startSubject } from './lib/gateway.ts';
import { referenceName, type Lab } from './lib/lab.ts';
import { checkAtLeast, checkAtMost, checkNone, type BenchResult } from './lib/report.ts';
import {
  measureRecording,
  type OverheadPlan,
  type RecordingOverhead,
} from './lib/recording-overhead.ts';
import { formatSpread } from './lib/stats.ts';
import { directTarget } from './lib/target.ts';
import {
  compareThroughput,
  throughputRatio,
  throughputTable,
  type ThroughputPlan,
} from './lib/throughput.ts';
import { createChatBodies } from './load/bodies.ts';
import { createClosedLoopLoad, type ClosedLoopLoad } from './load/closed-loop.ts';
import { startAnswerUpstream } from './load/workers.ts';
import { startNginxUpstream } from './reference/nginx.ts';
import { startReference } from './reference/reference.ts';

const BODY_BYTES = 1_024;
/** Many short rounds: a disturbance of the machine then spoils few of them, and the median none. */
const QUICK_PLAN: ThroughputPlan = {
  connections: 32,
  warmUpMs: 3_000,
  rounds: 6,
  durationMs: 1_000,
};
const FULL_PLAN: ThroughputPlan = { ...QUICK_PLAN, warmUpMs: 6_000, rounds: 15, durationMs: 3_000 };

/**
 * Blocks of about a thousand requests: the more pairs, the less a disturbance counts. Only after
 * 130,000 lines or so is the code that makes them as fast as it gets.
 */
const QUICK_OVERHEAD: OverheadPlan = {
  connections: QUICK_PLAN.connections,
  warmUpMs: 7_000,
  pairs: 180,
  blockMs: 40,
};
const FULL_OVERHEAD: OverheadPlan = { ...QUICK_OVERHEAD, pairs: 800 };

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
  const [theirs, ours] = await compareThroughput(lab, load, [reference, subject], plan);
  // The upstream's own ceiling: if it is close to the reference, the upstream was what was
  // measured.
  const directPlan = { ...plan, warmUpMs: 1_000, rounds: 1, durationMs: 2_000 };
  const [direct] = await compareThroughput(lab, load, [directTarget(upstreamPort)], directPlan);
  const recording = await measureOverhead(lab, load, upstreamPort);
  const goal = { unit: 'x reference', must: 0.33, aim: 0.8 };
  return {
    reference: referenceName(lab),
    tables: [throughputTable([theirs, ours, direct], theirs)],
    notes: [
      ...describeDisturbances([...theirs.uses, ...ours.uses]),
      ...recording.map(describeOverhead),
    ],
    checks: [
      checkAtLeast('requests per second', throughputRatio(ours, theirs).middle, goal),
      ...recording.map(({ percent }) =>
        checkAtMost('recording overhead', percent.middle, { unit: '% CPU', must: 2, aim: 1 }),
      ),
      checkNone(
        'failed requests',
        recording.reduce((sum, { failures }) => sum + failures, ours.failures),
        'requests',
      ),
    ],
  };
}

/** Nothing when it is not the gateway that is measured. */
async function measureOverhead(
  lab: Lab,
  load: ClosedLoopLoad,
  upstreamPort: number,
): Promise<readonly RecordingOverhead[]> {
  if (lab.subject !== 'penstock') return [];
  const plan = lab.isQuick ? QUICK_OVERHEAD : FULL_OVERHEAD;
  return [await measureRecording(lab, load, upstreamPort, plan)];
}

function describeOverhead({ percent, costUs, plainUs, pairs }: RecordingOverhead): string {
  const cost = `${formatSpread(costUs, 2)} us of CPU per request`;
  const share = `${formatSpread(percent, 1)} % of ${plainUs.middle.toFixed(1)} us`;
  return `recording: ${cost}, ${share}; median of ${pairs} pairs, in brackets its 95 % interval`;
}
