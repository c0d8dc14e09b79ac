import type { Clock } from '../core/clock.ts';
import { Ewma } from '../core/ewma.ts';
import type { TokenUsage } from '../protocol/token-usage.ts';
import type { TokenEstimate } from './ports.ts';
import type { RequestHead } from './types.ts';

/** English text is about 4 bytes a token with today's vocabularies; code is nearer to 3. */
const BYTES_PER_TOKEN_START = 4;
/** Output tokens assumed for a model until answers have been seen. */
const OUTPUT_TOKENS_START = 256;
const HALF_LIFE_MS = 60_000;
/**
 * Ratios outside of this range come from images, audio or broken usage, and are not learned from.
 */
const BYTES_PER_TOKEN_MIN = 1;
const BYTES_PER_TOKEN_MAX = 16;

interface ModelStats {
  readonly bytesPerToken: Ewma;
  readonly outputTokens: Ewma;
}

/**
 * Estimates a request's tokens from its bytes, with a ratio and an output length learned per model
 * from the usage that engines return.
 */
export class TokenEstimator {
  readonly #clock: Clock;
  readonly #models: Map<string, ModelStats> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  estimate(head: RequestHead): TokenEstimate {
    const stats = this.#models.get(head.model);
    const ratio = stats === undefined ? Number.NaN : stats.bytesPerToken.value;
    const bytesPerToken = ratio > 0 ? ratio : BYTES_PER_TOKEN_START;
    const learned = stats === undefined ? Number.NaN : stats.outputTokens.value;
    const expected = learned >= 0 ? Math.ceil(learned) : OUTPUT_TOKENS_START;
    return {
      promptTokens: Math.ceil(head.promptBytes / bytesPerToken),
      outputTokens: head.maxTokens === null ? expected : Math.min(head.maxTokens, expected),
    };
  }

  /**
   * Learns from one finished request; `head.model` must be a known model, so the map stays small.
   */
  learn(head: RequestHead, usage: TokenUsage): void {
    let stats = this.#models.get(head.model);
    if (stats === undefined) {
      stats = { bytesPerToken: new Ewma(HALF_LIFE_MS), outputTokens: new Ewma(HALF_LIFE_MS) };
      this.#models.set(head.model, stats);
    }
    const nowMs = this.#clock.now();
    stats.outputTokens.add(usage.completionTokens, nowMs);
    const ratio = head.promptBytes / usage.promptTokens;
    if (ratio >= BYTES_PER_TOKEN_MIN && ratio <= BYTES_PER_TOKEN_MAX) {
      stats.bytesPerToken.add(ratio, nowMs);
    }
  }
}
