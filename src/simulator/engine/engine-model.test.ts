import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createModel,
  idsFrom,
  outputOf,
  Recorder,
  requestOf,
  runUntilIdle,
  submitOk,
} from './testing/engine-builders.ts';

describe('step timing', () => {
  it('computes a long prompt in chunks of the token budget', () => {
    const model = createModel({ maxNumBatchedTokens: 8 });
    const recorder = new Recorder();
    submitOk(model, requestOf(idsFrom(0, 20), 3, { listener: recorder.listener('a') }));
    runUntilIdle(model);
    // Chunks of 8, 8 and 4 tokens: 10.8 + 10.8 + 10.4 ms; then 10 + 1 + 0.01 x context.
    assert.deepEqual(recorder.lines, [
      '32.00 a token 1',
      '43.21 a token 2',
      '54.43 a token 3',
      '54.43 a length',
    ]);
    assert.equal(model.counters.steps, 5);
  });

  it('shares a step between decoding sequences and the chunks that fit beside them', () => {
    const model = createModel({ maxNumBatchedTokens: 8 });
    const recorder = new Recorder();
    submitOk(model, requestOf(idsFrom(0, 20), 3, { listener: recorder.listener('a') }));
    runUntilIdle(model, 5);
    submitOk(model, requestOf(idsFrom(500, 10), 2, { listener: recorder.listener('b') }), 5);
    runUntilIdle(model);
    // Third step: 4 tokens of a and 4 of b. Fourth: one of a, 6 of b. Fifth: one of each.
    assert.deepEqual(recorder.lines, [
      '32.40 a token 1',
      '44.21 a token 2',
      '44.21 b token 1',
      '56.54 a token 3',
      '56.54 a length',
      '56.54 b token 2',
      '56.54 b length',
    ]);
  });

  it('batches requests that come during a step into the next one', () => {
    const model = createModel();
    const recorder = new Recorder();
    submitOk(model, requestOf(idsFrom(0, 4), 1, { listener: recorder.listener('a') }));
    model.step(0);
    submitOk(model, requestOf(idsFrom(50, 4), 1, { listener: recorder.listener('b') }), 1);
    submitOk(model, requestOf(idsFrom(90, 4), 1, { listener: recorder.listener('c') }), 2);
    assert.equal(model.waiting, 2);
    runUntilIdle(model);
    assert.deepEqual(
      recorder.lines.filter((line) => line.includes('token')),
      ['10.40 a token 1', '21.20 b token 1', '21.20 c token 1'],
    );
  });

  it('does nothing before its time and nothing when idle', () => {
    const model = createModel();
    assert.equal(model.nextStepAtMs(), Number.POSITIVE_INFINITY);
    model.step(100);
    submitOk(model, requestOf(idsFrom(0, 4), 2), 100);
    assert.equal(model.nextStepAtMs(), 100);
    model.step(99);
    assert.equal(model.running, 0);
    model.step(100);
    assert.equal(model.running, 1);
    const dueMs = model.nextStepAtMs();
    model.step(dueMs - 0.001);
    assert.equal(model.counters.generationTokens, 0);
  });

  it('catches up on lost time only as far as it is allowed to', () => {
    const exact = createModel({ maxCatchUpMs: 0 });
    const lenient = createModel({ maxCatchUpMs: 1000 });
    for (const model of [exact, lenient]) {
      submitOk(model, requestOf(idsFrom(0, 4), 3));
      model.step(0);
      model.step(200);
    }
    assert.ok(exact.nextStepAtMs() > 200);
    assert.ok(lenient.nextStepAtMs() < 30);
  });

  it('ends a request without output when its prompt is computed', () => {
    const model = createModel();
    const recorder = new Recorder();
    const request = requestOf(idsFrom(0, 9), 0, { listener: recorder.listener('a') });
    submitOk(model, { ...request, output: { ...outputOf(0), endReason: 'stop' } });
    runUntilIdle(model);
    assert.deepEqual(recorder.lines, ['10.90 a stop']);
    assert.equal(model.counters.generationTokens, 0);
  });
});

