import type { LabJob } from './jobs.ts';
import type { RunResult } from './results.ts';

/** Why runs are ended before their time. */
export type StopReason = 'interrupted' | 'out_of_time';

/** What a worker thread is started with. */
export interface WorkerSetup {
  /** One number, shared with every worker: a place in `STOP_REASONS`. */
  readonly stopFlag: SharedArrayBuffer;
}

/** A job for a worker. */
export interface WorkerOrder {
  readonly id: number;
  readonly job: LabJob;
}

/** What a worker tells. A job that throws is answered with `failed`; the worker stays. */
export type WorkerReport =
  | { readonly kind: 'progress'; readonly id: number; readonly share: number }
  /** Told once for each plugin of a job. */
  | {
      readonly kind: 'fault';
      readonly id: number;
      readonly plugin: string;
      readonly message: string;
    }
  | { readonly kind: 'done'; readonly id: number; readonly result: RunResult }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

/** What the numbers of the stop flag mean. */
export const STOP_REASONS: readonly (StopReason | null)[] = Object.freeze([
  null,
  'interrupted',
  'out_of_time',
]);

/** Reads a stop flag. */
export function readStopFlag(flag: Int32Array): StopReason | null {
  return STOP_REASONS[Atomics.load(flag, 0)] ?? null;
}
