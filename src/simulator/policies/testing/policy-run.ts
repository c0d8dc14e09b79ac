import { must } from '../../../core/assert.ts';
import type { PresetName } from '../../../scheduler/presets.ts';
import type { DecisionRecord } from '../../../telemetry/decision-log.ts';
import type { EngineModelOptions } from '../../engine/engine-model.ts';
import { scaleCosts } from '../../engine/step-time.ts';
import { engineOptionsOf, findProfile } from '../../hardware/profiles.ts';
import {
  createTestEndpoint,
  createTestOptions,
  ListSource,
  presetPolicy,
  scrapeEvery,
} from '../../lab/testing/world-builders.ts';
import type { EndpointEvent, LabEndpoint, LabOptions } from '../../lab/types.ts';
import { LabWorld } from '../../lab/world.ts';
import type { LabRequest } from '../../workloads/types.ts';

/** How one request was answered. Times in milliseconds; NaN where there is none. */
export interface PolicyAnswer {
  readonly request: LabRequest;
  /** Index of the endpoint that answered. */
  readonly endpoint: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly predictedTtftMs: number;
  readonly predictedTpotMs: number;
  readonly cachedTokens: number;
  /** Tokens that the gateway took to be cached when it picked the endpoint. */
  readonly believedCachedTokens: number;
}

/** What a run is made of; what is not given is as `createTestOptions` has it. */
export interface PolicyRunOptions extends Partial<Omit<LabOptions, 'policy' | 'traffic'>> {
  readonly policy: PresetName;
  readonly endpoints: readonly LabEndpoint[];
  /** In order of time. */
  readonly requests: readonly LabRequest[];
  /** Every report is this old at most. */
  readonly scrapeIntervalMs: number;
}

/** Runs end when all is answered; this is later. */
const LONGEST_MS = 3_600_000;

/**
 * A run of the lab without delays, so that engines and the policy alone decide what is measured,
 * with a fixed scrape interval, and with a look at every answer. A plugin that fails ends the test.
 */
export class PolicyRun {
  readonly world: LabWorld;
  readonly #requests: readonly LabRequest[];
  readonly #answers: (PolicyAnswer | undefined)[] = [];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #slots: readonly number[];

  constructor({ policy, requests, scrapeIntervalMs, ...rest }: PolicyRunOptions) {
    this.#requests = requests;
    this.world = new LabWorld(
      createTestOptions(new ListSource(requests), {
        policy: presetPolicy(policy),
        durationMs: LONGEST_MS,
        scrape: scrapeEvery(scrapeIntervalMs),
        seed: 7,
        onPluginFault: (name, cause) => {
          throw new TypeError(`${name} failed`, { cause });
        },
        ...rest,
      }),
    );
    const { brain, replicas } = this.world;
    const byUrl = new Map(brain.fleet.endpoints().map((endpoint) => [endpoint.spec.url, endpoint]));
    const endpoints = replicas.map(({ url }) => must(byUrl.get(url), 'endpoint of a replica'));
    this.#indexOf = new Map(endpoints.map(({ id }, index) => [id, index]));
    this.#slots = endpoints.map(({ slot }) => slot);
    brain.director.observe({
      onEnded: ({ record }) => {
        if (record.outcome === 'completed') this.#note(record);
      },
      onRefused: ({ refusal }) => {
        throw new TypeError(refusal.message);
      },
    });
  }

  /** Answers that came in full, in order of arrival of their requests. */
  get answers(): readonly PolicyAnswer[] {
    return this.#answers.filter((answer) => answer !== undefined);
  }

  /** Requests under way by endpoint, as the gateway has booked them. */
  get requestsInFlight(): readonly number[] {
    const { requestsInFlight } = this.world.brain.fleet.load;
    return this.#slots.map((slot) => requestsInFlight[slot] ?? Number.NaN);
  }

  /** How sure the policy is of what it learned of an endpoint's speed, 0 to 1. */
  confidence(endpoint: number): number {
    return this.world.brain.scheduler.latency.confidence(this.#slots[endpoint] ?? Number.NaN);
  }

  /** What an adapter's load is believed to take on each endpoint, in milliseconds. */
  get learnedLoadsMs(): readonly number[] {
    const { loadMs } = this.world.brain.scheduler.latency.adapterLoad;
    return this.#slots.map((slot) => loadMs[slot] ?? Number.NaN);
  }

  /** Adapter loads of all engines so far. */
  get adapterLoads(): number {
    const { replicas, nowMs } = this.world;
    return replicas.reduce((sum, replica) => sum + replica.result(nowMs).adapterLoads, 0);
  }

  /** Goes on to the first event at `atMs` or later. */
  advanceTo(atMs: number): this {
    while (this.world.nowMs < atMs && !this.world.advance(1));
    return this;
  }

  /** Goes on until every request has ended. */
  finish(): this {
    while (!this.world.advance(10_000));
    return this;
  }

  #note(record: DecisionRecord): void {
    const number = Number(record.requestId.slice('lab-'.length));
    const name = must(record.attempts.at(-1), 'attempt').endpoint;
    const ranked = must(
      record.ordered.find(({ endpoint }) => endpoint === name),
      'rank of the endpoint that answered',
    );
    const request = must(this.#requests[number], 'request of a record');
    const share = record.promptBlocks === 0 ? 0 : ranked.matchedBlocks / record.promptBlocks;
    this.#answers[number] = {
      request,
      endpoint: must(this.#indexOf.get(name), 'endpoint of a record'),
      ttftMs: record.ttftMs ?? Number.NaN,
      tpotMs: record.tpotMs ?? Number.NaN,
      predictedTtftMs: ranked.predictedTtftMs ?? Number.NaN,
      predictedTpotMs: ranked.predictedTpotMs ?? Number.NaN,
      cachedTokens: must(record.cachedTokens, 'cached tokens'),
      believedCachedTokens: Math.floor(share * request.promptTokens),
    };
  }
}

/** An endpoint of a profile that is `speed` times as fast, with engine options and events. */
export function createProfileEndpoint(
  profileName: string,
  options: Partial<EngineModelOptions> & {
    readonly speed?: number;
    readonly events?: readonly EndpointEvent[];
  } = {},
): LabEndpoint {
  const profile = must(findProfile(profileName), `profile ${profileName}`);
  const { speed = 1, events = [], ...rest } = options;
  const engine = engineOptionsOf(profile, { costs: scaleCosts(profile.costs, 1 / speed), ...rest });
  return createTestEndpoint({ profile: profileName, engine, events });
}

/** `count` equal endpoints. */
export function createFleet(
  count: number,
  profileName: string,
  options: Partial<EngineModelOptions> = {},
): LabEndpoint[] {
  return Array.from({ length: count }, () => createProfileEndpoint(profileName, options));
}

/** The smallest value that at least `share` of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const rising = Float64Array.from(values).sort();
  return rising[Math.max(0, Math.ceil(share * rising.length) - 1)] ?? Number.NaN;
}

/** The mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
