import { assert } from '../../core/assert.ts';
import type { RequestEnd } from '../lab/types.ts';

/** What was measured of one stage. */
export interface StageMeasures {
  readonly requests: number;
  /** From the first request of the stage to its last answer, as inference-perf counts it. */
  readonly spanSeconds: number;
  readonly outputTokensPerSecond: number;
  readonly ttftMeanSeconds: number;
  readonly ttftP50Seconds: number;
  readonly ttftP90Seconds: number;
  readonly tpotMeanMs: number;
}

interface Stage {
  readonly ttftMs: number[];
  tpotSumMs: number;
  tokens: number;
  firstAtMs: number;
  lastAtMs: number;
}

/** Measures requests by the stage they were sent in. */
export class StageMeter {
  readonly #stages: Stage[] = [];

  note(index: number, end: RequestEnd): void {
    assert(end.isCompleted, 'every request of a published run is answered');
    const stage = (this.#stages[index] ??= {
      ttftMs: [],
      tpotSumMs: 0,
      tokens: 0,
      firstAtMs: Number.POSITIVE_INFINITY,
      lastAtMs: 0,
    });
    const { request, firstTokenAtMs, endedAtMs, outputTokens } = end;
    stage.ttftMs.push(firstTokenAtMs - request.atMs);
    stage.tpotSumMs += (endedAtMs - firstTokenAtMs) / Math.max(1, outputTokens - 1);
    stage.tokens += outputTokens;
    stage.firstAtMs = Math.min(stage.firstAtMs, request.atMs);
    stage.lastAtMs = Math.max(stage.lastAtMs, endedAtMs);
  }

  stages(): readonly StageMeasures[] {
    return this.#stages.map(measuresOf);
  }
}

function measuresOf({ ttftMs, tpotSumMs, tokens, firstAtMs, lastAtMs }: Stage): StageMeasures {
  const rising = ttftMs.toSorted((a, b) => a - b);
  const count = rising.length;
  const spanSeconds = (lastAtMs - firstAtMs) / 1000;
  const at = (share: number): number =>
    (rising[Math.min(count - 1, Math.floor(share * count))] ?? 0) / 1000;
  return {
    requests: count,
    spanSeconds,
    outputTokensPerSecond: tokens / spanSeconds,
    ttftMeanSeconds: rising.reduce((sum, ms) => sum + ms, 0) / count / 1000,
    ttftP50Seconds: at(0.5),
    ttftP90Seconds: at(0.9),
    tpotMeanMs: tpotSumMs / count,
  };
}
