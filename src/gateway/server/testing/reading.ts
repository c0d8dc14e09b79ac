import type { ClientLimits } from '../../options.ts';
import type { RequestHead, RequestProblem } from '../request-head.ts';
import type { RequestListener } from '../request-parser.ts';
import { RequestParser } from '../request-parser.ts';

/** What the tests of parsers and connections allow a client. */
export const LIMITS: ClientLimits = {
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  urlBytes: 8 * 1024,
  headMs: 2000,
  bodyMs: 3000,
  keepAliveMs: 10_000,
  connections: 100,
};

/** A complete request, as it was read. */
export interface ReadRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
}

/** What a parser made of some bytes. */
export interface Reading {
  /** Complete requests, in order. */
  readonly requests: readonly ReadRequest[];
  /** The head of a request that is not complete; null without one. */
  readonly openHead: RequestHead | null;
  readonly problem: RequestProblem | null;
  readonly isInside: boolean;
  /** The most pieces of a body that one read gave for one request. */
  readonly piecesInReadMax: number;
}

/** Listens to a parser and writes down what it says. */
export class Recorder implements RequestListener {
  readonly parser: RequestParser;
  readonly requests: ReadRequest[] = [];
  #head: RequestHead | null = null;
  #pieces: Buffer[] = [];
  #piecesInRead = 0;
  #piecesInReadMax = 0;

  constructor(limits: ClientLimits = LIMITS) {
    this.parser = new RequestParser(this, limits);
  }

  /** Gives one read, in memory of its own. */
  push(bytes: Buffer): number {
    this.#piecesInRead = 0;
    return this.parser.push(Buffer.from(bytes));
  }

  onHead(head: RequestHead): void {
    this.#head = head;
    this.#piecesInRead = 0;
  }

  onBody(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#piecesInRead += 1;
    this.#piecesInReadMax = Math.max(this.#piecesInReadMax, this.#piecesInRead);
  }

  onComplete(): void {
    if (this.#head === null) throw new Error('complete without a head');
    this.requests.push({ head: this.#head, body: Buffer.concat(this.#pieces) });
    if (!this.#head.isPersistent) this.parser.stop();
    this.#head = null;
    this.#pieces = [];
  }

  get reading(): Reading {
    const { problem, isInside } = this.parser;
    return {
      requests: this.requests,
      openHead: this.#head,
      problem,
      isInside,
      piecesInReadMax: this.#piecesInReadMax,
    };
  }
}

/** Reads these pieces, one read each. */
export function readPieces(pieces: readonly Buffer[], limits: ClientLimits = LIMITS): Reading {
  const recorder = new Recorder(limits);
  for (const piece of pieces) recorder.push(piece);
  return recorder.reading;
}
