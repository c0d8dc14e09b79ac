import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dialectOf } from '../../../protocol/engines/builtins.ts';
import { readReport } from '../../../protocol/engines/report.ts';
import type { EngineReport } from '../../../protocol/engines/dialect.ts';
import { parsePrometheus } from '../../../protocol/prometheus/parser.ts';
import { SIMULATED_DIALECTS, type SimulatedDialect } from '../engine-options.ts';
import type { EngineServer } from '../server.ts';
import { chat, eventually, post, startEngine } from '../testing/engine-fixture.ts';

async function scrape(server: EngineServer, dialect: SimulatedDialect): Promise<EngineReport> {
  const definition = dialectOf(dialect);
  const path = definition.metrics?.paths[0] ?? '';
  const response = await fetch(server.url + path);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  return readReport(definition, parsePrometheus(await response.text()));
}

for (const dialect of SIMULATED_DIALECTS) {
  it(`reports load and totals as ${dialect} does`, async (t) => {
    const server = await startEngine(t, { dialect, maxNumSeqs: 1, speed: 1, kvBlocks: 100 });
    const idle = await scrape(server, dialect);
    assert.equal(idle.running, 0);
    assert.equal(idle.waiting, 0);
    assert.equal(idle.kvCacheUsage, 0);
    const words = 'a long prompt about water '.repeat(20);
    const requests = [1, 2].map((seed) =>
      post(server, '/v1/chat/completions', chat(words, { seed, max_tokens: 8 })),
    );
    await eventually(() => server.model.running === 1, 'one runs');
    await eventually(() => server.model.waiting === 1, 'one waits');
    const busy = await scrape(server, dialect);
    assert.equal(busy.running, 1);
    assert.equal(busy.waiting, 1);
    assert.ok((busy.kvCacheUsage ?? 0) > 0);
    await Promise.all(requests);
    const after = await scrape(server, dialect);
    assert.equal(after.generationTokensTotal, 16);
    assert.equal(after.promptTokensTotal, server.model.counters.promptTokens);
    if (dialect === 'llama-cpp') return;
    assert.equal(after.blockSizeTokens, 16);
    assert.equal(after.blockCount, 100);
    if (dialect === 'trtllm-serve') return;
    assert.ok((after.prefixCacheHitsTotal ?? 0) > 0);
    assert.equal(after.prefixCacheQueriesTotal, after.promptTokensTotal);
  });
}

it('names adapters by residency in vLLM metrics', async (t) => {
  const server = await startEngine(t, { adapters: ['a', 'b', 'c'], maxAdapters: 2 });
  for (const model of ['a', 'b']) {
    await post(server, '/v1/chat/completions', { ...chat('hi', { max_tokens: 2 }), model });
  }
  const report = await scrape(server, 'vllm');
  assert.equal(report.adapterSlots, 2);
  assert.deepEqual(report.adapters?.map((adapter) => [adapter.name, adapter.state]).sort(), [
    ['a', 'loaded'],
    ['b', 'loaded'],
  ]);
});

it('answers the pages by which each engine is recognised', async (t) => {
  const expected: Readonly<Record<SimulatedDialect, readonly string[]>> = {
    vllm: ['/version'],
    sglang: ['/get_server_info', '/server_info', '/get_model_info'],
    'trtllm-serve': ['/version', '/metrics'],
    'llama-cpp': ['/props', '/slots'],
  };
  for (const dialect of SIMULATED_DIALECTS) {
    const server = await startEngine(t, { dialect });
    for (const path of expected[dialect]) {
      const response = await fetch(server.url + path);
      assert.equal(response.status, 200, path);
      assert.equal(typeof (await response.json()), 'object');
    }
    const strange = dialect === 'llama-cpp' ? '/version' : '/props';
    assert.equal((await fetch(server.url + strange)).status, 404);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  }
});
