import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginContext } from '../framework/plugin.ts';
import type { PickInput, PromptBlocks } from '../types.ts';
import {
  createTestBlocks,
  createTestInput,
  createTestLoad,
  scoreAll,
} from '../testing/pick-world.ts';
import { createTestContext, createTestScorer } from '../testing/test-parts.ts';
import { DYNAMO_KV_SCORER } from './dynamo-kv.ts';
import { NO_HIT_LRU_SCORER } from './no-hit-lru.ts';
import { PREFIX_CACHE_SCORER } from './prefix-cache.ts';
import { PREFIX_HASH_SCORER } from './prefix-hash.ts';
import { SGLANG_CACHE_AWARE_SCORER } from './sglang-cache-aware.ts';
import { TOKEN_LOAD_SCORER } from './token-load.ts';

function blocksOf(count: number): PromptBlocks {
  return createTestBlocks(Array.from({ length: count }, (_, index) => index));
}

function bestOf(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

test('prefix-cache-scorer is the share of the prompt that is held', () => {
  const scorer = createTestScorer(
    PREFIX_CACHE_SCORER,
    {},
    createTestContext({ matched: [0, 2, 8] }),
  );
  const input = createTestInput(createTestLoad(3), { blocks: blocksOf(8) });
  assert.deepEqual(scoreAll(scorer, input), [0, 0.25, 1]);
});

test('prefix-cache-scorer blends in the square of the matched length', () => {
  const scorer = createTestScorer(
    PREFIX_CACHE_SCORER,
    { matchLengthWeight: 0.5, matchLengthScaleTokens: 800 },
    createTestContext({ matched: [4, 8] }),
  );
  const input = createTestInput(createTestLoad(2), { blocks: blocksOf(8), promptTokens: 800 });
  // 0.5 × (400 / 800)² + 0.5 × 0.5, and 0.5 × 1 + 0.5 × 1.
  assert.deepEqual(scoreAll(scorer, input), [0.375, 1]);
});

test('prefix-cache-scorer gives 0 for a prompt without blocks', () => {
  const scorer = createTestScorer(PREFIX_CACHE_SCORER, {}, createTestContext({ matched: [4] }));
  assert.deepEqual(scoreAll(scorer, createTestInput(createTestLoad(1))), [0]);
});

test('scorers told to go by what is assumed do not look at corrected holdings', () => {
  const definitions = [PREFIX_CACHE_SCORER, TOKEN_LOAD_SCORER, SGLANG_CACHE_AWARE_SCORER];
  for (const definition of definitions) {
    const context = (): PluginContext => createTestContext({ matched: [8, 0], assumed: [0, 8] });
    const input = createTestInput(createTestLoad(2), { blocks: blocksOf(8) });
    const assuming = createTestScorer(definition, { holdings: 'assumed' }, context());
    assert.equal(bestOf(scoreAll(assuming, input)), 1, definition.type);
    const usual = createTestScorer(definition, {}, context());
    assert.equal(bestOf(scoreAll(usual, input)), 0, definition.type);
  }
});

test('no-hit-lru-scorer takes for cold what no endpoint is assumed to hold', () => {
  const context = createTestContext({ matched: [8, 8], assumed: [] });
  const scorer = createTestScorer(NO_HIT_LRU_SCORER, { holdings: 'assumed' }, context);
  const input = createTestInput(createTestLoad(2), { blocks: blocksOf(8) });
  assert.deepEqual(scoreAll(scorer, input), [1, 0]);
});

test('no-hit-lru-scorer gives cold prompts to whoever had none for longest', () => {
  const context = createTestContext();
  const scorer = createTestScorer(NO_HIT_LRU_SCORER, {}, context);
  const load = createTestLoad(3);
  const give = (slot: number): void => {
    context.matches.begin();
    const input = createTestInput(load);
    scoreAll(scorer, input);
    scorer.noteBooked?.(slot, input);
  };
  const scores = (): readonly number[] => {
    context.matches.begin();
    return scoreAll(scorer, createTestInput(load));
  };
  assert.deepEqual(scores(), [1, 0.5, 0]);
  give(0);
  // Never used: 1 and 2; then 0.
  assert.deepEqual(scores(), [0, 1, 0.5]);
  give(2);
  give(1);
  assert.deepEqual(scores(), [1, 0, 0.5]);
});

test('no-hit-lru-scorer is neutral for a prompt that some endpoint holds, and forgets nobody', () => {
  const context = createTestContext({ matched: [0, 1] });
  const scorer = createTestScorer(NO_HIT_LRU_SCORER, {}, context);
  const warm = createTestInput(createTestLoad(2), { blocks: blocksOf(4) });
  assert.deepEqual(scoreAll(scorer, warm), [0.5, 0.5]);
  scorer.noteBooked?.(0, warm);
  context.matches.begin();
  assert.deepEqual(scoreAll(scorer, createTestInput(createTestLoad(2))), [1, 0]);
});

test('no-hit-lru-scorer remembers at most lruSize endpoints', () => {
  const context = createTestContext();
  const scorer = createTestScorer(NO_HIT_LRU_SCORER, { lruSize: 1 }, context);
  const load = createTestLoad(3);
  for (const slot of [0, 1]) {
    context.matches.begin();
    const input = createTestInput(load);
    scoreAll(scorer, input);
    scorer.noteBooked?.(slot, input);
  }
  context.matches.begin();
  assert.deepEqual(scoreAll(scorer, createTestInput(load)), [1, 0, 0.5]);
});

const SGLANG_ROWS = [
  { what: 'a long match wins', matched: [0, 4, 8], requests: [0, 0, 9], best: 2 },
  { what: 'a match of at most 0.3 does not', matched: [9, 1, 3], requests: [0, 0, 0], best: 1 },
  { what: 'uneven load goes before the match', matched: [0, 0, 10], requests: [5, 1, 90], best: 1 },
  { what: 'a big ratio alone is not uneven', matched: [0, 0, 10], requests: [1, 1, 60], best: 2 },
] as const;

for (const { what, matched, requests, best } of SGLANG_ROWS) {
  test(`sglang-cache-aware: ${what}`, () => {
    const load = createTestLoad(3);
    load.requestsInFlight.set(requests);
    const blocks = blocksOf(what.startsWith('a match of') ? 30 : 10);
    const scorer = createTestScorer(SGLANG_CACHE_AWARE_SCORER, {}, createTestContext({ matched }));
    assert.equal(bestOf(scoreAll(scorer, createTestInput(load, { blocks }))), best);
  });
}

test('dynamo-kv: weight × blocks to prefill + blocks being decoded, the least first', () => {
  const load = createTestLoad(3);
  load.kvBlockTokens.fill(16);
  load.kvBlockCount.fill(1000);
  load.kvCacheUsage.set([0.05, 0.01, 0.02]);
  const scorer = createTestScorer(DYNAMO_KV_SCORER, {}, createTestContext({ matched: [10, 0, 5] }));
  // 160 prompt tokens are 10 blocks: 0 + 50, 10 + 10, 5 + 20.
  const input = createTestInput(load, { blocks: blocksOf(10), promptTokens: 160 });
  assert.deepEqual(scoreAll(scorer, input), [0, 1, 25 / 30]);
});

test('dynamo-kv: the overlap weight makes held blocks worth more', () => {
  const load = createTestLoad(2);
  load.tokensInFlight.set([320, 0]);
  const blocks = blocksOf(10);
  const costs = (overlapScoreWeight: number): number => {
    const context = createTestContext({ matched: [10, 0] });
    const scorer = createTestScorer(DYNAMO_KV_SCORER, { overlapScoreWeight }, context);
    return bestOf(scoreAll(scorer, createTestInput(load, { blocks, promptTokens: 160 })));
  };
  assert.equal(costs(1), 1);
  assert.equal(costs(3), 0);
});

function hashInput(seed: number, requests: readonly number[] = []): PickInput {
  const load = createTestLoad(10);
  load.requestsInFlight.set(requests);
  return createTestInput(load, { blocks: createTestBlocks([seed, 1, 2, 3, 4, 5, 6, 7]) });
}

test('prefix-hash: equal beginnings meet on one endpoint, others spread', () => {
  const scorer = createTestScorer(PREFIX_HASH_SCORER, { prefixTokens: 16 });
  const chosen = new Set<number>();
  for (let seed = 0; seed < 60; seed += 1) {
    const best = bestOf(scoreAll(scorer, hashInput(seed)));
    assert.equal(bestOf(scoreAll(scorer, hashInput(seed))), best);
    chosen.add(best);
  }
  assert.ok(chosen.size >= 8, `${chosen.size} of 10 endpoints`);
});

test('prefix-hash: an endpoint over its bound is passed over, and comes after all others', () => {
  const scorer = createTestScorer(PREFIX_HASH_SCORER);
  const best = bestOf(scoreAll(scorer, hashInput(3)));
  const requests = Array.from({ length: 10 }, (_, slot) => (slot === best ? 9 : 1));
  const scores = scoreAll(scorer, hashInput(3, requests));
  assert.equal(scores.indexOf(Math.min(...scores)), best);
});

test('prefix-hash: a prompt without a whole block is left to other scorers', () => {
  const scorer = createTestScorer(PREFIX_HASH_SCORER);
  assert.deepEqual(scoreAll(scorer, createTestInput(createTestLoad(2))), [1, 1]);
});
