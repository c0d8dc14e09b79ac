import type { Rng } from '../core/rng.ts';

/** When an endpoint that fails is taken out of choice, and for how long. */
export interface HealthOptions {
  /** Consecutive failures that eject; at least 1. */
  readonly failureThreshold: number;
  /** First ejection, in milliseconds. */
  readonly ejectionBaseMs: number;
  /** Longest ejection, in milliseconds. */
  readonly ejectionMaxMs: number;
}

/** Three failures; 1 s doubling up to 30 s. */
export const DEFAULT_HEALTH_OPTIONS: HealthOptions = Object.freeze({
  failureThreshold: 3,
  ejectionBaseMs: 1_000,
  ejectionMaxMs: 30_000,
});

/** Up to this share is taken off a back-off, so that replicas do not all probe at one instant. */
const JITTER_SHARE = 0.25;

/**
 * `closed`: requests flow. `ejected`: none do. `half_open`: one does, to see whether it is
 * back.
 */
export type HealthState = 'closed' | 'ejected' | 'half_open';

/**
 * Passive health of one endpoint, fed by what happens to real requests:
 *
 *               Nth failure in a row, if its pools can spare it
 *      ┌────────┐ ───────────────────────────────► ┌─────────┐
 *      │ closed │                                  │ ejected │ ◄─┐ failure:
 *      └────────┘ ◄──┐              back-off ended └─────────┘   │ out for
 *                    │ success   ┌───────────┐ ◄────────┘        │ twice as long
 *                    └────────── │ half open │ ──────────────────┘
 *                                └───────────┘ one request at a time
 *
 * What comes back from requests that were sent before an ejection does not change it.
 */
export class Health {
  readonly #options: HealthOptions;
  readonly #rng: Rng;
  #state: HealthState = 'closed';
  #consecutiveFailures = 0;
  #ejections = 0;
  #ejectionsInRow = 0;
  #ejectedUntilMs = 0;
  #probe: object | null = null;

  constructor(options: HealthOptions, rng: Rng) {
    this.#options = options;
    this.#rng = rng;
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Failures since the last success. */
  get consecutiveFailures(): number {
    return this.#consecutiveFailures;
  }

  /** Ejections since the endpoint was added. */
  get ejections(): number {
    return this.#ejections;
  }

  /** Time (`Clock.now`) at which an ejection turns into half open. */
  get ejectedUntilMs(): number {
    return this.#ejectedUntilMs;
  }

  /** Whether a request may be sent now. */
  get canTakeRequest(): boolean {
    return this.#state === 'closed' || (this.#state === 'half_open' && this.#probe === null);
  }

  succeed(): void {
    if (this.#state === 'ejected') return;
    this.close();
  }

  /** Counts a failure and says whether the endpoint should be ejected now. */
  countFailure(): boolean {
    if (this.#state === 'ejected') return false;
    this.#consecutiveFailures += 1;
    return (
      this.#state === 'half_open' || this.#consecutiveFailures >= this.#options.failureThreshold
    );
  }

  /** Takes the endpoint out; each ejection without a success in between lasts twice as long. */
  eject(nowMs: number): void {
    const { ejectionBaseMs, ejectionMaxMs } = this.#options;
    const fullMs = Math.min(ejectionBaseMs * 2 ** this.#ejectionsInRow, ejectionMaxMs);
    this.#ejectedUntilMs = nowMs + fullMs * (1 - JITTER_SHARE * this.#rng.next());
    this.#state = 'ejected';
    this.#probe = null;
    this.#ejections += 1;
    // 2 ** 30 base intervals are longer than any limit; the exponent must not run away.
    this.#ejectionsInRow = Math.min(this.#ejectionsInRow + 1, 30);
  }

  /** Moves an ejection whose time has come to half open; true when it did. */
  tick(nowMs: number): boolean {
    if (this.#state !== 'ejected' || nowMs < this.#ejectedUntilMs) return false;
    this.halfOpen();
    return true;
  }

  /** Ends an ejection early, on news from outside that the server is back. */
  halfOpen(): void {
    if (this.#state === 'ejected') this.#state = 'half_open';
  }

  /** `request` was booked; while half open the first one is the probe. */
  noteBooked(request: object): void {
    if (this.#state === 'half_open' && this.#probe === null) this.#probe = request;
  }

  /** Whether `request` is the probe that is under way. */
  isProbe(request: object): boolean {
    return this.#probe === request;
  }

  /** `request` has ended; a probe without a verdict (the client left) makes room for another. */
  noteReleased(request: object): void {
    if (this.#probe === request) this.#probe = null;
  }

  /** Lets requests flow and forgets all failures. */
  close(): void {
    this.#state = 'closed';
    this.#probe = null;
    this.#consecutiveFailures = 0;
    this.#ejectionsInRow = 0;
  }
}
