import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startGateway } from './support/gateway.ts';
import {
  answerWell,
  ask,
  decision,
  errorCode,
  metric,
  resultsOf,
  startScriptedFleet,
  visitCount,
} from './support/scripted-fleet.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import { SSE_TYPE, chatFrame, startScriptedServer } from './support/scripted-server.ts';

const stayDumb: VisitHandler = () => undefined;

/** Streams a frame and then nothing. */
const stall: VisitHandler = async (visit) => {
  visit.start();
  await visit.chunk(chatFrame('One'));
};

/** The code in the error frame that ends a stream, after a look that no good end follows. */
function streamErrorCode(text: string): string | null {
  assert.ok(!text.includes('[DONE]'), text);
  const frames = text.trimEnd().split('\n\n');
  const data = /^data: (.*)$/m.exec(frames.at(-1) ?? '')?.[1] ?? '{}';
  return (JSON.parse(data) as { error?: { code: string } }).error?.code ?? null;
}

test('a server that does not answer in time gives 504, and no other is tried', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(
    t,
    3,
    'timeouts: { firstByteMs: 300 }',
  );
  script(stayDumb, answerWell);
  const response = await ask(gateway);
  assert.equal(response.status, 504);
  assert.equal(await errorCode(response), 'upstream_timeout');
  assert.equal(visitCount(servers), 1);
  // The request is given up at the server, too.
  await servers.find(({ visits }) => visits.length > 0)!.visits[0]!.gone();
  const record = await decision(gateway);
  assert.deepEqual(resultsOf(record), ['timeout']);
  assert.equal(record.outcome, 'upstream_error');
  assert.equal(record.errorCode, 'upstream_timeout');
  assert.equal(await metric(gateway, 'penstock_errors_total', '{code="upstream_timeout"}'), 1);
  const attempts = '{pool="scripted",result="timeout"}';
  assert.equal(await metric(gateway, 'penstock_attempts_total', attempts), 1);
});

test('a server that goes silent between head and body gives 504', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2, 'timeouts: { idleMs: 300 }');
  script((visit) => visit.start(SSE_TYPE), answerWell);
  const response = await ask(gateway, { stream: true });
  assert.equal(response.status, 504);
  assert.equal(await errorCode(response), 'upstream_timeout');
  assert.equal(visitCount(servers), 1);
  assert.deepEqual(resultsOf(await decision(gateway)), ['timeout']);
});

test('a stream that goes silent ends with an error frame', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2, 'timeouts: { idleMs: 300 }');
  script(stall);
  const response = await ask(gateway, { stream: true });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.ok(text.startsWith(chatFrame('One')));
  assert.equal(streamErrorCode(text), 'upstream_interrupted');
  assert.equal(visitCount(servers), 1);
  const record = await decision(gateway);
  assert.deepEqual(resultsOf(record), ['timeout']);
  assert.equal(record.outcome, 'interrupted');
  assert.equal(record.status, 200);
  const outcome = '{api="chat-completions",model="scripted",pool="scripted",outcome="interrupted"}';
  assert.equal(await metric(gateway, 'penstock_requests_total', outcome), 1);
});

test('a JSON answer that goes silent is cut before its end', async (t) => {
  const { gateway, script } = await startScriptedFleet(t, 2, 'timeouts: { idleMs: 300 }');
  script(async (visit) => {
    await visit.send('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n');
    await visit.send('content-length: 100\r\n\r\n{"id":');
  });
  const response = await ask(gateway);
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
  assert.equal((await decision(gateway)).outcome, 'interrupted');
});

test('the total time ends a request that waits, and one that streams', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2, 'timeouts: { totalMs: 500 }');
  script(stayDumb);
  const waiting = await ask(gateway, { id: 'waiting' });
  assert.equal(waiting.status, 504);
  assert.equal(await errorCode(waiting), 'upstream_timeout');
  assert.equal(visitCount(servers), 1);
  const waited = await decision(gateway, 'waiting');
  assert.deepEqual(resultsOf(waited), ['cancelled']);
  assert.equal(waited.outcome, 'upstream_error');

  script(async (visit) => {
    visit.start();
    while (visit.goneAtMs === null) {
      await visit.chunk(chatFrame('More'));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  const streaming = await ask(gateway, { id: 'streaming', stream: true });
  assert.equal(streaming.status, 200);
  assert.equal(streamErrorCode(await streaming.text()), 'upstream_timeout');
  const streamed = await decision(gateway, 'streaming');
  assert.equal(streamed.outcome, 'interrupted');
  assert.deepEqual(resultsOf(streamed), ['cancelled']);
});

test('a client may ask for less time, not for more', async (t) => {
  const { gateway, script } = await startScriptedFleet(t, 1, 'timeouts: { totalMs: 800 }');
  script(stayDumb);
  for (const asked of ['200', '600000']) {
    const response = await ask(gateway, { headers: { 'x-penstock-timeout-ms': asked } });
    assert.equal(response.status, 504);
    await response.text();
  }
});

/** A server that accepts connections and never says a word: no TLS handshake ends there. */
async function startDumbServer(t: TestContext): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a server to which no connection comes about in time is passed over', async (t) => {
  const dumb = await startDumbServer(t);
  const good = await startScriptedServer(t, { handle: answerWell });
  // With `models` the servers count before they were probed.
  const gateway = await startGateway(
    t,
    `
pools:
  - name: mixed
    models: [scripted]
    endpoints: ['https://127.0.0.1:${dumb}', '${good.url}']
  - name: dumb
    models: [lost]
    endpoints: ['https://127.0.0.1:${dumb}/lost']
timeouts: { connectMs: 200 }
`,
  );
  const lost = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-request-id': 'lost' },
    body: '{"model":"lost","messages":[]}',
  });
  const answers = await Promise.all([0, 1, 2, 3].map((id) => ask(gateway, { id: `id-${id}` })));
  const results: string[] = [];
  for (const [id, answer] of answers.entries()) {
    assert.equal(answer.status, 200);
    await answer.text();
    results.push(resultsOf(await decision(gateway, `id-${id}`)).join());
  }
  assert.ok(results.includes('connect,answered'), results.join(' '));
  const refusal = await lost;
  assert.equal(refusal.status, 502);
  assert.equal(await errorCode(refusal), 'upstream_connect_failed');
  assert.deepEqual(resultsOf(await decision(gateway, 'lost')), ['connect']);
});
