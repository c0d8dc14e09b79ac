/** What one engine step does: sums over the sequences that take part in it. */
export interface StepShape {
  /** Prompt tokens computed in this step. */
  prefillTokens: number;
  /** Sum over those tokens of the context each one attends to, in token pairs. */
  prefillContextPairs: number;
  /** The same in layers with a sliding window, where context is bounded by it. */
  prefillWindowPairs: number;
  /** Context tokens whose KV the chunks read, once a chunk. */
  prefillContextTokens: number;
  /** Sequences that get one more token. */
  decodeSequences: number;
  /** Context tokens whose KV those sequences read. */
  decodeContextTokens: number;
  /** The same in layers with a sliding window. */
  decodeWindowTokens: number;
}

/** A step in which nothing is done, to be added to. */
export function createStepShape(): StepShape {
  return {
    prefillTokens: 0,
    prefillContextPairs: 0,
    prefillWindowPairs: 0,
    prefillContextTokens: 0,
    decodeSequences: 0,
    decodeContextTokens: 0,
    decodeWindowTokens: 0,
  };
}

/**
 * What each part of a step costs, in milliseconds; see hardware/step-costs.ts for where values come
 * from. A part that a model does not have costs 0.
 */
export interface StepCosts {
  /** Paid by every step: scheduling, launches, latency of exchanges. Above 0. */
  readonly baseMs: number;
  /** Reading the weights that every token uses, once a step. */
  readonly weightsMs: number;
  /** Reading the weights of all experts. */
  readonly expertsMs: number;
  /** Share of experts that one token leaves alone, 1 - active / all; 0 without experts. */
  readonly expertMissShare: number;
  /** Linear layers of one prompt token. */
  readonly prefillTokenMs: number;
  /** Linear layers of one decoded token. */
  readonly decodeTokenMs: number;
  /** Attention of one prompt token to one context token, layers with full attention. */
  readonly prefillContextPairMs: number;
  /** The same, layers with a sliding window. */
  readonly prefillWindowPairMs: number;
  /** Reading the KV of one context token for a chunk. */
  readonly prefillContextTokenMs: number;
  /** Attention of a decoded token to one context token, layers with full attention. */
  readonly decodeContextTokenMs: number;
  /** The same, layers with a sliding window. */
  readonly decodeWindowTokenMs: number;
  /** Sampling, detokenizing and bookkeeping of one decoding sequence on the host. */
  readonly decodeSequenceMs: number;
  /** Exchange of one token's activations between accelerators. */
  readonly exchangeTokenMs: number;
  /** Size of the sliding window in tokens; 0 when no layer has one. */
  readonly windowTokens: number;
}

const FREE: Omit<StepCosts, 'baseMs'> = Object.freeze({
  weightsMs: 0,
  expertsMs: 0,
  expertMissShare: 0,
  prefillTokenMs: 0,
  decodeTokenMs: 0,
  prefillContextPairMs: 0,
  prefillWindowPairMs: 0,
  prefillContextTokenMs: 0,
  decodeContextTokenMs: 0,
  decodeWindowTokenMs: 0,
  decodeSequenceMs: 0,
  exchangeTokenMs: 0,
  windowTokens: 0,
});

/** Complete costs; whatever is not given costs nothing. */
export function createStepCosts(given: Pick<StepCosts, 'baseMs'> & Partial<StepCosts>): StepCosts {
  return Object.freeze({ ...FREE, ...given });
}

/**
 * Duration of a step in milliseconds. Kernels run one after another, so their times add; each is
 * the larger of its compute and its memory traffic (roofline; Williams, Waterman, Patterson 2009):
 * linear layers against the weights read, prefill attention against the KV read. For decode
 * attention the choice is the same at any size and part of its cost per token.
 *
 * A batch of t tokens that each choose k of E experts touches E (1 - (1 - k/E)^t) of them.
 */
export function stepDurationMs(costs: StepCosts, shape: StepShape): number {
  const tokens = shape.prefillTokens + shape.decodeSequences;
  const touchedShare = 1 - costs.expertMissShare ** tokens;
  const weightsMs = costs.weightsMs + costs.expertsMs * touchedShare;
  const linearMs =
    costs.prefillTokenMs * shape.prefillTokens + costs.decodeTokenMs * shape.decodeSequences;
  const prefillAttentionMs = Math.max(
    costs.prefillContextPairMs * shape.prefillContextPairs +
      costs.prefillWindowPairMs * shape.prefillWindowPairs,
    costs.prefillContextTokenMs * shape.prefillContextTokens,
  );
  return (
    costs.baseMs +
    Math.max(linearMs, weightsMs) +
    prefillAttentionMs +
    costs.decodeContextTokenMs * shape.decodeContextTokens +
    costs.decodeWindowTokenMs * shape.decodeWindowTokens +
    costs.decodeSequenceMs * shape.decodeSequences +
    costs.exchangeTokenMs * tokens
  );
}

/** Factors on computed times, each above 0 and 1 until a measured run says otherwise. */
export interface Calibration {
  /** Compute: linear layers and attention of prompts. */
  readonly prefill: number;
  /** Memory traffic: reading of weights and of KV for decoded tokens. */
  readonly decode: number;
  /** Per step and per sequence on the host, and exchanges between accelerators. */
  readonly overhead: number;
}

/** Costs with each part multiplied by the factor it belongs to. */
export function calibrateCosts(costs: StepCosts, factors: Calibration): StepCosts {
  const { prefill, decode, overhead } = factors;
  return Object.freeze({
    baseMs: costs.baseMs * overhead,
    weightsMs: costs.weightsMs * decode,
    expertsMs: costs.expertsMs * decode,
    expertMissShare: costs.expertMissShare,
    prefillTokenMs: costs.prefillTokenMs * prefill,
    decodeTokenMs: costs.decodeTokenMs * prefill,
    prefillContextPairMs: costs.prefillContextPairMs * prefill,
    prefillWindowPairMs: costs.prefillWindowPairMs * prefill,
    prefillContextTokenMs: costs.prefillContextTokenMs * decode,
    decodeContextTokenMs: costs.decodeContextTokenMs * decode,
    decodeWindowTokenMs: costs.decodeWindowTokenMs * decode,
    decodeSequenceMs: costs.decodeSequenceMs * overhead,
    exchangeTokenMs: costs.exchangeTokenMs * overhead,
    windowTokens: costs.windowTokens,
  });
}

/** The same costs, every time `factor` as long. */
export function scaleCosts(costs: StepCosts, factor: number): StepCosts {
  return calibrateCosts(costs, { prefill: factor, decode: factor, overhead: factor });
}
