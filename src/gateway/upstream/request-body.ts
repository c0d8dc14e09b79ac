import { assert } from '../../core/assert.ts';

/** Unsent bytes held before the client is asked to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

const EMPTY = Buffer.alloc(0);

/** Where an attempt's body goes. */
export interface BodyConsumer {
  /** Takes a piece; false asks to wait until `RequestBody.flow` is called. */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. */
  end(): void;
}

/** The client's side of a body that is still arriving. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/**
 * The edited request body on its way to an endpoint. Bytes are kept until the answer begins, so
 * that another attempt can send them again; past `replayBytes` they are dropped once sent and the
 * body can be sent only once.
 *
 *     push ──► [ chunk | chunk | … ] ──► consumer of the current attempt
 *               └─ kept while their sum is at most replayBytes ─┘
 */
export class RequestBody {
  readonly #source: BodySource;
  readonly #replayBytes: number;
  #chunks: Uint8Array[] = [];
  #keptBytes = 0;
  #isEnded = false;
  #isReplayable = true;
  /** Index of the next chunk that the current attempt has not taken yet. */
  #next = 0;
  #unsentBytes = 0;
  #consumer: BodyConsumer | null = null;
  #isSourcePaused = false;
  /** Whether the consumer has room; without this flag each new chunk would be forced on it. */
  #isHungry = false;

  constructor(source: BodySource, options: { readonly replayBytes: number }) {
    this.#source = source;
    this.#replayBytes = options.replayBytes;
  }

  /** Whether the whole body can still be sent from its start. */
  get isReplayable(): boolean {
    return this.#isReplayable;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#keptBytes += chunk.length;
    this.#unsentBytes += chunk.length;
    this.#pump();
    if (this.#unsentBytes > HIGH_WATER_BYTES && !this.#isSourcePaused) {
      this.#isSourcePaused = true;
      this.#source.pause();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#pump();
  }

  /** The whole body as one buffer, when all of it is here; null while it is still arriving. */
  takeWhole(): Uint8Array | null {
    assert(this.#isReplayable, 'the start of the body is gone');
    if (!this.#isEnded) return null;
    this.#consumer = null;
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  /** Gives the body to a new attempt, from its first byte, as it arrives. */
  attach(consumer: BodyConsumer): void {
    assert(this.#isReplayable, 'the start of the body is gone');
    this.#consumer = consumer;
    this.#next = 0;
    this.#unsentBytes = this.#keptBytes;
    this.#isHungry = true;
    this.#pump();
  }

  /** The consumer has room again. */
  flow(): void {
    if (this.#consumer === null || this.#isHungry) return;
    this.#isHungry = true;
    this.#pump();
  }

  /** Lets go of kept bytes: the answer has begun, no other attempt will follow. */
  release(): void {
    this.#isReplayable = false;
    this.#dropSent();
    if (this.#consumer === null) this.#chunks = [];
  }

  /** Lets go of everything: no attempt will follow. */
  destroy(): void {
    this.#consumer = null;
    this.#isReplayable = false;
    this.#chunks = [];
    this.#next = 0;
  }

  #pump(): void {
    const consumer = this.#consumer;
    if (consumer === null) return;
    while (this.#isHungry && this.#next < this.#chunks.length) {
      const chunk = this.#chunks[this.#next] as Uint8Array;
      this.#next += 1;
      this.#unsentBytes -= chunk.length;
      this.#isHungry = consumer.write(chunk);
    }
    if (this.#keptBytes > this.#replayBytes) this.#isReplayable = false;
    if (!this.#isReplayable) this.#dropSent();
    if (this.#isEnded && this.#next === this.#chunks.length) {
      this.#consumer = null;
      consumer.end();
    } else if (this.#isHungry) {
      this.#resumeSource();
    }
  }

  #dropSent(): void {
    this.#chunks.splice(0, this.#next);
    this.#next = 0;
  }

  #resumeSource(): void {
    if (!this.#isSourcePaused) return;
    this.#isSourcePaused = false;
    this.#source.resume();
  }
}
