import { assert } from '../../core/assert.ts';

/** Bytes of randomness that one key needs. */
export const PROMPT_KEY_BYTES = 288;

/** Offsets of the four multipliers, which must be odd to lose nothing. */
const MULTIPLIERS = [256, 264, 272, 280] as const;

/**
 * What hashes of prompts depend on beside the prompts. One key per process, so that nobody outside
 * can work out two prompts of one hash.
 */
export interface PromptKey {
  /** As the WebAssembly module takes it: the summands of a block, then the multipliers. */
  readonly bytes: Uint8Array;
}

/** A key from the first `PROMPT_KEY_BYTES` of `random`; the same bytes give the same hashes. */
export function createPromptKey(random: Uint8Array): PromptKey {
  const bytes = Uint8Array.from(random.subarray(0, PROMPT_KEY_BYTES));
  assert(bytes.length === PROMPT_KEY_BYTES, `a prompt key needs ${PROMPT_KEY_BYTES} bytes`);
  for (const offset of MULTIPLIERS) bytes[offset] = (bytes[offset] as number) | 1;
  return { bytes };
}
