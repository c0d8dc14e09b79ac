import type { ApiDefinition } from '../api-table.ts';
import { KeyTable } from '../json/key-table.ts';

/** What a top-level request field is to the gateway. */
export type FieldRole = 'model' | 'stream' | 'stream_options' | 'max_tokens' | 'prompt' | 'none';

/** The fields of one API's JSON body that the reader looks for. */
export interface FieldPlan {
  readonly keys: KeyTable;
  /** Role by key index; the key of `stream_options` has none of its own. */
  readonly roles: readonly FieldRole[];
  /** Key index of `include_usage`, a member of `stream_options`. */
  readonly includeUsageKey: number;
  /** The API has `stream_options.include_usage`. */
  readonly hasUsageOption: boolean;
}

/** Built once for each API definition and kept as long as the definition. */
const PLANS = new WeakMap<ApiDefinition, FieldPlan>();

/** The field plan of an API. */
export function fieldPlanFor(api: ApiDefinition): FieldPlan {
  const known = PLANS.get(api);
  if (known !== undefined) return known;
  const plan = createFieldPlan(api);
  PLANS.set(api, plan);
  return plan;
}

function createFieldPlan(api: ApiDefinition): FieldPlan {
  const roleByName = new Map<string, FieldRole>([
    ...api.promptFields.map((name): [string, FieldRole] => [name, 'prompt']),
    ...api.maxTokensFields.map((name): [string, FieldRole] => [name, 'max_tokens']),
    ['model', 'model'],
    ['stream', 'stream'],
    ['stream_options', 'stream_options'],
    ['include_usage', 'none'],
  ]);
  const names = [...roleByName.keys()];
  return {
    keys: new KeyTable(names),
    roles: [...roleByName.values()],
    includeUsageKey: names.indexOf('include_usage'),
    hasUsageOption: api.streamUsage === 'option',
  };
}
