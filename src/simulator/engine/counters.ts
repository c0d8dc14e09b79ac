import { BucketHistogram } from './bucket-histogram.ts';

// Bounds as vLLM's own metrics have them, so that dashboards made for it show the same shape.
const TTFT_SECONDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
  160, 640, 2560,
];
const TOKEN_SECONDS = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const REQUEST_SECONDS = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];
const REQUEST_TOKENS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
];

/** Why a sequence ended. */
export type EndReason = 'stop' | 'length' | 'cancelled';

/** Totals since the engine model was made; they only grow. Times in seconds. */
export class EngineCounters {
  /** Tokens of prompts that have been computed to their end, cached ones included. */
  promptTokens = 0;
  generationTokens = 0;
  /** Prompt tokens looked up in the prefix cache, and how many of them were there. */
  prefixQueriedTokens = 0;
  prefixHitTokens = 0;
  preemptions = 0;
  steps = 0;
  /** Milliseconds spent in steps that have ended, loads of adapters included. */
  busyMs = 0;
  rejections = 0;
  readonly ended: Record<EndReason, number> = { stop: 0, length: 0, cancelled: 0 };
  readonly timeToFirstToken: BucketHistogram = new BucketHistogram(TTFT_SECONDS);
  readonly interTokenLatency: BucketHistogram = new BucketHistogram(TOKEN_SECONDS);
  readonly timePerOutputToken: BucketHistogram = new BucketHistogram(TOKEN_SECONDS);
  readonly requestLatency: BucketHistogram = new BucketHistogram(REQUEST_SECONDS);
  readonly queueTime: BucketHistogram = new BucketHistogram(REQUEST_SECONDS);
  readonly requestPromptTokens: BucketHistogram = new BucketHistogram(REQUEST_TOKENS);
  readonly requestGenerationTokens: BucketHistogram = new BucketHistogram(REQUEST_TOKENS);
}
