import { hasForbidden } from './head-end.ts';
import { TOKEN_SOURCE } from './token.ts';

/** What the line before a chunk says. */
export interface ChunkSize {
  /** Bytes of the chunk; 0 is the last. */
  readonly sizeBytes: number;
  readonly extensionBytes: number;
}

/** Twelve digits are exact as a number. */
const SIZE_PATTERN = /^[0-9a-fA-F]{1,12}(?=;|$)/;

/** RFC 9112 section 7.1.1, without the white space that is called bad there. */
const EXTENSIONS_PATTERN = new RegExp(
  `^(?:;${TOKEN_SOURCE}(?:=(?:${TOKEN_SOURCE}|"(?:[^"\\\\]|\\\\.)*"))?)*$`,
);

/** Parses a chunk's size line without its CRLF. Returns what is wrong as text. */
export function parseChunkSize(line: string): ChunkSize | string {
  const [digits] = SIZE_PATTERN.exec(line) ?? [];
  if (digits === undefined) return 'a chunk size is not a number';
  const extensions = line.slice(digits.length);
  if (!EXTENSIONS_PATTERN.test(extensions) || hasForbidden(extensions)) {
    return 'a chunk extension is malformed';
  }
  return { sizeBytes: Number.parseInt(digits, 16), extensionBytes: extensions.length };
}
