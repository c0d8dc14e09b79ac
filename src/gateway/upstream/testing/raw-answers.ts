import fc from 'fast-check';

/** An answer as bytes, and what a client must read from them. */
export interface RawAnswer {
  readonly bytes: Buffer;
  readonly status: number;
  /** Names in lower case and values, alternating. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Whether the end of the body is the end of the connection. */
  readonly isUntilClose: boolean;
}

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

type Framing = 'length' | 'chunked' | 'until-close' | 'none';

/** Complete answers without a fault, in all framings. */
export const rawAnswer: fc.Arbitrary<RawAnswer> = fc
  .record({
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    framing: fc.constantFrom<Framing>('length', 'chunked', 'until-close', 'none'),
    status: fc.constantFrom(200, 200, 201, 206, 302, 400, 404, 429, 500, 503, 599),
    reason: fc.constantFrom('', ' ', ' OK', ' Not Found', ' Caf\xe9'),
    informational: fc.array(fc.constantFrom(100, 102, 103), { maxLength: 2 }),
    fields: fc.array(field, { maxLength: 5 }),
    chunks: fc.array(chunk, { maxLength: 5 }),
    trailers: fc.array(field, { maxLength: 2 }),
    lastZeros: fc.constantFrom(1, 1, 3),
    framingPlace: fc.nat(5),
    connection: fc.constantFrom('', '', '', 'connection: close', 'Connection: keep-alive'),
  })
  .map((parts) => {
    const { framing, status, fields, chunks, connection } = parts;
    const isChunked = framing === 'chunked';
    const version = isChunked ? '1.1' : parts.version;
    const body = framing === 'none' ? Buffer.alloc(0) : joinContent(chunks);
    const own = [framingLine(framing, body), connection].filter((line) => line !== '');
    const lines = fields.map(encodeField);
    const place = Math.min(parts.framingPlace, lines.length);
    lines.splice(place, 0, ...own);
    const finalStatus = framing === 'none' ? (status % 2 === 0 ? 204 : 304) : status;
    const start = `HTTP/${version} ${finalStatus}${parts.reason}`;
    const informational = parts.informational
      .map((code) => `HTTP/1.1 ${code} Wait\r\nx-early: 1\r\n\r\n`)
      .join('');
    const text = `${informational}${[start, ...lines].join('\r\n')}\r\n\r\n`;
    return {
      bytes: Buffer.concat([
        Buffer.from(text, 'latin1'),
        isChunked ? encodeChunks(chunks, parts.trailers, parts.lastZeros) : body,
      ]),
      status: finalStatus,
      headers: headersOf(fields, own, place),
      body,
      isUntilClose: framing === 'until-close',
    };
  });

function framingLine(framing: Framing, body: Buffer): string {
  if (framing === 'length') return `Content-Length: ${body.length}`;
  return framing === 'chunked' ? 'Transfer-Encoding: chunked' : '';
}

/** The line without its end. */
export function encodeField({ name, value, before, after }: Field): string {
  return `${name}:${before}${value}${after}`;
}

function headersOf(fields: readonly Field[], own: readonly string[], place: number): string[] {
  const pairs = fields.map(({ name, value }) => [name.toLowerCase(), value]);
  pairs.splice(
    place,
    0,
    ...own.map((line) => line.split(': ')).map(([name, value]) => [name!.toLowerCase(), value!]),
  );
  return pairs.flat();
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

/** Texts that change what an answer means when they get into it. */
const SPLINTERS: readonly string[] = [
  ['\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '0', '1', 'f', 'g', '-', '+'],
  ['\x7f', '\x80', '\xff', '"', '\\', '='],
  ['Host: x\r\n', 'GET / HTTP/1.1\r\nHost: y\r\n\r\n', 'Expect: 100-continue\r\n'],
  ['Content-Length: 3\r\n', 'Content-Length: 0\r\n', 'content-length: 3, 3\r\n'],
  ['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip\r\n'],
  ['transfer-encoding: gzip, chunked\r\n', 'Transfer-Encoding:\r\n', 'Connection: close\r\n'],
  ['Connection: upgrade\r\nUpgrade: x\r\n', ' folded\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['HTTP/1.0', 'HTTP/1.1 204 No\r\n', 'HTTP/1.1 100 Go\r\n\r\n', 'HTTP/1.1 101 Go\r\n\r\n'],
  ['0\r\n\r\n', '1\r\nx\r\n', '5;a=b\r\n', '5 \r\n', 'ffffffffffffffff\r\n', '1'.repeat(17)],
].flat();

/** A fault to bring into a message. */
export interface Mutation {
  readonly kind: 'replace' | 'insert' | 'remove' | 'repeat' | 'cut';
  /** Where, as a part of the whole. */
  readonly place: number;
  /** Most faults mean something only at the end or start of a line: goes on to the next. */
  readonly snap: 'none' | 'line-end' | 'line-start';
  readonly length: number;
  readonly splinter: string;
}

/** Faults, most of which mean something. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'insert', 'remove', 'repeat', 'cut'),
  snap: fc.constantFrom('none', 'line-end', 'line-start'),
  // Evenly spread: a random double, or a bias, would damage the first line nearly always.
  place: fc.noBias(fc.nat(100_000)).map((place) => place / 100_000),
  length: fc.constantFrom(1, 1, 1, 2, 5, 20),
  splinter: fc.constantFrom(...SPLINTERS),
});

/** Answers with one to three faults, most of them, but not all, not valid any more. */
export const damagedAnswer: fc.Arbitrary<Buffer> = fc
  .tuple(rawAnswer, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([answer, mutations]) => mutations.reduce(mutate, answer.bytes));

/** The bytes with the fault in them. */
export function mutate(bytes: Buffer, { kind, place, snap, length, splinter }: Mutation): Buffer {
  let start = Math.min(bytes.length, Math.floor(place * (bytes.length + 1)));
  const lineEnd = bytes.indexOf('\r\n', start);
  if (snap !== 'none' && lineEnd >= 0) start = snap === 'line-end' ? lineEnd : lineEnd + 2;
  const end = Math.min(bytes.length, start + length);
  const before = bytes.subarray(0, start);
  const after = bytes.subarray(end);
  const piece = Buffer.from(splinter, 'latin1');
  switch (kind) {
    case 'replace':
      return Buffer.concat([before, piece, after]);
    case 'insert':
      return Buffer.concat([before, piece, bytes.subarray(start)]);
    case 'remove':
      return Buffer.concat([before, after]);
    case 'repeat':
      return Buffer.concat([before, bytes.subarray(start, end), bytes.subarray(start)]);
    case 'cut':
      return before;
  }
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