describe('speed and measurement', () => {
  it('makes the steps longer that begin after it is slowed down', () => {
    const model = createModel();
    const recorder = new Recorder();
    submitOk(model, requestOf(idsFrom(0, 4), 3, { listener: recorder.listener('a') }));
    model.step(0);
    model.setSlowdown(2);
    model.step(model.nextStepAtMs());
    model.setSlowdown(1);
    runUntilIdle(model);
    // 10.4 as planned before; then 11.05 twice over; then 11.06.
    assert.deepEqual(
      recorder.lines.filter((line) => line.includes('token')),
      ['10.40 a token 1', '32.50 a token 2', '43.56 a token 3'],
    );
    for (const factor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => model.setSlowdown(factor));
    }
  });

  it('tells of every step how long it took and how many decoded in it', () => {
    const model = createModel();
    const heard: [number, number][] = [];
    model.onStep = (durationMs, sequences) => heard.push([durationMs, sequences]);
    submitOk(model, requestOf(idsFrom(0, 4), 2));
    submitOk(model, requestOf(idsFrom(50, 4), 3));
    runUntilIdle(model);
    assert.deepEqual(
      heard.map(([durationMs, sequences]) => [durationMs.toFixed(2), sequences]),
      [
        ['10.80', 0],
        ['12.10', 2],
        ['11.06', 1],
      ],
    );
    const total = heard.reduce((sum, [durationMs]) => sum + durationMs, 0);
    assert.ok(Math.abs(model.counters.busyMs - total) < 1e-9);
    assert.equal(model.counters.steps, 3);
  });
});

describe('admission', () => {
  it('starts a prompt only when all of it fits, and then takes blocks chunk by chunk', () => {
    const model = createModel({ maxNumBatchedTokens: 8, kvBlocks: 20 });
    const first = submitOk(model, requestOf(idsFrom(0, 40), 1));
    const second = submitOk(model, requestOf(idsFrom(500, 48), 1));
    model.step(0);
    assert.equal(model.freeBlocks, 18);
    while (first.state !== 'ended') model.step(model.nextStepAtMs());
    assert.equal(second.preemptions, 0);
    assert.equal(model.counters.preemptions, 0);
    runUntilIdle(model);
    assert.equal(second.state, 'ended');
  });

  it('runs no more sequences than allowed and starts the oldest waiting one first', () => {
    const model = createModel({ maxNumSeqs: 2 });
    const recorder = new Recorder();
    for (const name of ['a', 'b', 'c', 'd']) {
      const ids = idsFrom(name.charCodeAt(0) * 100, 4);
      submitOk(model, requestOf(ids, 1, { listener: recorder.listener(name) }));
    }
    model.step(0);
    assert.equal(model.running, 2);
    assert.equal(model.waiting, 2);
    runUntilIdle(model);
    const order = recorder.lines.filter((line) => line.includes('token')).map((line) => line[6]);
    assert.deepEqual(order, ['a', 'b', 'c', 'd']);
  });

  it('refuses what the queue cannot hold, and only that', () => {
    const model = createModel({ maxNumSeqs: 1, maxQueue: 2 });
    for (let index = 0; index < 3; index += 1) submitOk(model, requestOf(idsFrom(index, 4), 1));
    const refused = model.submit(requestOf(idsFrom(9, 4), 1), 0);
    assert.deepEqual(refused, { ok: false, reason: 'queue_full' });
    assert.equal(model.waiting, 3);
    assert.equal(model.counters.rejections, 1);
    runUntilIdle(model);
    submitOk(model, requestOf(idsFrom(9, 4), 1), 1000);
  });

  it('refuses more tokens than the context or the cache holds', () => {
    const byLength = createModel({ maxModelLenTokens: 32 });
    assert.equal(byLength.submit(requestOf(idsFrom(0, 30), 2), 0).ok, true);
    const tooLong = byLength.submit(requestOf(idsFrom(0, 30), 3), 0);
    assert.deepEqual(tooLong, { ok: false, reason: 'context_too_long' });
    const byCache = createModel({ kvBlocks: 2 });
    assert.equal(byCache.contextTokens, 8);
  });
});

