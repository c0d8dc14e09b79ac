import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PrefixMatches } from '../framework/prefix-matches.ts';
import { LatencyModel } from '../latency/latency-model.ts';
import type { PrefixHoldings } from '../ports.ts';
import {
  createTestBlocks,
  createTestInput,
  createTestLoad,
  scoreAll,
  type TestInput,
} from '../testing/pick-world.ts';
import { SoonestScorer } from './soonest.ts';

/** An index in which slot i holds the first `matched[i]` blocks of any prompt. */
function createIndex(matched: readonly number[]): PrefixHoldings {
  return {
    blocksOf: () => 0,
    match(_blocks, members, candidates, out) {
      for (let i = 0; i < candidates.count; i += 1) {
        const position = candidates.positions[i]!;
        out[position] = matched[members[position]!] ?? 0;
      }
    },
  };
}

function createScorer(matched: readonly number[] = [], latency = new LatencyModel()) {
  const index = createIndex(matched);
  const matches = new PrefixMatches(index);
  const scorer = new SoonestScorer({
    name: 'soonest',
    latency,
    matches,
    ttftWeight: 4,
    othersWeight: 1,
  });
  return { scorer, matches };
}

function scoresOf(load = createTestLoad(2), test: TestInput = {}, matched: number[] = []) {
  return scoreAll(createScorer(matched).scorer, createTestInput(load, test));
}

