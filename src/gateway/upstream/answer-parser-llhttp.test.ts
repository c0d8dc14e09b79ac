import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { damagedAnswer, rawAnswer } from './testing/raw-answers.ts';
import { readPieces } from './testing/reading.ts';

// Node's own client, and with it llhttp, reads the same bytes as our parser. Where both accept they
// must agree on everything; where they differ, ours must be the stricter, for a reason listed here.

/** How problems of ours begin with answers that llhttp accepts, and why they are refused here. */
const STRICTER: readonly (readonly [problem: string, reason: string])[] = [
  ['the status line is not', 'llhttp skips line ends before it, and reads RTSP, HTTP/2.0 and 099'],
  [
    'a control character or half a line end',
    'llhttp takes any byte in a reason phrase; it is not needed',
  ],
  ['a switch of protocols', 'without Upgrade llhttp takes 101 for a final answer'],
  ['the transfer-encoding "', 'llhttp takes what it does not know for a body until the end'],
  ['the transfer-encoding ends in a tab', 'llhttp takes it for another coding'],
  ['there are two transfer-encodings', 'llhttp looks at the last one only'],
  ['a transfer-encoding in HTTP/1.0', 'RFC 9112 section 6.1 calls the framing faulty'],
  ['an informational answer is said to be the last', 'one that announces a body could send it'],
  ['too many 1xx answers', 'llhttp has no limit'],
  ['there are too many headers', 'llhttp has no limit'],
  ['a chunk size is not a number', 'more digits than are exact as a number, be they zeros'],
  ['a chunk extension is malformed', 'llhttp takes empty names and values'],
  ['a trailer is malformed', 'llhttp takes Transfer-Encoding in a trailer section'],
  ['a line of the chunked coding is too long', 'a tighter limit'],
  ['there are too many chunk extensions or trailers', 'a limit for both and not each'],
];

/** Answers with one peculiarity each, valid or not; each is also read as the only one it is. */
const ODD_HEADS: readonly string[] = [
  'x-a: 1\r\n  folded',
  ' x-a: 1',
  'x-a : 1',
  'x-a',
  ': 1',
  'x a: 1',
  'x-\xe9: 1',
  'x-a: a\x00b',
  'x-a: a\x0bb',
  'x-a: a\x7fb',
  'x-a: \x0b',
  'x-a: \xa0',
  'x-a: a\rb',
  'x-a: a\r',
  'x-a: a\nb: c',
  'x-a: \nb',
  'x-a:',
  'x-a:\t \t',
  'x"a: 1',
  'content-length: 5, 5',
  'content-length: 5\r\ncontent-length: 5',
  'content-length: 5\r\ncontent-length: 6',
  'content-length: 05',
  'content-length: +5',
  'content-length: -5',
  'content-length: 5 5',
  'content-length: 5\t',
  'content-length: 0x5',
  'content-length: 5.0',
  'content-length:',
  'content-length: 99999999999999999999999',
  'content-length: 18446744073709551621',
  'content-length : 5',
  'content-length: 5\r\ntransfer-encoding: chunked',
  'transfer-encoding: chunked\r\ncontent-length: 5',
  'transfer-encoding: gzip',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: gzip\r\ntransfer-encoding: chunked',
  'transfer-encoding: chunked, gzip',
  'transfer-encoding: chunked, chunked',
  'transfer-encoding: chunked\r\ntransfer-encoding: chunked',
  'transfer-encoding: xchunked',
  'transfer-encoding: chunkedx',
  'transfer-encoding: chunked;a=b',
  'transfer-encoding: "chunked"',
  'transfer-encoding: , chunked',
  'transfer-encoding: chunked,',
  'transfer-encoding: identity',
  'transfer-encoding:',
  'transfer-encoding:\r\ntransfer-encoding: chunked',
  'transfer-encoding: CHUNKED',
  'transfer-encoding: chunked\t',
  'transfer-encoding: chunked\t ',
  'transfer-encoding: chunked ',
  'transfer-encoding: chun\r\n ked',
  'connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5',
  'connection: close\r\ncontent-length: 5',
  'connection: keep-alive',
  'trailer: x-a\r\ncontent-length: 5',
  Array.from({ length: 300 }, (_, i) => `x-${i}: 1`).join('\r\n'),
  `x-a: ${'y'.repeat(60_000)}\r\ncontent-length: 5`,
  `x-a: ${'y'.repeat(70_000)}\r\ncontent-length: 5`,
];

