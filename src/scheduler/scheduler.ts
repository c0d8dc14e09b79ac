import type { Rng } from '../core/rng.ts';
import { createDefaultProfile } from './default-profile.ts';
import type { ProfileSpec } from './framework/plugin.ts';
import type { Registry } from './framework/registry.ts';
import type { Profile } from './profile.ts';
import type { FinishedObservation, FirstTokenObservation, PickInput, Ranking } from './types.ts';

export type { FinishedObservation, FirstTokenObservation } from './types.ts';

/** Memory of the prefix index. */
export interface PrefixOptions {
  /** Bytes the index may use in all. */
  readonly maxBytes: number;
  /** Blocks an endpoint is taken to hold until it has reported its cache's capacity. */
  readonly defaultBlocksPerEndpoint: number;
}

/** What a scheduler is made of. */
export interface SchedulerOptions {
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

/**
 * Chooses endpoints, and learns from what became of the choices. The director drives it; it keeps
 * no time of its own and does no I/O.
 */
export class Scheduler {
  readonly #profile: Profile;
  readonly #shadowName: string | null;

  constructor(options: SchedulerOptions) {
    this.#shadowName = options.shadow === null ? null : options.shadow.name;
    this.#profile = createDefaultProfile({
      rankedCount: options.profile.rankedCount,
      rng: options.rng,
    });
  }

  /** Ranks the members of `input`; an empty ranking when none is available. */
  pick(input: PickInput): Ranking {
    return this.#profile.rank(input);
  }

  /** Name of the shadow profile; null without one. */
  get shadowName(): string | null {
    return this.#shadowName;
  }

  /** What the shadow profile would have done; null without one. */
  pickShadow(_input: PickInput): Ranking | null {
    return null;
  }

  /** The request of `input` goes to `slot`. */
  noteBooked(_slot: number, _input: PickInput): void {}

  noteFirstToken(_slot: number, _observation: FirstTokenObservation): void {}

  noteFinished(_slot: number, _observation: FinishedObservation): void {}

  /** The engine's process is new: it holds nothing. */
  noteRestart(_slot: number): void {}

  /** The slot's endpoint is gone for good. */
  noteRemoved(_slot: number): void {}

  /** The engine reported its cache; null when it does not. */
  noteCapacity(_slot: number, _capacity: CacheCapacity | null): void {}

  /** Uses other profiles from the next pick on; what was learned stays. */
  configure(_profile: ProfileSpec, _shadow: ProfileSpec | null): void {}
}
