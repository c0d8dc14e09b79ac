import type { ApiDefinition } from '../api-table.ts';

/** Fields that engines put before all others. */
const SYSTEM_FIELDS: readonly string[] = ['system', 'instructions'];

/**
 * Fields that make an engine take two prompts for different ones from their first token on: tools
 * are written before the first message, and vLLM's `cache_salt` is mixed into its block hashes.
 */
const MODIFIERS: readonly string[] = ['tools', 'cache_salt'];

/** The fields of one API's body that an engine's prefix cache depends on, by number: its parts. */
export interface PromptPlan {
  /** Id of the API: two of them word the same messages differently. */
  readonly scope: string;
  /** Parts 0 and up: texts in the order of the engine's prompt. None when nothing is cached. */
  readonly texts: readonly string[];
  /** The parts after those. */
  readonly modifiers: readonly string[];
  /** A null for each part: what a reader knows of them before the body. */
  readonly unread: readonly null[];
}

/** What to hash of an API's body. */
export function createPromptPlan(api: ApiDefinition): PromptPlan {
  const fields = api.hasPrefixCache
    ? api.promptFields.filter((name) => !MODIFIERS.includes(name))
    : [];
  const isSystem = (name: string): boolean => SYSTEM_FIELDS.includes(name);
  const texts = [...fields.filter(isSystem), ...fields.filter((name) => !isSystem(name))];
  const modifiers = fields.length === 0 ? [] : MODIFIERS;
  return { scope: api.id, texts, modifiers, unread: [...texts, ...modifiers].map(() => null) };
}

/** Number of the part that the field `name` is, -1 for none. */
export function partOf(plan: PromptPlan, name: string): number {
  const text = plan.texts.indexOf(name);
  if (text >= 0) return text;
  const modifier = plan.modifiers.indexOf(name);
  return modifier < 0 ? -1 : plan.texts.length + modifier;
}
