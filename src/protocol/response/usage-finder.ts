import { BytePatterns } from '../json/byte-patterns.ts';
import { parseJson } from '../json/parse-json.ts';
import type { UsageRecord } from './usage-shapes.ts';

const KEY = '"usage"';
const KEY_PATTERN = new BytePatterns([KEY]);
const KEY_BYTES: Buffer = Buffer.from(KEY);
/** Longest usage object that is read, in bytes. */
const MAX_OBJECT_BYTES = 16 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** `search` for the key -> `colon` -> `value` -> `object` until its brace closes. */
type Phase = 'search' | 'colon' | 'value' | 'object';

/**
 * Finds `"usage": {…}` in JSON bytes that come in any chunks, and parses that object alone. The key
 * with its quotes cannot stand inside a JSON string, where quotes are escaped; a match that no
 * colon and brace follow is a string value and is passed over.
 */
export class UsageFinder {
  readonly #record: UsageRecord;
  #phase: Phase = 'search';
  /** Bytes at the end of the last chunk that may begin the key. */
  #matchedKeyBytes = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #foundCount = 0;

  constructor(record: UsageRecord) {
    this.#record = record;
  }

  /** Usage objects found so far, whatever they held. */
  get foundCount(): number {
    return this.#foundCount;
  }

  /** Takes the next bytes of one document. */
  push(bytes: Buffer): void {
    let index = 0;
    while (index < bytes.length) index = this.#step(bytes, index);
  }

  /** The document has ended; the next bytes begin another one. */
  reset(): void {
    this.#phase = 'search';
    this.#matchedKeyBytes = 0;
    this.#parts = [];
    this.#partBytes = 0;
  }

  #step(bytes: Buffer, index: number): number {
    switch (this.#phase) {
      case 'search':
        return this.#search(bytes, index);
      case 'colon':
      case 'value':
        return this.#passTo(bytes, index);
      case 'object':
        return this.#readObject(bytes, index);
    }
  }

  #search(bytes: Buffer, index: number): number {
    if (this.#matchedKeyBytes > 0) return this.#continueKey(bytes, index);
    const at = KEY_PATTERN.indexIn(bytes, index);
    if (at >= 0) {
      this.#phase = 'colon';
      return at + KEY.length;
    }
    this.#matchedKeyBytes = keyPrefixAtEnd(bytes, index);
    return bytes.length;
  }

  /**
   * The only border of the key is its quote, so a broken match can go on only as a new first byte.
   */
  #continueKey(bytes: Buffer, index: number): number {
    if (bytes[index] !== KEY_BYTES[this.#matchedKeyBytes]) {
      this.#matchedKeyBytes = 0;
      return index;
    }
    this.#matchedKeyBytes++;
    if (this.#matchedKeyBytes === KEY.length) {
      this.#matchedKeyBytes = 0;
      this.#phase = 'colon';
    }
    return index + 1;
  }

  /**
   * Between the key and its value: white space, the colon, white space, then a brace or something
   * else.
   */
  #passTo(bytes: Buffer, index: number): number {
    const byte = bytes[index] as number;
    if (isSpace(byte)) return index + 1;
    if (this.#phase === 'colon' && byte === COLON) {
      this.#phase = 'value';
      return index + 1;
    }
    if (this.#phase === 'value' && byte === OPEN_BRACE) {
      this.#phase = 'object';
      this.#depth = 0;
      this.#isInString = false;
      this.#isEscaped = false;
      return index;
    }
    this.#phase = 'search';
    return index;
  }

  #readObject(bytes: Buffer, from: number): number {
    let index = from;
    while (index < bytes.length && !this.#closes(bytes[index] as number)) index++;
    const end = Math.min(index + 1, bytes.length);
    this.#partBytes += end - from;
    if (this.#partBytes > MAX_OBJECT_BYTES) {
      this.reset();
      return end;
    }
    this.#parts.push(Buffer.from(bytes.subarray(from, end)));
    if (index < bytes.length) this.#endObject();
    return end;
  }

  /** Follows strings and braces; true at the brace that closes the object. */
  #closes(byte: number): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInString = false;
      return false;
    }
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPEN_BRACE) this.#depth++;
    else if (byte === CLOSE_BRACE) this.#depth--;
    return this.#depth === 0;
  }

  #endObject(): void {
    const text = Buffer.concat(this.#parts).toString('utf8');
    this.reset();
    this.#foundCount++;
    this.#record.add(parseJson(text));
  }
}

/**
 * Whether a `"usage"` key that ends before `index` has an object as its value, as far as `bytes`
 * tell.
 */
export function isUsageObjectAt(bytes: Uint8Array, index: number): boolean {
  let at = index;
  while (at < bytes.length && (isSpace(bytes[at] as number) || bytes[at] === COLON)) at++;
  return at >= bytes.length || bytes[at] === OPEN_BRACE;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Length of the longest beginning of the key, short of all of it, that ends `bytes`. */
function keyPrefixAtEnd(bytes: Buffer, from: number): number {
  const longest = Math.min(KEY.length - 1, bytes.length - from);
  for (let size = longest; size > 0; size--) {
    const start = bytes.length - size;
    if (bytes[start] === QUOTE && bytes.compare(KEY_BYTES, 0, size, start) === 0) return size;
  }
  return 0;
}
