import type { AnswerHead } from '../answer-head.ts';
import type { AnswerListener } from '../answer-parser.ts';
import { AnswerParser } from '../answer-parser.ts';

/** What a parser made of some bytes. */
export interface Reading {
  readonly head: AnswerHead | null;
  readonly body: Buffer;
  /** What was called, in order; pieces of the body that follow each other as one. */
  readonly events: readonly string[];
  readonly isComplete: boolean;
  readonly problem: string | null;
  readonly hasExcess: boolean;
}

/** Listens to a parser and writes down what it says. */
export class Recorder implements AnswerListener {
  readonly parser: AnswerParser = new AnswerParser(this);
  readonly events: string[] = [];
  head: AnswerHead | null = null;
  #pieces: Buffer[] = [];
  #piecesInRead = 0;
  /** The most pieces of a body that one read gave. */
  piecesInReadMax = 0;

  /** Gives one read, from memory that is overwritten afterwards, as a socket's is. */
  push(bytes: Buffer): void {
    this.#piecesInRead = 0;
    const shared = Buffer.from(bytes);
    this.parser.push(shared);
    shared.fill(0x2e);
    this.piecesInReadMax = Math.max(this.piecesInReadMax, this.#piecesInRead);
  }

  onHead(head: AnswerHead): void {
    this.head = head;
    this.events.push('head');
  }

  onBody(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#piecesInRead += 1;
    if (this.events.at(-1) !== 'body') this.events.push('body');
  }

  onComplete(): void {
    this.events.push('complete');
  }

  get reading(): Reading {
    const { isComplete, problem, hasExcess } = this.parser;
    const body = Buffer.concat(this.#pieces);
    return { head: this.head, body, events: this.events, isComplete, problem, hasExcess };
  }
}

/** Reads these pieces to the end of the connection. */
export function readPieces(pieces: readonly Buffer[]): Reading {
  const recorder = new Recorder();
  for (const piece of pieces) recorder.push(piece);
  recorder.parser.finish();
  return recorder.reading;
}
