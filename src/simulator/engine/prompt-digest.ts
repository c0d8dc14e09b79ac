/**
 * What the engine model needs of a prompt: its length and the chained hash of every full KV block.
 * Two prompts share a cached block exactly when they agree on every token up to its end and on the
 * salt, as in an engine that hashes token ids (vLLM design document "Automatic Prefix Caching").
 */
export interface PromptDigest {
  /** Prompt length in tokens; at least 1. */
  readonly tokens: number;
  /** Two 32-bit words per full block, in prompt order. */
  readonly blockHashes: Int32Array;
  /** The chain's state after the last token, from which generated tokens go on. */
  readonly stateLow: number;
  readonly stateHigh: number;
}

/**
 * The running hash of a token sequence; its state at a block's end is that block's chained hash.
 * Multipliers are those of MurmurHash3's finalizer and xxHash32 (both public domain mixing
 * constants).
 */
export class TokenChain {
  low = 0x243f6a88;
  high = 0x13198a2e;

  /** Mixes in one token id: an integer from 0 to 2^53 - 1. */
  add(tokenId: number): void {
    const idHigh = (tokenId / 4294967296) | 0;
    let low = Math.imul(this.low ^ (tokenId | 0), 0x85ebca6b);
    low ^= low >>> 13;
    let high = Math.imul(this.high ^ low ^ idHigh, 0xc2b2ae35);
    high ^= high >>> 16;
    this.high = high;
    this.low = (low + Math.imul(high, 0x27d4eb2f)) | 0;
  }

  /** Mixes in a text such as an adapter's name or a client's cache salt. */
  addText(text: string): void {
    this.add(text.length);
    for (let index = 0; index < text.length; index += 1) this.add(text.charCodeAt(index));
  }
}

const FIRST_CAPACITY_WORDS = 64;

/** Builds a `PromptDigest` token by token, without keeping the tokens. */
export class PromptHasher {
  readonly #blockSizeTokens: number;
  readonly #chain = new TokenChain();
  #hashes = new Int32Array(FIRST_CAPACITY_WORDS);
  #words = 0;
  #tokens = 0;
  #untilBoundary: number;

  /** `salt` separates prompts that must not share blocks: the adapter and a client's own salt. */
  constructor(blockSizeTokens: number, salt: string) {
    this.#blockSizeTokens = blockSizeTokens;
    this.#untilBoundary = blockSizeTokens;
    this.#chain.addText(salt);
  }

  /** Tokens added so far. */
  get tokens(): number {
    return this.#tokens;
  }

  add(tokenId: number): void {
    this.#chain.add(tokenId);
    this.#tokens += 1;
    this.#untilBoundary -= 1;
    if (this.#untilBoundary === 0) this.#closeBlock();
  }

  digest(): PromptDigest {
    return {
      tokens: this.#tokens,
      blockHashes: this.#hashes.slice(0, this.#words),
      stateLow: this.#chain.low,
      stateHigh: this.#chain.high,
    };
  }

  #closeBlock(): void {
    this.#untilBoundary = this.#blockSizeTokens;
    if (this.#words === this.#hashes.length) {
      const grown = new Int32Array(this.#hashes.length * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes[this.#words] = this.#chain.low;
    this.#hashes[this.#words + 1] = this.#chain.high;
    this.#words += 2;
  }
}
