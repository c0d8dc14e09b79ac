import assert from 'node:assert/strict';
import { APIError } from 'openai';
import { test } from 'node:test';
import { startGateway, waitUntil } from './support/gateway.ts';
import { describeResults, startLoad, withOutcome } from './support/load.ts';
import { startEngineProcess } from './support/processes.ts';

test('killing a server under load fails no request that had not got a byte', async (t) => {
  const engines = await Promise.all([1, 2, 3].map(() => startEngineProcess(t)));
  const gateway = await startGateway(
    t,
    `servers: [${engines.map(({ url }) => `'${url}'`).join(', ')}]`,
  );
  const load = startLoad(gateway.url, {
    concurrency: 32,
    models: ['demo-model'],
    outputTokens: 40,
  });
  await load.more(64);
  const victim = engines[0]!;
  victim.process.signal('SIGKILL');
  await victim.process.ended;
  const killedAtMs = performance.now();
  await load.more(96);
  const restartAtMs = performance.now();

  const back = await startEngineProcess(t, [], victim.port);
  await waitUntil('the server to be ready again', async () => {
    const { endpoints } = await gateway.state();
    return endpoints.find(({ id }) => id === back.id)?.state === 'ready';
  });
  const backAtMs = performance.now();
  await load.more(128);
  const results = await load.stop();

  assert.equal(withOutcome(results, 'refused').length, 0, describeResults(results));
  assert.equal(withOutcome(results, 'short').length, 0, describeResults(results));
  const broken = withOutcome(results, 'broken');
  for (const { endpoint, error, startedAtMs } of broken) {
    assert.equal(endpoint, victim.id);
    assert.ok(startedAtMs < killedAtMs, 'a request that began after the death was broken');
    assert.ok(error instanceof APIError, String(error));
    assert.match(error.message, /failed in the middle of its answer/);
  }
  // The load keeps ten requests or so on each server, half of them streams.
  assert.ok(broken.length > 0, 'no stream was in the middle');
  const whole = withOutcome(results, 'complete');
  const before = whole.filter(({ endedAtMs }) => endedAtMs < killedAtMs);
  const between = whole.filter(
    (each) => each.startedAtMs > killedAtMs && each.endedAtMs < restartAtMs,
  );
  const after = whole.filter(({ startedAtMs }) => startedAtMs > backAtMs);
  assert.ok(before.some(({ endpoint }) => endpoint === victim.id));
  assert.ok(between.length > 32);
  assert.ok(!between.some(({ endpoint }) => endpoint === victim.id));
  assert.ok(
    after.some(({ endpoint }) => endpoint === victim.id),
    'no traffic after its return',
  );
});
