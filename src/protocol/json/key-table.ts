const BACKSLASH = 0x5c;
/** Longest spelling of one character of a key: a `\u` escape with four digits. */
const ESCAPED_BYTES_PER_CHARACTER = 6;

interface KeyEntry {
  readonly bytes: Uint8Array;
  readonly index: number;
}

/** A fixed set of ASCII key names that a scanner tells apart without making strings. */
export class KeyTable {
  /** Longest raw text, in bytes, that can still be one of the names. */
  readonly maxRawBytes: number;
  readonly #byLength: readonly (readonly KeyEntry[])[];
  readonly #byName: ReadonlyMap<string, number>;

  constructor(names: readonly string[]) {
    const entries = names.map((name, index) => ({ bytes: Buffer.from(name), index }));
    const longest = Math.max(0, ...entries.map((entry) => entry.bytes.length));
    this.maxRawBytes = longest * ESCAPED_BYTES_PER_CHARACTER;
    this.#byLength = Array.from({ length: longest + 1 }, (_, length) =>
      entries.filter((entry) => entry.bytes.length === length),
    );
    this.#byName = new Map(names.map((name, index) => [name, index]));
  }

  /** Index of the name that the raw key text (no quotes) in `[start, end)` spells, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const candidates = this.#byLength[end - start];
    if (candidates !== undefined) {
      for (let i = 0; i < candidates.length; i++) {
        const entry = candidates[i] as KeyEntry;
        if (startsWith(bytes, start, entry.bytes)) return entry.index;
      }
    }
    return end - start <= this.maxRawBytes && hasBackslash(bytes, start, end)
      ? this.#findEscaped(bytes, start, end)
      : -1;
  }

  /** Only called for text that the scanner has checked, so it is a valid string body. */
  #findEscaped(bytes: Uint8Array, start: number, end: number): number {
    const raw = Buffer.from(bytes.subarray(start, end)).toString('utf8');
    return this.#byName.get(JSON.parse(`"${raw}"`) as string) ?? -1;
  }
}

function startsWith(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    if (bytes[start + i] !== name[i]) return false;
  }
  return true;
}

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] === BACKSLASH) return true;
  }
  return false;
}
