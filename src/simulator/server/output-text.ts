import type { OutputPlan } from '../engine/sequence.ts';
import { tokenBytes, tokenIds } from './tokenizer.ts';

/** Tokens to generate together with their text. */
export interface TextOutput extends OutputPlan {
  /** Text of output token `index`. */
  textAt(index: number): string;
}

// With its leading space each word is exactly one token (see tokenizer.ts), so that generated text
// sent back in the next turn of a chat has the ids under which its KV blocks are cached.
const WORDS: readonly string[] = Object.freeze(
  (
    'water gate river pipe flow wheel turns slow rises light stone under over each drop ' +
    'makes its way down from high lakes into deep pools where still air waits for rain ' +
    'and wind then goes on past old mills that once made flour by day now they make power ' +
    'as much will fit one valve opens just so far no more some runs back most moves ahead ' +
    'a few hold fast until next turn comes again with full force it hums along quite well ' +
    'in time all find their place near sea'
  ).split(' '),
);

interface Word {
  readonly text: string;
  readonly id: number;
}

function wordOf(text: string): Word {
  return { text, id: tokenIds(text)[0] as number };
}

const FIRST_WORDS: readonly Word[] = Object.freeze(WORDS.map((word) => wordOf(word)));
const LATER_WORDS: readonly Word[] = Object.freeze(WORDS.map((word) => wordOf(` ${word}`)));

// How many tokens a model answers with when nothing limits it: a chat answer of 24 to 279 tokens.
const SHORTEST_ANSWER_TOKENS = 24;
const ANSWER_SPREAD_TOKENS = 256;

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Limits that a request sets on its output, in tokens. */
export interface OutputLimits {
  /** The caller's limit; a prompt for which it leaves no room is refused later. */
  readonly maxTokens: number | null;
  /** Tokens of context left after the prompt. */
  readonly room: number;
  readonly minTokens: number;
  /** Goes on to the limit whatever the model would do (vLLM's `ignore_eos`). */
  readonly ignoresEnd: boolean;
}

/**
 * Words drawn by a seed: the same seed gives the same text, of a length that the seed decides too.
 */
export class SeededOutput implements TextOutput {
  readonly length: number;
  readonly endReason: 'stop' | 'length';
  readonly #seed: number;

  constructor(seed: number, limits: OutputLimits) {
    this.#seed = seed;
    const natural = SHORTEST_ANSWER_TOKENS + (scramble(seed ^ 0x5bd1e995) % ANSWER_SPREAD_TOKENS);
    const wanted = Math.max(natural, limits.minTokens);
    const limit = Math.max(1, limits.maxTokens ?? limits.room);
    this.length = limits.ignoresEnd ? limit : Math.min(wanted, limit);
    this.endReason = !limits.ignoresEnd && wanted <= limit ? 'stop' : 'length';
  }

  idAt(index: number): number {
    return this.#wordAt(index).id;
  }

  textAt(index: number): string {
    return this.#wordAt(index).text;
  }

  #wordAt(index: number): Word {
    const words = index === 0 ? FIRST_WORDS : LATER_WORDS;
    return words[scramble(this.#seed + Math.imul(index, 0x9e3779b1)) % words.length] as Word;
  }
}

/** An output that is known as a whole: a tool call's arguments, or text cut at a stop string. */
export class FixedOutput implements TextOutput {
  readonly endReason: 'stop' | 'length';
  readonly #ids: readonly number[];
  readonly #texts: readonly string[];

  constructor(text: string, options: { readonly maxTokens: number | null }) {
    const ids = tokenIds(text);
    const limit = Math.max(1, options.maxTokens ?? ids.length);
    this.#ids = ids.length === 0 ? [0] : ids.slice(0, limit);
    this.#texts = textsOf(ids.slice(0, limit));
    this.endReason = ids.length > limit ? 'length' : 'stop';
  }

  get length(): number {
    return this.#ids.length;
  }

  idAt(index: number): number {
    return this.#ids[index] as number;
  }

  textAt(index: number): string {
    return this.#texts[index] ?? '';
  }
}

/** Text per token; a character whose bytes two tokens share comes with the second. */
function textsOf(ids: readonly number[]): string[] {
  const decoder = new TextDecoder();
  return ids.map((id, index) => decoder.decode(tokenBytes(id), { stream: index < ids.length - 1 }));
}

/**
 * Cuts `output` before the first of `stops` that its text contains; the output itself when none
 * does.
 */
export function cutAtStop(output: TextOutput, stops: readonly string[]): TextOutput {
  const wanted = stops.filter((stop) => stop.length > 0);
  if (wanted.length === 0) return output;
  let text = '';
  for (let index = 0; index < output.length; index += 1) text += output.textAt(index);
  const places = wanted.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  if (places.length === 0) return output;
  return new FixedOutput(text.slice(0, Math.min(...places)), { maxTokens: null });
}

/** Output of a request that only reads its prompt. */
export const NO_OUTPUT: TextOutput = Object.freeze({
  length: 0,
  endReason: 'stop' as const,
  idAt: () => 0,
  textAt: () => '',
});