const ODD_STARTS: readonly string[] = [
  'HTTP/1.1 200',
  'HTTP/1.1 200 ',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200\tOK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 099 OK',
  'HTTP/1.1 000 OK',
  'HTTP/1.1 999 OK',
  'HTTP/1.1 200OK',
  'HTTP/1.1 200 O\x00K',
  'HTTP/1.1 200 O\rK',
  'HTTP/1.1 200 O\x7fK',
  'HTTP/1.1 200 O\xffK',
  'HTTP/1.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/0.9 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/1.10 200 OK',
  'HTTP/01.1 200 OK',
  'HTTP/1 200 OK',
  'http/1.1 200 OK',
  'HTTPS/1.1 200 OK',
  'ICY 200 OK',
  'RTSP/1.0 200 OK',
  '\r\nHTTP/1.1 200 OK',
  '\nHTTP/1.1 200 OK',
  ' HTTP/1.1 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 205 Reset Content',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 199 Early',
  'HTTP/1.1 100 Continue\r\nconnection: close\r\n\r\nHTTP/1.1 200 OK',
  'HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK',
  'HTTP/1.1 100 Continue\r\ntransfer-encoding: chunked\r\n\r\nHTTP/1.1 200 OK',
  'HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 200 OK',
  `${'HTTP/1.1 103 Early\r\n\r\n'.repeat(40)}HTTP/1.1 200 OK`,
];

/** What follows the head of a chunked answer; `DATA` is a chunk, `END` the last one. */
const ODD_CHUNKS: readonly string[] = [
  'DATAEND',
  'END',
  'DATA',
  'DATA0\r\n',
  'DATA0\r\n\r',
  'DATA00000000000000000\r\n\r\n',
  '0000000000005\r\nabcde\r\nEND',
  '00000000000000005\r\nabcde\r\nEND',
  '5\nabcde\r\nEND',
  '5\rabcde\r\nEND',
  '5\r\nabcde\nEND',
  '5\r\nabcde\rEND',
  '5\r\nabcdeEND',
  '5\r\nabcdef\r\nEND',
  '5\r\nabcd\r\nEND',
  '5 \r\nabcde\r\nEND',
  ' 5\r\nabcde\r\nEND',
  '5\t\r\nabcde\r\nEND',
  '+5\r\nabcde\r\nEND',
  '-5\r\nabcde\r\nEND',
  '0x5\r\nabcde\r\nEND',
  '5h\r\nabcde\r\nEND',
  '\r\nabcde\r\nEND',
  'fffffffffffffffff\r\nabcde',
  'ffffffffffffffff\r\nabcde',
  '5;\r\nabcde\r\nEND',
  '5;a\r\nabcde\r\nEND',
  '5;a=\r\nabcde\r\nEND',
  '5;a=b\r\nabcde\r\nEND',
  '5;a=b;c\r\nabcde\r\nEND',
  '5;;a\r\nabcde\r\nEND',
  '5;a;\r\nabcde\r\nEND',
  '5;=b\r\nabcde\r\nEND',
  '5; a=b\r\nabcde\r\nEND',
  '5 ;a=b\r\nabcde\r\nEND',
  '5;a =b\r\nabcde\r\nEND',
  '5;a= b\r\nabcde\r\nEND',
  '5;a=b \r\nabcde\r\nEND',
  '5;a="b c"\r\nabcde\r\nEND',
  '5;a="b"c\r\nabcde\r\nEND',
  '5;a="b\\"c"\r\nabcde\r\nEND',
  '5;a="b\\\r\nabcde\r\nEND',
  '5;a="b\r\nabcde\r\nEND',
  '5;a="\xe9"\r\nabcde\r\nEND',
  '5;a=\xe9\r\nabcde\r\nEND',
  '5;a=(\r\nabcde\r\nEND',
  '5;a\x00\r\nabcde\r\nEND',
  '5;a\x7f\r\nabcde\r\nEND',
  '5;a\nabcde\r\nEND',
  '5;a\r\r\nabcde\r\nEND',
  `5;a=${'b'.repeat(3000)}\r\nabcde\r\nEND`,
  `5;a=${'b'.repeat(5000)}\r\nabcde\r\nEND`,
  `${`1;a=${'b'.repeat(300)}\r\nx\r\n`.repeat(60)}END`,
  'DATA0;a=b\r\n\r\n',
  'DATA0\r\nx-a: b\r\n\r\n',
  'DATA0\r\nx-a: b\r\nx-c:\r\n\r\n',
  'DATA0\r\nx-a\r\n\r\n',
  'DATA0\r\n: b\r\n\r\n',
  'DATA0\r\nx-a : b\r\n\r\n',
  'DATA0\r\nx-a: b\r\n c\r\n\r\n',
  'DATA0\r\nx-a: b\x00\r\n\r\n',
  'DATA0\r\nx-a: b\nx-c: d\r\n\r\n',
  'DATA0\r\nx-a: b\r\n\n',
  'DATA0\n\r\n',
  'DATA0\r\ncontent-length: 5\r\n\r\n',
  'DATA0\r\ntransfer-encoding: chunked\r\n\r\n',
  'DATA0\r\nconnection: close\r\n\r\n',
  `DATA0\r\nx-a: ${'y'.repeat(3000)}\r\n\r\n`,
  `DATA0\r\nx-a: ${'y'.repeat(5000)}\r\n\r\n`,
  `DATA0\r\n${'x-a: b\r\n'.repeat(3000)}\r\n`,
  'DATAENDexcess',
  'DATAENDHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
];

