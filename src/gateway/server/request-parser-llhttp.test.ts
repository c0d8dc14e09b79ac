import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { compareInBatches, pickSeed, reportFaults } from '../wire/testing/llhttp-comparison.ts';
import { ODD_CHUNKED_BODIES, ODD_FIELDS } from '../wire/testing/odd-messages.ts';
import { cutInto, cuts } from '../wire/testing/raw-messages.ts';
import { findField } from './request-head.ts';
import { damagedRequests, pipelinedRequests } from './testing/raw-requests.ts';
import { LIMITS, readPieces } from './testing/reading.ts';

// Node's own server, and with it llhttp, reads the same bytes as our parser. What it refuses we
// refuse. Where both accept they must agree on everything; where they differ, ours must be the
// stricter, for a reason listed here.

/** What our problems say of requests that llhttp accepts, and why they are refused here. */
const STRICTER: readonly (readonly [problem: string, reason: string])[] = [
  ['request line is not that of', 'RTSP, fragments, bytes beyond ASCII, methods nobody sends'],
  ['no method that is known', 'the same, found before the line has ended'],
  ['The request has no Host', 'Node answers 400 as well, but reads on'],
  ['two Host headers', 'whose request it is cannot be told; llhttp does not look'],
  ['Transfer-Encoding is not "chunked"', 'llhttp takes any coding before the last one'],
  ['two Transfer-Encoding headers', 'llhttp takes any coding before the last one'],
  ['Transfer-Encoding in HTTP/1.0', 'RFC 9112 section 6.1 calls the framing faulty'],
  ['half a line end', 'llhttp reads HTTP/0.9, where a request is a line that may end in LF'],
  ['more than 256 headers', 'a limit of our own'],
  ['a line end is cut', 'llhttp takes a bare CR before a request'],
  ['Content-Length is not a number', 'more digits than are exact as a number, be they zeros'],
  ['a chunk size is not a number', 'more digits than are exact as a number, be they zeros'],
  ['a chunk extension is malformed', 'llhttp takes empty names and values'],
  ['a trailer is malformed', 'llhttp takes Transfer-Encoding in a trailer section'],
  ['a line of the chunked coding is too long', 'a tighter limit'],
  ['too many chunk extensions or trailers', 'a limit for both and not each'],
];

const HOST = 'Host: x';

/** The same in requests alone. */
const ODD_LINES: readonly string[] = [
  ...ODD_FIELDS,
  HOST,
  'Host: y',
  'Host:',
  'expect: 100-continue\r\ncontent-length: 5',
  'expect: 100-Continue\r\ntransfer-encoding: chunked',
  'expect: nothing\r\ncontent-length: 5',
  'upgrade: h2c\r\nhttp2-settings: AA\r\ncontent-length: 5',
];

const ODD_STARTS: readonly string[] = [
  'POST / HTTP/1.1',
  'POST  / HTTP/1.1',
  'POST /  HTTP/1.1',
  'POST\t/ HTTP/1.1',
  ' POST / HTTP/1.1',
  'POST / HTTP/1.1 ',
  'POST / HTTP/1.1\t',
  'POST / HTTP/1.0',
  'POST / HTTP/1.2',
  'POST / HTTP/0.9',
  'POST / HTTP/2.0',
  'POST / HTTP/1.10',
  'POST / HTTP/01.1',
  'POST / HTTP/1',
  'POST / http/1.1',
  'POST / HTTPS/1.1',
  'POST / ICE/1.0',
  'POST / RTSP/1.0',
  'POST /',
  'POST',
  'POST HTTP/1.1',
  'post / HTTP/1.1',
  'Post / HTTP/1.1',
  'POSTX / HTTP/1.1',
  'POS / HTTP/1.1',
  'FETCH / HTTP/1.1',
  'PROPFIND / HTTP/1.1',
  'M-SEARCH / HTTP/1.1',
  'QUERY / HTTP/1.1',
  'TRACE / HTTP/1.1',
  'CONNECT / HTTP/1.1',
  'CONNECT x:443 HTTP/1.1',
  'DESCRIBE / RTSP/1.0',
  'PRI * HTTP/2.0',
  'OPTIONS * HTTP/1.1',
  'POST * HTTP/1.1',
  'POST x HTTP/1.1',
  'POST x/y HTTP/1.1',
  'POST ?x HTTP/1.1',
  'POST http:/x HTTP/1.1',
  'POST http:// HTTP/1.1',
  'POST http://x HTTP/1.1',
  'POST http://x? HTTP/1.1',
  'POST HTTP://x/y HTTP/1.1',
  'POST http://u:p@x/y HTTP/1.1',
  'POST http://\xff/y HTTP/1.1',
  'POST http://x\xff/y HTTP/1.1',
  'POST http://[::1]:8/y HTTP/1.1',
  'POST http://%41/y HTTP/1.1',
  'POST ftp://x/y HTTP/1.1',
  'POST //x HTTP/1.1',
  'POST /a b HTTP/1.1',
  'POST /a\x00b HTTP/1.1',
  'POST /a\tb HTTP/1.1',
  'POST /a\x7fb HTTP/1.1',
  'POST /a\xe9b HTTP/1.1',
  'POST /a#b HTTP/1.1',
  'POST /a?b#c HTTP/1.1',
  'POST /a"<>\\^`{|} HTTP/1.1',
  'POST /%zz%00%0d%0a HTTP/1.1',
  'POST /a\rb HTTP/1.1',
  'POST /a\nb HTTP/1.1',
  'POST / HTTP/1.1\r',
  '\r\nPOST / HTTP/1.1',
  '\r\n\r\n\r\nPOST / HTTP/1.1',
  '\nPOST / HTTP/1.1',
  '\rPOST / HTTP/1.1',
  '\r\r\nPOST / HTTP/1.1',
  '\n\nPOST / HTTP/1.1',
  '\0POST / HTTP/1.1',
  '\xef\xbb\xbfPOST / HTTP/1.1',
  `POST /${'a'.repeat(7000)} HTTP/1.1`,
  `POST /${'a'.repeat(30_000)} HTTP/1.1`,
];

