import { assert } from './assert.ts';

/**
 * Keeps the newest `capacity` items; a push on a full buffer drops the oldest.
 *
 *     start ─►[ oldest | … | newest ]      slot of item i: (start + i) mod capacity
 */
export class RingBuffer<T> {
  readonly #slots: (T | undefined)[];
  #start = 0;
  #size = 0;

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, 'ring buffer capacity must be positive');
    this.#slots = Array.from({ length: capacity }, () => undefined);
  }

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#slots.length;
  }

  /** Adds `item` as the newest and returns the item that fell out, if any. */
  push(item: T): T | undefined {
    const capacity = this.#slots.length;
    const slot = (this.#start + this.#size) % capacity;
    const dropped = this.#slots[slot];
    this.#slots[slot] = item;
    if (this.#size < capacity) {
      this.#size += 1;
      return undefined;
    }
    this.#start = (this.#start + 1) % capacity;
    return dropped;
  }

  /** The item at `age`, where 0 is the newest; undefined outside of the buffer. */
  newest(age: number): T | undefined {
    if (age < 0 || age >= this.#size) return undefined;
    return this.#slots[(this.#start + this.#size - 1 - age) % this.#slots.length];
  }
}
