/** Requests that wait in all engines together, over time. */
export class QueueGauge {
  #waiting = 0;
  #max = 0;
  #sinceMs = 0;
  #requestMs = 0;

  /** Highest number so far. */
  get max(): number {
    return this.#max;
  }

  /** So many more wait from now on, or fewer when negative. */
  change(by: number, nowMs: number): void {
    this.#requestMs += this.#waiting * (nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
    this.#waiting += by;
    if (this.#waiting > this.#max) this.#max = this.#waiting;
  }

  /** Mean over the time from 0 to `nowMs`. */
  mean(nowMs: number): number {
    const requestMs = this.#requestMs + this.#waiting * (nowMs - this.#sinceMs);
    return nowMs > 0 ? requestMs / nowMs : 0;
  }
}
