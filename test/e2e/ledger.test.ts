import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/rng.ts';
import { startReplicas } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
import { ask, startScriptedFleet } from './support/scripted-fleet.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import { chatAnswer, chatFrame } from './support/scripted-server.ts';

/** Waits until no request is open, then looks that nothing is booked anywhere. */
async function assertNothingBooked(gateway: TestGateway): Promise<void> {
  await waitUntil('no open request', async () => (await gateway.state()).openRequests === 0);
  const { endpoints } = await gateway.state();
  for (const { id, inFlight } of endpoints) {
    assert.deepEqual(inFlight, { requests: 0, tokens: 0, prefillTokens: 0 }, id);
  }
  for (const name of ['requests', 'tokens']) {
    for (const [labels, value] of await gateway.metric(`penstock_endpoint_${name}_in_flight`)) {
      assert.equal(value, 0, `${name} ${labels}`);
    }
  }
  assert.equal((await gateway.metric('penstock_open_requests')).get(''), 0);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything that can become of a request at a server. */
const FATES: readonly VisitHandler[] = [
  (visit) => {
    visit.reply(200, chatAnswer());
  },
  async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('One'));
    await pause(10);
    await visit.chunk('data: [DONE]\n\n');
    visit.end();
  },
  (visit) => {
    visit.reply(503, '{"error":"busy"}');
  },
  (visit) => {
    visit.reset();
  },
  async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('One'));
    visit.reset();
  },
  // Silent for ever: the idle time ends it, before the head or in the middle.
  () => undefined,
  async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('One'));
  },
  (visit) => {
    visit.reply(400, '{"error":{"message":"too long"}}');
  },
];

test('whatever becomes of requests, nothing stays booked', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(
    t,
    4,
    [
      'timeouts: { firstByteMs: 200, idleMs: 200, totalMs: 1000 }',
      'ejection: { consecutiveFailures: 5, baseMs: 50, maxMs: 100 }',
      '',
    ].join('\n'),
  );
  const rng = createRng(7);
  script((visit) => FATES[Math.floor(rng.next() * FATES.length)]!(visit));
  let left = 400;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const controller = new AbortController();
      const leavesAfterMs = rng.next() < 0.3 ? rng.next() * 60 : null;
      const timer =
        leavesAfterMs === null ? null : setTimeout(() => controller.abort(), leavesAfterMs);
      const headers: Record<string, string> =
        rng.next() < 0.1 ? { 'x-penstock-timeout-ms': '30' } : {};
      const stream = rng.next() < 0.5;
      // Errors of all kinds are what this test is about.
      await ask(gateway, { id: `mix-${left}`, stream, headers, signal: controller.signal })
        .then((answer) => answer.text())
        .catch(() => null);
      if (timer !== null) clearTimeout(timer);
    }
  };
  const toggling = setInterval(() => {
    // Endpoints that are drained in the middle must not lose what is booked on them.
    const id = encodeURIComponent(new URL(servers[0]!.url).host);
    const method = rng.next() < 0.5 ? 'POST' : 'DELETE';
    void fetch(`${gateway.adminUrl}/api/endpoints/${id}/drain`, { method });
  }, 100);
  await Promise.all(Array.from({ length: 24 }, work));
  clearInterval(toggling);
  await assertNothingBooked(gateway);

  const outcomes = new Map<string, number>();
  for (const [labels, count] of await gateway.metric('penstock_requests_total')) {
    const outcome = /outcome="(\w+)"/.exec(labels)?.[1] ?? '';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
  }
  for (const outcome of ['completed', 'upstream_error', 'interrupted', 'client_closed']) {
    assert.ok((outcomes.get(outcome) ?? 0) > 0, `no request was ${outcome}`);
  }
  const attempts = await gateway.metric('penstock_attempts_total');
  for (const result of ['answered', 'status', 'reset', 'timeout', 'cancelled']) {
    assert.ok(attempts.get(`{pool="scripted",result="${result}"}`)! > 0, `no attempt ${result}`);
  }
  // Each decision that was made is complete and says how it ended.
  for (const record of await gateway.decisions()) {
    assert.notEqual(record.outcome, null, record.requestId);
    assert.notEqual(record.durationMs, null, record.requestId);
  }
});

test('members that leave with requests under way leave nothing behind', async (t) => {
  const engines = await startReplicas(t, 3, 'demo-model');
  const yaml = (...chosen: readonly number[]): string =>
    `pools: [{ name: main, endpoints: [${chosen.map((i) => `'${engines[i]!.url}'`).join(', ')}] }]`;
  const gateway = await startGateway(t, yaml(0, 1, 2));
  const streams = Array.from({ length: 12 }, async (_, index) => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'demo-model',
        stream: true,
        max_tokens: 30,
        ignore_eos: true,
        messages: [{ role: 'user', content: `Hello ${index}` }],
      }),
    });
    return answer.text();
  });
  await waitUntil('all to be under way', async () => (await gateway.state()).openRequests === 12);
  assert.ok(await gateway.reload(yaml(0)));
  for (const text of await Promise.all(streams)) assert.ok(text.endsWith('data: [DONE]\n\n'));
  await assertNothingBooked(gateway);
  // The same servers again, which get their old objects and ledgers back.
  assert.ok(await gateway.reload(yaml(0, 1, 2)));
  await assertNothingBooked(gateway);
});
