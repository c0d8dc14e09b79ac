import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { EngineModel } from './engine-model.ts';
import type { Sequence } from './sequence.ts';
import {
  createModel,
  idsFrom,
  outputOf,
  Recorder,
  requestOf,
  runUntilIdle,
  submitOk,
} from './testing/engine-builders.ts';

const KV_BLOCKS = 20;
const ADAPTERS = ['x', 'y', 'z'];

type Action =
  | {
      readonly kind: 'submit';
      readonly family: number;
      prompt: number;
      readonly output: number;
      readonly adapter: number;
    }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'step'; readonly count: number }
  | { readonly kind: 'nap' };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('submit' as const),
        // Few families, so that prompts share prefixes.
        family: fc.nat(2),
        prompt: fc.integer({ min: 1, max: 50 }),
        output: fc.integer({ min: 0, max: 30 }),
        adapter: fc.integer({ min: -3, max: 2 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(40) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('step' as const),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'nap' as const }) },
  ),
  { maxLength: 60 },
);

interface Run {
  readonly model: EngineModel;
  readonly recorder: Recorder;
  readonly sequences: Sequence[];
}

function play(list: readonly Action[]): Run {
  const model = createModel({ kvBlocks: KV_BLOCKS, maxNumBatchedTokens: 16, maxQueue: 8 });
  for (const name of ADAPTERS) model.adapters.register(name);
  const run: Run = { model, recorder: new Recorder(), sequences: [] };
  let nowMs = 0;
  for (const action of list) {
    nowMs = apply(run, action, nowMs);
    checkInvariants(model);
  }
  runUntilIdle(model);
  return run;
}

function apply(run: Run, action: Action, nowMs: number): number {
  const { model } = run;
  switch (action.kind) {
    case 'submit': {
      const name = String(run.sequences.length);
      const submission = model.submit(
        requestOf(idsFrom(action.family * 1000, action.prompt), action.output, {
          output: outputOf(action.output, 5000 + action.family),
          adapter: ADAPTERS[action.adapter] ?? null,
          listener: run.recorder.listener(name),
        }),
        nowMs,
      );
      if (submission.ok) run.sequences.push(submission.sequence);
      return nowMs;
    }
    case 'cancel': {
      const sequence = run.sequences[action.which];
      if (sequence !== undefined) model.cancel(sequence);
      return nowMs;
    }
    case 'step': {
      let atMs = nowMs;
      for (let count = 0; count < action.count; count += 1) {
        const nextMs = model.nextStepAtMs();
        if (nextMs === Number.POSITIVE_INFINITY) return atMs;
        atMs = Math.max(atMs, nextMs);
        model.step(atMs);
      }
      return atMs;
    }
    case 'nap':
      model.sleep(1);
      return Math.max(nowMs, model.wake(nowMs));
  }
}

function checkInvariants(model: EngineModel): void {
  assert.ok(model.running <= model.options.maxNumSeqs);
  assert.ok(model.freeBlocks >= 0 && model.freeBlocks <= KV_BLOCKS);
  assert.ok(model.cachedBlocks <= KV_BLOCKS);
  const resident = model.adapters.views().filter((view) => view.tier === 'gpu');
  assert.ok(resident.length <= model.options.adapters.slots);
}

it('gives every block, slot and token back after any mix of submits, cancels and naps', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { model, recorder, sequences } = play(list);
      assert.equal(model.freeBlocks, KV_BLOCKS);
      assert.equal(model.running + model.waiting, 0);
      for (const view of model.adapters.views()) {
        assert.equal(view.running + view.waiting, 0, view.name);
      }
      const generated = sequences.reduce((sum, sequence) => sum + sequence.outputTokens, 0);
      assert.equal(model.counters.generationTokens, generated);
      const { stop, length, cancelled } = model.counters.ended;
      assert.equal(stop + length + cancelled, sequences.length);
      assert.equal(recorder.ended, stop + length);
      for (const sequence of sequences) assert.equal(sequence.state, 'ended');
    }),
    { numRuns: 300 },
  );
});

it('ends every sequence that nobody cancels with all of its tokens, each counted once', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const kept = list.filter((action) => action.kind !== 'cancel');
      const { model, sequences } = play(kept);
      let promptTokens = 0;
      for (const sequence of sequences) {
        assert.equal(sequence.outputTokens, sequence.request.output.length);
        promptTokens += sequence.request.prompt.tokens;
      }
      assert.equal(model.counters.promptTokens, promptTokens);
      assert.ok(model.counters.prefixHitTokens <= model.counters.prefixQueriedTokens);
    }),
    { numRuns: 100 },
  );
});

it('gives the same trace for the same calls', () => {
  fc.assert(
    fc.property(actions, (list) => {
      assert.deepEqual(play(list).recorder.lines, play(list).recorder.lines);
    }),
    { numRuns: 50 },
  );
});

/**
 * The prefix cache in the plainest form: free blocks as a list, oldest first, each with its
 * prefix.
 */
class NaiveCache {
  free: (string | null)[] = Array.from({ length: KV_BLOCKS }, () => null);

  /** Runs one request on an otherwise idle engine; returns the tokens found in the cache. */
  run(prompt: readonly number[], output: readonly number[]): number {
    const all = [...prompt, ...output];
    const limit = Math.floor((prompt.length - 1) / 4);
    const held: (string | null)[] = [];
    while (held.length < limit) {
      const at = this.free.indexOf(keyOf(all, held.length));
      if (at < 0) break;
      held.push(...this.free.splice(at, 1));
    }
    const hits = held.length;
    const computed = prompt.length + Math.max(0, output.length - 1);
    for (let tokens = prompt.length; tokens <= computed; tokens += 1) {
      while (held.length * 4 < tokens) {
        this.free.shift();
        held.push(null);
      }
      const before = tokens === prompt.length ? hits * 4 : tokens - 1;
      for (let index = Math.floor(before / 4); index < Math.floor(tokens / 4); index += 1) {
        const key = keyOf(all, index);
        const twin = this.free.indexOf(key);
        if (twin >= 0) this.free[twin] = null;
        held[index] = key;
      }
    }
    this.free.push(...held.reverse());
    return hits * 4;
  }
}

function keyOf(tokens: readonly number[], index: number): string {
  return tokens.slice(0, (index + 1) * 4).join(',');
}

it('hits what a plain list with LRU eviction would hit', () => {
  const requests = fc.array(
    fc.record({
      family: fc.nat(3),
      prompt: fc.integer({ min: 1, max: 48 }),
      output: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(requests, (list) => {
      const model = createModel({ kvBlocks: KV_BLOCKS });
      const naive = new NaiveCache();
      for (const { family, prompt, output } of list) {
        const ids = idsFrom(family * 1000, prompt);
        const firstId = family * 1000 + prompt;
        // Outputs go on with the family's ids, so that longer prompts find earlier answers.
        const request = requestOf(ids, output, { output: outputOf(output, firstId) });
        const sequence = submitOk(model, request, 1e6);
        runUntilIdle(model);
        assert.equal(sequence.cachedTokens, naive.run(ids, idsFrom(firstId, output)));
      }
    }),
    { numRuns: 200 },
  );
});
