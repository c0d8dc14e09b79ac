import fc from 'fast-check';
import type { BodyFraming } from '../message-body.ts';

/** A field line of a message. */
export interface Field {
  readonly name: string;
  readonly value: string;
  /** White space around the value, that is no part of it. */
  readonly before: string;
  readonly after: string;
}

/** A chunk of a body. */
export interface Chunk {
  readonly content: Buffer;
  readonly extension: string;
  readonly zeros: number;
  readonly isUpperCase: boolean;
}

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~019azAZ".split('');
const VALUE_CHARACTERS = 'ab01 :;,="\t\xa0\xff{}/'.split('');

const token = fc
  .array(fc.constantFrom(...TOKEN_CHARACTERS), { minLength: 1, maxLength: 12 })
  .map((characters) => characters.join(''));

const blank = fc.constantFrom('', ' ', ' ', ' ', '\t', '  ');

/** Fields that only pass through. */
export const field: fc.Arbitrary<Field> = fc.record({
  name: token.map((name) => `X-${name}`),
  value: fc
    .array(fc.constantFrom(...VALUE_CHARACTERS), { maxLength: 20 })
    .map((characters) => characters.join('').replace(/^[ \t]+|[ \t]+$/g, '')),
  before: blank,
  after: blank,
});

const extension = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(';a', ';a=b', ';a=b;c=d', ';a="b c"', ';a="b\\"c"', ';a=1;b'),
  },
);

const content = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  // Bytes that look like the protocol's own.
  fc
    .constantFrom('\r\n', '0\r\n\r\n', '\r\n\r\n', '5\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\n')
    .map((text) => Buffer.from(text, 'latin1')),
  fc.constantFrom(200, 5000).map((length) => Buffer.alloc(length, 'x')),
);

/** Chunks as any sender may write them. */
export const chunk: fc.Arbitrary<Chunk> = fc.record({
  content,
  extension,
  zeros: fc.constantFrom(0, 0, 0, 1, 4),
  isUpperCase: fc.boolean(),
});

/** The field that frames a body; '' for the framings that have none. */
export function framingLine(framing: BodyFraming, body: Buffer): string {
  if (framing === 'length') return `Content-Length: ${body.length}`;
  return framing === 'chunked' ? 'Transfer-Encoding: chunked' : '';
}

/** The line without its end. */
export function encodeField({ name, value, before, after }: Field): string {
  return `${name}:${before}${value}${after}`;
}

/** What the chunks hold. */
export function joinContent(chunks: readonly Chunk[]): Buffer {
  return Buffer.concat(chunks.map(({ content }) => content));
}

/** A chunked body, to its end. */
export function encodeChunks(
  chunks: readonly Chunk[],
  trailers: readonly Field[],
  lastZeros: number,
): Buffer {
  const pieces = chunks.flatMap(({ content, extension, zeros, isUpperCase }) => {
    const hex = content.length.toString(16);
    const size = `${'0'.repeat(zeros)}${isUpperCase ? hex.toUpperCase() : hex}`;
    return [Buffer.from(`${size}${extension}\r\n`, 'latin1'), content, Buffer.from('\r\n')];
  });
  const last = ['0'.repeat(lastZeros), ...trailers.map(encodeField), '', ''].join('\r\n');
  return Buffer.concat([...pieces, Buffer.from(last, 'latin1')]);
}

/** How a message is cut into reads: lengths that are used in turn. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
);

/** The bytes in pieces of these lengths, over and over. */
export function cutInto(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = lengths[pieces.length % lengths.length]!;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
