import type { Rng } from '../../core/rng.ts';
import type { ArrivalSpec } from './arrival-spec.ts';
import { createStream } from './random.ts';
import { createRequestTraffic, describeRequestLoad } from './request-traffic.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload, noAdapters } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { LabRequest, TrafficOptions, TrafficSource, Workload } from './types.ts';

/** Two kinds of sizes, and how many are of the large kind. */
export interface TwoSizes {
  readonly small: SizeSpec;
  readonly large: SizeSpec;
  /** 0 to 1. */
  readonly largeShare: number;
}

/** Parameters of requests whose prompts and answers are each either small or large. */
export interface MixedSizesSetting extends Setting {
  /** What a load of 1 is. */
  readonly requestsPerSecond: number;
  /** Coefficient of variation of the gaps between requests; 1 is Poisson. */
  readonly gapCv: number;
  readonly promptTokens: TwoSizes;
  readonly outputTokens: TwoSizes;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload where counting requests says little of the work they are. */
export function createMixedSizesWorkload(sheet: WorkloadSheet<MixedSizesSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: ({ requestsPerSecond }, arrivals) => describeRequestLoad(requestsPerSecond, arrivals),
    closed: 'given_users',
    createTraffic,
  });
}

function createTraffic(
  values: MixedSizesSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const { seed } = options;
  const sizes = createStream(seed, SIZES);
  const drawPrompt = createTwoSizes(values.promptTokens);
  const drawOutput = createTwoSizes(values.outputTokens);
  const mint = new SegmentMint();
  const create = (atMs: number, number: number): LabRequest =>
    createRequest({
      atMs,
      session: number,
      tenant: 'all',
      segments: [mint.create(drawPrompt(sizes))],
      output: mint.create(drawOutput(sizes)),
      // Clients of this kind state no bound, so that nothing tells the length of an answer.
      maxTokens: null,
    });
  const gaps = { kind: 'gamma', cv: values.gapCv } as const;
  const plan = { gaps, perSecond: values.requestsPerSecond, create };
  return createRequestTraffic(plan, options, spec);
}

function createTwoSizes({ small, large, largeShare }: TwoSizes): (rng: Rng) => number {
  const ofSmall = createSizes(small);
  const ofLarge = createSizes(large);
  return (rng) => (rng.next() < largeShare ? ofLarge : ofSmall).draw(rng);
}
