import { ERRORS } from '../../core/errors.ts';
import type { RefusedRequest } from '../../director/ports.ts';
import type { RequestHead } from '../../director/types.ts';
import type { RecordedRow } from '../../protocol/recording/row.ts';
import type { PromptBlocks } from '../../protocol/request/prompt-blocks.ts';

/** As the estimator assumes of a model it has seen nothing of. */
const BYTES_PER_TOKEN = 4;

/** Salt of prompts whose hashes cannot be had without any. */
const SALT = '';

/** What a row says that a refusal does not. */
export interface RefusalContext {
  /** `Clock.now` at which `atMs` is 0. */
  readonly originMs: number;
  readonly blockCount: number;
}

/** What a recording says of a refusal. */
export function describeRefusal(
  { head, refusal, model, pool, promptTokens, startedAtMs, refusedAtMs }: RefusedRequest,
  { originMs, blockCount }: RefusalContext,
): RecordedRow {
  return {
    atMs: startedAtMs - originMs,
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
    blockCount,
  };
}

/**
 * The prompt's blocks such that they are the same for all models and pools, so that replay may send
 * a prompt elsewhere; which model it was for is in the line. Those that the choice was made with
 * are at hand, and nearly always their salt can be taken off again.
 */
export function blocksOfFlight(head: RequestHead, served: PromptBlocks | null): PromptBlocks {
  const isUseful = served !== null && (served.mask !== undefined || served.count === 0);
  return isUseful ? served : head.promptBlocks(SALT);
}

/** The same of a request that went nowhere. */
export function blocksOfRefusal(head: RequestHead): PromptBlocks {
  return head.promptBlocks(SALT);
}
