import { assert } from '../../core/assert.ts';
import type { CandidateSet, PickInput, Scorer, WeightedScorer } from '../types.ts';

/** The scores of the pick under way: one array per scorer and their weighted means, reused. */
export class ScoreBoard {
  readonly #scorers: readonly Scorer[];
  readonly #names: readonly string[];
  readonly #weights: Float64Array;
  readonly #onPluginFault: (name: string, cause: unknown) => void;
  /** Index as in the candidates; NaN throughout where a scorer failed. */
  #scores: readonly Float64Array[] = [];
  #totals: Float64Array = new Float64Array(0);

  constructor(
    scorers: readonly WeightedScorer[],
    onPluginFault: (name: string, cause: unknown) => void,
  ) {
    const areWeights = scorers.every(({ weight }) => weight >= 0 && Number.isFinite(weight));
    assert(areWeights, 'weights are finite and 0 or more');
    const sum = scorers.reduce((total, { weight }) => total + weight, 0);
    this.#scorers = scorers.map(({ scorer }) => scorer);
    this.#names = Object.freeze(scorers.map(({ scorer }) => scorer.name));
    this.#weights = Float64Array.from(scorers, ({ weight }) => (sum > 0 ? weight / sum : 0));
    this.#onPluginFault = onPluginFault;
  }

  /** Names of the scorers in their order. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Lets every scorer rate the candidates; returns the weighted means, which may be used up. */
  score(input: PickInput, candidates: CandidateSet): Float64Array {
    const { count } = candidates;
    this.#reserve(candidates.positions.length);
    for (let index = 0; index < this.#scorers.length; index += 1) {
      const scores = this.#scores[index] as Float64Array;
      // What a scorer leaves out must not be taken from an earlier pick.
      scores.fill(Number.NaN, 0, count);
      if (this.#runScorer(this.#scorers[index] as Scorer, input, { candidates, scores })) continue;
      scores.fill(Number.NaN, 0, count);
    }
    return this.sum(count);
  }

  /** Adds up the weighted means anew. */
  sum(count: number): Float64Array {
    const totals = this.#totals;
    totals.fill(0, 0, count);
    for (let index = 0; index < this.#scores.length; index += 1) {
      const scores = this.#scores[index] as Float64Array;
      if (Number.isNaN(scores[0])) continue;
      const weight = this.#weights[index] as number;
      for (let i = 0; i < count; i += 1) {
        totals[i] = (totals[i] as number) + weight * (scores[i] as number);
      }
    }
    return totals;
  }

  /** Weighted mean of one candidate. */
  totalOf(candidate: number): number {
    let total = 0;
    for (let index = 0; index < this.#scores.length; index += 1) {
      const score = (this.#scores[index] as Float64Array)[candidate] as number;
      if (score >= 0) total += (this.#weights[index] as number) * score;
    }
    return total;
  }

  /** Scores of one candidate by scorer. */
  reasonsOf(candidate: number): number[] {
    const reasons: number[] = [];
    for (const scores of this.#scores) reasons.push(scores[candidate] as number);
    return reasons;
  }

  #reserve(size: number): void {
    if (this.#totals.length >= size) return;
    this.#totals = new Float64Array(size);
    this.#scores = this.#scorers.map(() => new Float64Array(size));
  }

  /** False when the scorer failed. */
  #runScorer(
    scorer: Scorer,
    input: PickInput,
    { candidates, scores }: { readonly candidates: CandidateSet; readonly scores: Float64Array },
  ): boolean {
    try {
      scorer.score(input, candidates, scores);
    } catch (cause) {
      this.#onPluginFault(scorer.name, cause);
      return false;
    }
    if (clampScores(scores, candidates.count)) return true;
    this.#onPluginFault(scorer.name, 'gave a score that is no number');
    return false;
  }
}

/** Moves scores into [0, 1]; false when one of them is NaN. */
function clampScores(scores: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i += 1) {
    const score = scores[i] as number;
    if (score >= 0 && score <= 1) continue;
    if (Number.isNaN(score)) return false;
    scores[i] = score < 0 ? 0 : 1;
  }
  return true;
}
