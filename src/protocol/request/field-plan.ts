import type { ApiDefinition } from '../api-table.ts';
import { KeyTable } from '../json/key-table.ts';
import { createPromptPlan, partOf, type PromptPlan } from './prompt-plan.ts';

/** What a top-level request field is to the gateway. */
export type FieldRole = 'model' | 'stream' | 'stream_options' | 'max_tokens' | 'prompt' | 'none';

/** The fields of one API's JSON body that the reader looks for. */
export interface FieldPlan {
  readonly keys: KeyTable;
  /** Role by key index; the key of `stream_options` has none of its own. */
  readonly roles: readonly FieldRole[];
  readonly prompt: PromptPlan;
  /** Part of the prompt plan by key index, -1 for none. */
  readonly parts: readonly number[];
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
  const prompt = createPromptPlan(api);
  const roleByName = new Map<string, FieldRole>([
    ...prompt.modifiers.map((name): [string, FieldRole] => [name, 'none']),
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
    prompt,
    parts: names.map((name) => partOf(prompt, name)),
    includeUsageKey: names.indexOf('include_usage'),
    hasUsageOption: api.streamUsage === 'option',
  };
}
