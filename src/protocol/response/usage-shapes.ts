import type { ApiFamily } from '../api-table.ts';
import type { TokenUsage } from '../token-usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Keeps the latest token counts of one response. OpenAI's objects are complete, so the last one
 * stands alone; Anthropic's later objects hold only what changed, so fields are kept until a new
 * value comes.
 */
export class UsageRecord {
  readonly #family: ApiFamily;
  #usage: TokenUsage | null = null;
  #anthropic: Fields = {};

  constructor(family: ApiFamily) {
    this.#family = family;
  }

  get usage(): TokenUsage | null {
    return this.#usage;
  }

  /** Takes the parsed value of a `usage` key; anything without known counts is passed over. */
  add(value: unknown): void {
    if (!isFields(value)) return;
    if (this.#family === 'anthropic') {
      this.#anthropic = { ...this.#anthropic, ...countsOf(value) };
      this.#usage = fromAnthropic(this.#anthropic) ?? this.#usage;
    } else {
      this.#usage = fromOpenAi(value) ?? this.#usage;
    }
  }
}

/**
 * Chat and completions count `prompt_tokens`, Responses and transcriptions `input_tokens`; rerank
 * and some embedding servers give `total_tokens` alone, all of it prompt.
 */
function fromOpenAi(fields: Fields): TokenUsage | null {
  const prompt = count(fields['prompt_tokens']) ?? count(fields['input_tokens']);
  const completion = count(fields['completion_tokens']) ?? count(fields['output_tokens']);
  const total = count(fields['total_tokens']);
  if (prompt === null && completion === null && total === null) return null;
  const details = fields['prompt_tokens_details'] ?? fields['input_tokens_details'];
  return {
    promptTokens: prompt ?? Math.max(0, (total ?? 0) - (completion ?? 0)),
    completionTokens: completion ?? 0,
    cachedTokens: isFields(details) ? count(details['cached_tokens']) : null,
  };
}

/** Anthropic's `input_tokens` leaves out what was read from or written to the cache. */
function fromAnthropic(fields: Fields): TokenUsage | null {
  const input = count(fields['input_tokens']);
  const output = count(fields['output_tokens']);
  if (input === null && output === null) return null;
  const cacheRead = count(fields['cache_read_input_tokens']);
  const cacheWritten = count(fields['cache_creation_input_tokens']);
  return {
    promptTokens: (input ?? 0) + (cacheRead ?? 0) + (cacheWritten ?? 0),
    completionTokens: output ?? 0,
    cachedTokens: cacheRead,
  };
}

/** A null in a later object means "not given", so it must not wipe an earlier count. */
function countsOf(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => count(value) !== null));
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
