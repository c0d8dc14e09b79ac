import { assert } from '../core/assert.ts';
import type { Rng } from '../core/rng.ts';
import { createRng } from '../core/rng.ts';
import { PROMPT_BLOCK_BYTES } from '../protocol/request/prompt-blocks.ts';
import { formatProfileProblem } from './framework/check-profile.ts';
import { createProfile } from './framework/create-profile.ts';
import type { ProfileSpec } from './framework/plugin.ts';
import type { Registry } from './framework/registry.ts';
import { SloHeadroom } from './framework/slo-headroom.ts';
import { LatencyModel } from './latency/latency-model.ts';
import { AssumedHoldings } from './prefix/assumed-holdings.ts';
import { PrefixIndex } from './prefix/prefix-index.ts';
import type { Profile } from './profile.ts';
import type {
  AnswerHeader,
  FinishedObservation,
  FirstTokenObservation,
  PickInput,
  RankedEndpoint,
  Ranking,
} from './types.ts';

export type { FinishedObservation, FirstTokenObservation } from './types.ts';

/** Memory of the prefix index. */
export interface PrefixOptions {
  /**
   * Bytes the index may use in all. Policies that read `assumed` holdings have an index of the same
   * size beside it.
   */
  readonly maxBytes: number;
  /** Blocks an endpoint is taken to hold until it has reported its cache's capacity. */
  readonly defaultBlocksPerEndpoint: number;
}

/** What a scheduler is made of. */
export interface SchedulerOptions {
  /** Must build: `checkProfileSpec` tells of what was not written by ourselves. */
  readonly profile: ProfileSpec;
  /** Scores every request without routing it; null for none. */
  readonly shadow: ProfileSpec | null;
  readonly registry: Registry;
  readonly rng: Rng;
  readonly prefix: PrefixOptions;
  /** A plugin threw or gave NaN; its part was left out of one pick. Called for each such pick. */
  onPluginFault(name: string, cause: unknown): void;
}

/** An endpoint's KV cache as the engine reports it. */
export interface CacheCapacity {
  readonly blockTokens: number;
  readonly blockCount: number;
}

/** What a profile is built with, beside what is learned. */
interface ProfileUse {
  readonly registry: Registry;
  readonly rng: Rng;
}

/**
 * Turns tokens of a KV cache into prompt bytes; English is near 4, code and other scripts below.
 */
const BYTES_PER_TOKEN = 4;

