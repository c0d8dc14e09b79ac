import { type Cipheriv, createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { writeBlockHash } from '../../protocol/recording/block-text.ts';
import { BLOCK_HASH_CHARS } from '../../protocol/recording/types.ts';

/** Bytes of one block of AES; a prompt block's hash takes the first half of one. */
const CIPHER_BLOCK_BYTES = 16;
/** 32-bit words of one. */
export const CIPHER_BLOCK_WORDS = 4;

const AES_KEY_BYTES = 16;
const TENANT_KEY_BYTES = 32;

/** Eight characters of base64url: 48 bits tell apart as many tenants as anybody has. */
const TENANT_HASH_BYTES = 6;

/** Credentials whose hash is kept; past this many all are hashed anew. */
const TENANTS_MAX = 4096;

/**
 * What makes the hashes of one recording: keys that never leave the process, so that nobody who
 * has the file can try whether a text or a credential that he guesses is in it.
 */
export class RecordingSecrets {
  readonly #tenantKey: Uint8Array = randomBytes(TENANT_KEY_BYTES);
  readonly #cipher: Cipheriv;
  readonly #tenants: Map<string, string> = new Map();

  constructor() {
    // Blocks are independent in this mode, so one cipher serves all of them in any order.
    this.#cipher = createCipheriv('aes-128-ecb', randomBytes(AES_KEY_BYTES), null);
    this.#cipher.setAutoPadding(false);
  }

  /**
   * Hash of a credential, the same with and without `Bearer` before it. Its first
   * use takes 3 us, the next ones next to nothing.
   */
  tenantOf(credential: string): string {
    const known = this.#tenants.get(credential);
    if (known !== undefined) return known;
    const bare = credential.replace(/^bearer\s+/i, '');
    const digest = createHmac('sha256', this.#tenantKey).update(bare).digest();
    const tenant = digest.toString('base64url', 0, TENANT_HASH_BYTES);
    if (this.#tenants.size >= TENANTS_MAX) this.#tenants.clear();
    this.#tenants.set(credential, tenant);
    return tenant;
  }

  /**
   * Encrypts block hashes, each in the first two of four words, and hands back a view that
   * `writeSealed` reads. The gateway's own hashes are quick but not cryptographic: with enough of
   * them and their prompts its key could be worked out. What AES makes of them tells nothing but
   * which are equal. All of a batch at once: a call takes 0.5 us, a hash 3 ns.
   */
  seal(words: Uint32Array): Uint8Array {
    return this.#cipher.update(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }
}

/** Writes `count` sealed hashes, from number `first` on, as text at `at`. */
export function writeSealed(
  bytes: Uint8Array,
  at: number,
  sealed: { readonly hashes: Uint8Array; readonly first: number; readonly count: number },
): void {
  const { hashes, first, count } = sealed;
  let from = first * CIPHER_BLOCK_BYTES;
  for (let i = 0; i < count; i += 1, from += CIPHER_BLOCK_BYTES) {
    const high = wordOf(hashes, from);
    writeBlockHash(bytes, at + i * BLOCK_HASH_CHARS, { high, low: wordOf(hashes, from + 3) });
  }
}

/** Three bytes from `at` on, the first one highest. */
function wordOf(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  );
}
