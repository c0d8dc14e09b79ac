import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, cuts, singleBytes } from '../testing/chunks.ts';
import { frameData, parseFrame } from './frame.ts';
import { SseFrameSplitter, type SsePiece } from './frame-splitter.ts';

interface Event {
  readonly event: string | null;
  readonly data: string;
}

/** The standard's algorithm, word for word, on a whole text. */
function naiveEvents(text: string): Event[] {
  const events: Event[] = [];
  let data: string[] = [];
  let event: string | null = null;
  const lines = text.split(/\r\n|\n|\r/);
  lines.pop();
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) events.push({ event, data: data.join('\n') });
      data = [];
      event = null;
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data.push(value);
    if (name === 'event') event = value;
  }
  return events;
}

function eventsOf(pieces: readonly SsePiece[]): Event[] {
  const events: Event[] = [];
  for (const { bytes } of pieces) {
    const frame = parseFrame(bytes);
    if (frame.data.length === 0) continue;
    events.push({ event: frame.event, data: frameData(bytes, frame).toString() });
  }
  return events;
}

function split(chunks: readonly Buffer[]): { pieces: SsePiece[]; rest: Buffer | null } {
  const splitter = new SseFrameSplitter();
  const pieces = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
  return { pieces, rest: splitter.flush() };
}

const line = fc.oneof(
  fc.constantFrom(
    '',
    '',
    'data: {"a":1}',
    'data:x',
    'data',
    'data:  y',
    'event: e',
    ': comment',
    'id: 1',
    'x:y',
  ),
  fc.string({ unit: fc.constantFrom(...'da:t e\u00e9'.split('')), maxLength: 8 }),
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
  .map((lines) => lines.flat().join(''));

test('gives the events of the standard for any split into chunks', () => {
  fc.assert(
    fc.property(stream, cuts, (text, places) => {
      const bytes = Buffer.from(text);
      for (const chunks of [[bytes], cutAt(bytes, places), singleBytes(bytes)]) {
        const { pieces, rest } = split(chunks);
        assert.deepEqual(eventsOf(pieces), naiveEvents(text));
        const all = [...pieces.map((piece) => piece.bytes), rest ?? Buffer.alloc(0)];
        assert.equal(Buffer.concat(all).toString(), text);
        assert.ok(pieces.every((piece) => piece.isFrame));
      }
    }),
    { numRuns: 1000 },
  );
});

test('knows when the stream stands on a blank line', () => {
  const splitter = new SseFrameSplitter();
  const steps: readonly (readonly [text: string, isAtBoundary: boolean])[] = [
    ['', true],
    ['data: a\n', false],
    ['\n', true],
    ['d', false],
    ['ata: b\r\n\r', true],
    ['\n', true],
    ['data: c', false],
    ['\r\r', true],
    [': x\n\n\n', true],
  ];
  for (const [text, isAtBoundary] of steps) {
    splitter.push(Buffer.from(text));
    assert.equal(splitter.isAtBoundary, isAtBoundary, JSON.stringify(text));
  }
});

test('passes a frame that is too long in parts and goes on after it', () => {
  const splitter = new SseFrameSplitter(10);
  const pieces = ['data: 12', '345678', '9\n', '\ndata: x\n\n'].flatMap((text) => [
    ...splitter.push(Buffer.from(text)),
  ]);
  const seen = pieces.map(({ bytes, isFrame }) => [bytes.toString(), isFrame]);
  assert.deepEqual(seen, [
    ['data: 12', false],
    ['345678', false],
    ['9\n', false],
    ['\n', false],
    ['data: x\n\n', true],
  ]);
  assert.equal(splitter.isIdle, true);
});

test('does not keep a reference to a chunk that may be reused', () => {
  const splitter = new SseFrameSplitter();
  const chunk = Buffer.from('data: abc');
  splitter.push(chunk);
  chunk.fill(0);
  assert.equal(splitter.push(Buffer.from('\n\n'))[0]?.bytes.toString(), 'data: abc\n\n');
});
