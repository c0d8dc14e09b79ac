import type { LabRequest, TrafficSource } from './types.ts';

/** Requests that are all known beforehand, in order of time, whatever becomes of others. */
export class RequestList implements TrafficSource {
  readonly expectedCount: number;
  readonly #requests: readonly LabRequest[];
  #next = 0;

  constructor(requests: readonly LabRequest[]) {
    this.#requests = requests;
    this.expectedCount = requests.length;
  }

  nextAtMs(): number {
    return this.#requests[this.#next]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const request = this.#requests[this.#next] as LabRequest;
    this.#next += 1;
    return request;
  }

  noteEnded(_request: LabRequest, _atMs: number): void {}
}