/** What is sent as body behind odd heads; each may be read as a body or as the next request. */
const BODIES: readonly string[] = [
  '',
  'abcde',
  '5\r\nabcde\r\n0\r\n\r\n',
  '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
  '5\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
];

const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';

function oddRequests(): Buffer[] {
  const chunked = 'transfer-encoding: chunked';
  const texts = [
    ...ODD_LINES.flatMap((lines) =>
      BODIES.map((body) => `POST / HTTP/1.1\r\n${HOST}\r\n${lines}\r\n\r\n${body}`),
    ),
    ...ODD_LINES.map((lines) => `POST / HTTP/1.1\r\n${lines}\r\n${HOST}\r\n\r\nabcde${NEXT}`),
    ...ODD_LINES.map((lines) => `GET / HTTP/1.0\r\n${lines}\r\n\r\nabcde`),
    ...ODD_STARTS.flatMap((start) =>
      ['content-length: 5', chunked, 'x-a: b'].flatMap((line) =>
        BODIES.map((body) => `${start}\r\n${HOST}\r\n${line}\r\n\r\n${body}`),
      ),
    ),
    ...ODD_CHUNKED_BODIES.flatMap((chunks) =>
      ['', NEXT, '\r\n'].map(
        (next) => `POST / HTTP/1.1\r\n${HOST}\r\n${chunked}\r\n\r\n${chunks}${next}`,
      ),
    ),
    'POST / HTTP/1.1\r\n\r\n',
    'POST /\n\r\n',
    'POST / HTTP/1.0\r\n\r\n',
    'POST / HTTP/1.1\nHost: x\n\n',
    'POST / HTTP/1.1\r\nHost: x\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\n\n',
    'POST / HTTP/1.1\r\nHost: x\r\n\rX',
    'POST / HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n',
  ];
  return texts.map((text) => Buffer.from(text, 'latin1'));
}

