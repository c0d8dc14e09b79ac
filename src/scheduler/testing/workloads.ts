import { createRng, pickIndex, type Rng } from '../../core/rng.ts';
import { engineOptionsOf, findProfile } from '../../simulator/hardware/profiles.ts';
import { scaleCosts } from '../../simulator/engine/step-time.ts';
import type { EngineModelOptions } from '../../simulator/engine/engine-model.ts';
import { NO_OBJECTIVE, type LatencyObjective } from '../types.ts';
import type { WorldRequest } from './policy-world.ts';
import type { PromptSegment } from './world-prompts.ts';

/** An engine by its profile's name, `speed` times as fast, with what else is given. */
export function createEngineOptions(
  profileName: string,
  options: Partial<EngineModelOptions> & { readonly speed?: number } = {},
): EngineModelOptions {
  const profile = findProfile(profileName)!;
  const { speed = 1, ...rest } = options;
  return engineOptionsOf(profile, {
    costs: scaleCosts(profile.costs, 1 / speed),
    adapters: { slots: 0, cpuSlots: 0, loadMs: profile.adapterLoadMs, activateMs: 50 },
    ...rest,
  });
}

/** What one request of a stream is like; ids below 2^30 are free for shared segments. */
export interface RequestDraft {
  readonly shared?: readonly PromptSegment[];
  /** Tokens that nobody shares. */
  readonly ownTokens: number;
  readonly outputTokens: number;
  readonly adapter?: string;
  readonly objective?: LatencyObjective;
}

/** Requests with exponential gaps: `perSecond` for `seconds`. */
export function createStream(
  options: {
    readonly perSecond: number;
    readonly seconds: number;
    readonly seed: number;
    readonly startMs?: number;
  },
  draft: (rng: Rng, index: number) => RequestDraft,
): WorldRequest[] {
  const rng = createRng(options.seed);
  const requests: WorldRequest[] = [];
  const startMs = options.startMs ?? 0;
  const endMs = startMs + options.seconds * 1000;
  let atMs = startMs;
  for (;;) {
    atMs += (-Math.log(1 - rng.next()) * 1000) / options.perSecond;
    if (atMs >= endMs) return requests;
    requests.push(createRequest(atMs, draft(rng, requests.length), options.seed));
  }
}

let ownIds = 2 ** 30;

/** One request; its own tokens are like no other's. */
export function createRequest(atMs: number, draft: RequestDraft, salt = 0): WorldRequest {
  ownIds += 1;
  const own = { id: ownIds + salt * 2 ** 31, tokens: Math.max(1, draft.ownTokens) };
  return {
    atMs,
    segments: [...(draft.shared ?? []), own],
    outputTokens: draft.outputTokens,
    adapter: draft.adapter ?? null,
    objective: draft.objective ?? NO_OBJECTIVE,
  };
}

/** A number between `low` and `high` whose logarithm is uniform: many small, few large. */
export function drawLogUniform(rng: Rng, low: number, high: number): number {
  return Math.round(low * (high / low) ** rng.next());
}

/** An index below `count` by Zipf's law: the first is the most frequent. */
export function createZipf(count: number, exponent: number): (rng: Rng) => number {
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) sums.push((sum += rank ** -exponent));
  return (rng) => {
    const at = rng.next() * sum;
    const index = sums.findIndex((bound) => at < bound);
    return index < 0 ? pickIndex(rng, count) : index;
  };
}
