import type { Rng } from '../../core/rng.ts';
import { ArrivalTraffic } from './arrival-traffic.ts';
import { createGammaArrivals } from './arrivals.ts';
import { createStream } from './random.ts';
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

// Purposes of random streams.
const ARRIVALS = 0;
const SIZES = 1;

/** A workload where counting requests says little of the work they are. */
export function createMixedSizesWorkload(sheet: WorkloadSheet<MixedSizesSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: ({ requestsPerSecond }) => `${requestsPerSecond} requests/s`,
    createTraffic,
  });
}

function createTraffic(values: MixedSizesSetting, options: TrafficOptions): TrafficSource {
  const { seed, durationMs, load } = options;
  const meanPerSecond = values.requestsPerSecond * load;
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
  const arrivals = createGammaArrivals(createStream(seed, ARRIVALS), meanPerSecond, values.gapCv);
  return new ArrivalTraffic(arrivals, { durationMs, meanPerSecond, create });
}

function createTwoSizes({ small, large, largeShare }: TwoSizes): (rng: Rng) => number {
  const ofSmall = createSizes(small);
  const ofLarge = createSizes(large);
  return (rng) => (rng.next() < largeShare ? ofLarge : ofSmall).draw(rng);
}
