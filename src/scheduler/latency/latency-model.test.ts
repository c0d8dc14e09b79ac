import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestLoad } from '../testing/pick-world.ts';
import type { FinishedObservation, FirstTokenObservation } from '../types.ts';
import { LatencyModel } from './latency-model.ts';

function firstToken(
  nowMs: number,
  ttftMs: number,
  overrides: Partial<FirstTokenObservation> = {},
): FirstTokenObservation {
  return {
    nowMs,
    ttftMs,
    promptTokens: 1000,
    cachedTokens: 0,
    prefillTokensAhead: 0,
    requestsAhead: 0,
    isAdapterCold: false,
    ...overrides,
  };
}

function finished(nowMs: number, tpotMs: number | null, batch = 1): FinishedObservation {
  return {
    nowMs,
    promptTokens: 1000,
    completionTokens: 100,
    cachedTokens: null,
    tpotMs,
    batch,
    kvCacheUsage: Number.NaN,
    blocks: null,
    firstToken: null,
  };
}

const WORK = { uncachedTokens: 1000, prefillTokensAhead: 0, requestsAhead: 0 };

/** First tokens of a server that prefills `tokensPerMs` and has 20 ms of base delay. */
function teach(model: LatencyModel, slot: number, tokensPerMs: number): void {
  for (let i = 1; i <= 30; i += 1) {
    const promptTokens = 200 * (1 + (i % 10));
    model.observeFirstToken(
      slot,
      firstToken(i * 100, 20 + promptTokens / tokensPerMs, { promptTokens }),
    );
  }
}

test('an unknown endpoint is predicted sanely and has no confidence', () => {
  const model = new LatencyModel();
  const ttftMs = model.predictTtftMs(500, WORK);
  assert.ok(ttftMs > 20 && ttftMs < 2000);
  const tpotMs = model.predictTpotMs(500, { batch: 1, kvCacheUsage: Number.NaN });
  assert.ok(tpotMs > 1 && tpotMs < 200);
  assert.equal(model.confidence(500), 0);
});

test('uncached tokens, queued prefill and requests ahead each lengthen the time to first token', () => {
  const model = new LatencyModel();
  const base = model.predictTtftMs(0, WORK);
  assert.ok(model.predictTtftMs(0, { ...WORK, uncachedTokens: 2000 }) > base);
  assert.ok(model.predictTtftMs(0, { ...WORK, prefillTokensAhead: 1000 }) > base);
  assert.ok(model.predictTtftMs(0, { ...WORK, requestsAhead: 10 }) > base);
});

test('the prefill rate of each endpoint is learned', () => {
  const model = new LatencyModel();
  teach(model, 0, 10);
  teach(model, 1, 20);
  const rates = [model.prefillTokensPerSecond(0), model.prefillTokensPerSecond(1)];
  assert.ok(Math.abs(rates[0]! / 10_000 - 1) < 0.1, `${rates[0]} tokens/s`);
  assert.ok(Math.abs(rates[1]! / 20_000 - 1) < 0.1, `${rates[1]} tokens/s`);
  assert.ok(model.confidence(0) > 0.8);
});

test('cached tokens are not prefilled', () => {
  const model = new LatencyModel();
  teach(model, 0, 10);
  const before = model.predictTtftMs(0, WORK);
  for (let i = 0; i < 20; i += 1) {
    model.observeFirstToken(
      0,
      firstToken(4000 + i, 30, { promptTokens: 8000, cachedTokens: 7900 }),
    );
  }
  assert.ok(Math.abs(model.predictTtftMs(0, WORK) / before - 1) < 0.15);
});

test('a newcomer is taken to be as its pool is in the middle, one of another pool is not', () => {
  const model = new LatencyModel();
  for (const slot of [0, 1, 2]) teach(model, slot, 2);
  const load = createTestLoad(10);
  model.prepare(Int32Array.of(0, 1, 2, 3), load, 5000);
  model.prepare(Int32Array.of(7, 8), load, 5000);
  const known = model.predictTtftMs(0, WORK);
  assert.ok(Math.abs(model.predictTtftMs(3, WORK) / known - 1) < 0.1);
  assert.equal(model.predictTtftMs(7, WORK), new LatencyModel().predictTtftMs(7, WORK));
  assert.equal(model.confidence(3), 0);
});

