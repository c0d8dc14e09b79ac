import type { PrefixHoldings } from '../ports.ts';
import type { CandidateSet, PickInput } from '../types.ts';

/**
 * How many leading prompt blocks each candidate holds, looked up once per pick however many
 * plugins ask. The first to ask decides for which candidates; later ones have fewer, never more.
 */
export class PrefixMatches {
  readonly #index: PrefixHoldings;
  readonly #maxBlocks: number;
  #counts: Int32Array = new Int32Array(16);
  #isKnown = false;

  /** `index` looks at the first `maxBlocks` of a prompt, by default at all. */
  constructor(index: PrefixHoldings, maxBlocks: number = Number.POSITIVE_INFINITY) {
    this.#index = index;
    this.#maxBlocks = maxBlocks;
  }

  /** Matched blocks at a position that was a candidate when someone asked; 0 when nobody has. */
  at(position: number): number {
    return this.#isKnown ? (this.#counts[position] as number) : 0;
  }

  /** Blocks of any prompts that `slot` is believed to hold. */
  heldBlocks(slot: number): number {
    return this.#index.blocksOf(slot);
  }

  /** `matchedBlocks` as a share of what the index looks at of the prompt, 0 to 1. */
  shareOf({ blocks }: PickInput, matchedBlocks: number): number {
    if (blocks === null || blocks.count === 0) return 0;
    return matchedBlocks / Math.min(blocks.count, this.#maxBlocks);
  }

  /** A new pick has begun: what was looked up before is void. */
  begin(): void {
    this.#isKnown = false;
  }

  /**
   * Matched blocks by position in `input.members`; meaningful for the candidates only. The array
   * is reused by the next pick.
   */
  of(input: PickInput, candidates: CandidateSet): Int32Array {
    if (this.#isKnown) return this.#counts;
    this.#isKnown = true;
    const { length } = input.members;
    if (this.#counts.length < length) {
      this.#counts = new Int32Array(2 ** Math.ceil(Math.log2(length)));
    }
    this.#match(input, candidates);
    return this.#counts;
  }

  /**
   * Makes `at` hold for all of `chosen`: in case nobody has asked, and for those after the first
   * `scored`, which need not have been candidates when somebody did.
   */
  complete(
    input: PickInput,
    { chosen, scored }: { readonly chosen: CandidateSet; readonly scored: number },
  ): void {
    if (!this.#isKnown) this.of(input, chosen);
    else if (chosen.count > scored) this.#match(input, chosen);
  }

  #match(input: PickInput, candidates: CandidateSet): void {
    const { blocks, members } = input;
    if (blocks === null || blocks.count === 0) this.#counts.fill(0, 0, members.length);
    else this.#index.match(blocks, members, candidates, this.#counts);
  }
}

/**
 * Share of the prompt that an endpoint holds when it has `matchedBlocks` of its whole blocks, 0 to
 * 1; 0 for a prompt without blocks.
 */
export function matchedShare(input: PickInput, matchedBlocks: number): number {
  const { blocks } = input;
  return blocks === null || blocks.count === 0 ? 0 : matchedBlocks / blocks.count;
}
