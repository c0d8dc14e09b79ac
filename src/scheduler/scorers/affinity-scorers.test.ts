import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestInput, createTestLoad, scoreAll } from '../testing/pick-world.ts';
import { createTestScorer } from '../testing/test-parts.ts';
import { CONSISTENT_HASH_SCORER } from './consistent-hash.ts';
import { CONTEXT_LENGTH_AWARE } from './context-length-aware.ts';
import { HEADER_LABEL_AFFINITY_SCORER } from './header-label-affinity.ts';
import { SESSION_AFFINITY_SCORER } from './session-affinity.ts';

function tokenOf(id: string): string {
  return Buffer.from(id).toString('base64');
}

test('header-label-affinity-scorer compares a header with a label', () => {
  const scorer = createTestScorer(HEADER_LABEL_AFFINITY_SCORER, {
    headerName: 'X-Zone',
    labelKey: 'zone',
  });
  const load = createTestLoad(3);
  const labels = [{ zone: 'a' }, { zone: 'b' }, {}];
  const score = (headers: Record<string, string>): number[] =>
    scoreAll(scorer, createTestInput(load, { labels, headers }));
  assert.deepEqual(score({ 'x-zone': 'b' }), [0, 1, 0]);
  assert.deepEqual(score({ 'x-zone': '' }), [0, 0, 0]);
  assert.deepEqual(score({}), [0, 0, 0]);
});

test('session-affinity-scorer follows the token in the header, and asks for it in the answer', () => {
  const scorer = createTestScorer(SESSION_AFFINITY_SCORER);
  const load = createTestLoad(3);
  const headers = { 'x-session-token': tokenOf('endpoint-2') };
  const input = createTestInput(load, { headers });
  assert.deepEqual(scoreAll(scorer, input), [0, 0, 1]);
  assert.deepEqual(scoreAll(scorer, createTestInput(load)), [0, 0, 0]);
  assert.deepEqual(scorer.answerHeader?.(1, input), {
    name: 'x-session-token',
    value: tokenOf('endpoint-1'),
  });
});

test('session-affinity-scorer: a token that is no base64, or of an endpoint that left, is ignored', () => {
  const scorer = createTestScorer(SESSION_AFFINITY_SCORER);
  const load = createTestLoad(2);
  for (const token of ['', '%%%', '\u0000', tokenOf('endpoint-99')]) {
    const input = createTestInput(load, { headers: { 'x-session-token': token } });
    assert.deepEqual(scoreAll(scorer, input), [0, 0], token);
  }
});

test('session-affinity-scorer with a cookie sets it only when it is not right already', () => {
  const scorer = createTestScorer(SESSION_AFFINITY_SCORER, { cookie: 'llm' });
  const load = createTestLoad(2);
  const cookie = `theme=dark; llm=${tokenOf('endpoint-1')}; x=y`;
  const input = createTestInput(load, { headers: { cookie } });
  assert.deepEqual(scoreAll(scorer, input), [0, 1]);
  assert.equal(scorer.answerHeader?.(1, input), null);
  assert.deepEqual(scorer.answerHeader?.(0, input), {
    name: 'set-cookie',
    value: `llm=${tokenOf('endpoint-0')}; Path=/; HttpOnly; SameSite=Lax`,
  });
});

/** Formula of the reference, by hand: 0.3 + 0.7 × (0.7 / (1 + w / 10,000) + 0.3 × left / w). */
const CONTEXT_ROWS = [
  { range: '0-2000', tokens: 500, score: 0.3 + 0.7 * (0.7 / 1.2 + 0.3 * 0.75) },
  { range: ' 0 - 10000 ', tokens: 10_000, score: 0.3 + 0.7 * 0.35 },
  { range: '500-500', tokens: 500, score: 1 },
  { range: '0-2000', tokens: 3000, score: 0.15 },
  { range: '3000-9000', tokens: 2500, score: 0.2 },
  { range: '9000-3000', tokens: 4000, score: 0 },
  { range: 'big', tokens: 4000, score: 0 },
] as const;

for (const { range, tokens, score } of CONTEXT_ROWS) {
  test(`context-length-aware: ${tokens} tokens for "${range}" score ${score}`, () => {
    const scorer = createTestScorer(CONTEXT_LENGTH_AWARE);
    const input = createTestInput(createTestLoad(2), {
      labels: [{ 'llm-d.ai/context-length-range': range }, {}],
      promptTokens: tokens,
    });
    const [actual, unlabelled] = scoreAll(scorer, input);
    assert.ok(Math.abs(actual! - score) < 1e-12, `${actual}`);
    assert.equal(unlabelled, 0.5);
  });
}

test('consistent-hash: one key one endpoint; of those that leave only their keys move', () => {
  const scorer = createTestScorer(CONSISTENT_HASH_SCORER);
  const all = createTestLoad(10);
  const bestOf = (key: string, members: Int32Array): number => {
    const scores = scoreAll(
      scorer,
      createTestInput(all, { members, headers: { 'x-session-id': key } }),
    );
    return members[scores.indexOf(Math.max(...scores))]!;
  };
  const everybody = Int32Array.from({ length: 10 }, (_, slot) => slot);
  const without = everybody.filter((slot) => slot !== 4);
  const chosen = new Set<number>();
  for (let key = 0; key < 100; key += 1) {
    const before = bestOf(`user-${key}`, everybody);
    const after = bestOf(`user-${key}`, without);
    chosen.add(before);
    if (before !== 4) assert.equal(after, before);
    else assert.notEqual(after, 4);
  }
  assert.ok(chosen.size >= 8);
});

test('consistent-hash: no endpoint takes more than its bound', () => {
  const scorer = createTestScorer(CONSISTENT_HASH_SCORER, { loadFactor: 1.25 });
  const load = createTestLoad(10);
  for (let request = 0; request < 100; request += 1) {
    const input = createTestInput(load, { headers: { 'x-session-id': 'the only one' } });
    const scores = scoreAll(scorer, input);
    load.requestsInFlight[scores.indexOf(Math.max(...scores))]! += 1;
  }
  assert.ok(Math.max(...load.requestsInFlight) <= 13);
});

test('consistent-hash: requests without the header are left to other scorers', () => {
  const scorer = createTestScorer(CONSISTENT_HASH_SCORER, { headerName: 'X-User' });
  const load = createTestLoad(2);
  assert.deepEqual(scoreAll(scorer, createTestInput(load)), [1, 1]);
  const named = scoreAll(scorer, createTestInput(load, { headers: { 'x-user': 'a' } }));
  assert.notEqual(named[0], named[1]);
});
