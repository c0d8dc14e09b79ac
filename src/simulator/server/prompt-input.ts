import type { PromptDigest } from '../engine/prompt-digest.ts';
import { createPromptHasher } from './chat-prompt.ts';
import type { EngineHost } from './host.ts';
import type { JsonObject } from './json-value.ts';
import { tokenIds } from './tokenizer.ts';

/** Most prompts or texts in one request. */
const MAX_INPUTS = 2048;

/** Whom a prompt is for: both are part of what makes KV blocks equal. */
export interface PromptScope {
  readonly adapter: string | null;
  readonly body: JsonObject;
}

/**
 * Token ids of every input: a string, a list of strings, token ids, or lists of them; null for
 * anything else.
 */
export function readInputs(value: unknown): readonly (readonly number[])[] | null {
  if (typeof value === 'string') return [tokenIds(value)];
  if (!Array.isArray(value) || value.length === 0) return null;
  const items = value as readonly unknown[];
  if (items.every(isTokenId)) return [items];
  if (items.length > MAX_INPUTS) return null;
  const inputs: (readonly number[])[] = [];
  for (const item of items) {
    if (typeof item === 'string') inputs.push(tokenIds(item));
    else if (Array.isArray(item) && (item as readonly unknown[]).every(isTokenId)) {
      inputs.push(item as readonly number[]);
    } else return null;
  }
  return inputs;
}

/**
 * Digest of a prompt given as token ids; an empty one gets the one token that engines put first.
 */
export function digestInput(
  host: EngineHost,
  ids: readonly number[],
  scope: PromptScope,
): PromptDigest {
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, scope.adapter, scope.body);
  for (const id of ids) hasher.add(id);
  if (ids.length === 0) hasher.add(0);
  return hasher.digest();
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
