import type { ArrivalSpec } from './arrival-spec.ts';
import { createStream } from './random.ts';
import { createRequestTraffic, describeRequestLoad } from './request-traffic.ts';
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

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload of independent requests. */
export function createSingleTurnWorkload(sheet: WorkloadSheet<SingleTurnSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: ({ requestsPerSecond }, arrivals) => describeRequestLoad(requestsPerSecond, arrivals),
    closed: 'given_users',
    createTraffic,
  });
}

function createTraffic(
  values: SingleTurnSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const { seed } = options;
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
  const gaps = { kind: 'gamma', cv: values.gapCv } as const;
  const plan = { gaps, perSecond: values.requestsPerSecond, create };
  return createRequestTraffic(plan, options, spec);
}