describe('prefix cache', () => {
  it('reuses full blocks of an equal prefix and always computes the last token', () => {
    const model = createModel();
    submitOk(model, requestOf(idsFrom(0, 16), 1));
    runUntilIdle(model);
    const again = submitOk(model, requestOf(idsFrom(0, 16), 1), 1000);
    runUntilIdle(model);
    // 16 tokens are 4 full blocks; the last one is computed again.
    assert.equal(again.cachedTokens, 12);
    const longer = submitOk(model, requestOf([...idsFrom(0, 16), 77, 78], 1), 2000);
    runUntilIdle(model);
    assert.equal(longer.cachedTokens, 16);
    assert.equal(model.counters.prefixHitTokens, 28);
    assert.equal(model.counters.prefixQueriedTokens, 16 + 16 + 18);
  });

  it('finds the answer of the last turn in the next prompt of a chat', () => {
    const model = createModel();
    submitOk(model, requestOf(idsFrom(0, 10), 7, { output: outputOf(7, 500) }));
    runUntilIdle(model);
    const next = [...idsFrom(0, 10), ...idsFrom(500, 7), 901, 902, 903];
    const sequence = submitOk(model, requestOf(next, 1), 1000);
    runUntilIdle(model);
    // KV exists for 16 of the 17 tokens: the last one was never fed back.
    assert.equal(sequence.cachedTokens, 16);
  });

  it('shares nothing across a changed middle or another adapter', () => {
    const model = createModel();
    model.adapters.register('tuned');
    submitOk(model, requestOf(idsFrom(0, 20), 1));
    runUntilIdle(model);
    const edited = [...idsFrom(0, 6), 999, ...idsFrom(7, 13)];
    const middle = submitOk(model, requestOf(edited, 1), 1000);
    runUntilIdle(model);
    assert.equal(middle.cachedTokens, 4);
    const tuned = submitOk(model, requestOf(idsFrom(0, 20), 1, { adapter: 'tuned' }), 2000);
    runUntilIdle(model);
    assert.equal(tuned.cachedTokens, 0);
  });

  it('lets sequences that run together hold one copy of their prefix', () => {
    const model = createModel();
    submitOk(model, requestOf([...idsFrom(0, 32), 1], 8));
    submitOk(model, requestOf([...idsFrom(0, 32), 2], 8));
    model.step(0);
    // 8 shared blocks and one for the tail of each.
    assert.equal(64 - model.freeBlocks, 10);
    runUntilIdle(model);
    assert.equal(model.freeBlocks, 64);
  });

  it('finds nothing when it is off', () => {
    const model = createModel({ isPrefixCaching: false });
    submitOk(model, requestOf(idsFrom(0, 16), 1));
    runUntilIdle(model);
    const again = submitOk(model, requestOf(idsFrom(0, 16), 1), 1000);
    runUntilIdle(model);
    assert.equal(again.cachedTokens, 0);
    assert.equal(model.cachedBlocks, 0);
  });
});

describe('preemption', () => {
  it('sends the newest sequence back when blocks run out, and it still ends whole', () => {
    // 8 blocks of 4: two sequences of 8 + 16 tokens need 12.
    const model = createModel({ kvBlocks: 8 });
    const recorder = new Recorder();
    const old = submitOk(model, requestOf(idsFrom(0, 8), 16, { listener: recorder.listener('a') }));
    const young = submitOk(
      model,
      requestOf(idsFrom(100, 8), 16, { listener: recorder.listener('b') }),
    );
    runUntilIdle(model);
    assert.equal(old.preemptions, 0);
    assert.equal(young.preemptions, 1);
    assert.equal(model.counters.preemptions, 1);
    assert.equal(recorder.ended, 2);
    const tokens = (name: string): string[] =>
      recorder.lines.filter((line) => line.includes(`${name} token`));
    assert.equal(tokens('a').length, 16);
    assert.equal(tokens('b').length, 16);
    assert.equal(model.freeBlocks, 8);
  });

  it('counts the prompt of a preempted sequence once', () => {
    const model = createModel({ kvBlocks: 8 });
    submitOk(model, requestOf(idsFrom(0, 8), 16));
    submitOk(model, requestOf(idsFrom(100, 8), 16));
    runUntilIdle(model);
    assert.equal(model.counters.promptTokens, 16);
    assert.equal(model.counters.generationTokens, 32);
    assert.equal(model.counters.timeToFirstToken.count, 2);
  });
});

describe('cancel', () => {
  it('frees a running sequence at once and tells nobody', () => {
    const model = createModel();
    const recorder = new Recorder();
    const sequence = submitOk(
      model,
      requestOf(idsFrom(0, 12), 50, { listener: recorder.listener('a') }),
    );
    model.step(0);
    model.step(model.nextStepAtMs());
    model.cancel(sequence);
    model.cancel(sequence);
    assert.equal(model.freeBlocks, 64);
    assert.equal(model.running, 0);
    runUntilIdle(model);
    assert.deepEqual(recorder.lines, ['11.20 a token 1']);
    assert.equal(model.counters.ended.cancelled, 1);
  });

  it('may be called while tokens are handed out, for any sequence', () => {
    const model = createModel();
    const sequences: ReturnType<typeof submitOk>[] = [];
    const tokens = [0, 0, 0];
    for (const index of [0, 1, 2]) {
      const listener = {
        onToken: () => {
          tokens[index] = (tokens[index] ?? 0) + 1;
          if (index !== 1 || tokens[1] !== 3) return;
          for (const sequence of sequences) model.cancel(sequence);
        },
        onEnd: () => assert.fail('nothing ends by itself'),
      };
      sequences.push(submitOk(model, requestOf(idsFrom(index * 50, 5), 40, { listener })));
    }
    runUntilIdle(model);
    assert.deepEqual(tokens, [3, 3, 2]);
    assert.equal(model.freeBlocks, 64);
    assert.equal(model.running, 0);
  });

  it('takes a waiting sequence out of the queue', () => {
    const model = createModel({ maxNumSeqs: 1 });
    submitOk(model, requestOf(idsFrom(0, 4), 2));
    const waiting = submitOk(model, requestOf(idsFrom(9, 4), 2));
    model.cancel(waiting);
    assert.equal(model.waiting, 1);
    runUntilIdle(model);
    assert.equal(model.counters.generationTokens, 2);
  });
});

