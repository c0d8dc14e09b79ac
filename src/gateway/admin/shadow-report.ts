import type { DecisionRecord } from '../../telemetry/decision-log.ts';

/** What a shadow policy would have done, against what was done. */
export interface ShadowReport {
  /** The shadow policy; null when no kept decision has one. */
  readonly profile: string | null;
  /** Decisions that were compared: those with a shadow of this profile. */
  readonly decisions: number;
  /** Of those, the ones in which both chose the same endpoint. */
  readonly same: number;
  /** Means over the decisions in which both have a number; null without any. */
  readonly routed: PolicyMeans;
  readonly shadow: PolicyMeans;
  /** How often each endpoint was the first choice of either. */
  readonly endpoints: readonly EndpointShare[];
}

/** Means of one policy's first choices. */
export interface PolicyMeans {
  /** Predicted by the same model for both, so that the two can be compared. */
  readonly predictedTtftMs: number | null;
  readonly matchedBlocks: number | null;
}

/** First choices that fell on one endpoint. */
export interface EndpointShare {
  readonly endpoint: string;
  readonly routed: number;
  readonly shadow: number;
}

/** Compares the newest shadow profile with what was routed, over `records` (newest first). */
export function createShadowReport(records: readonly DecisionRecord[]): ShadowReport {
  const profile = records.find(({ shadow }) => shadow !== null)?.shadow?.profile ?? null;
  const compared = records.filter(({ shadow }) => shadow !== null && shadow.profile === profile);
  const routedTtft = new Mean();
  const shadowTtft = new Mean();
  const routedBlocks = new Mean();
  const shadowBlocks = new Mean();
  const shares = new Map<string, { routed: number; shadow: number }>();
  let same = 0;
  for (const { ordered, shadow } of compared) {
    const [first] = ordered;
    if (first === undefined || shadow === null) continue;
    if (first.endpoint === shadow.endpoint) same += 1;
    shareOf(shares, first.endpoint).routed += 1;
    if (shadow.endpoint !== null) shareOf(shares, shadow.endpoint).shadow += 1;
    if (first.predictedTtftMs !== null && shadow.predictedTtftMs !== null) {
      routedTtft.add(first.predictedTtftMs);
      shadowTtft.add(shadow.predictedTtftMs);
    }
    routedBlocks.add(first.matchedBlocks);
    shadowBlocks.add(shadow.matchedBlocks);
  }
  return {
    profile,
    decisions: compared.length,
    same,
    routed: { predictedTtftMs: routedTtft.value, matchedBlocks: routedBlocks.value },
    shadow: { predictedTtftMs: shadowTtft.value, matchedBlocks: shadowBlocks.value },
    endpoints: [...shares]
      .map(([endpoint, share]) => ({ endpoint, ...share }))
      .sort((a, b) => b.routed - a.routed),
  };
}

class Mean {
  #sum = 0;
  #count = 0;

  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }

  add(value: number): void {
    this.#sum += value;
    this.#count += 1;
  }
}

function shareOf(
  shares: Map<string, { routed: number; shadow: number }>,
  endpoint: string,
): { routed: number; shadow: number } {
  let share = shares.get(endpoint);
  if (share === undefined) {
    share = { routed: 0, shadow: 0 };
    shares.set(endpoint, share);
  }
  return share;
}
