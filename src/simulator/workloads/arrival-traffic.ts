import type { Arrivals } from './arrivals.ts';
import type { LabRequest, TrafficSource } from './types.ts';

/** How requests of an open loop are made. */
export interface ArrivalTrafficOptions {
  readonly durationMs: number;
  /** Mean arrivals per second over the run, for `expectedCount`. */
  readonly meanPerSecond: number;
  /** Makes the request that arrives then; `number` counts from 0. */
  readonly create: (atMs: number, number: number) => LabRequest;
}

/** Independent requests at times of their own: an open loop, which no slow answer holds back. */
export class ArrivalTraffic implements TrafficSource {
  readonly expectedCount: number;
  readonly #arrivals: Arrivals;
  readonly #options: ArrivalTrafficOptions;
  #nextAtMs: number;
  #count = 0;

  constructor(arrivals: Arrivals, options: ArrivalTrafficOptions) {
    this.#arrivals = arrivals;
    this.#options = options;
    this.#nextAtMs = arrivals.next();
    this.expectedCount = Math.round((options.meanPerSecond * options.durationMs) / 1000);
  }

  nextAtMs(): number {
    return this.#nextAtMs > this.#options.durationMs ? Number.POSITIVE_INFINITY : this.#nextAtMs;
  }

  take(): LabRequest {
    const request = this.#options.create(this.#nextAtMs, this.#count);
    this.#count += 1;
    this.#nextAtMs = this.#arrivals.next();
    return request;
  }

  noteEnded(): void {
    // Nothing waits for an answer here.
  }
}