describe('adapters', () => {
  it('adds the load to the step that first needs the adapter', () => {
    const model = createModel();
    const recorder = new Recorder();
    model.adapters.register('x');
    const request = requestOf(idsFrom(0, 4), 1, { adapter: 'x', listener: recorder.listener('a') });
    submitOk(model, request);
    runUntilIdle(model);
    submitOk(model, { ...request, listener: recorder.listener('b') }, 1000);
    runUntilIdle(model);
    assert.deepEqual(
      recorder.lines.filter((line) => line.includes('token')),
      ['510.40 a token 1', '1010.40 b token 1'],
    );
  });

  it('lets others pass a request whose adapter finds no slot', () => {
    const model = createModel({ adapters: { slots: 1, cpuSlots: 1, loadMs: 0, activateMs: 0 } });
    const recorder = new Recorder();
    for (const name of ['x', 'y']) model.adapters.register(name);
    const plan: readonly (readonly [string, string | null, number])[] = [
      ['a', 'x', 3],
      ['b', 'y', 1],
      ['c', null, 1],
    ];
    for (const [name, adapter, length] of plan) {
      const ids = idsFrom(name.charCodeAt(0) * 100, 4);
      const listener = recorder.listener(name);
      submitOk(model, requestOf(ids, length, { adapter, listener }));
    }
    runUntilIdle(model);
    const ends = recorder.lines.filter((line) => line.endsWith('length')).map((line) => line[6]);
    assert.deepEqual(ends, ['c', 'a', 'b']);
  });

  it('holds the engine while an adapter is loaded ahead of use', () => {
    const model = createModel();
    assert.equal(model.loadAdapter('x', 100), 600);
    assert.equal(model.loadAdapter('x', 100), 'already_loaded');
    submitOk(model, requestOf(idsFrom(0, 4), 1), 200);
    assert.equal(model.nextStepAtMs(), 600);
    assert.equal(model.unloadAdapter('x'), 'removed');
    assert.equal(model.unloadAdapter('x'), 'unknown');
  });

  it('refuses unknown adapters and any adapter without slots', () => {
    const model = createModel();
    const unknown = model.submit(requestOf([1], 1, { adapter: 'nope' }), 0);
    assert.deepEqual(unknown, { ok: false, reason: 'adapter_unknown' });
    const none = createModel({ adapters: { slots: 0, cpuSlots: 0, loadMs: 1, activateMs: 1 } });
    assert.equal(none.loadAdapter('x', 0), 'no_adapter_slots');
  });
});

describe('sleep', () => {
  it('drops the cache, takes nothing, and goes on after waking', () => {
    const model = createModel();
    const recorder = new Recorder();
    submitOk(model, requestOf(idsFrom(0, 8), 4, { listener: recorder.listener('a') }));
    model.step(0);
    model.step(model.nextStepAtMs());
    model.sleep(1);
    assert.equal(model.nextStepAtMs(), Number.POSITIVE_INFINITY);
    assert.equal(model.freeBlocks, 64);
    assert.equal(model.cachedBlocks, 0);
    const refused = model.submit(requestOf([1], 1), 50);
    assert.deepEqual(refused, { ok: false, reason: 'asleep' });
    assert.equal(model.wake(1000), 1100);
    assert.equal(model.nextStepAtMs(), 1100);
    runUntilIdle(model);
    assert.equal(recorder.lines.filter((line) => line.includes('token')).length, 4);
    assert.equal(recorder.ended, 1);
  });

  it('takes longer to wake from a deeper sleep, which adapters do not survive', () => {
    const model = createModel();
    model.loadAdapter('x', 0);
    model.sleep(2);
    assert.equal(model.sleepLevel, 2);
    assert.equal(model.adapters.views()[0]!.tier, 'disk');
    assert.equal(model.wake(1000), 1900);
    model.sleep(1);
    assert.equal(model.wake(5000), 5100);
    assert.equal(model.sleepLevel, null);
  });
});
