import fc from 'fast-check';

/** Cuts `bytes` at the given places, each copied so that nothing depends on shared memory. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let start = 0;
  for (const place of [...places, bytes.length]) {
    if (place > start) chunks.push(Buffer.from(bytes.subarray(start, place)));
    start = Math.max(start, place);
  }
  return chunks;
}

/** One chunk for each byte. */
export function singleBytes(bytes: Uint8Array): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}

/** Places at which to cut a document. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(5000), { maxLength: 8 });

/**
 * JSON text of arbitrary values in several spellings: compact, indented, with escapes, with spaces.
 */
export const jsonText: fc.Arbitrary<string> = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 1, 2, 3))
  .map(([text, style]) => respell(text, style));

function respell(text: string, style: number): string {
  if (style === 1) return JSON.stringify(JSON.parse(text), null, 2);
  if (style === 2) return escapeNonAscii(text);
  return style === 3 ? ` \n\t${text}\r\n ` : text;
}

/** Writes letters inside the text as `\u` escapes where they come from beyond ASCII. */
export function escapeNonAscii(text: string): string {
  return text.replaceAll(
    /[^\0-~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