function oddAnswers(): Buffer[] {
  const ok = 'HTTP/1.1 200 OK';
  const chunked = 'transfer-encoding: chunked';
  const bodies = ['', 'abcde', 'abcdefghij', '5\r\nabcde\r\n0\r\n\r\n'];
  const texts = [
    ...ODD_HEADS.flatMap((lines) => bodies.map((body) => `${ok}\r\n${lines}\r\n\r\n${body}`)),
    ...ODD_STARTS.flatMap((start) =>
      ['content-length: 5', 'content-length: 0', chunked, 'x-a: b'].flatMap((line) =>
        bodies.map((body) => `${start}\r\n${line}\r\n\r\n${body}`),
      ),
    ),
    ...ODD_CHUNKS.map((chunks) => `${ok}\r\n${chunked}\r\n\r\n${chunks}`),
  ];
  return texts.map((text) =>
    Buffer.from(text.replaceAll('DATA', '5\r\nabcde\r\n').replaceAll('END', '0\r\n\r\n'), 'latin1'),
  );
}

/** What a client made of an answer; null when it refused it or found it cut. */
interface Verdict {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

interface Comparison {
  readonly bytes: Buffer;
  readonly theirs: Verdict | null;
  readonly ours: Verdict | null;
  readonly problem: string | null;
}

/** Answers every connection with the next of these bytes, and ends it. */
let server: Server;
const answers: Map<string, Buffer> = new Map();

before(async () => {
  server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      const name = /^POST \/(\d+) /.exec(bytes.toString('latin1'))?.[1] ?? '';
      socket.end(answers.get(name) ?? '');
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(async () => {
  server.close();
  await once(server, 'close');
});

async function askNode(name: string): Promise<Verdict | null> {
  const { promise, resolve } = Promise.withResolvers<Verdict | null>();
  const { port } = server.address() as AddressInfo;
  const options = { port, path: `/${name}`, method: 'POST', agent: false, maxHeaderSize: 65_536 };
  const outgoing = request({ host: '127.0.0.1', ...options });
  let incoming: IncomingMessage | null = null;
  outgoing.on('response', (response) => {
    incoming = response;
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', () => resolve(null));
    response.on('end', () => {
      const { complete, statusCode = 0, rawHeaders } = response;
      const headers = rawHeaders.map((text, index) =>
        index % 2 === 0 ? text.toLowerCase() : text,
      );
      resolve(complete ? { status: statusCode, headers, body: Buffer.concat(pieces) } : null);
    });
  });
  outgoing.on('upgrade', (_response, socket) => {
    socket.destroy();
    resolve(null);
  });
  outgoing.on('error', () => {
    // Excess behind a complete answer is an error too, after which the answer is still delivered.
    if (incoming === null || !incoming.complete) resolve(null);
  });
  outgoing.end();
  const verdict = await promise;
  outgoing.destroy();
  return verdict;
}

async function compare(bytes: Buffer, name: string): Promise<Comparison> {
  answers.set(name, bytes);
  const theirs = await askNode(name);
  answers.delete(name);
  const { head, body, isComplete, problem } = readPieces([bytes]);
  const { status = 0, headers = [] } = head ?? {};
  return { bytes, theirs, ours: isComplete ? { status, headers, body } : null, problem };
}

/** Compares all, some at a time. */
async function compareAll(corpus: readonly Buffer[]): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (let at = 0; at < corpus.length; at += 32) {
    const batch = corpus.slice(at, at + 32);
    const done = await Promise.all(batch.map((bytes, index) => compare(bytes, String(at + index))));
    comparisons.push(...done);
  }
  return comparisons;
}

/** Why the two clients may not differ like this; null when they may. */
function faultOf({ theirs, ours, problem }: Comparison): string | null {
  if (theirs === null) return ours === null ? null : 'ours accepts what llhttp refuses';
  if (ours === null) {
    const isListed = STRICTER.some(([start]) => problem !== null && problem.startsWith(start));
    return isListed ? null : `llhttp accepts; ours says "${problem}"`;
  }
  const isSame =
    theirs.status === ours.status &&
    theirs.body.equals(ours.body) &&
    theirs.headers.join('\n') === ours.headers.join('\n');
  return isSame ? null : 'both accept, and read different things';
}

function report(comparisons: readonly Comparison[], seed: number): void {
  const faults = comparisons.flatMap((comparison) => {
    const fault = faultOf(comparison);
    return fault === null
      ? []
      : [`${fault}: ${JSON.stringify(comparison.bytes.toString('latin1'))}`];
  });
  assert.deepEqual(faults.slice(0, 20), [], `${faults.length} differences with seed ${seed}`);
}

test('valid answers are read alike by llhttp and by us', async () => {
  const seed = pickSeed();
  const corpus = fc.sample(rawAnswer, { seed, numRuns: 300 }).map(({ bytes }) => bytes);
  const comparisons = await compareAll(corpus);
  report(comparisons, seed);
  assert.equal(comparisons.filter(({ ours }) => ours === null).length, 0, `seed ${seed}`);
});

test('odd answers are read alike, or refused by us for a listed reason', async () => {
  const comparisons = await compareAll(oddAnswers());
  report(comparisons, 0);
  for (const [start, reason] of STRICTER) {
    const isSeen = comparisons.some(
      ({ theirs, problem }) => theirs !== null && problem !== null && problem.startsWith(start),
    );
    assert.ok(isSeen, `not a difference any more: ${start} (${reason})`);
  }
});

test('damaged answers are read alike, or refused by us for a listed reason', async () => {
  const seed = pickSeed();
  const comparisons = await compareAll(fc.sample(damagedAnswer, { seed, numRuns: 2500 }));
  report(comparisons, seed);
  // The damage must neither spare all answers nor destroy all of them.
  const accepted = comparisons.filter(({ ours }) => ours !== null).length;
  assert.ok(accepted > 250 && accepted < 2250, `${accepted} accepted with seed ${seed}`);
});

function pickSeed(): number {
  return fc.sample(fc.nat(), 1)[0] ?? 0;
}
