import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serversLine, startReplicas } from './support/engines.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
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
import { SSE_TYPE, chatAnswer, chatFrame } from './support/scripted-server.ts';

const BEFORE_THE_FIRST_BYTE: readonly {
  readonly name: string;
  readonly result: string;
  readonly fail: VisitHandler;
}[] = [
  { name: 'a 503', result: 'status', fail: (visit) => visit.reply(503, '{"error":"busy"}') },
  { name: 'a 502', result: 'status', fail: (visit) => visit.reply(502, 'bad gateway') },
  { name: 'a 504', result: 'status', fail: (visit) => visit.reply(504, 'late') },
  { name: 'a reset before the head', result: 'reset', fail: (visit) => visit.reset() },
  { name: 'an end before the head', result: 'reset', fail: (visit) => visit.cut() },
  {
    name: 'a reset between the head and the first byte of the body',
    result: 'reset',
    fail: async (visit) => {
      visit.start(SSE_TYPE);
      await new Promise((resolve) => setTimeout(resolve, 30));
      visit.reset();
    },
  },
  {
    name: 'an end between the head and the first byte of a body with a length',
    result: 'reset',
    fail: async (visit) => {
      await visit.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n');
      visit.cut();
    },
  },
  {
    name: 'an answer that is not HTTP',
    result: 'invalid',
    fail: async (visit) => {
      await visit.send('220 mail.example ESMTP\r\n');
    },
  },
];

for (const { name, result, fail } of BEFORE_THE_FIRST_BYTE) {
  test(`${name} moves the request to the next endpoint`, async (t) => {
    const { gateway, servers, script } = await startScriptedFleet(t, 3);
    script(fail, fail, answerWell);
    const response = await ask(gateway);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), chatAnswer());
    assert.equal(visitCount(servers), 3);

    const record = await decision(gateway);
    assert.deepEqual(resultsOf(record), [result, result, 'answered']);
    assert.equal(record.outcome, 'completed');
    assert.equal(response.headers.get('x-penstock-endpoint'), record.attempts[2]!.endpoint);
    const attempts = await gateway.metric('penstock_attempts_total');
    assert.equal(attempts.get(`{pool="scripted",result="${result}"}`), 2);
    assert.equal(attempts.get('{pool="scripted",result="answered"}'), 1);
  });
}

test('a failure before the first byte of a stream goes unnoticed', async (t) => {
  const { gateway, script } = await startScriptedFleet(t, 2);
  const tell: VisitHandler = async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('Hello'));
    await visit.chunk('data: [DONE]\n\n');
    visit.end();
  };
  script((visit) => {
    visit.start();
    visit.reset();
  }, tell);
  const response = await ask(gateway, { stream: true });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), `${chatFrame('Hello')}data: [DONE]\n\n`);
});

test('a request is tried at three endpoints and no more', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 4);
  script((visit) => visit.reset());
  const response = await ask(gateway);
  assert.equal(response.status, 502);
  assert.equal(await errorCode(response), 'upstream_reset');
  assert.equal(visitCount(servers), 3);
  assert.ok(servers.every(({ visits }) => visits.length <= 1));
  const record = await decision(gateway);
  assert.deepEqual(resultsOf(record), ['reset', 'reset', 'reset']);
  assert.equal(record.outcome, 'upstream_error');
  assert.equal(record.errorCode, 'upstream_reset');
  const requests = '{api="chat-completions",model="scripted",pool="scripted",outcome=';
  const total = await gateway.metric('penstock_requests_total');
  assert.equal(total.get(`${requests}"upstream_error"}`), 1);
  assert.equal(total.get(`${requests}"completed"}`), 0);
  assert.equal(await metric(gateway, 'penstock_errors_total', '{code="upstream_reset"}'), 1);
});

test('the last 503 of the servers is passed on as it is', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2);
  script((visit) => visit.reply(503, '{"detail":"warming up"}', ['content-type: text/x-own']));
  const response = await ask(gateway);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('content-type'), 'text/x-own');
  assert.equal(await response.text(), '{"detail":"warming up"}');
  assert.equal(visitCount(servers), 2);
  const record = await decision(gateway);
  assert.deepEqual(resultsOf(record), ['status', 'status']);
  assert.equal(record.outcome, 'upstream_error');
  assert.equal(record.status, 503);
  assert.equal(record.errorCode, null);
  assert.equal(await metric(gateway, 'penstock_retries_denied_total', '{reason="no_endpoint"}'), 1);
});

