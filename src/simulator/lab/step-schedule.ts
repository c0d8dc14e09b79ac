/**
 * When each engine steps next: a binary heap over engine numbers, indexed both ways, in typed
 * arrays. Of engines that are due at one time the lowest number is next.
 *
 *     #heap[place] = engine        #place[engine] = place        #atMs[engine] = its key
 */
export class StepSchedule {
  readonly #atMs: Float64Array;
  readonly #heap: Int32Array;
  readonly #place: Int32Array;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#atMs = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    this.#heap = Int32Array.from({ length: count }, (_, index) => index);
    this.#place = Int32Array.from({ length: count }, (_, index) => index);
  }

  /** Time of the next step in milliseconds; infinite when no engine has work. */
  get nextAtMs(): number {
    return this.#atMs[this.#heap[0] as number] as number;
  }

  /** The engine whose step is next. */
  get next(): number {
    return this.#heap[0] as number;
  }

  /** Plans the next step of an engine; infinite for none. */
  set(engine: number, atMs: number): void {
    const before = this.#atMs[engine] as number;
    if (atMs === before) return;
    this.#atMs[engine] = atMs;
    if (atMs < before) this.#rise(engine, atMs);
    else this.#sink(engine, atMs);
  }

  #rise(engine: number, atMs: number): void {
    const heap = this.#heap;
    let place = this.#place[engine] as number;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as number;
      const aboveAtMs = this.#atMs[above] as number;
      if (aboveAtMs < atMs || (aboveAtMs === atMs && above < engine)) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(engine, place);
  }

  #sink(engine: number, atMs: number): void {
    const heap = this.#heap;
    let place = this.#place[engine] as number;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(child + 1, child)) child += 1;
      const below = heap[child] as number;
      const belowAtMs = this.#atMs[below] as number;
      if (atMs < belowAtMs || (atMs === belowAtMs && engine < below)) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(engine, place);
  }

  #isBefore(place: number, other: number): boolean {
    const left = this.#heap[place] as number;
    const right = this.#heap[other] as number;
    const leftAtMs = this.#atMs[left] as number;
    const rightAtMs = this.#atMs[right] as number;
    return leftAtMs < rightAtMs || (leftAtMs === rightAtMs && left < right);
  }

  #put(engine: number, place: number): void {
    this.#heap[place] = engine;
    this.#place[engine] = place;
  }
}
