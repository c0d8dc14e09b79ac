import { RequestList } from '../../workloads/request-list.ts';
import { createRequest } from '../../workloads/request.ts';
import type { GoodputObjective, LabRequest, TrafficSource } from '../../workloads/types.ts';

/** Nothing is asked of an answer. */
export const ANYTHING: GoodputObjective = Object.freeze({
  ttftMs: null,
  tpotMs: null,
  e2eMs: null,
});

/** A request of 32 prompt and 8 output tokens with ids of its own; `fields` replaces the rest. */
export function createTestRequest(index: number, fields: Partial<LabRequest> = {}): LabRequest {
  return createRequest({
    atMs: 0,
    session: index,
    tenant: 'tenant',
    segments: [{ id: 2 * index, tokens: 32 }],
    output: { id: 2 * index + 1, tokens: 8 },
    ...fields,
  });
}

/** Requests known from the start, at their own times. */
export class ListTraffic extends RequestList {
  readonly ended: { readonly request: LabRequest; readonly atMs: number }[] = [];

  override noteEnded(request: LabRequest, atMs: number): void {
    this.ended.push({ request, atMs });
  }
}

/** Requests of which each is sent `thinkMs` after the end of the one before. */
export class ChainTraffic implements TrafficSource {
  readonly #requests: readonly LabRequest[];
  readonly #thinkMs: number;
  #next = 0;
  #atMs = 0;

  constructor(requests: readonly LabRequest[], options: { readonly thinkMs: number }) {
    this.#requests = requests;
    this.#thinkMs = options.thinkMs;
  }

  get expectedCount(): number {
    return this.#requests.length;
  }

  nextAtMs(): number {
    return this.#next < this.#requests.length ? this.#atMs : Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const request = { ...(this.#requests[this.#next] as LabRequest), atMs: this.#atMs };
    this.#next += 1;
    this.#atMs = Number.POSITIVE_INFINITY;
    return request;
  }

  noteEnded(_request: LabRequest, atMs: number): void {
    this.#atMs = atMs + this.#thinkMs;
  }
}
