import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePrometheus } from '../../src/protocol/prometheus/parser.ts';
import type { EngineServer } from '../../src/simulator/server/server.ts';
import { startReplicas } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway } from './support/gateway.ts';

const GROUPS = 12;
const REQUESTS_PER_GROUP = 15;
const SHARED_WORDS = 1200;
const CONCURRENT = 4;

/** Long instructions that all requests of one group begin with. */
function sharedText(group: number): string {
  return Array.from({ length: SHARED_WORDS }, (_, word) => `rule-${group}-${word}`).join(' ');
}

async function ask(gateway: TestGateway, group: number, question: number): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'chat-model',
      max_tokens: 4,
      stream: true,
      messages: [
        { role: 'system', content: sharedText(group) },
        { role: 'user', content: `question ${question} of group ${group}` },
      ],
    }),
  });
  assert.equal(response.status, 200);
  await response.text();
}

/** Asks all questions in an order that mixes the groups, a few at a time. */
async function askAll(gateway: TestGateway): Promise<void> {
  const questions = Array.from({ length: GROUPS * REQUESTS_PER_GROUP }, (_, index) => ({
    group: index % GROUPS,
    question: Math.floor(index / GROUPS),
  }));
  const workers = Array.from({ length: CONCURRENT }, async () => {
    for (let next = questions.shift(); next !== undefined; next = questions.shift()) {
      await ask(gateway, next.group, next.question);
    }
  });
  await Promise.all(workers);
}

async function sumMetric(engines: readonly EngineServer[], name: string): Promise<number> {
  let sum = 0;
  for (const { url } of engines) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const { value } of parsePrometheus(text).of(name)) sum += value;
  }
  return sum;
}

test('the engines’ own prefix hit rate is at least 0.9 of the best possible', async (t) => {
  const engines = await startReplicas(t, 3);
  const gateway = await startGateway(t, `servers: [${engines.map(({ url }) => url).join(', ')}]\n`);
  await askAll(gateway);
  const queried = await sumMetric(engines, 'vllm:prefix_cache_queries_total');
  const hit = await sumMetric(engines, 'vllm:prefix_cache_hits_total');
  // At best each group's text is computed once: all but the first request of a group hit it.
  const best = (REQUESTS_PER_GROUP - 1) / REQUESTS_PER_GROUP;
  assert.ok(queried > 0);
  assert.ok(
    hit / queried >= 0.9 * best,
    `${(hit / queried).toFixed(3)} of at best ${best.toFixed(3)}`,
  );
  const { endpoints } = await gateway.state();
  for (const { inFlight } of endpoints) assert.equal(inFlight.tokens, 0);
});

test('turns of one conversation stay where their beginning is cached', async (t) => {
  const engines = await startReplicas(t, 3);
  const gateway = await startGateway(t, `servers: [${engines.map(({ url }) => url).join(', ')}]\n`);
  const messages = [{ role: 'user', content: sharedText(0) }];
  const used = new Set<string | null>();
  for (let turn = 0; turn < 6; turn += 1) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ messages, max_tokens: 8, model: 'chat-model' }),
    });
    const answer = (await response.json()) as { choices: { message: { content: string } }[] };
    used.add(response.headers.get('x-penstock-endpoint'));
    messages.push(
      { role: 'assistant', content: answer.choices[0]!.message.content },
      { role: 'user', content: `and then, ${turn}?` },
    );
  }
  assert.equal(used.size, 1);
  const [latest] = await gateway.decisions();
  assert.ok(latest!.ordered[0]!.matchedBlocks >= 0.9 * latest!.promptBlocks);
});
