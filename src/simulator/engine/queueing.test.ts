import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { createModel, idsFrom, requestOf } from './testing/engine-builders.ts';
import { createStepCosts } from './step-time.ts';

/** Mean wait of Poisson arrivals of equal one-token answers at an engine that runs one of them. */
function meanWaitMs(options: {
  readonly serviceMs: number;
  readonly load: number;
  readonly requests: number;
  readonly seed: number;
}): number {
  const { serviceMs, load, requests, seed } = options;
  const model = createModel({
    costs: createStepCosts({ baseMs: serviceMs }),
    maxNumSeqs: 1,
    isPrefixCaching: false,
    maxQueue: requests,
  });
  const request = requestOf(idsFrom(0, 16), 1);
  const rng = createRng(seed);
  let arrivalMs = 0;
  for (let sent = 0; sent < requests;) {
    const stepMs = model.nextStepAtMs();
    if (stepMs <= arrivalMs) {
      model.step(stepMs);
    } else {
      assert.ok(model.submit(request, arrivalMs).ok);
      sent += 1;
      arrivalMs -= (Math.log(1 - rng.next()) * serviceMs) / load;
    }
  }
  const { queueTime } = model.counters;
  return (queueTime.sum / queueTime.count) * 1000;
}

it('lets requests wait as long as an M/D/1 queue does', () => {
  const serviceMs = 20;
  for (const load of [0.5, 0.7, 0.9]) {
    const waitMs = meanWaitMs({ serviceMs, load, requests: 200_000, seed: 7 });
    // Pollaczek and Khinchine, for constant service times.
    const expectedMs = (load * serviceMs) / (2 * (1 - load));
    const gap = Math.abs(waitMs / expectedMs - 1);
    assert.ok(gap < 0.05, `load ${load}: ${waitMs} against ${expectedMs}`);
  }
});
