// Entry of a worker thread that runs jobs; started by jobs-pool.ts and imported by nothing.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

import { runJob, WorkloadShelf } from './jobs.ts';
import {
  readStopFlag,
  type StopReason,
  type WorkerOrder,
  type WorkerReport,
  type WorkerSetup,
} from './jobs-messages.ts';

/** Progress is told in steps of this share, as every message wakes the main thread. */
const PROGRESS_STEP = 0.005;

function serve(port: MessagePort, { stopFlag }: WorkerSetup): void {
  const flag = new Int32Array(stopFlag);
  const shelf = new WorkloadShelf();
  const report = (message: WorkerReport): void => {
    port.postMessage(message);
  };
  const run = async ({ id, job }: WorkerOrder): Promise<void> => {
    let told = 0;
    const onProgress = (share: number): void => {
      if (share < told + PROGRESS_STEP) return;
      told = share;
      report({ kind: 'progress', id, share });
    };
    const faulty = new Set<string>();
    const onPluginFault = (plugin: string, cause: unknown): void => {
      if (faulty.has(plugin)) return;
      faulty.add(plugin);
      const message = cause instanceof Error ? cause.message : String(cause);
      report({ kind: 'fault', id, plugin, message });
    };
    try {
      const shouldStop = (): StopReason | null => readStopFlag(flag);
      const hooks = { shelf, shouldStop, onProgress, onPluginFault };
      report({ kind: 'done', id, result: await runJob(job, hooks) });
    } catch (cause) {
      const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      report({ kind: 'failed', id, message });
    }
  };
  port.on('message', (order: WorkerOrder) => void run(order));
}

if (parentPort !== null) serve(parentPort, workerData as WorkerSetup);
