import { must } from '../../core/assert.ts';
import type { ArrivalSpec } from './arrival-spec.ts';
import type { VaryingRate } from './arrivals.ts';
import { createStream } from './random.ts';
import { createVaryingTraffic, describeVaryingLoad, type VaryingPlan } from './request-traffic.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload, noAdapters } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { LabRequest, TrafficOptions, TrafficSource, Workload } from './types.ts';
import { createZipf } from './zipf.ts';

/** Parameters of a day's traffic, in the time of one run. */
export interface DiurnalSetting extends Setting {
  /** Mean over the day without bursts at a load of 1. */
  readonly requestsPerSecond: number;
  /**
   * The rate at noon is `1 + swing` times the mean, that at midnight `1 - swing` times; below 1.
   */
  readonly swing: number;
  /** Bursts in a day, at random times. */
  readonly bursts: number;
  readonly burstMs: number;
  /** What a burst multiplies the rate with. */
  readonly burstFactor: number;
  /** System prompts in use; the one of rank r is used in proportion to 1 / r. */
  readonly applications: number;
  readonly systemTokens: number;
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;
const BURSTS = 2;

/** A workload that swells and ebbs once within the run, whatever its duration, with bursts. */
export function createDiurnalWorkload(sheet: WorkloadSheet<DiurnalSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: ({ requestsPerSecond }, arrivals) =>
      describeVaryingLoad(String(requestsPerSecond), arrivals),
    closed: { refusal: 'its wave and its bursts come by the clock, whoever waits for an answer' },
    createTraffic,
  });
}

function createTraffic(
  values: DiurnalSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const { seed } = options;
  const sizes = createStream(seed, SIZES);
  const drawApplication = createZipf(values.applications, 1);
  const userTokens = createSizes(values.userTokens);
  const outputTokens = createSizes(values.outputTokens);
  const mint = new SegmentMint();
  const systems = Array.from({ length: values.applications }, () =>
    mint.create(values.systemTokens),
  );
  const create = (atMs: number, number: number): LabRequest => {
    const application = drawApplication(sizes);
    const user = mint.create(userTokens.draw(sizes));
    return createRequest({
      atMs,
      session: number,
      tenant: `application-${application + 1}`,
      segments: [must(systems[application], 'a system prompt'), user],
      output: mint.create(outputTokens.draw(sizes)),
      maxTokens: values.outputTokens.max,
    });
  };
  const rateAt: VaryingPlan['rateAt'] = (load) => {
    const rate = rateOf(values, { ...options, load });
    return { ...rate, meanPerSecond: meanOf(rate, options) };
  };
  return createVaryingTraffic(
    { perSecond: values.requestsPerSecond, rateAt, create },
    options,
    spec,
  );
}

/** Midnight at the start and the end of the run, noon in the middle. */
function rateOf(values: DiurnalSetting, { seed, load, durationMs }: TrafficOptions): VaryingRate {
  const rng = createStream(seed, BURSTS);
  const bursts = Array.from({ length: values.bursts }, () => rng.next() * durationMs);
  const { swing, burstMs, burstFactor } = values;
  const mean = values.requestsPerSecond * load;
  return {
    peakPerSecond: mean * (1 + swing) * Math.max(1, burstFactor),
    perSecondAt: (atMs): number => {
      const isBurst = bursts.some((startMs) => atMs >= startMs && atMs < startMs + burstMs);
      const wave = 1 - swing * Math.cos((2 * Math.PI * atMs) / durationMs);
      return mean * wave * (isBurst ? burstFactor : 1);
    },
  };
}

const MEAN_SAMPLES = 1000;

function meanOf(rate: VaryingRate, { durationMs }: TrafficOptions): number {
  let sum = 0;
  for (let sample = 0; sample < MEAN_SAMPLES; sample += 1) {
    sum += rate.perSecondAt(((sample + 0.5) / MEAN_SAMPLES) * durationMs);
  }
  return sum / MEAN_SAMPLES;
}
