import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { CandidateSet, PickInput } from '../types.ts';

/**
 * Share of what a full cache puts out for new blocks that is asked for again, so that it is
 * prefilled once more and puts out other blocks in turn. Conversations and shared prefixes whose
 * working set is a little larger than the caches lose 0.2 to 0.6 of it so in the lab; higher values
 * keep prompts where they are although others wait there.
 */
const ASKED_AGAIN = 0.5;
/** Times at most that work which new blocks make is done again by others: the sum of the series. */
const REFILLS_MAX = ASKED_AGAIN / (1 - ASKED_AGAIN);
/** Weight of one more prompt in the share of prompts that is found cached. */
const HIT_WEIGHT = 1 / 256;
/** Until it is known, this share of prompts is taken to be found. */
const USUAL_HIT_SHARE = 0.5;
/**
 * What comes later goes where a prompt's beginning is: caches that hold more are asked for more.
 * So new blocks go where the least is held, the more prompts are found the surer: this many times
 * the work, per share of the mean that an endpoint holds more than the one with the least.
 */
const UNEVEN_WEIGHT = 15;
/** Shares beyond this count as this. */
const UNEVEN_MAX = 0.1;
/**
 * An endpoint that holds less than this share of the mean is new, or slow, and no measure for the
 * others: it would get everything until it had caught up.
 */
const NEWCOMER_SHARE = 0.5;

/**
 * How many times the work of a request will be done by others because of the blocks that it brings,
 * by index into the candidates of the last pick.
 */
export class RepeatedWork {
  repeats: Float64Array = new Float64Array(16);
  readonly #matches: PrefixMatches;
  /** Share of the last prompt that some candidate has cached. */
  #lastHit = 0;
  /** The same over the prompts that were booked; 0 until there were some. */
  #hitShare = 0;
  /** The same, what is usual until there were some. */
  #likelyHitShare = USUAL_HIT_SHARE;

  constructor(matches: PrefixMatches) {
    this.#matches = matches;
  }

  grow(size: number): void {
    this.repeats = new Float64Array(size);
  }

  /** The request of the last pick was booked. */
  noteBooked(): void {
    this.#hitShare += (this.#lastHit - this.#hitShare) * HIT_WEIGHT;
    this.#likelyHitShare += (this.#lastHit - this.#likelyHitShare) * HIT_WEIGHT;
  }

  /** Works out the column. The candidates' matches have been looked up. */
  fill(input: PickInput, candidates: CandidateSet): void {
    const { count } = candidates;
    const { repeats } = this;
    this.#fillFullness(input, candidates);
    let sum = 0;
    for (let i = 0; i < count; i += 1) sum += repeats[i] as number;
    const mean = sum / count;
    const least = leastOf(repeats, count, NEWCOMER_SHARE * mean);
    const perMean = mean > 0 ? 1 / mean : 0;
    const refills = this.#refills();
    const unevenWeight = UNEVEN_WEIGHT * Math.min(1, this.#likelyHitShare / USUAL_HIT_SHARE);
    for (let i = 0; i < count; i += 1) {
      const full = repeats[i] as number;
      const uneven = full > least ? (full - least) * perMean : 0;
      repeats[i] = refills * full + unevenWeight * (uneven < UNEVEN_MAX ? uneven : UNEVEN_MAX);
    }
  }

  /** How full each prefix cache is believed to be, 0 to 1: an empty one puts out nothing. */
  #fillFullness(
    { members, load, blocks, promptTokens }: PickInput,
    { positions, count }: CandidateSet,
  ): void {
    const matches = this.#matches;
    const blockCount = blocks === null ? 0 : blocks.count;
    const blockTokens = blockCount === 0 ? 0 : promptTokens / blockCount;
    let most = 0;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const capacity = (load.kvBlockCount[slot] as number) * (load.kvBlockTokens[slot] as number);
      const full = (matches.heldBlocks(slot) * blockTokens) / capacity;
      // Not a number where the size is unknown.
      this.repeats[i] = full < 1 ? full : 1;
      const matched = matches.at(position);
      if (matched > most) most = matched;
    }
    this.#lastHit = blockCount === 0 ? 0 : most / blockCount;
  }

  /** What is put out is worth no more than the mean block, which is hit h / (1 - h) times. */
  #refills(): number {
    const hit = this.#hitShare < 0.99 ? this.#hitShare : 0.99;
    return Math.min(REFILLS_MAX, hit / (1 - hit));
  }
}

/** The least of the first `count` values that are not below `floor`. */
function leastOf(values: Float64Array, count: number, floor: number): number {
  let least = 1;
  for (let i = 0; i < count; i += 1) {
    const value = values[i] as number;
    if (value < least && value >= floor) least = value;
  }
  return least;
}
