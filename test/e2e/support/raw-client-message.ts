/** One header field as on the wire: the name in its own spelling, the value without blanks. */
export type RawField = readonly [name: string, value: string];

/** The start line and fields of an HTTP/1.1 message. */
export class MessageHead {
  /** Exactly as received, with the blank line that ends it; latin1. */
  readonly raw: string;
  readonly startLine: string;
  readonly fields: readonly RawField[];

  constructor(raw: string) {
    const [startLine = '', ...lines] = raw.slice(0, -4).split('\r\n');
    this.raw = raw;
    this.startLine = startLine;
    this.fields = lines.map((line): RawField => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  }

  /** Every value of a field, in order. */
  values(name: string): readonly string[] {
    const lower = name.toLowerCase();
    return this.fields.flatMap(([field, value]) => (field.toLowerCase() === lower ? [value] : []));
  }

  /** The only value of a field; null when it is absent. Throws when there are several. */
  value(name: string): string | null {
    const values = this.values(name);
    if (values.length > 1) throw new Error(`${name} is given ${values.length} times`);
    return values[0] ?? null;
  }
}

/** Hears of a message while its bytes come in. */
export interface MessageListener {
  /** Returns whether the message has no body whatever its fields say (answers to HEAD). */
  onHead(head: MessageHead): boolean;
  /** Content, out of its chunks. */
  onContent(bytes: Buffer): void;
  /** The framing says that the message is complete. */
  onEnd(): void;
}

type Phase =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailers'
  | 'to-close';

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads HTTP/1.1 messages, one after the other, from the bytes of one direction of a connection.
 * Meant for tests: strict about what a well-behaved peer sends, and throws at anything else.
 */
export class MessageReader {
  readonly #listener: MessageListener;
  #phase: Phase = 'head';
  #rest: Buffer = NOTHING;
  #remaining = 0;

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  /** Whether a message has begun and is not complete. */
  get isInside(): boolean {
    return this.#phase !== 'head' || this.#rest.length > 0;
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length > 0 && this.#step());
  }

  /** The peer closed its side: the end of a body that nothing else delimits. */
  close(): void {
    if (this.#phase === 'to-close') this.#end();
  }

  #step(): boolean {
    switch (this.#phase) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk-data':
        return this.#readContent();
      case 'chunk-size':
        return this.#readChunkSize();
      case 'chunk-end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer();
      case 'to-close':
        this.#listener.onContent(this.#take(this.#rest.length));
        return true;
    }
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = new MessageHead(this.#take(end + 4).toString('latin1'));
    const hasNoBody = this.#listener.onHead(head) || isBodiless(head.startLine);
    const length = head.value('content-length');
    if (head.values('transfer-encoding').some((value) => /chunked$/i.test(value))) {
      if (length !== null) throw new Error('both Content-Length and Transfer-Encoding');
      this.#phase = 'chunk-size';
    } else if (length !== null) {
      this.#remaining = Number(length);
      this.#phase = 'length';
    } else {
      this.#phase = head.startLine.startsWith('HTTP/') ? 'to-close' : 'length';
      this.#remaining = 0;
    }
    if (hasNoBody || (this.#phase === 'length' && this.#remaining === 0)) this.#end();
    return true;
  }

  #readContent(): boolean {
    const bytes = this.#take(Math.min(this.#remaining, this.#rest.length));
    this.#remaining -= bytes.length;
    this.#listener.onContent(bytes);
    if (this.#remaining > 0) return true;
    if (this.#phase === 'length') this.#end();
    else this.#phase = 'chunk-end';
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === null) return false;
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`bad chunk size ${JSON.stringify(line)}`);
    this.#remaining = Number.parseInt(line, 16);
    this.#phase = this.#remaining === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  #readChunkEnd(): boolean {
    const line = this.#takeLine();
    if (line === null) return false;
    if (line !== '') throw new Error(`no line end after a chunk but ${JSON.stringify(line)}`);
    this.#phase = 'chunk-size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#takeLine();
    if (line === '') this.#end();
    return line !== null;
  }

  #end(): void {
    this.#phase = 'head';
    this.#listener.onEnd();
  }

  #takeLine(): string | null {
    const end = this.#rest.indexOf('\r\n');
    return end < 0 ? null : this.#take(end + 2).toString('latin1', 0, end);
  }

  #take(size: number): Buffer {
    const bytes = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return bytes;
  }
}

function isBodiless(startLine: string): boolean {
  return /^HTTP\/1\.\d (1\d\d|204|304)/.test(startLine);
}
