import type { RefusedRequest } from '../../director/ports.ts';
import { ERRORS } from '../../core/errors.ts';
import type { RecordedLine } from '../../protocol/recording/line-writer.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';
import type { ApiId } from '../../protocol/api-table.ts';
import type { EndedRequest, RefusedLine } from './ended-list.ts';

/** As the estimator assumes of a model it has seen nothing of. */
const BYTES_PER_TOKEN = 4;

/** What a recording says of a refusal; `atMs` is set when the line is made. */
export function lineOfRefusal(refused: RefusedRequest): RefusedLine {
  const { head, refusal, model, pool, promptTokens, startedAtMs, refusedAtMs } = refused;
  return {
    atMs: 0,
    api: head.api.id,
    // A name that is not known may be anything that a client has sent.
    model: model === null ? null : head.model,
    adapter: null,
    pool,
    endpoint: null,
    stream: head.isStream,
    promptBytes: head.promptBytes,
    promptTokens: promptTokens ?? Math.ceil(head.promptBytes / BYTES_PER_TOKEN),
    tokensFrom: 'estimate',
    maxTokens: head.maxTokens,
    outputTokens: null,
    cachedTokens: null,
    ttftMs: null,
    tpotMs: null,
    durationMs: refusedAtMs - startedAtMs,
    outcome: 'rejected',
    status: ERRORS[refusal.code].status,
    attempts: 0,
  };
}

/** The line of a request that has ended. */
export function lineOf(
  { record, promptBytes, blockCount }: EndedRequest,
  { atMs, tenant }: { readonly atMs: number; readonly tenant: string | null },
): RecordedLine {
  if ('tokensFrom' in record) return { ...record, atMs, tenant, blockCount };
  const { attempts, promptTokens, stream } = record;
  const last = attempts[attempts.length - 1];
  return {
    atMs,
    api: record.api as ApiId,
    model: record.clientModel,
    adapter: record.adapter,
    pool: record.pool,
    endpoint: last === undefined ? null : last.endpoint,
    tenant,
    stream,
    promptBytes,
    promptTokens: promptTokens === null ? record.promptTokensEstimate : promptTokens,
    tokensFrom: promptTokens === null ? 'estimate' : 'usage',
    maxTokens: record.maxTokens,
    outputTokens: record.completionTokens,
    cachedTokens: record.cachedTokens,
    ttftMs: stream ? record.ttftMs : null,
    tpotMs: record.tpotMs,
    durationMs: record.durationMs ?? 0,
    outcome: outcomeOf(record),
    status: record.status ?? 0,
    attempts: attempts.length,
    blockCount,
  };
}

/** A record that is complete has one. */
function outcomeOf({ outcome }: DecisionRecord): RecordedLine['outcome'] {
  return outcome ?? 'interrupted';
}
