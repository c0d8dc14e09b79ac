import { assert } from '../core/assert.ts';
import type { Rng } from '../core/rng.ts';
import type {
  CandidateSet,
  PickInput,
  RankedEndpoint,
  Ranking,
  Scorer,
  WeightedScorer,
} from './types.ts';

/** Settings of a profile. */
export interface ProfileOptions {
  readonly scorers: readonly WeightedScorer[];
  /** How many endpoints an answer holds at most: the first choice and its fallbacks. */
  readonly rankedCount: number;
  readonly rng: Rng;
}

/**
 * Ranks the endpoints for one request: the available ones, scored by every scorer, best weighted
 * mean first, equals in random order. The work arrays are reused, so one profile serves one pick at
 * a time. Hot: `npm run bench -- proxy`.
 */
export class Profile {
  readonly #scorers: readonly Scorer[];
  readonly #weights: Float64Array;
  readonly #scorerNames: readonly string[];
  readonly #rankedCount: number;
  readonly #rng: Rng;
  readonly #candidates: { positions: Int32Array; count: number } = {
    positions: new Int32Array(16),
    count: 0,
  };
  /** One array of scores per scorer, then the totals; index as in the candidates. */
  #scores: Float64Array[] = [];
  #totals: Float64Array = new Float64Array(16);

  constructor(options: ProfileOptions) {
    const { scorers, rankedCount, rng } = options;
    const weightSum = scorers.reduce((sum, { weight }) => sum + weight, 0);
    assert(weightSum > 0, 'a profile needs a scorer with a positive weight');
    this.#scorers = scorers.map(({ scorer }) => scorer);
    this.#weights = Float64Array.from(scorers, ({ weight }) => weight / weightSum);
    this.#scorerNames = scorers.map(({ scorer }) => scorer.name);
    this.#rankedCount = rankedCount;
    this.#rng = rng;
    this.#scores = scorers.map(() => new Float64Array(16));
  }

  /** Names of the scorers, in the order of `RankedEndpoint.reasons`. */
  get scorerTypes(): readonly string[] {
    return this.#scorerNames;
  }

  /** Ranks the members of `input`; an empty ranking when none is available. */
  rank(input: PickInput): Ranking {
    this.#keepAvailable(input);
    const { count } = this.#candidates;
    this.#scoreAll(input);
    const ranked: RankedEndpoint[] = [];
    while (ranked.length < this.#rankedCount && ranked.length < count) {
      ranked.push(this.#takeBest(input));
    }
    return {
      ranked,
      candidateCount: input.members.length,
      availableCount: count,
      removed: [],
      scorers: this.#scorerNames,
    };
  }

  #keepAvailable(input: PickInput): void {
    const { members, load } = input;
    const candidates = this.#candidates;
    if (candidates.positions.length < members.length) this.#grow(members.length);
    const { positions } = candidates;
    const { isAvailable } = load;
    let count = 0;
    for (let position = 0; position < members.length; position += 1) {
      if (isAvailable[members[position] as number] === 1) positions[count++] = position;
    }
    candidates.count = count;
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.#candidates.positions = new Int32Array(size);
    this.#totals = new Float64Array(size);
    this.#scores = this.#scorers.map(() => new Float64Array(size));
  }

  #scoreAll(input: PickInput): void {
    const candidates: CandidateSet = this.#candidates;
    const totals = this.#totals;
    totals.fill(0, 0, candidates.count);
    for (let index = 0; index < this.#scorers.length; index += 1) {
      const scores = this.#scores[index] as Float64Array;
      const weight = this.#weights[index] as number;
      (this.#scorers[index] as Scorer).score(input, candidates, scores);
      for (let i = 0; i < candidates.count; i += 1) {
        const score = Math.min(1, Math.max(0, scores[i] as number));
        scores[i] = score;
        totals[i] = (totals[i] as number) + weight * score;
      }
    }
  }

  /** The best candidate that was not taken yet; marks it as taken with a total of -1. */
  #takeBest(input: PickInput): RankedEndpoint {
    const totals = this.#totals;
    const { positions, count } = this.#candidates;
    let best = 0;
    let equals = 0;
    for (let i = 0; i < count; i += 1) {
      const total = totals[i] as number;
      if (i === 0 || total > (totals[best] as number)) {
        best = i;
        equals = 1;
      } else if (total === totals[best]) {
        equals += 1;
        // Reservoir sampling: each of the equals is kept with the same probability.
        if (this.#rng.next() * equals < 1) best = i;
      }
    }
    const score = totals[best] as number;
    totals[best] = -1;
    const slot = input.members[positions[best] as number] as number;
    return {
      slot,
      score,
      reasons: this.#scores.map((scores) => scores[best] as number),
      predictedTtftMs: Number.NaN,
      predictedTpotMs: Number.NaN,
      matchedBlocks: 0,
    };
  }
}
