import { must } from '../../core/assert.ts';
import type { ArrivalSpec } from './arrival-spec.ts';
import { createStream } from './random.ts';
import { createRequestTraffic, describeRequestLoad } from './request-traffic.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { LabRequest, TrafficOptions, TrafficSource, Workload } from './types.ts';
import { createZipf } from './zipf.ts';

/** Parameters of many adapters on one base model. */
export interface AdapterZooSetting extends Setting {
  /** What a load of 1 is. */
  readonly requestsPerSecond: number;
  readonly adapters: number;
  /** The adapter of rank r is asked for in proportion to `r^-exponent`. */
  readonly exponent: number;
  /** Instructions that all requests of one adapter begin with. */
  readonly systemTokens: number;
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload whose requests name one of many adapters, some of them far more often than others. */
export function createAdapterZooWorkload(sheet: WorkloadSheet<AdapterZooSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: adapterNames,
    loadUnit: ({ requestsPerSecond }, arrivals) => describeRequestLoad(requestsPerSecond, arrivals),
    closed: 'given_users',
    createTraffic,
  });
}

function adapterNames({ adapters }: AdapterZooSetting): readonly string[] {
  return Array.from({ length: adapters }, (_, rank) => `adapter-${rank + 1}`);
}

function createTraffic(
  values: AdapterZooSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const names = adapterNames(values);
  const { seed } = options;
  const sizes = createStream(seed, SIZES);
  const drawRank = createZipf(values.adapters, values.exponent);
  const userTokens = createSizes(values.userTokens);
  const outputTokens = createSizes(values.outputTokens);
  const mint = new SegmentMint();
  const systems = names.map(() => mint.create(values.systemTokens));
  const create = (atMs: number, number: number): LabRequest => {
    const rank = drawRank(sizes);
    const adapter = must(names[rank], 'an adapter');
    const user = mint.create(userTokens.draw(sizes));
    return createRequest({
      atMs,
      session: number,
      tenant: adapter,
      adapter,
      segments: [must(systems[rank], 'a system prompt'), user],
      output: mint.create(outputTokens.draw(sizes)),
      maxTokens: values.outputTokens.max,
    });
  };
  const gaps = { kind: 'poisson' } as const;
  const plan = { gaps, perSecond: values.requestsPerSecond, create };
  return createRequestTraffic(plan, options, spec);
}
