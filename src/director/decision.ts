import type { Clock } from '../core/clock.ts';
import type { Fleet } from '../pool/fleet.ts';
import type { RankedEndpoint } from '../scheduler/types.ts';
import type { DecisionRecord, RankedEndpoint as RankedRecord } from '../telemetry/decision-log.ts';
import type { Choice } from './chooser.ts';
import type { TokenEstimate } from './ports.ts';
import type { RequestHead } from './types.ts';

/** Writes down why a request goes where it goes; how it ends is filled in later. */
export function createDecisionRecord(
  { head, estimate }: { readonly head: RequestHead; readonly estimate: TokenEstimate },
  { served, ranking, input, tier, shadow }: Choice,
  { fleet, clock }: { readonly fleet: Fleet; readonly clock: Clock },
): DecisionRecord {
  return {
    requestId: head.requestId,
    atMs: clock.wallMs(),
    api: head.api.id,
    clientModel: head.model,
    model: served.model,
    pool: served.pool,
    adapter: served.baseModel === null ? null : served.model,
    stream: head.isStream,
    promptTokensEstimate: estimate.promptTokens,
    maxTokens: head.maxTokens,
    candidateCount: ranking.candidateCount,
    availableCount: ranking.availableCount,
    tier,
    objective: input.objective,
    promptBlocks: input.blocks === null ? 0 : input.blocks.count,
    removed: ranking.removed.map(({ filter, count, slots }) => ({
      filter,
      count,
      endpoints: slots.map((slot) => fleet.endpointAt(slot).id),
    })),
    shadow,
    ordered: ranking.ranked.map((ranked) => describeRanked(ranked, ranking.scorers, fleet)),
    attempts: [],
    outcome: null,
    errorCode: null,
    status: null,
    ttftMs: null,
    tpotMs: null,
    durationMs: null,
    promptTokens: null,
    completionTokens: null,
    cachedTokens: null,
  };
}

/** One ranked endpoint as people read it: names for slots, and null for what is not known. */
function describeRanked(
  { slot, score, reasons, predictedTtftMs, predictedTpotMs, matchedBlocks }: RankedEndpoint,
  scorers: readonly string[],
  fleet: Fleet,
): RankedRecord {
  const named: Record<string, number | null> = {};
  for (let i = 0; i < reasons.length; i += 1) {
    named[scorers[i] as string] = numberOrNull(reasons[i] as number);
  }
  return {
    endpoint: fleet.endpointAt(slot).id,
    score,
    reasons: named,
    predictedTtftMs: numberOrNull(predictedTtftMs),
    predictedTpotMs: numberOrNull(predictedTpotMs),
    matchedBlocks,
  };
}

/** JSON has no NaN. */
export function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
