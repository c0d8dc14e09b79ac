import { ERRORS } from '../../core/errors.ts';
import type { RefusedRequest } from '../../director/ports.ts';
import type { RequestHead } from '../../director/types.ts';
import type { LineRecord } from '../../protocol/recording/line-input.ts';
import type { PromptBlocks } from '../../protocol/request/prompt-blocks.ts';

/** As the estimator assumes of a model it has seen nothing of. */
const BYTES_PER_TOKEN = 4;

/** Salt of prompts whose hashes cannot be had without any. */
const SALT = '';

/** What a recording says of a refusal. */
export function describeRefusal(refused: RefusedRequest): LineRecord {
  const { head, refusal, model, pool, promptTokens, startedAtMs, refusedAtMs } = refused;
  return {
    api: head.api.id,
    // A name that is not known may be anything that a client has sent.
    clientModel: model === null ? null : head.model,
    adapter: null,
    pool,
    stream: head.isStream,
    promptTokensEstimate: promptTokens ?? Math.ceil(head.promptBytes / BYTES_PER_TOKEN),
    promptTokens: null,
    maxTokens: head.maxTokens,
    completionTokens: null,
    cachedTokens: null,
    ttftMs: null,
    tpotMs: null,
    durationMs: refusedAtMs - startedAtMs,
    outcome: 'rejected',
    status: ERRORS[refusal.code].status,
    attempts: [],
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
