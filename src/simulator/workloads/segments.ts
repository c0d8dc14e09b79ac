import { must } from '../../core/assert.ts';
import type { PromptSegment } from './types.ts';

/** Largest number of tokens in one segment: ids of its tokens must not run into the next. */
export const MAX_SEGMENT_TOKENS: number = 2 ** 21;

/** Gives new segments: each has an id that no other of the same source has. */
export class SegmentMint {
  #nextId = 0;

  /** `tokens` from 1 to 2^21. */
  create(tokens: number): PromptSegment {
    const id = this.#nextId;
    must(id < 2 ** 32 ? id : null, 'a free segment id');
    this.#nextId += 1;
    return { id, tokens };
  }
}

/** Tokens of all segments together. */
export function countTokens(segments: readonly PromptSegment[]): number {
  return segments.reduce((sum, { tokens }) => sum + tokens, 0);
}