function bestOf(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

test('the score is the least cost divided by the own, by the formula of the costs', () => {
  const load = createTestLoad(2);
  load.requestsInFlight[1] = 2;
  load.prefillTokensInFlight[1] = 1000;
  load.tokensInFlight[1] = 1000 + 80;
  // Start values: TTFT 40 + 0.5 a request + 0.1 a token; TPOT 20 + 0.15 a request.
  const idle = 4 * (40 + 10) + 100 * 20.15;
  const ttft = 40 + 2 * 0.5 + 100 + 10;
  const queue = 2;
  // Nobody decodes there: both wait for their prompts.
  const inflicted = 4 * 2 * queue * 10 + 0.15 * Math.min(100 * 2, 80);
  const busy = 4 * ttft + 100 * (20 + 0.15 * 3) + inflicted;
  const scores = scoresOf(load);
  assert.equal(scores[0], 1);
  assert.ok(Math.abs(scores[1]! - idle / busy) < 1e-9, `${scores[1]} is not ${idle / busy}`);
});

test('equal endpoints score equally', () => {
  assert.deepEqual(scoresOf(createTestLoad(4)), [1, 1, 1, 1]);
});

test('a held prefix attracts until what is queued there outweighs it', () => {
  const blocks = createTestBlocks(Array.from({ length: 100 }, (_, index) => index));
  const request = { blocks, promptTokens: 6400 };
  const load = createTestLoad(2);
  assert.equal(bestOf(scoresOf(load, request, [0, 95])), 1);
  load.requestsInFlight[1] = 3;
  load.tokensInFlight[1] = 3600;
  load.prefillTokensInFlight[1] = 3000;
  assert.equal(bestOf(scoresOf(load, request, [0, 95])), 1);
  load.requestsInFlight[1] = 12;
  load.prefillTokensInFlight[1] = 12_000;
  load.tokensInFlight[1] = 13_000;
  assert.equal(bestOf(scoresOf(load, request, [0, 95])), 0);
});

test('work goes where fewer stand still for it', () => {
  const load = createTestLoad(2);
  load.requestsInFlight.set([40, 30]);
  load.tokensInFlight.set([4000, 4000]);
  assert.equal(bestOf(scoresOf(load, { promptTokens: 4000 })), 1);
});

test('a full KV cache and taken seats are waited for', () => {
  const load = createTestLoad(2);
  load.kvBlockCount.set([1000, 100_000]);
  load.kvBlockTokens.fill(16);
  load.kvCacheUsage.fill(0.97);
  load.requestsInFlight.set([5, 6]);
  load.tokensInFlight.set([500, 600]);
  assert.equal(bestOf(scoresOf(load, { promptTokens: 1000 })), 1);
  load.kvBlockCount.fill(Number.NaN);
  assert.equal(bestOf(scoresOf(load, { promptTokens: 1000 })), 0);

  const latency = new LatencyModel();
  const { scorer } = createScorer([], latency);
  const other = createTestLoad(2);
  other.requestsInFlight.set([8, 9]);
  const input = createTestInput(other);
  assert.equal(bestOf(scoreAll(scorer, input)), 0);
  for (let i = 0; i < 3; i += 1) latency.seats.observe(0, 8, 2);
  assert.equal(bestOf(scoreAll(scorer, input)), 1);
});

test('a serving adapter beats an idle one, an idle one beats a load', () => {
  const scores = scoresOf(createTestLoad(3), { residency: Uint8Array.of(0, 1, 2) });
  assert.ok(scores[2]! > scores[1]! && scores[1]! > scores[0]!, scores.join(' '));
});

test('an adapter is loaded where a slot is free, or else where the idle longest goes out', () => {
  const load = createTestLoad(3);
  load.adapterSlots.fill(2);
  const { scorer } = createScorer();
  const book = (slot: number, nowMs: number): void => {
    const residency = new Uint8Array(3);
    scorer.noteBooked(slot, createTestInput(load, { residency, nowMs }));
  };
  book(0, 50_000);
  book(0, 60_000);
  book(1, 1000);
  book(1, 60_000);
  book(2, 60_000);
  const ask = { residency: new Uint8Array(3), nowMs: 61_000 };
  const scores = scoreAll(scorer, createTestInput(load, ask));
  assert.ok(scores[2]! > scores[1]! && scores[1]! > scores[0]!, scores.join(' '));
});

test('with an objective the most loaded endpoint that meets it with room to spare wins', () => {
  const load = createTestLoad(3);
  load.requestsInFlight.set([0, 4, 60]);
  load.tokensInFlight.set([0, 400, 30_000]);
  load.prefillTokensInFlight.set([0, 0, 24_000]);
  const objective = { ttftMs: 1000, tpotMs: null };
  const scores = scoresOf(load, { objective });
  assert.equal(bestOf(scores), 1);
  assert.ok(scores[2]! < 0.3, `${scores[2]} misses it`);
  assert.equal(bestOf(scoresOf(load)), 0);
});

test('packing does not repeat a prompt that a less loaded endpoint holds', () => {
  const blocks = createTestBlocks(Array.from({ length: 100 }, (_, index) => index));
  const load = createTestLoad(2);
  load.requestsInFlight.set([0, 6]);
  load.tokensInFlight.set([0, 600]);
  const objective = { ttftMs: 3000, tpotMs: null };
  assert.equal(bestOf(scoresOf(load, { objective, blocks, promptTokens: 6400 }, [100, 0])), 0);
});

test('when no endpoint meets the objective the least miss wins', () => {
  const load = createTestLoad(3);
  load.prefillTokensInFlight.set([30_000, 9000, 20_000]);
  load.tokensInFlight.set([30_000, 9000, 20_000]);
  load.requestsInFlight.set([3, 3, 3]);
  for (const objective of [
    { ttftMs: 50, tpotMs: null },
    { ttftMs: 50, tpotMs: 1 },
  ]) {
    const scores = scoresOf(load, { objective });
    assert.equal(bestOf(scores), 1);
    assert.ok(scores.every((score) => score > 0 && score < 0.3));
  }
});

test('predictions of the last pick can be read', () => {
  const { scorer } = createScorer();
  scoreAll(scorer, createTestInput(createTestLoad(3)));
  assert.equal(scorer.predictedTtftMs[2], 50);
  assert.ok(Math.abs(scorer.predictedTpotMs[2]! - 20.15) < 1e-9);
});

test('scores are within 0 and 1 whatever the load is', () => {
  const amount = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true }));
  const endpoint = fc.record({
    requests: fc.nat(1e6),
    prefill: amount,
    output: amount,
    foreign: fc.nat(1000),
    waiting: fc.nat(1000),
    kv: fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 1, noNaN: true })),
    blocks: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: 1, max: 1e6 })),
    residency: fc.nat(2),
    slots: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: 1, max: 64 })),
  });
  const goal = fc.oneof(fc.constant(null), fc.double({ min: 0.001, max: 1e7, noNaN: true }));
  const request = fc.record({
    promptTokens: fc.nat(1e6),
    outputTokens: fc.nat(1e6),
    objective: fc.record({ ttftMs: goal, tpotMs: goal }),
  });
  fc.assert(
    fc.property(fc.array(endpoint, { minLength: 1, maxLength: 30 }), request, (all, asked) => {
      const load = createTestLoad(all.length);
      all.forEach((each, slot) => {
        load.requestsInFlight[slot] = each.requests;
        load.prefillTokensInFlight[slot] = each.prefill;
        load.tokensInFlight[slot] = each.prefill + each.output;
        load.foreignRequests[slot] = each.foreign;
        load.reportedWaiting[slot] = each.waiting;
        load.kvCacheUsage[slot] = each.kv;
        load.kvBlockCount[slot] = each.blocks;
        load.kvBlockTokens[slot] = 16;
        load.adapterSlots[slot] = each.slots;
      });
      const residency = Uint8Array.from(all, (each) => each.residency);
      for (const score of scoresOf(load, { ...asked, residency })) {
        assert.ok(score >= 0 && score <= 1, `${score}`);
      }
    }),
  );
});
