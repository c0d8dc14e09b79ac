import { createStream } from './random.ts';
import type { RequestPlan } from './request-traffic.ts';
import { createRequestWorkload, type RequestSetting } from './request-workload.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { noAdapters } from './sheet-workload.ts';
import type { WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { Workload } from './types.ts';

/** Parameters of independent requests that share nothing but their instructions. */
export interface SingleTurnSetting extends RequestSetting {
  /** Coefficient of variation of the gaps between requests; 1 is Poisson. */
  readonly gapCv: number;
  /** Instructions that every prompt begins with. */
  readonly systemTokens: number;
  /** What follows them and is nobody else's. */
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload of independent requests. */
export function createSingleTurnWorkload(sheet: WorkloadSheet<SingleTurnSetting>): Workload {
  return createRequestWorkload(sheet, {
    adapters: noAdapters,
    gaps: ({ gapCv }) => ({ kind: 'gamma', cv: gapCv }),
    createRequests,
  });
}

function createRequests(values: SingleTurnSetting, seed: number): RequestPlan['create'] {
  const sizes = createStream(seed, SIZES);
  const userTokens = createSizes(values.userTokens);
  const outputTokens = createSizes(values.outputTokens);
  const mint = new SegmentMint();
  const system = mint.create(values.systemTokens);
  return (atMs, number) => {
    const user = mint.create(userTokens.draw(sizes));
    return createRequest({
      atMs,
      session: number,
      tenant: 'all',
      segments: [system, user],
      output: mint.create(outputTokens.draw(sizes)),
      maxTokens: values.outputTokens.max,
    });
  };
}
