/** Bytes of one block of a prompt: about 64 tokens of English text or code. */
export const PROMPT_BLOCK_BYTES = 256;

/** The whole blocks of a prompt by their hashes, as a prefix index wants them. */
export interface PromptBlocks {
  readonly blockBytes: number;
  readonly count: number;
  /**
   * Two words (low, high) per block: hash of the whole prompt up to the block's end, salted. Equal
   * hashes mean equal prompts up to there, but for chance.
   */
  readonly hashes: Uint32Array;
}

/** No block at all. */
export const NO_PROMPT_BLOCKS: PromptBlocks = Object.freeze({
  blockBytes: PROMPT_BLOCK_BYTES,
  count: 0,
  hashes: new Uint32Array(0),
});
