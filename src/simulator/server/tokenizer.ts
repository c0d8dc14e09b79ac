/**
 * A tokenizer without a vocabulary: a token is up to six bytes of UTF-8 text, cut before white
 * space that follows something else, so about four bytes of English. Its id is those bytes read as
 * one number, so that text -> ids -> text is exact and equal text always gives equal ids. The cuts
 * depend only on what is near, so that a text which ends a prompt is cut the same inside a longer
 * one when it starts at white space or a marker.
 */
const MAX_TOKEN_BYTES = 6;

/** Ids from here on are markers that no text contains, such as the start of a message. */
const FIRST_MARKER = 2 ** 48;

/** A marker of the chat template. */
export type Marker = 'system' | 'user' | 'assistant' | 'tool' | 'end';

/** Markers in the order of their ids. */
export const MARKERS: readonly Marker[] = Object.freeze([
  'system',
  'user',
  'assistant',
  'tool',
  'end',
]);

/** Id of a template marker. */
export function markerId(marker: Marker): number {
  return FIRST_MARKER + MARKERS.indexOf(marker);
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d;
}

/** Calls `add` with the id of every token of `text`, in order. */
export function tokenizeText(text: string, add: (tokenId: number) => void): void {
  const bytes = Buffer.from(text, 'utf8');
  let id = 0;
  let size = 0;
  let wasSpace = true;
  for (const byte of bytes) {
    const isSpace = isWhiteSpace(byte);
    if (size > 0 && (size === MAX_TOKEN_BYTES || byte === 0 || (isSpace && !wasSpace))) {
      add(id);
      id = 0;
      size = 0;
    }
    wasSpace = isSpace;
    if (byte === 0) {
      // A leading zero byte would vanish from the number: it is a token of its own.
      add(0);
      continue;
    }
    id = id * 256 + byte;
    size += 1;
  }
  if (size > 0) add(id);
}

/** All token ids of `text`. */
export function tokenIds(text: string): number[] {
  const ids: number[] = [];
  tokenizeText(text, (id) => ids.push(id));
  return ids;
}

/** The bytes that a token id stands for; a marker or an unknown id shows as `<|id|>`. */
export function tokenBytes(tokenId: number): Buffer {
  if (tokenId === 0) return Buffer.of(0);
  if (!Number.isSafeInteger(tokenId) || tokenId < 0 || tokenId >= FIRST_MARKER) {
    const marker = MARKERS[tokenId - FIRST_MARKER];
    return Buffer.from(`<|${marker ?? String(tokenId)}|>`);
  }
  const bytes: number[] = [];
  for (let rest = tokenId; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  return Buffer.from(bytes.reverse());
}

/** The text that token ids stand for; bytes that are no UTF-8 become U+FFFD. */
export function detokenize(ids: readonly number[]): string {
  return Buffer.concat(ids.map(tokenBytes)).toString('utf8');
}
