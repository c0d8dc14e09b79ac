import { must } from '../../core/assert.ts';
import type { ArrivalSpec } from './arrival-spec.ts';
import { createStream } from './random.ts';
import { createVaryingTraffic, describeVaryingLoad, type VaryingPlan } from './request-traffic.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload, noAdapters } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSampler, type SizeSpec } from './sizes.ts';
import type {
  LabRequest,
  PromptSegment,
  TrafficOptions,
  TrafficSource,
  Workload,
} from './types.ts';

/** What one tenant sends. */
export interface TenantSpec {
  /** System prompt that its requests share. */
  readonly systemTokens: number;
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

/** Parameters of several tenants on one fleet, one of which bursts. */
export interface NoisyNeighbourSetting extends Setting {
  /** Tenants beside the noisy one. */
  readonly quietTenants: number;
  /** Requests per second of each of them at a load of 1. */
  readonly quietPerSecond: number;
  readonly quiet: TenantSpec;
  /** Requests per second of the noisy tenant within bursts, and between them. */
  readonly burstPerSecond: number;
  readonly calmPerSecond: number;
  readonly noisy: TenantSpec;
  readonly burstMs: number;
  /** From one burst's start to the next; the first burst starts half of it in. */
  readonly periodMs: number;
}

interface Tenant {
  readonly system: PromptSegment;
  readonly userTokens: SizeSampler;
  readonly outputTokens: SizeSampler;
  readonly maxTokens: number;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload in which one tenant's bursts must not spoil what the others get. */
export function createNoisyNeighbourWorkload(
  sheet: WorkloadSheet<NoisyNeighbourSetting>,
): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: (values, arrivals) =>
      describeVaryingLoad(meanPerSecondOf(values).toFixed(1), arrivals),
    closed: { refusal: 'its bursts come by the clock, whoever waits for an answer' },
    createTraffic,
  });
}

function meanPerSecondOf(values: NoisyNeighbourSetting): number {
  const share = values.burstMs / values.periodMs;
  const noisy = values.burstPerSecond * share + values.calmPerSecond * (1 - share);
  return values.quietTenants * values.quietPerSecond + noisy;
}

function noisyPerSecondAt(values: NoisyNeighbourSetting, atMs: number): number {
  const sinceBurstMs = (atMs + values.periodMs / 2) % values.periodMs;
  return sinceBurstMs < values.burstMs ? values.burstPerSecond : values.calmPerSecond;
}

function createTraffic(
  values: NoisyNeighbourSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const { seed } = options;
  const { quietTenants } = values;
  const quietPerSecond = quietTenants * values.quietPerSecond;
  const sizes = createStream(seed, SIZES);
  const mint = new SegmentMint();
  const tenants = Array.from({ length: quietTenants + 1 }, (_, index) =>
    createTenant(index < quietTenants ? values.quiet : values.noisy, mint),
  );
  // Independent Poisson processes are one process whose arrivals are marked by chance.
  const create = (atMs: number, number: number): LabRequest => {
    const perSecond = quietPerSecond + noisyPerSecondAt(values, atMs);
    const mark = sizes.next() * perSecond;
    const index = Math.min(quietTenants, Math.floor(mark / values.quietPerSecond));
    const tenant = must(tenants[index], 'a tenant');
    const user = mint.create(tenant.userTokens.draw(sizes));
    return createRequest({
      atMs,
      session: number,
      tenant: index < quietTenants ? `quiet-${index + 1}` : 'noisy',
      segments: [tenant.system, user],
      output: mint.create(tenant.outputTokens.draw(sizes)),
      maxTokens: tenant.maxTokens,
    });
  };
  const peak = quietPerSecond + Math.max(values.burstPerSecond, values.calmPerSecond);
  const rateAt: VaryingPlan['rateAt'] = (load) => ({
    peakPerSecond: peak * load,
    perSecondAt: (atMs) => (quietPerSecond + noisyPerSecondAt(values, atMs)) * load,
    meanPerSecond: meanPerSecondOf(values) * load,
  });
  return createVaryingTraffic(
    { perSecond: meanPerSecondOf(values), rateAt, create },
    options,
    spec,
  );
}

function createTenant(spec: TenantSpec, mint: SegmentMint): Tenant {
  return {
    system: mint.create(spec.systemTokens),
    userTokens: createSizes(spec.userTokens),
    outputTokens: createSizes(spec.outputTokens),
    maxTokens: spec.outputTokens.max,
  };
}
