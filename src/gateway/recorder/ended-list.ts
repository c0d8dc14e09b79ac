import type { Outcome } from '../../core/errors.ts';
import { OUTCOMES } from '../../core/errors.ts';
import type { ApiId } from '../../protocol/api-table.ts';
import type { RecordedLine } from '../../protocol/recording/line-writer.ts';
import type { RecordingSecrets } from './secrets.ts';

/** Requests that are turned into lines at once. */
export const ENDED_MAX = 512;

/** A line as it is known at the end of a request: its tenant is still a credential. */
export interface EndedRequest extends Omit<RecordedLine, 'tenant'> {
  readonly credential: string | null;
}

/** Numbers and texts of a request, side by side. */
const NUMBERS = 15;
const TEXTS = 6;

/** Stands for null: no number of a line is below 0. */
const NONE = -1;

/**
 * Requests that have ended and are not lines yet. Making lines of hundreds at once takes a fourth
 * of the time: between two requests all else that a gateway does pushes the code for it out of the
 * processor's caches. Kept as columns: objects that live this long cost the garbage collector as
 * much as all the rest.
 */
export class EndedList {
  readonly #numbers = new Float64Array(ENDED_MAX * NUMBERS);
  readonly #texts: (string | null)[] = Array.from({ length: ENDED_MAX * TEXTS }, () => null);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === ENDED_MAX;
  }

  /** Adds a request to a list that is not full. Hot: bench `proxy`. */
  add(request: EndedRequest): void {
    const numbers = this.#numbers;
    const at = this.#count * NUMBERS;
    numbers[at] = request.atMs;
    numbers[at + 1] = request.stream ? 1 : 0;
    numbers[at + 2] = request.promptBytes;
    numbers[at + 3] = request.promptTokens;
    numbers[at + 4] = request.tokensFrom === 'usage' ? 1 : 0;
    numbers[at + 5] = request.maxTokens ?? NONE;
    numbers[at + 6] = request.outputTokens ?? NONE;
    numbers[at + 7] = request.cachedTokens ?? NONE;
    numbers[at + 8] = request.ttftMs ?? NONE;
    numbers[at + 9] = request.tpotMs ?? NONE;
    numbers[at + 10] = request.durationMs;
    numbers[at + 11] = OUTCOMES.indexOf(request.outcome);
    numbers[at + 12] = request.status;
    numbers[at + 13] = request.attempts;
    numbers[at + 14] = request.blockCount;
    this.#addTexts(request);
    this.#count += 1;
  }

  /** The line of request number `index`, in the order in which they were added. */
  lineAt(index: number, secrets: RecordingSecrets): RecordedLine {
    const numbers = this.#numbers;
    const texts = this.#texts;
    const at = index * NUMBERS;
    const textAt = index * TEXTS;
    const credential = texts[textAt + 5] as string | null;
    return {
      atMs: numbers[at] as number,
      api: texts[textAt] as ApiId,
      model: texts[textAt + 1] as string | null,
      adapter: texts[textAt + 2] as string | null,
      pool: texts[textAt + 3] as string | null,
      endpoint: texts[textAt + 4] as string | null,
      tenant: credential === null ? null : secrets.tenantOf(credential),
      stream: numbers[at + 1] === 1,
      promptBytes: numbers[at + 2] as number,
      promptTokens: numbers[at + 3] as number,
      tokensFrom: numbers[at + 4] === 1 ? 'usage' : 'estimate',
      maxTokens: numberOrNull(numbers[at + 5] as number),
      outputTokens: numberOrNull(numbers[at + 6] as number),
      cachedTokens: numberOrNull(numbers[at + 7] as number),
      ttftMs: numberOrNull(numbers[at + 8] as number),
      tpotMs: numberOrNull(numbers[at + 9] as number),
      durationMs: numbers[at + 10] as number,
      outcome: OUTCOMES[numbers[at + 11] as number] as Outcome,
      status: numbers[at + 12] as number,
      attempts: numbers[at + 13] as number,
      blockCount: numbers[at + 14] as number,
    };
  }

  /** Forgets all of them. */
  clear(): void {
    this.#texts.fill(null, 0, this.#count * TEXTS);
    this.#count = 0;
  }

  #addTexts(request: EndedRequest): void {
    const texts = this.#texts;
    const at = this.#count * TEXTS;
    texts[at] = request.api;
    texts[at + 1] = request.model;
    texts[at + 2] = request.adapter;
    texts[at + 3] = request.pool;
    texts[at + 4] = request.endpoint;
    texts[at + 5] = request.credential;
  }
}

function numberOrNull(value: number): number | null {
  return value < 0 ? null : value;
}
