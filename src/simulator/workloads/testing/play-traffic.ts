import { Heap } from '../../../core/heap.ts';
import type { LabRequest, TrafficSource } from '../types.ts';

interface Answer {
  readonly atMs: number;
  readonly request: LabRequest;
}

/** What came of a source when every answer took a plain time. */
export interface PlayedTraffic {
  readonly requests: readonly LabRequest[];
  /** Most requests that were under way at once. */
  readonly mostOpen: number;
}

/** Runs a source to its end; `answerMs` says how long an answer takes. */
export function playTraffic(
  source: TrafficSource,
  answerMs: (request: LabRequest) => number = ({ output }) => 200 + 15 * output.tokens,
): PlayedTraffic {
  const requests: LabRequest[] = [];
  const answers = new Heap<Answer>((a, b) => a.atMs < b.atMs);
  let mostOpen = 0;
  for (;;) {
    const nextAtMs = source.nextAtMs();
    const answer = answers.peek();
    if (answer !== undefined && answer.atMs <= nextAtMs) {
      answers.pop();
      source.noteEnded(answer.request, answer.atMs);
      continue;
    }
    if (nextAtMs === Number.POSITIVE_INFINITY) return { requests, mostOpen };
    const request = source.take();
    requests.push(request);
    answers.push({ atMs: request.atMs + answerMs(request), request });
    mostOpen = Math.max(mostOpen, answers.size);
  }
}
