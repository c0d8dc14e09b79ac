import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/core/errors.ts';
import { ERRORS } from '../../src/core/errors.ts';
import { waitUntil } from './support/gateway.ts';
import type { RawAnswer } from './support/raw-client.ts';
import { errorOf, openRawClient, requestBytes } from './support/raw-client.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import { chatAnswer, chatFrame } from './support/scripted-server.ts';
import type { ScriptedWorld } from './support/scripted-world.ts';
import { startScriptedWorld } from './support/scripted-world.ts';

/** One thing that a client does wrong, and what it gets. */
interface BadInput {
  readonly name: string;
  /** Sent one after the other, so that the gateway reads each by itself. */
  readonly send: Buffer | string | readonly (Buffer | string)[];
  readonly code: ErrorCode;
  /** Default: the status of the code. */
  readonly family?: 'openai' | 'anthropic';
  /** Expected in the message. */
  readonly says?: RegExp;
  readonly param?: string;
  /** A header that the answer must have, and its value. */
  readonly header?: readonly [name: string, value: RegExp];
  /** The connection is closed after the answer; otherwise the next request on it must work. */
  readonly closes?: true;
}

const LIMITS =
  'limits: { bodyBytes: 4096, headerBytes: 2048, urlBytes: 512, headMs: 400, bodyMs: 300 }\n';
const GOOD = '{"model":"scripted"}';
const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const AUDIO = '/v1/audio/transcriptions';

function post(body: string, path = CHAT, lines: readonly string[] = []): Buffer {
  return requestBytes({ path, body, lines });
}

function form(body: string, type = 'multipart/form-data; boundary=BB'): Buffer {
  return post(body, AUDIO, [`content-type: ${type}`]);
}

/** A request whose head is written out; a blank line is added. */
function raw(...lines: readonly string[]): string {
  return [...lines, '', ''].join('\r\n');
}

const FORM_FILE =
  '--BB\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n';

/** Bodies that are no request of the API, whatever the path. */
const BAD_BODIES: readonly Omit<BadInput, 'family'>[] = [
  { name: 'malformed JSON', send: '{"model":"scripted",,}', code: 'invalid_json', says: /byte 20/ },
  { name: 'truncated JSON', send: '{"model":"scripted"', code: 'invalid_json', says: /ends early/ },
  { name: 'trailing garbage', send: '{"model":"scripted"} x', code: 'invalid_json' },
  { name: 'two documents', send: `${GOOD}${GOOD}`, code: 'invalid_json' },
  { name: 'an array', send: '[{"model":"scripted"}]', code: 'invalid_json', says: /an array/ },
  { name: 'a string', send: '"scripted"', code: 'invalid_json' },
  { name: 'an empty body', send: '', code: 'invalid_json', says: /empty/ },
  { name: 'a byte order mark', send: `\u00ef\u00bb\u00bf${GOOD}`, code: 'invalid_json' },
  { name: 'a bare control character', send: '{"model":"scripted","x":"\n"}', code: 'invalid_json' },
  {
    name: 'a number with a leading zero',
    send: '{"model":"scripted","x":01}',
    code: 'invalid_json',
  },
  {
    name: 'too deep',
    send: `{"model":"scripted","x":${'['.repeat(2000)}`,
    code: 'invalid_json',
    says: /deeper/,
  },
  {
    name: 'the model twice',
    send: '{"model":"scripted","model":"scripted"}',
    code: 'invalid_json',
  },
  { name: 'no model', send: '{"messages":[]}', code: 'model_missing', param: 'model' },
  {
    name: 'a model deeper down only',
    send: '{"x":{"model":"scripted"}}',
    code: 'model_missing',
    param: 'model',
  },
  {
    name: 'a model that is a number',
    send: '{"model":7}',
    code: 'model_missing',
    says: /a number/,
    param: 'model',
  },
  { name: 'a model that is null', send: '{"model":null}', code: 'model_missing', param: 'model' },
  {
    name: 'an empty model',
    send: '{"model":""}',
    code: 'model_missing',
    says: /empty/,
    param: 'model',
  },
  {
    name: 'an unknown model',
    send: '{"model":"scriptde"}',
    code: 'model_not_found',
    says: /Did you mean "scripted"\?/,
    param: 'model',
  },
  {
    name: 'a body over the limit',
    send: `{"model":"scripted","x":"${'x'.repeat(5000)}"}`,
    code: 'body_too_large',
    says: /4096/,
  },
];

