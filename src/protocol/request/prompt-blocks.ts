/**
 * Bytes of one block of a prompt: about 64 tokens of English text or code, four of the blocks of 16
 * tokens that engines keep. Half a block, 32 tokens, is what a match comes out too short on
 * average: half a per cent of a system prompt of 6,000 tokens. Blocks as small as the engine's
 * would cost the prefix index four times the memory and time for that.
 */
export const PROMPT_BLOCK_BYTES = 256;

/** Most blocks kept of one prompt: 1 MiB of it, in 32 KiB. What comes after is not told apart. */
export const MAX_PROMPT_BLOCKS = 4096;

/** The whole blocks of a prompt by their hashes, as a prefix index wants them. */
export interface PromptBlocks {
  readonly blockBytes: number;
  readonly count: number;
  /**
   * Two words (low, high) per block: hash of the whole prompt up to the block's end, salted. Equal
   * hashes mean equal prompts up to there, but for a chance of about 2^-64 for a pair of prompts.
   * Not cryptographic: who knows the process's key can make two prompts of one hash; who does not
   * can do so with a chance of at most 2^-32 a try (the bound of NH, RFC 4418).
   */
  readonly hashes: Uint32Array;
  /**
   * What the salt did: every hash xor this is that of the text alone. Undefined when that cannot be
   * told, as with a prompt of several fields, or with tools, which count as the salt does.
   */
  readonly mask?: BlockMask;
}

/** Two words that all hashes of a prompt were salted with. */
export interface BlockMask {
  readonly low: number;
  readonly high: number;
}

/** No block at all. */
export const NO_PROMPT_BLOCKS: PromptBlocks = Object.freeze({
  blockBytes: PROMPT_BLOCK_BYTES,
  count: 0,
  hashes: new Uint32Array(0),
});
