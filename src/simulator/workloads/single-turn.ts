import { ArrivalTraffic } from './arrival-traffic.ts';
import { createGammaArrivals } from './arrivals.ts';
import { createStream } from './random.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload, noAdapters } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { LabRequest, TrafficOptions, TrafficSource, Workload } from './types.ts';

/** Parameters of independent requests that share nothing but their instructions. */
export interface SingleTurnSetting extends Setting {
  /** What a load of 1 is. */
  readonly requestsPerSecond: number;
  /** Coefficient of variation of the gaps between requests; 1 is Poisson. */
  readonly gapCv: number;
  /** Instructions that every prompt begins with. */
  readonly systemTokens: number;
  /** What follows them and is nobody else's. */
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

// Purposes of random streams.
const ARRIVALS = 0;
const SIZES = 1;

/** A workload of independent requests. */
export function createSingleTurnWorkload(sheet: WorkloadSheet<SingleTurnSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: ({ requestsPerSecond }) => `${requestsPerSecond} requests/s`,
    createTraffic,
  });
}

function createTraffic(values: SingleTurnSetting, options: TrafficOptions): TrafficSource {
  const { seed, durationMs, load } = options;
  const meanPerSecond = values.requestsPerSecond * load;
  const sizes = createStream(seed, SIZES);
  const userTokens = createSizes(values.userTokens);
  const outputTokens = createSizes(values.outputTokens);
  const mint = new SegmentMint();
  const system = mint.create(values.systemTokens);
  const create = (atMs: number, number: number): LabRequest => {
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
  const arrivals = createGammaArrivals(createStream(seed, ARRIVALS), meanPerSecond, values.gapCv);
  return new ArrivalTraffic(arrivals, { durationMs, meanPerSecond, create });
}
