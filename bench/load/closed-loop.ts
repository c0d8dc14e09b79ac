import type { Lab } from '../lib/lab.ts';
import type { ClosedLoopOptions, LoadResult } from './load-result.ts';
import { startHttpClient } from './workers.ts';
import { WrkLoad } from './wrk.ts';

/** Keeps a number of connections busy for a while. */
export interface ClosedLoopLoad {
  runClosedLoop(options: ClosedLoopOptions): Promise<LoadResult>;
}

/** wrk where it is installed, the bench's own generator elsewhere; both post `bodies` in turn. */
export async function createClosedLoopLoad(
  lab: Lab,
  bodies: readonly string[],
): Promise<ClosedLoopLoad> {
  if (lab.hasWrk) return new WrkLoad(lab, bodies);
  const client = await startHttpClient(lab, bodies);
  return {
    runClosedLoop: (options) => client.call('runClosedLoop', options, options.durationMs + 10_000),
  };
}
