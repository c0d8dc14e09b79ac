import { requestId } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import { fail, succeed } from '../core/result.ts';
import type { Director } from '../director/director.ts';
import { NO_CREDENTIAL } from '../director/types.ts';
import { findApi } from '../protocol/api-table.ts';
import { createBodyReader } from '../protocol/request/create-body-reader.ts';
import type { PromptKey } from '../protocol/wasm/prompt-key.ts';
import { NO_OBJECTIVE } from '../scheduler/types.ts';
import type { DecisionRecord } from '../telemetry/decision-log.ts';

/** A request that is looked at and not sent. */
export interface DryRun {
  readonly path: string;
  /** JSON body. */
  readonly body: Buffer;
}

/** What looking takes: the parts that real requests use. */
export interface DryRunParts {
  readonly director: Director;
  readonly promptKey: PromptKey;
}

/** Says where a request would go now, or why it would be refused. */
export function explainRequest(
  { director, promptKey }: DryRunParts,
  { path, body }: DryRun,
): Result<DecisionRecord, string> {
  const api = findApi(path);
  if (api === null) return fail(`There is no ${path} here.`);
  const reader = createBodyReader(api, 'application/json', promptKey);
  reader.push(body);
  reader.finish();
  const { failure, model } = reader;
  if (failure !== null) return fail(failure.message);
  const decision = director.explain({
    requestId: requestId('dry-run'),
    api,
    model: model ?? '',
    isStream: reader.stream,
    promptBytes: reader.promptBytes,
    maxTokens: reader.maxTokens,
    pinnedEndpoint: null,
    objective: NO_OBJECTIVE,
    credential: NO_CREDENTIAL,
    header: () => null,
    promptBlocks: (salt) => reader.promptBlocks(salt),
  });
  return 'code' in decision ? fail(decision.message) : succeed(decision);
}
