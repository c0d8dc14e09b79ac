import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestGateway } from './support/gateway.ts';
import { waitUntil } from './support/gateway.ts';
import { answerWell, ask, metric, startScriptedFleet } from './support/scripted-fleet.ts';
import type { ScriptedServer, VisitHandler } from './support/scripted-server.ts';
import { chatAnswer, chatFrame } from './support/scripted-server.ts';

const refuse: VisitHandler = (visit) => {
  visit.reply(503, '{"error":"out of order"}');
};

function idOf({ url }: ScriptedServer): string {
  return new URL(url).host;
}

async function stateOf(gateway: TestGateway, server: ScriptedServer) {
  return (await gateway.state()).endpoints.find(({ id }) => id === idOf(server))!;
}

/** Sends requests one after the other until `isDone`; every one must be answered well. */
async function askUntil(gateway: TestGateway, isDone: () => boolean | Promise<boolean>) {
  await waitUntil('the end of the requests', async () => {
    const answer = await ask(gateway);
    assert.equal(answer.status, 200);
    await answer.text();
    return isDone();
  });
}

test('a server that keeps failing is ejected, tried by one request, and comes back', async (t) => {
  const { gateway, servers } = await startScriptedFleet(
    t,
    3,
    'ejection: { consecutiveFailures: 3, baseMs: 1000, maxMs: 60000 }',
  );
  const bad = servers[0]!;
  bad.handle = refuse;
  await askUntil(gateway, async () => (await stateOf(gateway, bad)).state === 'ejected');
  assert.equal(bad.visits.length, 3);
  assert.match((await stateOf(gateway, bad)).reason ?? '', /3 failures in a row: ejected/);
  const labels = `{pool="scripted",endpoint="${idOf(bad)}"}`;
  assert.equal(await metric(gateway, 'penstock_endpoint_available', labels), 0);
  assert.equal(await metric(gateway, 'penstock_endpoint_ejections_total', labels), 1);

  // It is out: of the next requests it gets none. Then exactly one tries it, in vain.
  for (let i = 0; i < 10; i += 1) await (await ask(gateway)).text();
  assert.equal(bad.visits.length, 3);
  await askUntil(gateway, () => bad.visits.length > 3);
  await waitUntil('the next ejection', async () => {
    return (await metric(gateway, 'penstock_endpoint_ejections_total', labels)) === 2;
  });
  assert.equal(bad.visits.length, 4);
  assert.equal((await stateOf(gateway, bad)).state, 'ejected');

  // It works again, but slowly: while one request tries it, no other is sent there.
  const gate = Promise.withResolvers<void>();
  bad.handle = async (visit) => {
    await gate.promise;
    visit.reply(200, chatAnswer());
  };
  const asked: Promise<Response>[] = [];
  await waitUntil('the request that tries it', () => {
    asked.push(ask(gateway));
    return bad.visits.length > 4;
  });
  await Promise.all(Array.from({ length: 20 }, async () => (await ask(gateway)).text()));
  assert.equal(bad.visits.length, 5);
  assert.match((await stateOf(gateway, bad)).reason ?? '', /half open: one request tries it/);
  gate.resolve();
  for (const answer of await Promise.all(asked)) {
    assert.equal(answer.status, 200);
    await answer.text();
  }
  assert.equal((await stateOf(gateway, bad)).state, 'ready');
  assert.equal(await metric(gateway, 'penstock_endpoint_available', labels), 1);
  await askUntil(gateway, () => bad.visits.length > 6);
});

test('never more than half of a pool is out, and a pool of one is never', async (t) => {
  for (const count of [1, 2, 4, 5]) {
    const { gateway, servers, script } = await startScriptedFleet(
      t,
      count,
      'ejection: { consecutiveFailures: 1, baseMs: 60000, maxMs: 60000 }',
    );
    script(refuse);
    for (let i = 0; i < 20; i += 1) {
      const answer = await ask(gateway);
      // Not 503 no_endpoint: there is always a server left to ask, whose answer is passed on.
      assert.equal(await answer.text(), '{"error":"out of order"}');
    }
    const states = await Promise.all(servers.map(async (server) => stateOf(gateway, server)));
    const out = states.filter(({ state }) => state === 'ejected').length;
    assert.equal(out, Math.floor(count / 2), `${out} of ${count}`);
  }
});

test('deadlines that clients choose do not eject a server', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(
    t,
    3,
    'ejection: { consecutiveFailures: 3, baseMs: 60000, maxMs: 60000 }',
  );
  script(async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('One'));
  });
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      const answer = await ask(gateway, {
        stream: true,
        headers: { 'x-penstock-timeout-ms': '150' },
      });
      assert.match(await answer.text(), /upstream_timeout/);
    }),
  );
  for (const server of servers) assert.equal((await stateOf(gateway, server)).state, 'ready');
});

test('clients that leave do not eject a server', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(
    t,
    2,
    'ejection: { consecutiveFailures: 2, baseMs: 60000, maxMs: 60000 }',
  );
  script(() => undefined);
  const controller = new AbortController();
  const left = Array.from({ length: 8 }, async () =>
    assert.rejects(ask(gateway, { signal: controller.signal })),
  );
  await waitUntil('all to be at the servers', () => {
    return servers.reduce((sum, { visits }) => sum + visits.length, 0) === 8;
  });
  controller.abort();
  await Promise.all(left);
  await waitUntil('all to be over', async () => (await gateway.state()).openRequests === 0);
  for (const server of servers) {
    const { state, inFlight } = await stateOf(gateway, server);
    assert.equal(state, 'ready');
    assert.deepEqual(inFlight, { requests: 0, tokens: 0, prefillTokens: 0 });
  }
  script(answerWell);
  assert.equal((await ask(gateway)).status, 200);
});
