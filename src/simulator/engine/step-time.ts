/** What one engine step does. */
export interface StepShape {
  /** Prompt tokens computed in this step, over all sequences. */
  prefillTokens: number;
  /** Sum over those tokens of the context each one attends to, in token pairs. */
  prefillContextPairs: number;
  /** Sequences that get one more token. */
  decodeSequences: number;
  /** Context tokens whose KV those sequences read. */
  decodeContextTokens: number;
}

/** Milliseconds that each part of a step costs; see profiles.ts for where values come from. */
export interface StepCosts {
  /** Reading the weights once, kernel launches and scheduling; paid by every step. */
  readonly baseMs: number;
  readonly prefillTokenMs: number;
  readonly prefillContextPairMs: number;
  readonly decodeSequenceMs: number;
  readonly decodeContextTokenMs: number;
}

/**
 * Duration of a step in milliseconds: the linear form of the roofline of a forward pass (weights
 * read once, compute per token, KV read per context token).
 */
export function stepDurationMs(costs: StepCosts, shape: StepShape): number {
  return (
    costs.baseMs +
    costs.prefillTokenMs * shape.prefillTokens +
    costs.prefillContextPairMs * shape.prefillContextPairs +
    costs.decodeSequenceMs * shape.decodeSequences +
    costs.decodeContextTokenMs * shape.decodeContextTokens
  );
}

/** The same costs, all times `factor` as long. */
export function scaleCosts(costs: StepCosts, factor: number): StepCosts {
  return {
    baseMs: costs.baseMs * factor,
    prefillTokenMs: costs.prefillTokenMs * factor,
    prefillContextPairMs: costs.prefillContextPairMs * factor,
    decodeSequenceMs: costs.decodeSequenceMs * factor,
    decodeContextTokenMs: costs.decodeContextTokenMs * factor,
  };
}
