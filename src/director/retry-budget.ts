import type { Clock } from '../core/clock.ts';

const WINDOW_MS = 10_000;
const SLICE_COUNT = 10;
const SLICE_MS = WINDOW_MS / SLICE_COUNT;

/**
 * Retries allowed per window whatever the traffic, so that a quiet gateway can still fail over when
 * one endpoint drops the few requests there are.
 */
const RETRIES_FLOOR = 30;

/**
 * Bounds retries to a share of all requests over the last ten seconds, so that failing endpoints
 * are not buried under repeated requests.
 *
 *     slices:  [ 0 | 1 | … | 9 ]   slice of an instant: floor(now / 1 s) mod 10;
 *                                  a slice is cleared when its second comes round again
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #share: number;
  readonly #requests: Int32Array = new Int32Array(SLICE_COUNT);
  readonly #retries: Int32Array = new Int32Array(SLICE_COUNT);
  #requestSum = 0;
  #retrySum = 0;
  #tick: number;

  /** `share` is the fraction of requests that may be retries, 0 to 1. */
  constructor(clock: Clock, share: number) {
    this.#clock = clock;
    this.#share = share;
    this.#tick = Math.floor(clock.now() / SLICE_MS);
  }

  /** Counts a first attempt. */
  countRequest(): void {
    const slice = this.#advance();
    this.#requests[slice] = (this.#requests[slice] as number) + 1;
    this.#requestSum += 1;
  }

  /** Takes one retry from the budget; false when it is used up. */
  tryTake(): boolean {
    const slice = this.#advance();
    const allowed = this.#share === 0 ? 0 : Math.max(RETRIES_FLOOR, this.#share * this.#requestSum);
    if (this.#retrySum + 1 > allowed) return false;
    this.#retries[slice] = (this.#retries[slice] as number) + 1;
    this.#retrySum += 1;
    return true;
  }

  #advance(): number {
    const tick = Math.floor(this.#clock.now() / SLICE_MS);
    const stale = Math.min(SLICE_COUNT, tick - this.#tick);
    for (let i = 1; i <= stale; i += 1) {
      const slice = (this.#tick + i) % SLICE_COUNT;
      this.#requestSum -= this.#requests[slice] as number;
      this.#retrySum -= this.#retries[slice] as number;
      this.#requests[slice] = 0;
      this.#retries[slice] = 0;
    }
    this.#tick = tick;
    return tick % SLICE_COUNT;
  }
}
