import { createRng, type Rng } from '../../../core/rng.ts';
import { NO_OBJECTIVE, type LatencyObjective } from '../../../scheduler/types.ts';
import { createPoissonArrivals } from '../../workloads/arrivals.ts';
import { createRequest } from '../../workloads/request.ts';
import type { LabRequest, PromptSegment } from '../../workloads/types.ts';

/** What one request of a stream is like. */
export interface RequestDraft {
  /** What the prompt begins with; ids below 2^30. */
  readonly shared?: readonly PromptSegment[];
  /** Tokens that nobody shares. */
  readonly ownTokens: number;
  readonly outputTokens: number;
  readonly adapter?: string;
  readonly objective?: LatencyObjective;
}

/** How many requests come, and when. */
export interface StreamOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** Streams of one run have seeds of their own, from 0 to 1000: ids of segments contain them. */
  readonly seed: number;
  readonly startMs?: number;
}

/** Requests with exponential gaps; what each is like is drawn between its arrival and the next. */
export function createStream(
  { perSecond, seconds, seed, startMs = 0 }: StreamOptions,
  draft: (rng: Rng) => RequestDraft,
): LabRequest[] {
  const rng = createRng(seed);
  const arrivals = createPoissonArrivals(rng, perSecond);
  const requests: LabRequest[] = [];
  for (;;) {
    const atMs = arrivals.next();
    if (atMs >= seconds * 1000) return requests;
    requests.push(draftRequest(startMs + atMs, draft(rng), seed * 2 ** 20 + requests.length));
  }
}

/** One request; its own tokens are those of no other `number`, from 0 to 2^30 - 1. */
export function draftRequest(atMs: number, draft: RequestDraft, number: number): LabRequest {
  const { shared = [], ownTokens, outputTokens, adapter = null, objective = NO_OBJECTIVE } = draft;
  const id = 2 ** 30 + number;
  return createRequest({
    atMs,
    session: number,
    tenant: 'tenant',
    segments: [...shared, { id, tokens: ownTokens }],
    output: { id: id + 2 ** 31, tokens: outputTokens },
    adapter,
    objective,
  });
}

/** A number between `low` and `high` whose logarithm is uniform: many small, few large. */
export function drawLogUniform(rng: Rng, low: number, high: number): number {
  return Math.round(low * (high / low) ** rng.next());
}
