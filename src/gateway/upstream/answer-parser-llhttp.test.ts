import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { compareInBatches, pickSeed, reportFaults } from '../wire/testing/llhttp-comparison.ts';
import { ODD_CHUNKED_BODIES, ODD_FIELDS } from '../wire/testing/odd-messages.ts';
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
  ['content-length is not a number', 'more digits than are exact as a number, be they zeros'],
  ['a chunk size is not a number', 'more digits than are exact as a number, be they zeros'],
  ['a chunk extension is malformed', 'llhttp takes empty names and values'],
  ['a trailer is malformed', 'llhttp takes Transfer-Encoding in a trailer section'],
  ['a line of the chunked coding is too long', 'a tighter limit'],
  ['there are too many chunk extensions or trailers', 'a limit for both and not each'],
];

/** Lines of a head with one peculiarity each, valid or not. */
const ODD_LINES: readonly string[] = [
  ...ODD_FIELDS,
  'connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5',
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

/** Excess behind chunked answers. */
const EXCESS: readonly string[] = ['excess', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'];

function oddAnswers(): Buffer[] {
  const ok = 'HTTP/1.1 200 OK';
  const chunked = 'transfer-encoding: chunked';
  const bodies = ['', 'abcde', 'abcdefghij', '5\r\nabcde\r\n0\r\n\r\n'];
  const texts = [
    ...ODD_LINES.flatMap((lines) => bodies.map((body) => `${ok}\r\n${lines}\r\n\r\n${body}`)),
    ...ODD_STARTS.flatMap((start) =>
      ['content-length: 5', 'content-length: 0', chunked, 'x-a: b'].flatMap((line) =>
        bodies.map((body) => `${start}\r\n${line}\r\n\r\n${body}`),
      ),
    ),
    ...ODD_CHUNKED_BODIES.map((chunks) => `${ok}\r\n${chunked}\r\n\r\n${chunks}`),
    ...EXCESS.map((excess) => `${ok}\r\n${chunked}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n${excess}`),
  ];
  return texts.map((text) => Buffer.from(text, 'latin1'));
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

function compareAll(corpus: readonly Buffer[]): Promise<Comparison[]> {
  return compareInBatches(corpus, (bytes, index) => compare(bytes, String(index)));
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

test('valid answers are read alike by llhttp and by us', async () => {
  const seed = pickSeed();
  const corpus = fc.sample(rawAnswer, { seed, numRuns: 300 }).map(({ bytes }) => bytes);
  const comparisons = await compareAll(corpus);
  reportFaults(comparisons, faultOf, seed);
  assert.equal(comparisons.filter(({ ours }) => ours === null).length, 0, `seed ${seed}`);
});

test('odd answers are read alike, or refused by us for a listed reason', async () => {
  const comparisons = await compareAll(oddAnswers());
  reportFaults(comparisons, faultOf, 0);
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
  reportFaults(comparisons, faultOf, seed);
  // The damage must neither spare all answers nor destroy all of them.
  const accepted = comparisons.filter(({ ours }) => ours !== null).length;
  assert.ok(accepted > 250 && accepted < 2250, `${accepted} accepted with seed ${seed}`);
});