/** A complete request, as either reader saw it. */
interface Seen {
  readonly method: string;
  readonly target: string;
  /** Names in lower case and values, alternating. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

interface Comparison {
  readonly bytes: Buffer;
  readonly theirs: readonly Seen[];
  readonly ours: readonly Seen[];
  readonly problem: string | null;
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly pieces: Buffer[];
}

/** Requests by the port of the client that sent them. */
const arrivals: Map<number, Arrival[]> = new Map();
let server: Server;

before(async () => {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const arrival: Arrival = { request, pieces: [] };
    const port = request.socket.remotePort ?? 0;
    arrivals.set(port, [...(arrivals.get(port) ?? []), arrival]);
    request.on('data', (piece: Buffer) => arrival.pieces.push(piece));
    request.on('error', () => undefined);
    response.end();
  };
  const maxHeaderSize = LIMITS.headerBytes + LIMITS.urlBytes;
  server = createServer({ maxHeaderSize, requireHostHeader: false }, handle);
  server.on('checkExpectation', handle);
  // What was read before the error must still be told.
  server.on('clientError', (_error, socket) => setImmediate(() => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(async () => {
  server.close();
  await once(server, 'close');
});

async function askNode(pieces: readonly Buffer[]): Promise<Seen[]> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const ownPort = socket.localPort ?? 0;
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume();
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(setImmediate);
  }
  socket.end();
  await closed;
  const seen = (arrivals.get(ownPort) ?? []).filter(({ request }) => request.complete);
  arrivals.delete(ownPort);
  return seen.map(({ request, pieces: body }) => ({
    method: request.method ?? '',
    target: request.url ?? '',
    fields: request.rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
    body: Buffer.concat(body),
  }));
}

function askOurs(pieces: readonly Buffer[]): { seen: Seen[]; problem: string | null } {
  const { requests, problem } = readPieces(pieces);
  const seen = requests.map(({ head, body }) => {
    const [start = '', ...lines] = head.text.slice(0, -2).split('\r\n');
    const fields = lines.flatMap((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      return [name, line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
    });
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at]!;
      const values = fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
      assert.equal(findField(head, name), values.join(name === 'cookie' ? '; ' : ', '));
    }
    const [method = '', target = ''] = start.split(' ');
    assert.equal(method, head.line.method);
    return { method, target, fields, body };
  });
  return { seen, problem: problem === null ? null : problem.message };
}

/** How the two readers get their bytes in pieces. */
interface Sending {
  readonly bytes: Buffer;
  readonly pieces: readonly Buffer[];
  readonly theirPieces: readonly Buffer[];
}

async function compare({ bytes, pieces, theirPieces }: Sending): Promise<Comparison> {
  const { seen, problem } = askOurs(pieces);
  return { bytes, theirs: await askNode(theirPieces), ours: seen, problem };
}

function compareAll(corpus: readonly Sending[]): Promise<Comparison[]> {
  return compareInBatches(corpus, compare);
}

/** Why the two readers may not differ like this; null when they may. */
function faultOf({ theirs, ours: allOurs, problem }: Comparison): string | null {
  // What follows a wish to upgrade llhttp leaves unread, for another protocol to read.
  const isUpgrade = theirs.at(-1)?.fields.includes('upgrade') === true;
  const ours = isUpgrade ? allOurs.slice(0, theirs.length) : allOurs;
  if (ours.length > theirs.length) return `ours accepts what llhttp refuses`;
  for (const [index, mine] of ours.entries()) {
    const their = theirs[index]!;
    const isSame =
      mine.method === their.method &&
      mine.target === their.target &&
      mine.body.equals(their.body) &&
      mine.fields.join('\n') === their.fields.join('\n');
    if (!isSame) return 'both accept, and read different things';
  }
  if (ours.length === theirs.length) return null;
  const isListed = STRICTER.some(([text]) => problem !== null && problem.includes(text));
  return isListed ? null : `llhttp accepts; ours says "${problem}"`;
}

test('valid requests are read alike by llhttp and by us, however they are cut', async () => {
  const seed = pickSeed();
  const corpus = fc
    .sample(fc.tuple(pipelinedRequests, cuts), { seed, numRuns: 300 })
    .map(([requests, lengths]) => {
      const bytes = Buffer.concat(requests.map(({ bytes: part }) => part));
      return { bytes, pieces: cutInto(bytes, lengths), theirPieces: [bytes] };
    });
  const comparisons = await compareAll(corpus);
  reportFaults(comparisons, faultOf, seed);
  for (const { ours, theirs, problem } of comparisons) {
    assert.equal(problem, null, `seed ${seed}`);
    assert.equal(ours.length, theirs.length, `seed ${seed}`);
  }
});

test('odd requests are read alike, or refused by us for a listed reason', async () => {
  const requests = oddRequests();
  const comparisons = await compareAll(
    requests.map((bytes) => ({ bytes, pieces: [bytes], theirPieces: [bytes] })),
  );
  reportFaults(comparisons, faultOf, 0);
  for (const [text, reason] of STRICTER) {
    const isSeen = comparisons.some(
      ({ theirs, ours, problem }) => theirs.length > ours.length && problem?.includes(text),
    );
    assert.ok(isSeen, `not a difference any more: ${text} (${reason})`);
  }
  // Nothing hidden in a body was ever taken for a request that llhttp does not see.
  const smuggled = comparisons.filter(({ ours }) =>
    ours.some(({ target }) => target === '/smuggled'),
  );
  assert.ok(smuggled.every(({ theirs }) => theirs.some(({ target }) => target === '/smuggled')));
});

test('odd requests that are cut anywhere are read as in one piece', () => {
  for (const bytes of oddRequests().filter(({ length }) => length < 400)) {
    const whole = askOurs([bytes]);
    for (const size of [1, 2, 3, 7]) {
      const cut = askOurs(cutInto(bytes, [size]));
      assert.deepEqual(cut.seen, whole.seen, JSON.stringify(bytes.toString('latin1')));
      assert.equal(cut.problem === null, whole.problem === null);
    }
  }
});

test('damaged requests are read alike, or refused by us for a listed reason', async () => {
  const seed = pickSeed();
  const corpus = fc
    .sample(fc.tuple(damagedRequests, cuts), { seed, numRuns: 2000 })
    .map(([bytes, lengths], index) => {
      const middle = index % bytes.length;
      const halves = [bytes.subarray(0, middle), bytes.subarray(middle)];
      return { bytes, pieces: cutInto(bytes, lengths), theirPieces: halves };
    });
  const comparisons = await compareAll(corpus);
  reportFaults(comparisons, faultOf, seed);
  // The damage must neither spare all requests nor destroy all of them.
  const { length: accepted } = comparisons.filter(({ ours }) => ours.length > 0);
  const { length: refused } = comparisons.filter(({ problem }) => problem !== null);
  assert.ok(accepted > 300, `${accepted} accepted with seed ${seed}`);
  assert.ok(refused > 300, `${refused} refused with seed ${seed}`);
});
