import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyModel } from '../latency/latency-model.ts';
import { createTestInput, createTestLoad, scoreAll } from '../testing/pick-world.ts';
import { createTestContext, createTestScorer } from '../testing/test-parts.ts';
import type { LatencyObjective, Scorer } from '../types.ts';
import { LATENCY_SCORER } from './latency.ts';

/** A model that predicts what the test says, by slot. */
class FixedLatency extends LatencyModel {
  readonly #ttft: readonly number[];
  readonly #tpot: readonly number[];

  constructor(ttft: readonly number[], tpot: readonly number[]) {
    super();
    this.#ttft = ttft;
    this.#tpot = tpot;
  }

  override predictTtftMs(slot: number): number {
    return this.#ttft[slot]!;
  }

  override predictTpotMs(slot: number): number {
    return this.#tpot[slot]!;
  }

  override confidence(): number {
    return 1;
  }
}

interface Row {
  readonly what: string;
  readonly ttft: readonly number[];
  readonly tpot: readonly number[];
  readonly objective: LatencyObjective;
  readonly requests?: readonly number[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly scores: readonly number[];
}

const BOTH: LatencyObjective = { ttftMs: 500, tpotMs: 50 };

const ROWS: readonly Row[] = [
  {
    // Headroom 400, 200, 0 scaled to 1, 0.5, 0; TPOT is equal and drops out.
    what: 'least: the endpoint that meets the objective most closely comes first',
    ttft: [100, 300, 500],
    tpot: [20, 20, 20],
    objective: BOTH,
    scores: [0.01, 0.51, 1.01],
  },
  {
    what: 'most: the endpoint with the most headroom comes first',
    ttft: [100, 300, 500],
    tpot: [20, 20, 20],
    objective: BOTH,
    options: { headroomSelectionStrategy: 'most' },
    scores: [1.01, 0.51, 0.01],
  },
  {
    what: 'only endpoints that meet the objective are scored when there are any',
    ttft: [100, 900, 300],
    tpot: [20, 20, 60],
    objective: BOTH,
    requests: [5, 0, 0],
    scores: [0.51, 0, 0],
  },
  {
    what: 'of those that miss it, idle ones come first',
    ttft: [900, 600, 700],
    tpot: [20, 20, 20],
    objective: BOTH,
    requests: [0, 3, 3],
    scores: [0.51, 0, 0],
  },
  {
    what: 'then those that miss only the time per token',
    ttft: [600, 400, 600],
    tpot: [20, 60, 60],
    objective: BOTH,
    requests: [1, 1, 1],
    scores: [0, 0.51, 0],
  },
  {
    // Deficits 100, 300, 500 scaled to 0, 0.5, 1, TPOT deficits 0, 1, 1: x = 0.8 × … + 0.2 × ….
    what: 'then the smallest deficit, time to first token weighing 0.8',
    ttft: [600, 800, 1000],
    tpot: [60, 70, 70],
    objective: BOTH,
    requests: [1, 1, 1],
    options: { headroomSelectionStrategy: 'most' },
    scores: [1.01, 0.41, 0.01],
  },
  {
    what: 'without an objective the fastest comes first',
    ttft: [300, 100, 200],
    tpot: [20, 20, 20],
    objective: { ttftMs: null, tpotMs: null },
    requests: [1, 1, 1],
    scores: [0.01, 1.01, 0.51],
  },
];

for (const { what, ttft, tpot, objective, requests = [], options = {}, scores } of ROWS) {
  test(`latency-scorer: ${what}`, () => {
    const load = createTestLoad(ttft.length);
    load.requestsInFlight.set(requests);
    const latency = new FixedLatency(ttft, tpot);
    const scorer = createTestScorer(LATENCY_SCORER, options, createTestContext({ latency }));
    const actual = scoreAll(scorer, createTestInput(load, { objective }));
    assert.deepEqual(
      actual.map((score) => Math.round(score * 100) / 100),
      scores,
    );
  });
}

function compositeScorer(options: Readonly<Record<string, unknown>>): Scorer {
  return createTestScorer(LATENCY_SCORER, options, createTestContext({ matched: [0, 2] }));
}

test('latency-scorer: while nothing was observed, KV cache, queue and prefix decide', () => {
  const load = createTestLoad(2);
  load.kvCacheUsage.set([0.2, 0.5]);
  load.lastWaiting.set([4, 2]);
  const blocks = { blockBytes: 256, count: 4, hashes: new Uint32Array(8) };
  const input = createTestInput(load, { blocks });
  // (0.8 + 0 + 0) / 3 and (0.5 + 0.5 + 0.5) / 3, in hundredths.
  assert.deepEqual(scoreAll(compositeScorer({}), input), [0.27, 0.5]);
  const prefixOnly = { compositeKVWeight: 0, compositeQueueWeight: 0 };
  assert.deepEqual(scoreAll(compositeScorer(prefixOnly), input), [0, 0.5]);
});