test('a 500 is an answer: it is not tried elsewhere', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 3);
  script((visit) => visit.reply(500, '{"error":"CUDA error"}'));
  const response = await ask(gateway);
  assert.equal(response.status, 500);
  assert.equal(await response.text(), '{"error":"CUDA error"}');
  assert.equal(visitCount(servers), 1);
  assert.deepEqual(resultsOf(await decision(gateway)), ['answered']);
});

test('a reset on a connection that was used before does not bring the request back', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2);
  for (let i = 0; i < 6; i += 1) await (await ask(gateway)).text();
  assert.ok(
    servers.every(({ visits }) => visits.length > 0),
    'both have open connections',
  );
  const before = visitCount(servers);
  script(async (visit) => {
    await visit.body();
    await new Promise((resolve) => setTimeout(resolve, 600));
    visit.reset();
  });
  const response = await ask(gateway, { id: 'reset-later' });
  assert.equal(response.status, 502);
  await response.text();
  assert.equal(visitCount(servers) - before, 2);
  assert.deepEqual(resultsOf(await decision(gateway, 'reset-later')), ['reset', 'reset']);
});

test('connections that were closed while idle cost no request an attempt', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 2);
  // Said to be kept, and closed at the very moment at which the next request is on its way.
  for (let i = 0; i < 30; i += 1) {
    script((visit) => {
      visit.reply(200, chatAnswer());
      setTimeout(() => visit.cut(), i % 10);
    }, answerWell);
    const first = await ask(gateway, { id: `first-${i}` });
    await first.text();
    await new Promise((resolve) => setTimeout(resolve, i % 10));
    const second = await ask(gateway, { id: `second-${i}` });
    assert.equal(second.status, 200);
    await second.text();
    assert.deepEqual(resultsOf(await decision(gateway, `second-${i}`)), ['answered']);
  }
  assert.ok(visitCount(servers) >= 60);
});

test('a refused connection moves the request to the next endpoint', async (t) => {
  const engines = await startReplicas(t, 3, 'demo-model');
  const gateway = await startGateway(t, serversLine(engines));
  engines[0]!.injectFaults({ refuseMs: 60_000 });
  engines[1]!.injectFaults({ refuseMs: 60_000 });
  const responses = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': `r${index}` },
        body: JSON.stringify({
          model: 'demo-model',
          max_tokens: 4,
          messages: [{ role: 'user', content: `Hi ${index}` }],
        }),
      }),
    ),
  );
  let refused = 0;
  for (const [index, response] of responses.entries()) {
    assert.equal(response.status, 200);
    await response.text();
    const results = resultsOf(await decision(gateway, `r${index}`));
    assert.equal(results.at(-1), 'answered');
    refused += results.filter((result) => result === 'connect').length;
    assert.ok(results.length <= 3);
  }
  assert.ok(refused > 0);
  await waitUntil('both to be known as down', async () => {
    const { endpoints } = await gateway.state();
    return endpoints.filter(({ state }) => state === 'unreachable').length === 2;
  });
});

test('a total outage costs at most a fifth more attempts than there are requests', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(t, 4);
  script((visit) => visit.reply(503, '{"error":"down"}'));
  const requests = 600;
  let left = requests;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const response = await ask(gateway, { id: `out-${left}` });
      assert.equal(response.status, 503);
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  const attempts = visitCount(servers);
  assert.ok(attempts > requests, 'nothing was retried');
  assert.ok(attempts <= requests * 1.2, `${attempts} attempts for ${requests} requests`);
  const denied = await gateway.metric('penstock_retries_denied_total');
  assert.ok(denied.get('{reason="budget"}')! > 0);
  const counted = await metric(
    gateway,
    'penstock_attempts_total',
    '{pool="scripted",result="status"}',
  );
  assert.equal(counted, attempts);
  // Half of the pool stays in, however long the outage.
  const { endpoints } = await gateway.state();
  assert.ok(endpoints.filter(({ state }) => state === 'ejected').length <= 2);
});
