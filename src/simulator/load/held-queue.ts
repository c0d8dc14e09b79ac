import type { LabRequest } from '../workloads/types.ts';

/** Taken places at the front that are worth removing. */
const MIN_COMPACTION = 1024;

/** Requests that wait for a connection, first come, first served. */
export class HeldQueue {
  #items: LabRequest[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(request: LabRequest): void {
    this.#items.push(request);
  }

  /** The oldest; null when none waits. */
  shift(): LabRequest | null {
    const request = this.#items[this.#head];
    if (request === undefined) return null;
    this.#head += 1;
    if (this.#head >= MIN_COMPACTION && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return request;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
