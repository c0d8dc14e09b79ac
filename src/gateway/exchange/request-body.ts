import { Readable } from 'node:stream';

/** Unsent bytes held before the client is asked to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Seen only by the HTTP client that was sending the body. */
const CANCELLED = new DOMException('the request body was abandoned', 'AbortError');

/** The client's side of a body that is still arriving. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/**
 * The edited request body on its way to an endpoint. Bytes are kept until the answer begins, so that
 * another attempt can send them again; past `replayBytes` they are dropped once sent and the body can
 * be sent only once.
 *
 *     push ──► [ chunk | chunk | … ] ──► Readable of the current attempt
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
  #stream: Readable | null = null;
  #isSourcePaused = false;
  /** Whether the attempt's stream has room; without this flag each new chunk would be forced on it. */
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
    this.#flow();
    if (this.#unsentBytes > HIGH_WATER_BYTES && !this.#isSourcePaused) {
      this.#isSourcePaused = true;
      this.#source.pause();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#flow();
  }

  /** The body for a new attempt, from its first byte: one buffer when complete, else a stream. */
  attach(): Uint8Array | Readable {
    this.#stream?.destroy();
    this.#stream = null;
    this.#next = 0;
    this.#unsentBytes = this.#keptBytes;
    this.#isHungry = false;
    if (this.#isEnded) return this.#joined();
    this.#stream = new Readable({
      read: () => {
        this.#isHungry = true;
        this.#flow();
      },
    });
    // A destroyed stream may report the client's error once more; the exchange knows it already.
    this.#stream.on('error', () => {});
    return this.#stream;
  }

  /** Lets go of kept bytes: the answer has begun, no other attempt will follow. */
  release(): void {
    this.#isReplayable = false;
    this.#dropSent();
    if (this.#stream === null) this.#chunks = [];
  }

  /** Ends the current attempt's stream with an error, so that the endpoint sees no clean end. */
  destroy(): void {
    this.#stream?.destroy(CANCELLED);
    this.#stream = null;
    this.#chunks = [];
  }

  #joined(): Uint8Array {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #flow(): void {
    const stream = this.#stream;
    if (stream === null) return;
    while (this.#isHungry && this.#next < this.#chunks.length) {
      const chunk = this.#chunks[this.#next] as Uint8Array;
      this.#next += 1;
      this.#unsentBytes -= chunk.length;
      this.#isHungry = stream.push(chunk);
    }
    if (this.#keptBytes > this.#replayBytes) this.#isReplayable = false;
    if (!this.#isReplayable) this.#dropSent();
    if (this.#isEnded && this.#next === this.#chunks.length) {
      this.#stream = null;
      stream.push(null);
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
