/** Token counts as the engine reported them for one request. */
export interface TokenUsage {
  /** All prompt tokens, cached ones included (Anthropic's three input counts summed). */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompt tokens served from the prefix cache; null when the engine does not say. */
  readonly cachedTokens: number | null;
}
