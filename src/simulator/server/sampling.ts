import type { PromptDigest } from '../engine/prompt-digest.ts';
import { readArray, readCount, readString, type JsonObject } from './json-value.ts';
import type { EngineHost } from './host.ts';
import { cutAtStop, FixedOutput, SeededOutput, type TextOutput } from './output-text.ts';
import type { ToolCall } from './tool-choice.ts';

/** Most choices that one request may ask for. */
const MAX_CHOICES = 128;

/** What decides the text of one choice. */
export interface AnswerChoice {
  readonly prompt: PromptDigest;
  /** Number of the choice within its request. */
  readonly index: number;
  /** The caller's limit, or null for none. */
  readonly maxTokens: number | null;
  /** The tool that is called instead of answering with text. */
  readonly tool: ToolCall | null;
}

/**
 * Plans an answer from the prompt, the server's seed, the request's own `seed` and the choice's
 * number, so that equal requests get equal answers. `stop` strings cut it, `ignore_eos` and
 * `min_tokens` lengthen it, and the context length bounds it.
 */
export function planAnswer(host: EngineHost, body: JsonObject, choice: AnswerChoice): TextOutput {
  const { prompt, maxTokens, tool } = choice;
  if (tool !== null) return new FixedOutput(tool.arguments, { maxTokens });
  const room = Math.max(1, host.model.contextTokens - prompt.tokens);
  let seed = prompt.stateLow ^ Math.imul(prompt.stateHigh, 0x9e3779b1);
  seed ^= Math.imul(host.options.seed, 0x85ebca6b);
  seed ^= Math.imul(readCount(body, 'seed') ?? 0, 0xc2b2ae35);
  seed ^= Math.imul(choice.index, 0x27d4eb2f);
  const output = new SeededOutput(seed, {
    maxTokens,
    room,
    minTokens: readCount(body, 'min_tokens') ?? 0,
    ignoresEnd: body['ignore_eos'] === true,
  });
  return cutAtStop(output, readStops(body));
}

/** Choices asked for by `n`, from 1 to 128. */
export function countChoices(body: JsonObject): number {
  return Math.min(MAX_CHOICES, Math.max(1, readCount(body, 'n') ?? 1));
}

/** Stop strings of a request: `stop` is a string or a list; Anthropic calls it `stop_sequences`. */
function readStops(body: JsonObject): readonly string[] {
  const single = readString(body, 'stop');
  if (single !== null) return [single];
  const stops = [...readArray(body, 'stop'), ...readArray(body, 'stop_sequences')];
  return stops.filter((stop): stop is string => typeof stop === 'string');
}
