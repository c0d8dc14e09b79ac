/** FNV-1a over the UTF-16 units of a text, 32 bits (Fowler, Noll, Vo). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Spreads the bits of two words over one: the finaliser of MurmurHash3 (Appleby). */
export function mixWords(a: number, b: number): number {
  let hash = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hashes of endpoint ids, kept per slot until another endpoint has the slot. */
export class IdHashes {
  readonly #ids: string[] = [];
  readonly #hashes: number[] = [];

  /** Hash of the id of the endpoint that is in `slot` now. */
  of(id: string, slot: number): number {
    if (this.#ids[slot] === id) return this.#hashes[slot] as number;
    const hash = hashText(id);
    this.#ids[slot] = id;
    this.#hashes[slot] = hash;
    return hash;
  }
}