test('pools that are asked for in turn, and share their first slot, keep what is usual in each', () => {
  const model = new LatencyModel();
  const load = createTestLoad(64);
  // Thirty slots each, more than one pick visits of them: quick 1 to 30, slow 31 to 60.
  const [quick, slow] = [1, 31].map((from) => Int32Array.from({ length: 30 }, (_, i) => from + i));
  const shared = Int32Array.of(0, ...slow!);
  const all = Int32Array.of(0, ...quick!);
  const pickInTurn = (fromMs: number): void => {
    for (let nowMs = fromMs; nowMs < fromMs + 2000; nowMs += 20) {
      model.prepare(all, load, nowMs);
      model.prepare(shared, load, nowMs);
    }
  };
  pickInTurn(0);
  for (const slot of quick!.subarray(0, 20)) teach(model, slot, 20);
  for (const slot of slow!.subarray(0, 20)) teach(model, slot, 2);
  pickInTurn(4000);
  const usual = model.prefillTokensPerSecond(1);
  const usualSlow = model.prefillTokensPerSecond(31);
  assert.ok(usual > 8 * usualSlow);
  for (let i = 20; i < 30; i += 1) {
    const rates = [model.prefillTokensPerSecond(1 + i), model.prefillTokensPerSecond(31 + i)];
    assert.ok(Math.abs(rates[0]! / usual - 1) < 0.1, `slot ${1 + i}: ${rates[0]} of ${usual}`);
    assert.ok(Math.abs(rates[1]! / usualSlow - 1) < 0.1, `slot ${31 + i}: ${rates[1]}`);
  }
});

test('the time of prompts that were prefilled in between is not taken for step time', () => {
  const model = new LatencyModel();
  const stepMs = 20;
  const promptMs = 0.05;
  let nowMs = 0;
  for (let i = 0; i < 120; i += 1) {
    // Every other answer of 100 tokens saw 20,000 prompt tokens go by: 1,000 ms in 99 steps.
    const prefilled = i % 2 === 0 ? 0 : 20_000;
    const decodeMs = stepMs * 99 + prefilled * promptMs;
    nowMs += decodeMs;
    const at = { promptTokens: prefilled / 4, cachedTokens: 0 };
    for (const share of [0.2, 0.4, 0.6, 0.8]) {
      if (prefilled === 0) break;
      model.observeFirstToken(0, firstToken(nowMs - decodeMs * (1 - share), 500, at));
    }
    model.observeFinished(0, finished(nowMs, decodeMs / 99));
  }
  const at = 0;
  const step = model.tpot.parameters[at]! + model.tpot.parameters[at + 1]!;
  assert.ok(Math.abs(step / stepMs - 1) < 0.15, `${step} ms`);
  const predicted = model.predictTpotMs(0, { batch: 1, kvCacheUsage: Number.NaN });
  assert.ok(predicted > 22 && predicted < 30, `${predicted} ms, half of them 20, half 30`);
});

test('the load of an adapter is learned apart from the time to first token', () => {
  const model = new LatencyModel();
  teach(model, 0, 10);
  const before = model.predictTtftMs(0, WORK);
  for (let i = 0; i < 20; i += 1) {
    model.observeFirstToken(0, { ...firstToken(4000 + i, before + 1800), isAdapterCold: true });
  }
  assert.ok(Math.abs(model.adapterLoad.loadMs[0]! / 1800 - 1) < 0.1);
  assert.equal(model.predictTtftMs(0, WORK), before);
  // One load that hangs is no new truth.
  model.observeFirstToken(0, { ...firstToken(5000, 600_000), isAdapterCold: true });
  assert.ok(model.adapterLoad.loadMs[0]! < 2 * 1800);
});

test('nonsense is ignored, and a reset forgets', () => {
  const model = new LatencyModel();
  teach(model, 0, 10);
  const before = model.predictTtftMs(0, WORK);
  model.observeFirstToken(0, firstToken(4000, Number.NaN));
  model.observeFirstToken(0, firstToken(4000, -5));
  model.observeFirstToken(0, firstToken(4000, 100, { promptTokens: Number.NaN }));
  model.observeFinished(0, finished(4000, null));
  model.observeFinished(0, finished(4000, 20, Number.POSITIVE_INFINITY));
  assert.equal(model.predictTtftMs(0, WORK), before);
  model.reset(0);
  assert.equal(model.predictTtftMs(0, WORK), new LatencyModel().predictTtftMs(0, WORK));
});
