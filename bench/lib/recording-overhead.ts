import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClosedLoopLoad } from '../load/closed-loop.ts';
import type { RecordingPlan, RecordingSubjectCommands } from '../load/recording-subject.ts';
import { BenchFailure } from './failure.ts';
import type { Lab } from './lab.ts';
import { differencesOf, medianIntervalOf, ratiosOf, spreadOf, type Spread } from './stats.ts';
import { Worker } from './worker.ts';

/** How recording is measured. */
export interface OverheadPlan extends RecordingPlan {
  readonly connections: number;
}

/** What recording costs, from pairs of blocks with and without; bounds are those of the median. */
export interface RecordingOverhead {
  /** CPU with recording over that without, less 1, in percent. */
  readonly percent: Spread;
  /** The same as a difference, in microseconds of CPU per request. */
  readonly costUs: Spread;
  readonly plainUs: Spread;
  readonly pairs: number;
  /** Requests without a complete answer. */
  readonly failures: number;
}

/** Blocks are longer than they are measured, by as much as switching takes. */
const SWITCHING_FACTOR = 1.25;
const START_MS = 500;
const COMMAND_LIMIT_MS = 30_000;

/**
 * Measures recording inside one gateway, on and off in turn under load without end: two processes
 * differ by more than it costs, and so do two minutes of one machine.
 */
export async function measureRecording(
  lab: Lab,
  load: ClosedLoopLoad,
  upstreamPort: number,
  plan: OverheadPlan,
): Promise<RecordingOverhead> {
  const subject = new Worker<RecordingSubjectCommands>(
    new URL('../load/recording-subject.ts', import.meta.url),
    { name: 'gateway', cpu: lab.cpus.proxyCpu, cleanup: lab.cleanup },
  );
  const port = await subject.call('listen', {
    upstreamPort,
    path: join(lab.tempDir, 'trace.jsonl'),
  });
  const { connections, warmUpMs, pairs, blockMs } = plan;
  const workMs = (warmUpMs + 2 * pairs * blockMs) * SWITCHING_FACTOR;
  const loading = load.runClosedLoop({ port, connections, durationMs: START_MS + workMs });
  await sleep(START_MS);
  const result = await subject.call('compare', plan, workMs + COMMAND_LIMIT_MS);
  const { failures } = await loading;
  await subject.stop();
  if (result.lines < result.recordedRequests) {
    throw new BenchFailure(`${result.recordedRequests} requests gave ${result.lines} lines`);
  }
  const ratios = ratiosOf(result.recordedUs, result.plainUs);
  return {
    percent: medianIntervalOf(ratios.map((ratio) => (ratio - 1) * 100)),
    costUs: medianIntervalOf(differencesOf(result.recordedUs, result.plainUs)),
    plainUs: spreadOf(result.plainUs),
    pairs,
    failures,
  };
}