/**
 * Chooses endpoints, and learns from what became of the choices. The director drives it; it keeps
 * no time of its own and does no I/O. Profiles come and go; what was learned stays.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  /** The shadow draws its own numbers: with it or without, the same seed gives the same picks. */
  readonly #shadowRng: Rng;
  readonly #prefixIndex: PrefixIndex;
  /** Null while no profile reads it. */
  #assumed: AssumedHoldings | null = null;
  readonly #latency = new LatencyModel();
  readonly #headroom = new SloHeadroom(this.#latency);
  #registry: Registry;
  #profile: Profile;
  #shadow: Profile | null;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#registry = options.registry;
    this.#shadowRng = createRng(Math.floor(options.rng.next() * 2 ** 32));
    this.#prefixIndex = new PrefixIndex(options.prefix);
    this.#profile = this.#build(options.profile, options);
    this.#shadow = this.#buildShadow(options.shadow, options.registry);
  }

  /** Learned latencies of all endpoints, for explanations. */
  get latency(): LatencyModel {
    return this.#latency;
  }

  /** Which endpoint holds which prompts, for explanations and metrics. */
  get prefixIndex(): PrefixIndex {
    return this.#prefixIndex;
  }

  /** Name of the profile that picks. */
  get profileName(): string {
    return this.#profile.name;
  }

  /** Name of the profile that only watches; null without one. */
  get shadowName(): string | null {
    return this.#shadow === null ? null : this.#shadow.name;
  }

  /** Ranks the members of `input`; an empty ranking when none is left. */
  pick(input: PickInput): Ranking {
    return this.#predict(this.#profile.rank(input), input);
  }

  /** What the shadow profile would have done; null without one. */
  pickShadow(input: PickInput): Ranking | null {
    return this.#shadow === null ? null : this.#predict(this.#shadow.rank(input), input);
  }

  /**
   * The request of `input` goes to `slot`, which will hold its prompt, at least until `noteLeft` is
   * called with the number that this returns.
   */
  noteBooked(slot: number, input: PickInput): number {
    const { blocks } = input;
    const ticket = blocks === null ? 0 : this.#prefixIndex.begin(slot, blocks);
    this.#assumed?.noteBooked(slot, input);
    this.#profile.noteBooked(slot, input);
    this.#shadow?.noteBooked(slot, input);
    return ticket;
  }

  /** The request to which `noteBooked` gave this number has ended, or is tried elsewhere. */
  noteLeft(ticket: number): void {
    this.#prefixIndex.end(ticket);
  }

  /** Headers that the profile's plugins want in an answer of `slot`, such as a session's token. */
  answerHeaders(slot: number, input: PickInput): readonly AnswerHeader[] {
    return this.#profile.answerHeaders(slot, input);
  }

  /** Learns how long the first token took. */
  noteFirstToken(slot: number, observation: FirstTokenObservation): void {
    this.#latency.observeFirstToken(slot, observation);
  }

  /** Learns how long tokens took, and what the engine really had cached. */
  noteFinished(slot: number, observation: FinishedObservation): void {
    this.#latency.observeFinished(slot, observation);
    const { blocks, cachedTokens, promptTokens } = observation;
    if (blocks === null || cachedTokens === null || promptTokens <= 0) return;
    this.#prefixIndex.correct(slot, blocks, { cachedShare: cachedTokens / promptTokens });
  }

  /** The engine's process is new: its cache is empty; its speed is what it was. */
  noteRestart(slot: number): void {
    this.#prefixIndex.clear(slot);
  }

  /** The slot's endpoint is gone for good. */
  noteRemoved(slot: number): void {
    this.#prefixIndex.clear(slot);
    this.#assumed?.noteRemoved(slot);
    this.#latency.reset(slot);
  }

  /** The engine reported its cache; null when it does not. */
  noteCapacity(slot: number, capacity: CacheCapacity | null): void {
    const tokens = capacity === null ? 0 : capacity.blockTokens * capacity.blockCount;
    const isKnown = tokens > 0 && Number.isFinite(tokens);
    if (!isKnown) return;
    const blocks = Math.floor((tokens * BYTES_PER_TOKEN) / PROMPT_BLOCK_BYTES);
    this.#prefixIndex.setCapacity(slot, Math.max(1, blocks));
  }

  /** Uses other profiles from the next pick on; what was learned stays. They must build. */
  configure(
    profile: ProfileSpec,
    shadow: ProfileSpec | null,
    registry: Registry = this.#registry,
  ): void {
    const { rng } = this.#options;
    const next = this.#build(profile, { registry, rng });
    this.#shadow = this.#buildShadow(shadow, registry);
    this.#profile = next;
    this.#registry = registry;
    const isRead = next.readsAssumed || (this.#shadow !== null && this.#shadow.readsAssumed);
    if (!isRead) this.#assumed = null;
  }

  /** Adds what the latency model expects of the chosen endpoints, whichever policy chose them. */
  #predict(ranking: Ranking, input: PickInput): Ranking {
    const { ranked } = ranking;
    for (let rank = 0; rank < ranked.length; rank += 1) {
      const endpoint = ranked[rank] as RankedEndpoint;
      const { slot, matchedBlocks } = endpoint;
      endpoint.predictedTtftMs = this.#headroom.predictTtftMs(input, slot, matchedBlocks);
      endpoint.predictedTpotMs = this.#headroom.predictTpotMs(input, slot);
    }
    return ranking;
  }

  #buildShadow(spec: ProfileSpec | null, registry: Registry): Profile | null {
    return spec === null ? null : this.#build(spec, { registry, rng: this.#shadowRng });
  }

  #build(spec: ProfileSpec, using: ProfileUse): Profile {
    const built = createProfile(spec, {
      ...using,
      prefixIndex: this.#prefixIndex,
      latency: this.#latency,
      openAssumed: () => (this.#assumed ??= new AssumedHoldings(this.#options.prefix.maxBytes)),
      onPluginFault: (name, cause) => {
        this.#options.onPluginFault(name, cause);
      },
    });
    const problems = built.ok ? '' : built.error.map(formatProfileProblem).join('; ');
    assert(built.ok, `profile ${spec.name} does not build: ${problems}`);
    return built.value;
  }
}
