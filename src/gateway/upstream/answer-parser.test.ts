import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnswerHead } from './answer-head.ts';
import { AnswerParser } from './answer-parser.ts';
import { cutInto, cuts } from '../wire/testing/raw-messages.ts';
import { damagedAnswer, rawAnswer } from './testing/raw-answers.ts';
import { readPieces, Recorder, type Reading } from './testing/reading.ts';

function read(...pieces: readonly string[]): Reading {
  return readPieces(pieces.map((piece) => Buffer.from(piece, 'latin1')));
}

const LENGTH_HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n';
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const CLOSE_HEAD = 'HTTP/1.1 200 OK\r\n\r\n';

test('valid answers are read as they were meant', () => {
  fc.assert(
    fc.property(rawAnswer, cuts, (answer, lengths) => {
      const reading = readPieces(cutInto(answer.bytes, lengths));
      assert.equal(reading.problem, null);
      assert.equal(reading.isComplete, true);
      assert.equal(reading.hasExcess, false);
      assert.equal(reading.head?.status, answer.status);
      assert.deepEqual(reading.head.headers, answer.headers);
      assert.deepEqual(reading.body, answer.body);
      assert.equal(reading.head.framing === 'until-close', answer.isUntilClose);
      const expected = answer.body.length > 0 ? ['head', 'body', 'complete'] : ['head', 'complete'];
      assert.deepEqual(reading.events, expected);
    }),
    { numRuns: 1000 },
  );
});

test('where reads begin and end makes no difference, to good bytes or bad', () => {
  fc.assert(
    fc.property(damagedAnswer, cuts, (bytes, lengths) => {
      // The reason may differ: some are found early when a head comes in pieces.
      const { problem: whole, ...expected } = readPieces([bytes]);
      const { problem: cut, ...reading } = readPieces(cutInto(bytes, lengths));
      assert.equal(cut === null, whole === null, `${whole} and ${cut}`);
      // Excess in a read of its own comes after the end has been told.
      assert.deepEqual(reading, expected);
    }),
    { numRuns: 2000 },
  );
});

