import fc from 'fast-check';

/** Texts that change what a message means when they get into it. */
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
interface Mutation {
  readonly kind: 'replace' | 'insert' | 'remove' | 'repeat' | 'cut';
  /** Where, as a part of the whole. */
  readonly place: number;
  /** Most faults mean something only at the end or start of a line: goes on to the next. */
  readonly snap: 'none' | 'line-end' | 'line-start';
  readonly length: number;
  readonly splinter: string;
}

/** Faults, most of which mean something. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'insert', 'remove', 'repeat', 'cut'),
  snap: fc.constantFrom('none', 'line-end', 'line-start'),
  // Evenly spread: a random double, or a bias, would damage the first line nearly always.
  place: fc.noBias(fc.nat(100_000)).map((place) => place / 100_000),
  length: fc.constantFrom(1, 1, 1, 2, 5, 20),
  splinter: fc.constantFrom(...SPLINTERS),
});

/** Messages with one to three faults, most of them, but not all, not valid any more. */
export function damage(messages: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(messages, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([bytes, mutations]) => mutations.reduce(mutate, bytes));
}

/** The bytes with the fault in them. */
function mutate(bytes: Buffer, { kind, place, snap, length, splinter }: Mutation): Buffer {
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
