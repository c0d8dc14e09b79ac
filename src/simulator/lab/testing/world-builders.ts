import { createRng, type Rng } from '../../../core/rng.ts';
import type { ScrapePolicy } from '../../../pool/scrape-interval.ts';
import { PRESETS, type PresetName } from '../../../scheduler/presets.ts';
import type { EngineModelOptions } from '../../engine/engine-model.ts';
import { createStepCosts } from '../../engine/step-time.ts';
import { RequestList } from '../../workloads/request-list.ts';
import { createRequest } from '../../workloads/request.ts';
import type { LabRequest, PromptSegment, TrafficSource } from '../../workloads/types.ts';
import type { LabEndpoint, LabOptions, LabPolicy } from '../types.ts';

/** A machine with round costs: about 100 tokens/s a stream, 10,000 prompt tokens/s. */
export function createTestEngine(overrides: Partial<EngineModelOptions> = {}): EngineModelOptions {
  return {
    costs: createStepCosts({
      baseMs: 10,
      prefillTokenMs: 0.1,
      decodeSequenceMs: 0.05,
      decodeContextTokenMs: 0.00002,
    }),
    kvBlocks: 4096,
    blockSizeTokens: 16,
    maxModelLenTokens: 32_768,
    maxNumSeqs: 64,
    maxNumBatchedTokens: 2048,
    maxQueue: 1000,
    isPrefixCaching: true,
    adapters: { slots: 4, cpuSlots: 8, loadMs: 500, activateMs: 50 },
    wakeMs: 200,
    deepWakeMs: 900,
    maxCatchUpMs: 0,
    ...overrides,
  };
}

/** An endpoint that is up from the start. */
export function createTestEndpoint(overrides: Partial<LabEndpoint> = {}): LabEndpoint {
  return {
    profile: 'test',
    engine: createTestEngine(),
    labels: {},
    accelerators: 1,
    readyAtMs: 0,
    events: [],
    ...overrides,
  };
}

/** A preset as a policy on trial. */
export function presetPolicy(name: PresetName): LabPolicy {
  return { name, profile: PRESETS[name], plugins: [] };
}

/** Scrapes of every engine in one interval, whatever happens. */
export function scrapeEvery(intervalMs: number): ScrapePolicy {
  return {
    fastestMs: intervalMs,
    steadyMs: intervalMs,
    slowestMs: intervalMs,
    maxScrapesPerSecond: 1_000_000,
  };
}

/** A request of 100 prompt and 10 output tokens that nothing is shared with. */
export function createTestRequest(
  atMs: number,
  overrides: Partial<Omit<LabRequest, 'promptTokens' | 'atMs'>> = {},
): LabRequest {
  const id = Math.round(atMs * 64) + 1000;
  return createRequest({
    atMs,
    session: id,
    tenant: 'tenant',
    segments: [{ id, tokens: 100 }],
    output: { id: id + 2 ** 31, tokens: 10 },
    ...overrides,
  });
}

/** Requests that are all known beforehand, in order of time. */
export class ListSource extends RequestList {
  /** Requests that ended, and when. */
  readonly ended: (readonly [LabRequest, number])[] = [];

  override noteEnded(request: LabRequest, atMs: number): void {
    this.ended.push([request, atMs]);
  }
}

/** Shape of Poisson traffic for tests. */
export interface PoissonOptions {
  readonly seed: number;
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  /** Prompts begin with one of so many prefixes of `prefixTokens`. */
  readonly prefixes: number;
  readonly prefixTokens: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Traffic without end conditions of its own: each request is made when it is due. */
export class PoissonSource implements TrafficSource {
  readonly expectedCount: null = null;
  readonly #options: PoissonOptions;
  readonly #rng: Rng;
  #atMs: number;
  #count = 0;

  constructor(options: PoissonOptions) {
    this.#options = options;
    this.#rng = createRng(options.seed);
    this.#atMs = this.#gapMs();
  }

  nextAtMs(): number {
    return this.#atMs <= this.#options.durationMs ? this.#atMs : Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const { prefixes, prefixTokens, promptTokens, outputTokens } = this.#options;
    const atMs = this.#atMs;
    this.#atMs += this.#gapMs();
    this.#count += 1;
    const id = 1_000_000 + this.#count;
    const own: PromptSegment = { id, tokens: this.#near(promptTokens) };
    const shared = { id: Math.floor(this.#rng.next() * prefixes), tokens: prefixTokens };
    return createTestRequest(atMs, {
      session: id,
      segments: prefixTokens > 0 ? [shared, own] : [own],
      output: { id: id + 2 ** 31, tokens: this.#near(outputTokens) },
    });
  }

  noteEnded(): void {}

  #gapMs(): number {
    return (-Math.log(1 - this.#rng.next()) * 1000) / this.#options.requestsPerSecond;
  }

  /** Evenly between half and one and a half times `mean`. */
  #near(mean: number): number {
    return Math.max(1, Math.round(mean * (0.5 + this.#rng.next())));
  }
}

/** A run of two endpoints without delays; `traffic` decides what happens. */
export function createTestOptions(
  traffic: TrafficSource,
  overrides: Partial<LabOptions> = {},
): LabOptions {
  return {
    endpoints: [createTestEndpoint(), createTestEndpoint()],
    policy: presetPolicy('least-request'),
    traffic,
    objective: { ttftMs: 1000, tpotMs: 50, e2eMs: null },
    adapters: [],
    delays: { gatewayMs: 0, networkMs: 0, scrapeMs: 0 },
    warmUpMs: 0,
    durationMs: 600_000,
    drainMs: 60_000,
    maxOpenRequests: 10_000,
    seed: 1,
    sampleMs: 1000,
    ...overrides,
  };
}