const BODY_ROWS: readonly BadInput[] = BAD_BODIES.flatMap((row) =>
  ([CHAT, MESSAGES] as const).flatMap((path) =>
    (['length', 'chunked'] as const).map((framing): BadInput => ({
      ...row,
      name: `${row.name} (${path}, ${framing})`,
      send: requestBytes({ path, framing, body: Buffer.from(row.send as string, 'latin1') }),
      family: path === MESSAGES ? 'anthropic' : 'openai',
    })),
  ),
);

const ROUTE_ROWS: readonly BadInput[] = [
  {
    name: 'GET of a POST path',
    send: requestBytes({ method: 'GET', path: CHAT }),
    code: 'method_not_allowed',
    header: ['allow', /^POST$/],
  },
  {
    name: 'PUT of a POST path, with a body',
    send: requestBytes({ method: 'PUT', path: CHAT, body: GOOD }),
    code: 'method_not_allowed',
    header: ['allow', /^POST$/],
  },
  {
    name: 'GET of messages',
    send: requestBytes({ method: 'GET', path: MESSAGES }),
    code: 'method_not_allowed',
    family: 'anthropic',
    header: ['allow', /^POST$/],
  },
  {
    name: 'POST to the model list',
    send: post(GOOD, '/v1/models'),
    code: 'method_not_allowed',
    header: ['allow', /^GET, HEAD$/],
  },
  {
    name: 'DELETE of a model',
    send: requestBytes({ method: 'DELETE', path: '/v1/models/scripted' }),
    code: 'method_not_allowed',
    header: ['allow', /^GET, HEAD$/],
  },
  {
    name: 'OPTIONS of a POST path',
    send: requestBytes({ method: 'OPTIONS', path: CHAT }),
    code: 'method_not_allowed',
    header: ['allow', /^POST$/],
  },
  {
    name: 'an unknown path',
    send: post(GOOD, '/nothing'),
    code: 'route_not_found',
    says: /\/nothing/,
  },
  {
    name: 'a path that leads out of /v1',
    send: post(GOOD, '/v1/../sleep'),
    code: 'route_not_found',
  },
  {
    name: 'a path that leads out of /v1 in disguise',
    send: post(GOOD, '/v1/x/%2e%2E/.%2e/sleep?y=1'),
    code: 'route_not_found',
  },
  {
    name: 'GET of an unknown path',
    send: requestBytes({ method: 'GET', path: '/nothing?x=/v1/models' }),
    code: 'route_not_found',
  },
  {
    name: 'an unknown path of an Anthropic client',
    send: post(GOOD, '/nothing', ['anthropic-version: 2023-06-01']),
    code: 'route_not_found',
    family: 'anthropic',
  },
  {
    name: 'GET of an unknown model',
    send: requestBytes({ method: 'GET', path: '/v1/models/scriptde' }),
    code: 'model_not_found',
    says: /"scripted"/,
    param: 'model',
  },
  {
    name: 'a URL over the limit',
    send: post(GOOD, `${CHAT}?x=${'x'.repeat(600)}`),
    code: 'url_too_long',
    says: /512/,
  },
  {
    name: 'a URL far over the limit',
    send: post(GOOD, `${CHAT}?x=${'x'.repeat(60_000)}`),
    code: 'url_too_long',
    closes: true,
  },
  {
    name: 'a URL far over the limit, in pieces',
    send: [`POST ${CHAT}?x=`, 'x'.repeat(300), 'x'.repeat(300), 'x'.repeat(300), 'x'.repeat(3000)],
    code: 'url_too_long',
    closes: true,
  },
  {
    name: 'headers over the limit',
    send: post(GOOD, CHAT, [`x-long: ${'x'.repeat(4000)}`]),
    code: 'header_too_large',
    closes: true,
  },
  {
    name: 'headers over the limit, in pieces',
    send: [`POST ${CHAT} HTTP/1.1\r\n`, `x-long: ${'x'.repeat(1500)}`, 'x'.repeat(3000)],
    code: 'header_too_large',
    closes: true,
  },
  {
    name: 'many small headers over the limit',
    send: post(
      GOOD,
      MESSAGES,
      Array.from({ length: 200 }, (_, i) => `x-${i}: 0123456789`),
    ),
    code: 'header_too_large',
    family: 'anthropic',
    closes: true,
  },
  {
    name: 'a compressed body',
    send: requestBytes({ body: gzipSync(GOOD), lines: ['content-encoding: gzip'] }),
    code: 'unsupported_encoding',
    says: /gzip/,
  },
  {
    name: 'a compressed body for messages',
    send: requestBytes({ path: MESSAGES, body: gzipSync(GOOD), lines: ['content-encoding: gzip'] }),
    code: 'unsupported_encoding',
    family: 'anthropic',
  },
];

