import type { PromptSegment } from '../workloads/types.ts';
import { segmentText } from './prompt-text.ts';

/** A stretch of a conversation by one speaker. */
export interface ConversationPart {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/** Texts kept for later turns, in characters. */
const MAX_KEPT_CHARACTERS = 256 * 2 ** 20;

/**
 * What was answered, so that a later turn of the conversation contains it word for word and the
 * server finds it in its prefix cache. An answer that failed, or that was given up because too much
 * is kept, is replaced by planned text of the planned length.
 */
export class AnswerBook {
  readonly #salt: number;
  readonly #maxCharacters: number;
  /** By id of the output segment, oldest first; null while there is no text. */
  readonly #texts = new Map<number, string | null>();
  /** Ids that have a text, oldest first. */
  readonly #kept = new Map<number, number>();
  #characters = 0;

  /** `salt` separates the planned text of runs with different seeds. */
  constructor(salt: number, maxCharacters: number = MAX_KEPT_CHARACTERS) {
    this.#salt = salt;
    this.#maxCharacters = maxCharacters;
  }

  /** The segment will be an answer, whatever comes of it. */
  notePlanned({ id }: PromptSegment): void {
    this.#texts.set(id, null);
  }

  /** What the answer is. */
  noteAnswer({ id }: PromptSegment, text: string): void {
    if (text === '') return;
    this.#texts.set(id, text);
    this.#kept.set(id, text.length);
    this.#characters += text.length;
    for (const [oldest, length] of this.#kept) {
      if (this.#characters <= this.#maxCharacters) break;
      this.#kept.delete(oldest);
      this.#texts.set(oldest, null);
      this.#characters -= length;
    }
  }

  /** A prompt by speakers: answers are the assistant's, everything else is the user's. */
  conversationOf(segments: readonly PromptSegment[]): readonly ConversationPart[] {
    const parts: { role: ConversationPart['role']; text: string }[] = [];
    for (const segment of segments) {
      const answer = this.#texts.get(segment.id);
      const role = answer === undefined ? 'user' : 'assistant';
      const text = answer ?? segmentText(segment, this.#salt);
      const last = parts.at(-1);
      // Two answers are two messages: an engine cached each behind a mark of its own.
      if (last?.role === 'user' && role === 'user') last.text += text;
      else parts.push({ role, text });
    }
    return parts;
  }
}
