import { HOLDINGS_OPTION, matchesFor } from '../framework/holdings-option.ts';
import type { OptionTable, ParsedOptions } from '../framework/options.ts';
import type { PluginContext, ScorerDefinition } from '../framework/plugin.ts';
import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { CandidateSet, PickInput, Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'lruSize',
    kind: 'integer',
    default: 1024,
    min: 1,
    max: 1_000_000,
    unit: 'endpoints',
    doc: 'Endpoints whose last cold request is remembered.',
  },
  HOLDINGS_OPTION,
];

const WARM_SCORE = 0.5;

/**
 * For a prompt of which no candidate holds anything: 1 − rank / (n − 1), where endpoints that never
 * had such a request come first, in their order, then the others by how long ago theirs was. 0.5
 * for all when some candidate holds a part. `no-hit-lru-scorer` of llm-d's endpoint picker.
 */
export const NO_HIT_LRU_SCORER: ScorerDefinition = {
  type: 'no-hit-lru-scorer',
  kind: 'scorer',
  summary: 'Spreads prompts that nobody holds over the endpoints that had none for longest.',
  options: OPTIONS,
  create: (options, context): Scorer => new NoHitLruScorer(options, context),
};

class NoHitLruScorer implements Scorer {
  readonly type = NO_HIT_LRU_SCORER.type;
  readonly name: string;
  readonly #matches: PrefixMatches;
  readonly #size: number;
  /** Slots that had a cold request, the one longest ago first. */
  readonly #used = new Set<number>();
  /** Rank in `#used` by slot, of the present pick. */
  #ranks: Int32Array = new Int32Array(16);
  /** The last request that was scored, if it was cold. */
  #cold: PickInput | null = null;

  constructor(options: ParsedOptions, context: PluginContext) {
    this.name = context.name;
    this.#matches = matchesFor(options, context);
    this.#size = options.number('lruSize');
  }

  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { count } = candidates;
    const isCold = this.#isCold(input, candidates);
    this.#cold = isCold ? input : null;
    if (!isCold || count === 1) {
      scores.fill(isCold ? 1 : WARM_SCORE, 0, count);
      return;
    }
    this.#rankSlots(input);
    this.#scoreByRank(input, candidates, scores);
  }

  noteBooked(slot: number, input: PickInput): void {
    if (input !== this.#cold) return;
    this.#used.delete(slot);
    this.#used.add(slot);
    for (const oldest of this.#used) {
      if (this.#used.size <= this.#size) break;
      this.#used.delete(oldest);
    }
  }

  #isCold(input: PickInput, candidates: CandidateSet): boolean {
    const { positions, count } = candidates;
    const matched = this.#matches.of(input, candidates);
    for (let i = 0; i < count; i += 1) {
      if ((matched[positions[i] as number] as number) > 0) return false;
    }
    return true;
  }

  /** Fills `#ranks` with 1 for the slot used longest ago and so on, 0 for those never used. */
  #rankSlots({ load }: PickInput): void {
    const slots = load.isAvailable.length;
    if (this.#ranks.length < slots) this.#ranks = new Int32Array(slots);
    this.#ranks.fill(0);
    let rank = 1;
    for (const slot of this.#used) this.#ranks[slot] = rank++;
  }

  #scoreByRank(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { positions, count } = candidates;
    let neverUsed = 0;
    for (let i = 0; i < count; i += 1) {
      const slot = input.members[positions[i] as number] as number;
      if (this.#ranks[slot] === 0) scores[i] = 1 - neverUsed++ / (count - 1);
    }
    for (let i = 0; i < count; i += 1) {
      const rank = this.#ranks[input.members[positions[i] as number] as number] as number;
      if (rank > 0) scores[i] = Math.max(0, 1 - (neverUsed + rank - 1) / (count - 1));
    }
  }
}
