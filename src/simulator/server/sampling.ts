import type { PromptDigest } from '../engine/prompt-digest.ts';
import { readArray, readCount, readString, type JsonObject } from './json-value.ts';
import { SeededOutput, type TextOutput } from './output-text.ts';

/** Most choices that one request may ask for. */
const MAX_CHOICES = 128;

/** What decides the text of one choice. */
export interface OutputChoice {
  readonly prompt: PromptDigest;
  /** Number of the choice within its request. */
  readonly index: number;
  readonly maxTokens: number | null;
  /** Tokens of context left after the prompt. */
  readonly room: number;
  /** Seed of the server. */
  readonly seed: number;
}

/** Plans an output from the prompt, the server's seed and the request's own `seed`. */
export function planOutput(body: JsonObject, choice: OutputChoice): TextOutput {
  const own = readCount(body, 'seed') ?? 0;
  const { stateLow, stateHigh } = choice.prompt;
  let seed = stateLow ^ Math.imul(stateHigh, 0x9e3779b1) ^ Math.imul(choice.seed, 0x85ebca6b);
  seed ^= Math.imul(own, 0xc2b2ae35) ^ Math.imul(choice.index, 0x27d4eb2f);
  const ignoresEnd = body['ignore_eos'] === true;
  const natural = ignoresEnd ? choice.room : null;
  const limits = { minTokens: readCount(body, 'min_tokens') ?? 0, ignoresEnd };
  if (choice.maxTokens !== null || natural !== null) {
    return new SeededOutput(seed, { ...limits, maxTokens: choice.maxTokens ?? natural });
  }
  const output = new SeededOutput(seed, { ...limits, maxTokens: null });
  if (output.length <= choice.room) return output;
  return new SeededOutput(seed, { ...limits, maxTokens: choice.room });
}

/** Choices asked for by `n`, from 1 to 128. */
export function countChoices(body: JsonObject): number {
  return Math.min(MAX_CHOICES, Math.max(1, readCount(body, 'n') ?? 1));
}

/** Stop strings of a request: `stop` is a string or a list. */
export function readStops(body: JsonObject): readonly string[] {
  const single = readString(body, 'stop');
  if (single !== null) return [single];
  return readArray(body, 'stop').filter((stop): stop is string => typeof stop === 'string');
}