test('random bytes are never an error of ours, and never give more than they hold', () => {
  const start = fc.constantFrom('', LENGTH_HEAD, CHUNKED_HEAD, CLOSE_HEAD, 'HTTP/1.1 200 O');
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), cuts, (head, noise, lengths) => {
      const bytes = Buffer.concat([Buffer.from(head), noise]);
      const recorder = new Recorder();
      for (const piece of cutInto(bytes, lengths)) recorder.push(piece);
      recorder.parser.finish();
      const { events, body, isComplete, problem } = recorder.reading;
      assert.ok(body.length <= bytes.length);
      assert.ok(recorder.piecesInReadMax <= 1);
      assert.notEqual(isComplete, problem !== null);
      assert.equal(events.filter((event) => event === 'complete').length, isComplete ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test('after a failure nothing more is said', () => {
  const recorder = new Recorder();
  recorder.push(Buffer.from(`${CHUNKED_HEAD}3\r\nabcX`));
  assert.equal(recorder.parser.problem, 'a chunk is longer than its size says');
  const { events, body } = recorder.reading;
  assert.deepEqual(events, ['head', 'body']);
  assert.equal(body.toString(), 'abc');
  recorder.push(Buffer.from('\r\n0\r\n\r\n'));
  recorder.parser.finish();
  assert.deepEqual(recorder.reading.events, ['head', 'body']);
  assert.equal(recorder.parser.isComplete, false);
  assert.equal(recorder.parser.problem, 'a chunk is longer than its size says');
});

const FAULTS: readonly (readonly [what: string, bytes: string])[] = [
  ['no bytes', ''],
  ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
  ['half a body', `${LENGTH_HEAD}abc`],
  ['half a chunk', `${CHUNKED_HEAD}5\r\nabc`],
  ['a chunked body without its last chunk', `${CHUNKED_HEAD}3\r\nabc\r\n`],
  ['a chunked body without its last line', `${CHUNKED_HEAD}0\r\n`],
  ['a chunked body without half of its last line end', `${CHUNKED_HEAD}0\r\n\r`],
  ['an empty chunk size', `${CHUNKED_HEAD}\r\nabc`],
  ['a chunk size that is no number', `${CHUNKED_HEAD}xyz\r\n`],
  ['a negative chunk size', `${CHUNKED_HEAD}-3\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size with a prefix', `${CHUNKED_HEAD}0x3\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size that is too large', `${CHUNKED_HEAD}fffffffffffffffff\r\n`],
  ['white space after a chunk size', `${CHUNKED_HEAD}3 \r\nabc\r\n0\r\n\r\n`],
  ['white space before a chunk size', `${CHUNKED_HEAD} 3\r\nabc\r\n0\r\n\r\n`],
  ['LF after a chunk size', `${CHUNKED_HEAD}3\nabc\r\n0\r\n\r\n`],
  ['LF after a chunk', `${CHUNKED_HEAD}3\r\nabc\n0\r\n\r\n`],
  ['CR without LF after a chunk', `${CHUNKED_HEAD}3\r\nabc\rX0\r\n\r\n`],
  ['a chunk longer than its size', `${CHUNKED_HEAD}3\r\nabcd\r\n0\r\n\r\n`],
  ['a chunk shorter than its size', `${CHUNKED_HEAD}4\r\nabc\r\n0\r\n\r\n`],
  ['a control character in an extension', `${CHUNKED_HEAD}3;a=\x00\r\nabc\r\n0\r\n\r\n`],
  ['a bare CR in an extension', `${CHUNKED_HEAD}3;a=\rb\r\nabc\r\n0\r\n\r\n`],
  ['a trailer that is no field', `${CHUNKED_HEAD}0\r\nabc\r\n\r\n`],
  ['a folded trailer', `${CHUNKED_HEAD}0\r\na: b\r\n c\r\n\r\n`],
  ['LF after a trailer', `${CHUNKED_HEAD}0\r\na: b\n\r\n`],
  ['LF after the last chunk', `${CHUNKED_HEAD}0\n\r\n`],
  ['LF as the last line', `${CHUNKED_HEAD}0\r\n\n`],
  ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
  ['nothing after an informational answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ['a line end before the status line', `\r\n${LENGTH_HEAD}abcde`],
];

for (const [what, bytes] of FAULTS) {
  test(`an answer with ${what} fails and is never complete`, () => {
    for (const lengths of [[bytes.length + 1], [1], [2], [7]]) {
      const reading = readPieces(cutInto(Buffer.from(bytes, 'latin1'), lengths));
      assert.notEqual(reading.problem, null);
      assert.equal(reading.events.includes('complete'), false);
    }
  });
}

test('what can never become a head fails before the connection ends', () => {
  for (const start of ['SSH-2.0-x\r\n', '\x15\x03\x01', 'HTTP/1.1 200 OK\nx', 'HTTP/2 200', '{']) {
    const recorder = new Recorder();
    recorder.push(Buffer.from(start, 'latin1'));
    assert.notEqual(recorder.parser.problem, null, start);
  }
  for (const start of ['H', 'HTTP/1.', 'HTTP/1.1 200 OK\r', 'HTTP/1.1 200 OK\r\nx: y\r\n\r']) {
    const recorder = new Recorder();
    recorder.push(Buffer.from(start, 'latin1'));
    assert.equal(recorder.parser.problem, null, start);
  }
});

test('informational answers are passed over, up to a number', () => {
  const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
  const reading = read(`${early.repeat(32)}${LENGTH_HEAD}abcde`);
  assert.deepEqual(reading.events, ['head', 'body', 'complete']);
  assert.equal(reading.head?.status, 200);
  assert.notEqual(read(`${early.repeat(33)}${LENGTH_HEAD}abcde`).problem, null);
});

test('bytes behind the answer are told before its end, and given to nobody', () => {
  for (const excess of ['x', '\r\n', LENGTH_HEAD, 'HTTP/1.1 500 Not yours\r\n\r\n']) {
    for (const answer of [`${LENGTH_HEAD}abcde`, `${CHUNKED_HEAD}5\r\nabcde\r\n0\r\n\r\n`]) {
      const recorder = new Recorder();
      let hadExcess = false;
      recorder.onComplete = () => {
        hadExcess = recorder.parser.hasExcess;
      };
      recorder.push(Buffer.from(answer + excess));
      assert.equal(hadExcess, true);
      assert.equal(recorder.parser.problem, null);
      assert.equal(recorder.reading.body.toString(), 'abcde');
      assert.equal(recorder.head?.status, 200);
    }
  }
  assert.equal(read('HTTP/1.1 204 No Content\r\n\r\nabc').hasExcess, true);
  assert.equal(read(LENGTH_HEAD, 'abcde', 'x').hasExcess, true);
  assert.equal(read(LENGTH_HEAD, 'abcde').hasExcess, false);
});

test('the chunks of one read are given as one piece', () => {
  const recorder = new Recorder();
  const frames = Array.from({ length: 500 }, (_, i) => `data: ${i}\n\n`);
  const chunks = frames.map((frame) => `${frame.length.toString(16)}\r\n${frame}\r\n`);
  recorder.push(Buffer.from(CHUNKED_HEAD + chunks.join('')));
  assert.equal(recorder.piecesInReadMax, 1);
  assert.equal(recorder.reading.body.toString(), frames.join(''));
});

test('pieces of a body share no memory with what was read', () => {
  const shared = Buffer.from(`${LENGTH_HEAD}abcde`);
  const pieces: Buffer[] = [];
  const parser = new AnswerParser({
    onHead: () => undefined,
    onBody: (chunk) => pieces.push(chunk),
    onComplete: () => undefined,
  });
  parser.push(shared);
  shared.fill(0);
  assert.equal(Buffer.concat(pieces).toString(), 'abcde');
});

test('a parser that is stopped says nothing more of the read under way', () => {
  const answer = `${CHUNKED_HEAD}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`;
  for (const stopAt of ['head', 'body'] as const) {
    class Stopper extends Recorder {
      override onHead(head: AnswerHead): void {
        super.onHead(head);
        if (stopAt === 'head') this.parser.stop();
      }
      override onBody(chunk: Buffer): void {
        super.onBody(chunk);
        if (stopAt === 'body') this.parser.stop();
      }
    }
    const recorder = new Stopper();
    recorder.push(Buffer.from(answer));
    assert.deepEqual(recorder.events, stopAt === 'head' ? ['head'] : ['head', 'body']);
    recorder.push(Buffer.from(answer));
    recorder.parser.finish();
    assert.deepEqual(recorder.events, stopAt === 'head' ? ['head'] : ['head', 'body']);
    assert.equal(recorder.parser.problem, null);
  }
});

test('one parser reads any number of answers, whatever became of the one before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(damagedAnswer, rawAnswer, cuts), { maxLength: 4 }), (pairs) => {
      const recorder = new Recorder();
      for (const [damaged, answer, lengths] of pairs) {
        for (const piece of cutInto(damaged, lengths)) recorder.push(piece);
        recorder.parser.reset();
        recorder.events.length = 0;
        for (const piece of cutInto(answer.bytes, lengths)) recorder.push(piece);
        recorder.parser.finish();
        assert.equal(recorder.parser.problem, null);
        assert.equal(recorder.parser.isComplete, true);
        assert.equal(recorder.parser.hasExcess, false);
        assert.equal(recorder.head?.status, answer.status);
        assert.equal(recorder.events.at(-1), 'complete');
      }
    }),
    { numRuns: 300 },
  );
});

/** Pushes until the parser fails, and returns how many bytes that took; never is a failure. */
function bytesUntilFailure(start: string, more: (index: number) => string, limit: number): number {
  const parser = new AnswerParser({
    onHead: () => undefined,
    onBody: () => undefined,
    onComplete: () => undefined,
  });
  parser.push(Buffer.from(start));
  let count = 0;
  for (let index = 0; count <= limit && parser.problem === null; index += 1) {
    const piece = Buffer.from(more(index), 'latin1');
    count += piece.length;
    parser.push(piece);
  }
  return parser.problem === null ? Number.POSITIVE_INFINITY : count;
}

const KIB = 1024;
const ENDLESS: readonly (readonly [string, string, (index: number) => string, number])[] = [
  ['a head', 'HTTP/1.1 200 OK\r\n', (i) => `x-${i % 100}: ${'y'.repeat(500)}\r\n`, 65 * KIB],
  ['a header', 'HTTP/1.1 200 OK\r\nx: ', () => 'y', 65 * KIB],
  ['a status line', 'HTTP/1.1 200 ', () => 'OK'.repeat(500), 66 * KIB],
  ['informational answers', '', () => 'HTTP/1.1 100 Go\r\n\r\n', KIB],
  ['a chunk size', CHUNKED_HEAD, () => '0', 5 * KIB],
  ['a chunk extension', `${CHUNKED_HEAD}1;`, () => 'x', 5 * KIB],
  ['chunk extensions', CHUNKED_HEAD, () => `1;a=${'b'.repeat(200)}\r\nx\r\n`, 18 * KIB],
  ['a trailer', `${CHUNKED_HEAD}0\r\nx: `, () => 'y', 5 * KIB],
  ['trailers', `${CHUNKED_HEAD}0\r\n`, () => 'x: y\r\n', 32 * KIB],
];

for (const [what, start, more, limit] of ENDLESS) {
  test(`${what} without end fails within ${limit} bytes`, () => {
    assert.ok(bytesUntilFailure(start, more, 2 * limit) <= limit);
  });
}

test('the largest head is the same in one read and byte by byte', () => {
  const build = (bytes: number): string => {
    const start = 'HTTP/1.1 204 No\r\nx: ';
    return `${start}${'y'.repeat(bytes - start.length - 4)}\r\n\r\n`;
  };
  for (const [bytes, isGood] of [
    [64 * KIB, true],
    [64 * KIB + 1, false],
  ] as const) {
    const whole = Buffer.from(build(bytes));
    assert.equal(readPieces([whole]).isComplete, isGood);
    assert.equal(readPieces(cutInto(whole, [4096])).isComplete, isGood);
    assert.equal(readPieces(cutInto(whole, [1])).isComplete, isGood);
  }
  // What follows the head in the same read does not count.
  const cut = build(60 * KIB).replace('204 No', '200 OK');
  const reading = read(cut.slice(0, 50 * KIB), cut.slice(50 * KIB) + 'z\n'.repeat(30 * KIB));
  assert.equal(reading.problem, null);
  assert.equal(reading.body.length, 60 * KIB);
});

test('a body of length 2^40 is read to its end without being held', () => {
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 40}\r\n\r\n`;
  let receivedBytes = 0;
  const parser = new AnswerParser({
    onHead: () => undefined,
    onBody: (chunk) => {
      receivedBytes += chunk.length;
    },
    onComplete: () => assert.fail('complete too early'),
  });
  parser.push(Buffer.from(head));
  const piece = Buffer.alloc(64 * KIB);
  for (let i = 0; i < 200; i += 1) parser.push(piece);
  assert.equal(receivedBytes, 200 * piece.length);
  parser.finish();
  assert.notEqual(parser.problem, null);
});
