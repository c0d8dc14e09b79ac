import type { Rng } from '../../core/rng.ts';
import { createStream } from './random.ts';
import type { RequestPlan } from './request-traffic.ts';
import { createRequestWorkload, type RequestSetting } from './request-workload.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { noAdapters } from './sheet-workload.ts';
import type { WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { Workload } from './types.ts';

/** Two kinds of sizes, and how many are of the large kind. */
export interface TwoSizes {
  readonly small: SizeSpec;
  readonly large: SizeSpec;
  /** 0 to 1. */
  readonly largeShare: number;
}

/** Parameters of requests whose prompts and answers are each either small or large. */
export interface MixedSizesSetting extends RequestSetting {
  /** Coefficient of variation of the gaps between requests; 1 is Poisson. */
  readonly gapCv: number;
  readonly promptTokens: TwoSizes;
  readonly outputTokens: TwoSizes;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload where counting requests says little of the work they are. */
export function createMixedSizesWorkload(sheet: WorkloadSheet<MixedSizesSetting>): Workload {
  return createRequestWorkload(sheet, {
    adapters: noAdapters,
    gaps: ({ gapCv }) => ({ kind: 'gamma', cv: gapCv }),
    createRequests,
  });
}

function createRequests(values: MixedSizesSetting, seed: number): RequestPlan['create'] {
  const sizes = createStream(seed, SIZES);
  const drawPrompt = createTwoSizes(values.promptTokens);
  const drawOutput = createTwoSizes(values.outputTokens);
  const mint = new SegmentMint();
  return (atMs, number) =>
    createRequest({
      atMs,
      session: number,
      tenant: 'all',
      segments: [mint.create(drawPrompt(sizes))],
      output: mint.create(drawOutput(sizes)),
      // Clients of this kind state no bound, so that nothing tells the length of an answer.
      maxTokens: null,
    });
}

function createTwoSizes({ small, large, largeShare }: TwoSizes): (rng: Rng) => number {
  const ofSmall = createSizes(small);
  const ofLarge = createSizes(large);
  return (rng) => (rng.next() < largeShare ? ofLarge : ofSmall).draw(rng);
}
