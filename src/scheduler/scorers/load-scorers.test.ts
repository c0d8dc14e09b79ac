import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { LoadTable } from '../ports.ts';
import { createTestInput, createTestLoad, scoreAll } from '../testing/pick-world.ts';
import { createTestContext, createTestScorer } from '../testing/test-parts.ts';
import { ACTIVE_REQUEST_SCORER } from './active-request.ts';
import { KV_CACHE_HEADROOM_SCORER } from './kv-cache-headroom.ts';
import { KV_CACHE_UTILIZATION_SCORER } from './kv-cache-utilization.ts';
import { LOAD_AWARE_SCORER } from './load-aware.ts';
import { LORA_AFFINITY_SCORER } from './lora-affinity.ts';
import { PREDICTED_WORK_SCORER } from './predicted-work.ts';
import { ADAPTER_RESIDENCY_SCORER } from './adapter-residency.ts';
import { QUEUE_SCORER } from './queue.ts';
import { RUNNING_REQUESTS_SIZE_SCORER } from './running-requests-size.ts';
import { TOKEN_LOAD_SCORER } from './token-load.ts';

interface Row {
  readonly scorer: ScorerDefinition;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly column: keyof LoadTable;
  readonly values: readonly number[];
  readonly scores: readonly number[];
}

const UNKNOWN = Number.NaN;

/** Formulas of the reference, by hand. */
const ROWS: readonly Row[] = [
  { scorer: QUEUE_SCORER, column: 'lastWaiting', values: [0, 5, 10], scores: [1, 0.5, 0] },
  { scorer: QUEUE_SCORER, column: 'lastWaiting', values: [3, 3, 3], scores: [1, 1, 1] },
  { scorer: QUEUE_SCORER, column: 'lastWaiting', values: [4, 6], scores: [1, 0] },
  {
    scorer: RUNNING_REQUESTS_SIZE_SCORER,
    column: 'lastRunning',
    values: [8, 4, 0],
    scores: [0, 0.5, 1],
  },
  {
    scorer: KV_CACHE_UTILIZATION_SCORER,
    column: 'kvCacheUsage',
    values: [0.25, 1, UNKNOWN],
    scores: [0.75, 0, 1],
  },
  {
    scorer: KV_CACHE_HEADROOM_SCORER,
    column: 'kvCacheUsage',
    values: [0.25, 1, UNKNOWN],
    scores: [0.75, 0, 0.5],
  },
  {
    scorer: ACTIVE_REQUEST_SCORER,
    column: 'requestsInFlight',
    values: [0, 2, 8],
    scores: [1, 0.75, 0],
  },
  {
    scorer: ACTIVE_REQUEST_SCORER,
    options: { idleThreshold: 2, maxBusyScore: 0.5 },
    column: 'requestsInFlight',
    values: [2, 4, 8],
    scores: [1, 0.25, 0],
  },
  {
    scorer: LOAD_AWARE_SCORER,
    column: 'lastWaiting',
    values: [0, 64, 200],
    scores: [0.5, 0.25, 0],
  },
  {
    scorer: LOAD_AWARE_SCORER,
    options: { threshold: 10 },
    column: 'lastWaiting',
    values: [1, 5, 10],
    scores: [0.45, 0.25, 0],
  },
  {
    // 100 prompt tokens of the request itself count, too.
    scorer: TOKEN_LOAD_SCORER,
    options: { queueThresholdTokens: 1000 },
    column: 'tokensInFlight',
    values: [0, 400, 5000],
    scores: [0.9, 0.5, 0],
  },
  {
    // 200 tokens of the request: (0 + 200) / (work + 200).
    scorer: PREDICTED_WORK_SCORER,
    column: 'tokensInFlight',
    values: [0, 200, 600],
    scores: [1, 0.5, 0.25],
  },
];

for (const { scorer, options = {}, column, values, scores } of ROWS) {
  const given = JSON.stringify(options);
  test(`${scorer.type} ${given} scores ${column} ${values.join()} as ${scores.join()}`, () => {
    const load = createTestLoad(values.length);
    load[column].set(values);
    const actual = scoreAll(createTestScorer(scorer, options), createTestInput(load));
    for (const [index, score] of scores.entries()) {
      assert.ok(
        Math.abs(actual[index]! - score) < 1e-12,
        `${actual.join()} instead of ${scores.join()}`,
      );
    }
  });
}

test('token-load-scorer counts only the prompt tokens that the endpoint does not hold', () => {
  const load = createTestLoad(2);
  const scorer = createTestScorer(
    TOKEN_LOAD_SCORER,
    { queueThresholdTokens: 1000 },
    createTestContext({ matched: [3, 0] }),
  );
  const blocks = { blockBytes: 256, count: 4, hashes: new Uint32Array(8) };
  const scores = scoreAll(scorer, createTestInput(load, { blocks, promptTokens: 400 }));
  assert.deepEqual(scores, [0.9, 0.6]);
});

test('lora-affinity-scorer: serving, a free slot, waiting or idle, none', () => {
  const load = createTestLoad(5);
  load.adapterSlots.set([2, 2, 2, 2, UNKNOWN]);
  load.adaptersActive.set([2, 1, 2, 1, 0]);
  load.adaptersWaiting.set([0, 0, 0, 1, 0]);
  const scorer = createTestScorer(LORA_AFFINITY_SCORER);
  const residency = Uint8Array.of(2, 0, 1, 0, 0);
  assert.deepEqual(scoreAll(scorer, createTestInput(load, { residency })), [1, 0.8, 0.6, 0, 0]);
  // A base model is no adapter: only free slots show, as in the original.
  assert.deepEqual(scoreAll(scorer, createTestInput(load)), [0, 0.8, 0, 0, 0]);
});

test('adapter-residency: 1 where it is resident, 0 where not, 1 everywhere for a base model', () => {
  const load = createTestLoad(3);
  const scorer = createTestScorer(ADAPTER_RESIDENCY_SCORER);
  const residency = Uint8Array.of(0, 1, 2);
  assert.deepEqual(scoreAll(scorer, createTestInput(load, { residency })), [0, 1, 1]);
  assert.deepEqual(scoreAll(scorer, createTestInput(load)), [1, 1, 1]);
});
