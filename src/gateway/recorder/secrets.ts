import { type Cipheriv, createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { SealedHashes } from './sealed-hashes.ts';

/** 32-bit words of one block of AES; a prompt block's hash takes the first two. */
export const CIPHER_BLOCK_WORDS = 4;

const AES_KEY_BYTES = 16;
const TENANT_KEY_BYTES = 32;

/** Eight characters of base64url: 48 bits tell apart as many tenants as anybody has. */
const TENANT_HASH_BYTES = 6;

/**
 * What makes the hashes of one recording: keys that never leave the process, so that nobody who
 * has the file can try whether a text or a credential that he guesses is in it.
 */
export class RecordingSecrets {
  readonly #tenantKey: Uint8Array = randomBytes(TENANT_KEY_BYTES);
  readonly #cipher: Cipheriv;

  constructor() {
    // Blocks are independent in this mode, so one cipher serves all of them in any order.
    this.#cipher = createCipheriv('aes-128-ecb', randomBytes(AES_KEY_BYTES), null);
    this.#cipher.setAutoPadding(false);
  }

  /** Hash of a credential, the same with and without `Bearer` or blanks before it. */
  hashCredential(credential: string): string {
    const bare = credential.trim().replace(/^bearer\s+/i, '');
    const digest = createHmac('sha256', this.#tenantKey).update(bare).digest();
    return digest.toString('base64url', 0, TENANT_HASH_BYTES);
  }

  /**
   * Encrypts block hashes, each in the first two of four words, and hands them back, each as
   * one block. The gateway's own hashes are quick but not cryptographic: with enough of
   * them and their prompts its key could be worked out. What AES makes of them tells nothing but
   * which are equal. All of a batch at once: a call takes 0.5 us, a hash 3 ns.
   */
  seal(words: Uint32Array): SealedHashes {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    return new SealedHashes(this.#cipher.update(bytes));
  }
}
