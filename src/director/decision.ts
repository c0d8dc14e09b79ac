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
  { served, ranking }: Choice,
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
    ordered: ranking.ranked.map((ranked) => describeRanked(ranked, ranking.scorers, fleet)),
    attempts: [],
    outcome: null,
    errorCode: null,
    status: null,
    ttftMs: null,
    durationMs: null,
    promptTokens: null,
    completionTokens: null,
    cachedTokens: null,
  };
}

function describeRanked(
  { slot, score, reasons }: RankedEndpoint,
  scorers: readonly string[],
  fleet: Fleet,
): RankedRecord {
  const named: Record<string, number> = {};
  for (let i = 0; i < reasons.length; i += 1) named[scorers[i] as string] = reasons[i] as number;
  return { endpoint: fleet.endpointAt(slot).id, score, reasons: named };
}
