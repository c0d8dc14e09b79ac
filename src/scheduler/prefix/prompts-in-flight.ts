import type { PromptBlocks } from '../types.ts';

const INITIAL_PLACES = 64;
/** Place 0 stands for none. */
const NONE = 0;

/**
 * Prompts of requests under way, by lane, the one that was renewed longest ago first. A lane's list
 * runs through the places, which are given out again when requests end.
 *
 *     first ─► [place] ─next─► [place] ─next─► [place] ◄─ last
 */
export class PromptsInFlight {
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #blocks: (PromptBlocks | null)[] = [];
  #lanes = new Uint16Array(INITIAL_PLACES);
  #epochs = new Uint8Array(INITIAL_PLACES);
  #next = new Int32Array(INITIAL_PLACES);
  #previous = new Int32Array(INITIAL_PLACES);
  #used = 1;
  #free = NONE;

  /** For lanes 0 to `laneCount`. */
  constructor(laneCount: number) {
    this.#first = new Int32Array(laneCount + 1);
    this.#last = new Int32Array(laneCount + 1);
  }

  /** A request with this prompt is under way in `lane`. Returns its place, 1 or more. */
  add(lane: number, blocks: PromptBlocks, epoch: number): number {
    const place = this.#takePlace();
    this.#blocks[place] = blocks;
    this.#lanes[place] = lane;
    this.#epochs[place] = epoch;
    this.#append(lane, place);
    return place;
  }

  /** The request has ended. */
  remove(place: number): void {
    const lane = this.#lanes[place] as number;
    if (lane !== NONE) this.#unlink(lane, place);
    this.#blocks[place] = null;
    this.#lanes[place] = NONE;
    this.#next[place] = this.#free;
    this.#free = place;
  }

  /** The place in `lane` that was renewed longest ago; 0 when it has none. */
  oldest(lane: number): number {
    return this.#first[lane] as number;
  }

  /** The lane's epoch when the place was renewed last. */
  epochOf(place: number): number {
    return this.#epochs[place] as number;
  }

  blocksOf(place: number): PromptBlocks | null {
    return this.#blocks[place] ?? null;
  }

  /** The prompt counts as used just now. */
  renew(place: number, epoch: number): void {
    const lane = this.#lanes[place] as number;
    this.#unlink(lane, place);
    this.#append(lane, place);
    this.#epochs[place] = epoch;
  }

  /** The lane is given up: its requests belong to none. Their places are kept until they end. */
  abandon(lane: number): void {
    for (let place = this.oldest(lane); place !== NONE; place = this.#next[place] as number) {
      this.#lanes[place] = NONE;
    }
    this.#first[lane] = NONE;
    this.#last[lane] = NONE;
  }

  #append(lane: number, place: number): void {
    const last = this.#last[lane] as number;
    this.#previous[place] = last;
    this.#next[place] = NONE;
    if (last === NONE) this.#first[lane] = place;
    else this.#next[last] = place;
    this.#last[lane] = place;
  }

  #unlink(lane: number, place: number): void {
    const previous = this.#previous[place] as number;
    const next = this.#next[place] as number;
    if (previous === NONE) this.#first[lane] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[lane] = previous;
    else this.#previous[next] = previous;
  }

  #takePlace(): number {
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#next[free] as number;
      return free;
    }
    const place = this.#used;
    this.#used += 1;
    if (place === this.#lanes.length) this.#grow();
    return place;
  }

  #grow(): void {
    const size = 2 * this.#lanes.length;
    const lanes = new Uint16Array(size);
    lanes.set(this.#lanes);
    this.#lanes = lanes;
    const epochs = new Uint8Array(size);
    epochs.set(this.#epochs);
    this.#epochs = epochs;
    const next = new Int32Array(size);
    next.set(this.#next);
    this.#next = next;
    const previous = new Int32Array(size);
    previous.set(this.#previous);
    this.#previous = previous;
  }
}
