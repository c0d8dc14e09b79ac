import { createRng, pickIndex, type Rng } from '../../core/rng.ts';
import { PrefixMatches } from '../framework/prefix-matches.ts';
import { LatencyModel } from '../latency/latency-model.ts';
import { Profile } from '../profile.ts';
import { SoonestScorer } from '../scorers/soonest.ts';
import type { PickInput, Scorer, WeightedScorer } from '../types.ts';
import { ExactPrefixIndex } from './exact-prefix-index.ts';
import type { WorldPolicy } from './policy-world.ts';

/** Engines of a world, as far as policies that keep state need to know. */
export interface WorldShape {
  readonly slots: number;
  /** Prompt blocks that one engine's cache holds. */
  readonly blocksPerSlot: number;
  readonly seed: number;
}

/** A policy with what it learned, for tests that look inside. */
export interface LearningPolicy extends WorldPolicy {
  readonly latency: LatencyModel;
  readonly index: ExactPrefixIndex;
}

interface Parts {
  readonly latency: LatencyModel;
  readonly matches: PrefixMatches;
}

function createPolicy(
  name: string,
  shape: WorldShape,
  createScorers: (parts: Parts) => readonly WeightedScorer[],
): LearningPolicy {
  const latency = new LatencyModel();
  const index = new ExactPrefixIndex(shape.slots, shape.blocksPerSlot);
  const matches = new PrefixMatches(index);
  const profile = new Profile({
    name,
    filters: [],
    scorers: createScorers({ latency, matches }),
    picker: null,
    rankedCount: 1,
    rng: createRng(shape.seed),
    matches,
    onPluginFault: (plugin, cause) => {
      throw new TypeError(`${plugin} failed`, { cause });
    },
  });
  return {
    name,
    latency,
    index,
    pick(input) {
      const { slot } = profile.rank(input).ranked[0]!;
      const candidates = { positions: input.members, count: input.members.length };
      const matchedBlocks = matches.of(input, candidates)[slot]!;
      const share = input.blocks === null ? 0 : matchedBlocks / Math.max(1, input.blocks.count);
      const predictedTtftMs = latency.predictTtftMs(slot, {
        uncachedTokens: input.promptTokens * (1 - share),
        prefillTokensAhead: input.load.prefillTokensInFlight[slot]!,
        requestsAhead: input.load.requestsInFlight[slot]!,
      });
      return { slot, matchedBlocks, predictedTtftMs };
    },
    noteBooked(slot, input) {
      profile.noteBooked(slot, input);
      if (input.blocks !== null) index.insert(slot, input.blocks);
    },
    noteFirstToken: (slot, observation) => latency.observeFirstToken(slot, observation),
    noteFinished: (slot, observation) => latency.observeFinished(slot, observation),
    noteRestart: (slot) => index.clear(slot),
  };
}

/** The policy under test. */
export function createSoonestPolicy(shape: WorldShape, othersWeight = 1): LearningPolicy {
  return createPolicy('soonest', shape, (parts) => [
    { scorer: new SoonestScorer({ name: 'soonest', ...parts, othersWeight }), weight: 1 },
  ]);
}

/** Fewest requests of ours in flight. */
export function createLeastRequestPolicy(shape: WorldShape): LearningPolicy {
  return createPolicy('least-request', shape, () => [
    {
      scorer: createScorer('requests', (input, slot) => -input.load.requestsInFlight[slot]!),
      weight: 1,
    },
  ]);
}

/** Queue 2, KV cache 2, prefix 3: the default of the field's reference picker. */
export function createPrefixAndLoadPolicy(shape: WorldShape): LearningPolicy {
  return createPolicy('prefix+load', shape, ({ matches }) => [
    { scorer: createScorer('queue', (input, slot) => -input.load.lastWaiting[slot]!), weight: 2 },
    {
      scorer: {
        type: 'kv',
        name: 'kv',
        score(input, { positions, count }, scores) {
          for (let i = 0; i < count; i += 1) {
            const usage = input.load.kvCacheUsage[input.members[positions[i]!]!]!;
            scores[i] = 1 - (usage >= 0 ? usage : 0);
          }
        },
      },
      weight: 2,
    },
    {
      scorer: {
        type: 'prefix',
        name: 'prefix',
        score(input, candidates, scores) {
          const matched = matches.of(input, candidates);
          const total = Math.max(1, input.blocks?.count ?? 0);
          for (let i = 0; i < candidates.count; i += 1) {
            scores[i] = matched[candidates.positions[i]!]! / total;
          }
        },
      },
      weight: 3,
    },
  ]);
}

/** Any endpoint. */
export function createRandomPolicy(shape: WorldShape): LearningPolicy {
  const rng: Rng = createRng(shape.seed + 1);
  return createPolicy('random', shape, () => [
    {
      scorer: {
        type: 'random',
        name: 'random',
        score(_input, { count }, scores) {
          scores.fill(0, 0, count);
          scores[pickIndex(rng, count)] = 1;
        },
      },
      weight: 1,
    },
  ]);
}

/** (value - least) / (most - least); 1 for all when they are equal. */
function createScorer(name: string, valueOf: (input: PickInput, slot: number) => number): Scorer {
  return {
    type: name,
    name,
    score(input, { positions, count }, scores) {
      let least = Number.POSITIVE_INFINITY;
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < count; i += 1) {
        const value = valueOf(input, input.members[positions[i]!]!);
        scores[i] = value;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
      for (let i = 0; i < count; i += 1) {
        scores[i] = most === least ? 1 : (scores[i]! - least) / (most - least);
      }
    },
  };
}
