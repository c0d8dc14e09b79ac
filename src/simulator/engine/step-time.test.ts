import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createModel,
  idsFrom,
  requestOf,
  runUntilIdle,
  submitOk,
} from './testing/engine-builders.ts';
import {
  calibrateCosts,
  createStepCosts,
  createStepShape,
  scaleCosts,
  stepDurationMs,
  type StepShape,
} from './step-time.ts';

function shapeOf(given: Partial<StepShape>): StepShape {
  return { ...createStepShape(), ...given };
}

describe('duration of a step', () => {
  it('is bound by the weights for few tokens and by compute for many', () => {
    const costs = createStepCosts({ baseMs: 1, weightsMs: 10, decodeTokenMs: 0.1 });
    assert.equal(stepDurationMs(costs, shapeOf({ decodeSequences: 1 })), 11);
    assert.equal(stepDurationMs(costs, shapeOf({ decodeSequences: 100 })), 11);
    assert.equal(stepDurationMs(costs, shapeOf({ decodeSequences: 200 })), 21);
  });

  it('reads the experts that a batch is expected to touch', () => {
    const experts = 8;
    const active = 2;
    const costs = createStepCosts({
      baseMs: 1,
      expertsMs: experts,
      expertMissShare: 1 - active / experts,
    });
    const touched = (decodeSequences: number): number =>
      stepDurationMs(costs, shapeOf({ decodeSequences })) - 1;
    assert.equal(touched(1), active);
    assert.equal(touched(2), experts * (1 - 0.75 ** 2));
    assert.ok(touched(100) > 7.999 && touched(100) <= experts);
  });

  it('pays for attention of a chunk the dearer of compute and the reading of its context', () => {
    const costs = createStepCosts({
      baseMs: 1,
      prefillContextPairMs: 0.001,
      prefillContextTokenMs: 0.01,
    });
    const at = (pairs: number, tokens: number): number =>
      stepDurationMs(costs, shapeOf({ prefillContextPairs: pairs, prefillContextTokens: tokens }));
    assert.equal(at(4000, 100), 5);
    assert.equal(at(400, 100), 2);
  });

  it('is a multiple when costs are scaled, and changes by part when they are calibrated', () => {
    const costs = createStepCosts({ baseMs: 1, weightsMs: 8, prefillTokenMs: 0.5 });
    const shape = shapeOf({ prefillTokens: 32 });
    assert.equal(stepDurationMs(scaleCosts(costs, 3), shape), 51);
    const slowCompute = calibrateCosts(costs, { prefill: 2, decode: 1, overhead: 1 });
    assert.equal(stepDurationMs(slowCompute, shape), 33);
    const slowMemory = calibrateCosts(costs, { prefill: 1, decode: 4, overhead: 1 });
    assert.equal(stepDurationMs(slowMemory, shape), 33);
  });
});

describe('sliding windows', () => {
  it('bound what a chunk and a decoded token attend to', () => {
    const window = 6;
    const costs = createStepCosts({
      baseMs: 1,
      prefillWindowPairMs: 1,
      decodeWindowTokenMs: 1,
      windowTokens: window,
    });
    const model = createModel({ costs, maxNumBatchedTokens: 5 });
    const durations: number[] = [];
    model.onStep = (durationMs) => durations.push(durationMs);
    submitOk(model, requestOf(idsFrom(0, 20), 3));
    runUntilIdle(model);
    const pairs = (from: number, to: number): number => {
      let sum = 0;
      // In steps far smaller than a token, since half of a token's own pair counts.
      for (let at = from; at < to; at += 1 / 64) sum += Math.min(at + 1 / 128, window) / 64;
      return sum;
    };
    const expected = [0, 5, 10, 15].map((from) => 1 + pairs(from, from + 5));
    // The context, 21 and 22 tokens, is longer than the window.
    const rounded = (list: readonly number[]): string[] => list.map((each) => each.toFixed(6));
    assert.deepEqual(rounded(durations), rounded([...expected, 1 + window, 1 + window]));
  });
});