const HEAD = [`POST ${CHAT} HTTP/1.1`, 'Host: gateway'] as const;

const FRAMING_ROWS: readonly BadInput[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    send: raw(...HEAD, 'Content-Length: 20', 'Transfer-Encoding: chunked') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'Transfer-Encoding and Content-Length',
    send: raw(...HEAD, 'Transfer-Encoding: chunked', 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'two different Content-Length',
    send: raw(...HEAD, 'Content-Length: 20', 'Content-Length: 21') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a list of Content-Length',
    send: raw(...HEAD, 'Content-Length: 20, 21') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a negative Content-Length',
    send: raw(...HEAD, 'Content-Length: -1') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a Content-Length with a sign',
    send: raw(...HEAD, 'Content-Length: +20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a Content-Length too large for a number',
    send: raw(...HEAD, 'Content-Length: 99999999999999999999') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a chunk size that is no number',
    send: [raw(...HEAD, 'Transfer-Encoding: chunked'), 'zz\r\n', GOOD],
    code: 'invalid_http',
  },
  {
    name: 'a chunk size that is too large',
    send: [raw(...HEAD, 'Transfer-Encoding: chunked'), 'fffffffffffffffff\r\n', GOOD],
    code: 'invalid_http',
  },
  {
    name: 'a chunk longer than its size',
    send: [raw(...HEAD, 'Transfer-Encoding: chunked'), `2\r\n${GOOD}\r\n0\r\n\r\n`],
    code: 'invalid_http',
  },
  {
    name: 'a Transfer-Encoding that does not end with chunked',
    send: raw(...HEAD, 'Transfer-Encoding: chunked, gzip') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'an unknown Transfer-Encoding',
    send: raw(...HEAD, 'Transfer-Encoding: xchunked') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a folded header line',
    send: raw(...HEAD, 'X-Folded: a', ' b', 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a blank before the colon',
    send: raw(...HEAD, 'Content-Length : 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a header without a colon',
    send: raw(...HEAD, 'Nonsense', 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'a NUL in a header',
    send: raw(...HEAD, 'X-Nul: a\0b', 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'line ends without CR',
    send: raw(...HEAD, 'Content-Length: 20').replaceAll('\r\n', '\n') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'no Host',
    send: raw(`POST ${CHAT} HTTP/1.1`, 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'two Hosts',
    send: raw(...HEAD, 'Host: other', 'Content-Length: 20') + GOOD,
    code: 'invalid_http',
  },
  {
    name: 'an unknown method',
    send: raw('FETCH /v1/models HTTP/1.1', 'Host: gateway'),
    code: 'invalid_http',
  },
  {
    name: 'an unknown version',
    send: raw(`POST ${CHAT} HTTP/9.9`, 'Host: gateway'),
    code: 'invalid_http',
  },
  { name: 'HTTP/2', send: raw('PRI * HTTP/2.0', '', 'SM'), code: 'invalid_http' },
  { name: 'TLS', send: Buffer.from('16030100f8010000f40303', 'hex'), code: 'invalid_http' },
  {
    name: 'an Anthropic request with a bad length',
    send: raw(`POST ${MESSAGES} HTTP/1.1`, 'Host: gateway', 'Content-Length: x'),
    code: 'invalid_http',
    family: 'anthropic',
  },
].map((row): BadInput => ({ ...row, closes: true }) as BadInput);

const FORM_ROWS: readonly BadInput[] = [
  {
    name: 'JSON where a form is expected',
    send: post(GOOD, AUDIO, ['content-type: application/json']),
    code: 'invalid_multipart',
    says: /boundary/,
  },
  {
    name: 'a form without a boundary',
    send: form(FORM_FILE, 'multipart/form-data'),
    code: 'invalid_multipart',
    says: /boundary/,
  },
  {
    name: 'a form that ends early',
    send: form(FORM_FILE),
    code: 'invalid_multipart',
    says: /ends early/,
  },
  {
    name: 'a form without a model',
    send: form(`${FORM_FILE}--BB--\r\n`),
    code: 'model_missing',
    param: 'model',
  },
  {
    name: 'a form part without a name',
    send: form('--BB\r\nContent-Type: text/plain\r\n\r\nx\r\n--BB--\r\n'),
    code: 'invalid_multipart',
  },
  {
    name: 'a form with an unknown model',
    send: form(
      '--BB\r\nContent-Disposition: form-data; name="model"\r\n\r\nscriptde\r\n--BB--\r\n',
    ),
    code: 'model_not_found',
    says: /"scripted"/,
    param: 'model',
  },
];

const answerAll: VisitHandler = async (visit) => {
  await visit.body();
  visit.reply(200, chatAnswer());
};

function checkError(answer: RawAnswer, row: BadInput): void {
  const { code, family = 'openai' } = row;
  assert.equal(answer.status, ERRORS[code].status, answer.body.toString());
  assert.equal(answer.head.value('content-type'), 'application/json');
  const body = errorOf(answer);
  if (family === 'openai') {
    const { message, ...rest } = body.error;
    assert.deepEqual(rest, { type: ERRORS[code].type, param: row.param ?? null, code });
    assert.equal(typeof message, 'string');
  } else {
    assert.equal(body.type, 'error');
    assert.deepEqual(Object.keys(body.error), ['type', 'message']);
    assert.equal(typeof body.request_id, 'string');
  }
  assert.match(body.error.message, row.says ?? /./);
  if (row.header !== undefined) {
    assert.match(answer.head.value(row.header[0]) ?? '', row.header[1]);
  }
  assert.equal(answer.head.value('connection'), row.closes === true ? 'close' : 'keep-alive');
}

async function startWorld(t: TestContext, more: string = LIMITS): Promise<ScriptedWorld> {
  return startScriptedWorld(t, answerAll, more);
}

async function checkRow(
  t: TestContext,
  { gateway, server }: ScriptedWorld,
  row: BadInput,
): Promise<void> {
  const client = await openRawClient(t, gateway.url);
  const visitsBefore = server.visits.length;
  const { send } = row;
  await client.sendPieces(typeof send === 'string' || Buffer.isBuffer(send) ? [send] : send);
  checkError(await client.answer(0), row);
  assert.equal(server.visits.length, visitsBefore, 'nothing of it reached the endpoint');
  if (row.closes === true) {
    await client.waitForClose();
    assert.equal(client.answers.length, 1);
    return;
  }
  await client.send(post(GOOD));
  const next = await client.answer(1);
  assert.equal(next.status, 200, 'the next request on the same connection');
  assert.equal(next.body.toString(), chatAnswer());
  client.finish();
}

const TABLES = { bodies: BODY_ROWS, routes: ROUTE_ROWS, framing: FRAMING_ROWS, forms: FORM_ROWS };

for (const [name, rows] of Object.entries(TABLES)) {
  test(`bad input is answered in the API's own shape, and spares the connection where it can (${name})`, async (t) => {
    const world = await startWorld(t);
    for (const row of rows) {
      await t.test(row.name, async () => {
        await checkRow(t, world, row);
      });
    }
    const errors = await world.gateway.metric('penstock_errors_total');
    for (const code of new Set(rows.map((row) => row.code))) {
      const count = rows.filter((row) => row.code === code).length;
      assert.equal(errors.get(`{code="${code}"}`), count, `penstock_errors_total of ${code}`);
    }
  });
}

test('a body far over the limit ends the connection instead of being read for ever', async (t) => {
  const { gateway } = await startWorld(t);
  const client = await openRawClient(t, gateway.url);
  await client.send(raw(...HEAD, 'Content-Length: 100000000'));
  assert.equal((await client.answer(0)).status, 413);
  for (let i = 0; i < 100 && !client.hasEnded; i += 1) await client.sendPieces(['x'.repeat(1000)]);
  assert.equal(client.hasEnded, true);
});

test('a body that no path wants does not go on for ever either', async (t) => {
  const { gateway } = await startWorld(t);
  const client = await openRawClient(t, gateway.url);
  await client.send(raw('POST /nothing HTTP/1.1', 'Host: x', 'Content-Length: 100000000'));
  assert.equal((await client.answer(0)).status, 404);
  for (let i = 0; i < 100 && !client.hasEnded; i += 1) await client.sendPieces(['x'.repeat(1000)]);
  assert.equal(client.hasEnded, true);
});

test('a head that does not come in time is 408, and the connection is closed', async (t) => {
  const { gateway, server } = await startWorld(t);
  const client = await openRawClient(t, gateway.url);
  await client.send(`POST ${CHAT} HTTP/1.1\r\nHost: gate`);
  checkError(await client.answer(0), { name: '', send: '', code: 'request_timeout', closes: true });
  await client.waitForClose();
  assert.equal(server.visits.length, 0);
});

for (const [path, family] of [
  [CHAT, 'openai'],
  [MESSAGES, 'anthropic'],
] as const) {
  test(`a body that stops coming is 408, and the connection is closed (${path})`, async (t) => {
    const { gateway, server } = await startWorld(t);
    const client = await openRawClient(t, gateway.url);
    await client.send(requestBytes({ path, body: GOOD }).subarray(0, -3));
    const row: BadInput = { name: '', send: '', code: 'request_timeout', family, closes: true };
    checkError(await client.answer(0), { ...row, says: /300 ms/ });
    await client.waitForClose();
    assert.equal(server.visits.length, 0);
  });
}

test('a body that stops after its dispatch is 408, and the endpoint loses the request', async (t) => {
  const { gateway, server } = await startWorld(t, 'limits: { bodyMs: 300 }\n');
  const client = await openRawClient(t, gateway.url);
  const body = `{"model":"scripted","prompt":"${'p'.repeat(200_000)}"}`;
  await client.send(post(body, '/v1/completions').subarray(0, -3));
  const visit = await server.visit(0);
  checkError(await client.answer(0), { name: '', send: '', code: 'request_timeout', closes: true });
  await visit.gone();
  assert.equal(visit.isComplete, false);
});

test('a bad chunk after the dispatch of its beginning is 400, and the endpoint loses the request', async (t) => {
  const { gateway, server } = await startWorld(t, '');
  const client = await openRawClient(t, gateway.url);
  const start = `{"model":"scripted","input":"${'p'.repeat(200_000)}`;
  const head = raw('POST /v1/embeddings HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked');
  await client.send(`${head}${start.length.toString(16)}\r\n${start}\r\n`);
  const visit = await server.visit(0);
  await client.send('what?\r\n');
  checkError(await client.answer(0), { name: '', send: '', code: 'invalid_http', closes: true });
  await visit.gone();
  assert.equal(visit.isComplete, false);
  await waitUntil('no open requests', async () => {
    return (await gateway.metric('penstock_open_requests')).get('') === 0;
  });
});

test('a body that comes slowly but steadily is not late', async (t) => {
  const { gateway } = await startWorld(t);
  const client = await openRawClient(t, gateway.url);
  const bytes = post(GOOD);
  await client.send(bytes.subarray(0, -6));
  for (let i = 6; i > 0; i -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.send(bytes.subarray(bytes.length - i, bytes.length - i + 1));
  }
  assert.equal((await client.answer(0)).status, 200);
});

test('bad JSON after the dispatch of its beginning is 400, and the endpoint loses the request', async (t) => {
  const { gateway, server } = await startWorld(t, '');
  const client = await openRawClient(t, gateway.url);
  const bytes = post(`{"model":"scripted","prompt":"${'p'.repeat(200_000)}"}}`, '/v1/completions');
  await client.send(bytes.subarray(0, -3));
  const visit = await server.visit(0);
  await client.send(bytes.subarray(-3));
  const answer = await client.answer(0);
  checkError(answer, { name: '', send: '', code: 'invalid_json', says: /byte 200032/ });
  await visit.gone();
  assert.equal(visit.isComplete, false);
  await client.send(post(GOOD));
  assert.equal((await client.answer(1)).status, 200);
});

test('garbage behind a request that is being answered does not get into its answer', async (t) => {
  const { gateway, server } = await startWorld(t);
  server.handle = async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
  };
  const client = await openRawClient(t, gateway.url);
  await client.send(post('{"model":"scripted","stream":true}'));
  await client.waitForText('"one"');
  await client.send('GARBAGE\r\n\r\n');
  await client.waitForClose();
  const [answer] = client.answers;
  assert.equal(answer!.status, 200);
  assert.equal(answer!.isComplete, false);
  assert.doesNotMatch(answer!.body.toString(), /HTTP/);
  await (await server.visit(0)).gone();
});

test('a client that keeps its side open after an error of framing is cut off', async (t) => {
  const { gateway } = await startWorld(t, 'drain: { timeoutMs: 60000 }\n');
  const client = await openRawClient(t, gateway.url);
  client.keepsOpen = true;
  await client.send('NONSENSE\r\n\r\n');
  assert.equal((await client.answer(0)).status, 400);
  await client.waitForClose();
  let isDrained = false;
  void gateway.close().then(() => (isDrained = true));
  await waitUntil('the gateway to be rid of it', () => isDrained);
});

for (const [path, family] of [
  [CHAT, 'openai'],
  [MESSAGES, 'anthropic'],
] as const) {
  test(`a model whose endpoints are all drained is 503 with Retry-After (${path})`, async (t) => {
    const { gateway, server } = await startWorld(t);
    const [endpoint] = (await gateway.state()).endpoints;
    const drain = `${gateway.adminUrl}/api/endpoints/${encodeURIComponent(endpoint!.id)}/drain`;
    assert.equal((await fetch(drain, { method: 'POST' })).ok, true);
    await checkRow(
      t,
      { gateway, server },
      {
        name: 'drained',
        send: post(GOOD, path),
        code: 'no_endpoint',
        family,
        header: ['retry-after', /^[1-9]\d*$/],
      },
    ).catch(async (cause: unknown) => {
      // The next request of the row meets the same drained endpoint: that much is expected.
      assert.match(String(cause), /the next request on the same connection/);
    });
    await fetch(drain, { method: 'DELETE' });
    await waitUntil('the endpoint to be back', async () => {
      const reply = await fetch(gateway.url + CHAT, { method: 'POST', body: GOOD });
      return reply.status === 200;
    });
  });
}
