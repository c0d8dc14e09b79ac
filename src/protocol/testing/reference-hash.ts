import type { PromptKey } from '../wasm/prompt-key.ts';

const MASK = (1n << 64n) - 1n;
const BLOCK_BYTES = 256;
const CHAINING = 0x9fb21c651e98df25n;
const STIRRING = 0xbf58476d1ce4e5b9n;
const LENGTH = 0x9e3779b97f4a7c15n;

/** What prompt blocks are made of; a null is a field that the body does not have. */
export interface ReferencePrompt {
  readonly key: PromptKey;
  readonly salt: string;
  readonly modifiers: readonly (Buffer | null)[];
  readonly texts: readonly (Buffer | null)[];
}

/** The hashes of prompt blocks by their definition, slowly, as 16 hex digits each. */
export function referenceBlocks({ key, salt, modifiers, texts }: ReferencePrompt): string[] {
  const digestOf = (bytes: Buffer | null): bigint =>
    bytes === null ? 0n : chainOf(key, bytes).digest;
  let current = digestOf(
    Buffer.concat([...modifiers.map((bytes) => wordOf(digestOf(bytes))), Buffer.from(salt)]),
  );
  let previous = 0n;
  const hashes: string[] = [];
  texts.forEach((bytes, part) => {
    if (bytes === null) return;
    const partOf = Buffer.concat([wordOf(current), wordOf(previous), wordOf(BigInt(part))]);
    current = digestOf(partOf);
    const { steps, digest } = chainOf(key, bytes);
    for (const step of steps) hashes.push((step ^ current).toString(16).padStart(16, '0'));
    previous = digest;
  });
  return hashes;
}

function wordOf(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** The chain after each whole block, and after the padded last one with its length. */
function chainOf(key: PromptKey, bytes: Buffer): { steps: bigint[]; digest: bigint } {
  const steps: bigint[] = [];
  let chain = 0n;
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) {
    chain = compress(key, chain, bytes.subarray(at, at + BLOCK_BYTES));
    steps.push(chain);
  }
  const last = Buffer.alloc(BLOCK_BYTES);
  bytes.copy(last, 0, whole);
  const length = (BigInt(bytes.length - whole + 1) * LENGTH) & MASK;
  return { steps, digest: compress(key, chain ^ length, last) };
}

function compress(key: PromptKey, chain: bigint, block: Buffer): bigint {
  const sums = sumsOf(Buffer.from(key.bytes), block);
  const multiplier = (index: number): bigint =>
    Buffer.from(key.bytes).readBigUInt64LE(BLOCK_BYTES + index * 8);
  const product = (index: number): bigint => (sums[index]! * multiplier(index)) & MASK;
  let t = chain ^ ((product(0) + rotate32(product(1))) & MASK);
  t = ((t ^ (t >> 32n)) * CHAINING) & MASK;
  t ^= (product(2) + rotate32(product(3))) & MASK;
  t = ((t ^ (t >> 29n)) * STIRRING) & MASK;
  return t ^ (t >> 32n);
}

/** Of each 32 bytes, words 0 to 3 are X and words 4 to 7 are Y. */
function sumsOf(key: Buffer, block: Buffer): bigint[] {
  const sums = [0n, 0n, 0n, 0n];
  const add = (index: number, value: bigint): void => {
    sums[index] = (sums[index]! + value) & MASK;
  };
  for (let at = 0; at < BLOCK_BYTES; at += 32) {
    for (let word = 0; word < 4; word++) {
      const x = (block.readUInt32LE(at + word * 4) + key.readUInt32LE(at + word * 4)) >>> 0;
      const y =
        (block.readUInt32LE(at + 16 + word * 4) + key.readUInt32LE(at + 16 + word * 4)) >>> 0;
      add(word, BigInt(x) * BigInt(y));
    }
    add(0, block.readBigUInt64LE(at + 16));
    add(1, block.readBigUInt64LE(at + 24));
    add(2, block.readBigUInt64LE(at));
    add(3, block.readBigUInt64LE(at + 8));
  }
  return sums;
}

function rotate32(value: bigint): bigint {
  return ((value << 32n) | (value >> 32n)) & MASK;
}
