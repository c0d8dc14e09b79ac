import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../core/rng.ts';
import { BUILTIN_PLUGINS } from './framework/builtins.ts';
import { checkProfileSpec } from './framework/check-profile.ts';
import type { ProfileSpec } from './framework/plugin.ts';
import { createRegistry } from './framework/registry.ts';
import { describeUnknownPreset, findPreset, PRESET_NAMES, PRESETS } from './presets.ts';
import { Scheduler } from './scheduler.ts';
import { createTestBlocks, createTestInput, createTestLoad } from './testing/pick-world.ts';
import type { PickInput } from './types.ts';

const REGISTRY = createRegistry(BUILTIN_PLUGINS);

function createScheduler(profile: ProfileSpec, shadow: ProfileSpec | null = null): Scheduler {
  return new Scheduler({
    profile,
    shadow,
    registry: REGISTRY,
    rng: createRng(1),
    prefix: { maxBytes: 1024 * 1024, defaultBlocksPerEndpoint: 1024 },
    onPluginFault: (name, cause) => assert.fail(`${name} failed: ${String(cause)}`),
  });
}

/** A prompt of a hundred blocks; equal numbers are equal prompts. */
function promptInput(prompt: number, endpoints = 4): PickInput {
  return createTestInput(createTestLoad(endpoints), {
    blocks: createTestBlocks(Array.from({ length: 100 }, (_, index) => prompt * 1000 + index)),
    promptTokens: 6400,
  });
}

function firstSlot(scheduler: Scheduler, input: PickInput): number {
  return scheduler.pick(input).ranked[0]!.slot;
}

test('a prompt goes back to where it was booked, and the match is known with any policy', () => {
  for (const name of ['llm-d-default', 'round-robin'] as const) {
    const scheduler = createScheduler(PRESETS[name]);
    scheduler.noteBooked(2, promptInput(1));
    const { ranked } = scheduler.pick(promptInput(1));
    const holder = ranked.find(({ slot }) => slot === 2);
    if (name === 'llm-d-default') assert.equal(ranked[0]!.slot, 2);
    assert.equal(holder?.matchedBlocks, 100);
    assert.ok(ranked.every(({ slot, matchedBlocks }) => slot === 2 || matchedBlocks === 0));
  }
});

test('a cached prompt is predicted to be answered sooner', () => {
  const scheduler = createScheduler(PRESETS['llm-d-default']);
  scheduler.noteBooked(2, promptInput(1));
  const { ranked } = scheduler.pick(promptInput(1));
  const [holder, other] = ranked;
  assert.ok(holder!.predictedTtftMs < other!.predictedTtftMs);
  assert.ok(holder!.predictedTpotMs > 0);
});

test('an endpoint that restarts or is gone holds nothing', () => {
  const scheduler = createScheduler(PRESETS['llm-d-precise']);
  scheduler.noteBooked(2, promptInput(1));
  scheduler.noteBooked(3, promptInput(1));
  scheduler.noteRestart(2);
  assert.equal(firstSlot(scheduler, promptInput(1)), 3);
  scheduler.noteRemoved(3);
  assert.ok(
    scheduler.pick(promptInput(1)).ranked.every(({ matchedBlocks }) => matchedBlocks === 0),
  );
});

test('a small reported cache holds only the newest prompt', () => {
  const scheduler = createScheduler(PRESETS['llm-d-default']);
  // 150 blocks of 256 bytes at 4 bytes a token.
  scheduler.noteCapacity(0, { blockTokens: 16, blockCount: 600 });
  scheduler.noteBooked(0, promptInput(1, 1));
  scheduler.noteBooked(0, promptInput(2, 1));
  assert.equal(scheduler.pick(promptInput(2, 1)).ranked[0]!.matchedBlocks, 100);
  assert.ok(scheduler.pick(promptInput(1, 1)).ranked[0]!.matchedBlocks < 100);
});

test('a capacity that is no number is ignored', () => {
  const scheduler = createScheduler(PRESETS['llm-d-default']);
  scheduler.noteCapacity(0, null);
  scheduler.noteCapacity(0, { blockTokens: Number.NaN, blockCount: 10 });
  scheduler.noteBooked(0, promptInput(1, 1));
  assert.equal(scheduler.pick(promptInput(1, 1)).ranked[0]!.matchedBlocks, 100);
});

test('a shadow scores every request and changes no pick', () => {
  const alone = createScheduler(PRESETS['random']);
  const watched = createScheduler(PRESETS['random'], PRESETS['power-of-two']);
  for (let request = 0; request < 50; request += 1) {
    const input = promptInput(request);
    const shadow = watched.pickShadow(input);
    assert.equal(shadow?.ranked.length, 3);
    assert.deepEqual(watched.pick(input).ranked, alone.pick(input).ranked);
  }
  assert.equal(alone.pickShadow(promptInput(1)), null);
  assert.equal(watched.shadowName, 'power-of-two');
});

test('another profile takes over between two picks, with all that was learned', () => {
  const scheduler = createScheduler(PRESETS['round-robin']);
  scheduler.noteBooked(1, promptInput(1));
  scheduler.configure(PRESETS['llm-d-precise'], PRESETS['random']);
  assert.equal(scheduler.profileName, 'llm-d-precise');
  assert.equal(firstSlot(scheduler, promptInput(1)), 1);
  assert.ok(scheduler.pickShadow(promptInput(1)) !== null);
});

/** The engine of `slot` answers a prompt, and says that it had nothing of it cached. */
function finishUncached(scheduler: Scheduler, slot: number, input: PickInput): void {
  scheduler.noteFinished(slot, {
    nowMs: 0,
    promptTokens: input.promptTokens,
    completionTokens: 10,
    cachedTokens: 0,
    tpotMs: null,
    batch: 1,
    kvCacheUsage: Number.NaN,
    blocks: input.blocks,
    firstToken: null,
  });
}

/** Slots that picks of one prompt prefer, among those that tie by chance. */
function preferredSlots(scheduler: Scheduler, input: PickInput): readonly number[] {
  const slots = Array.from({ length: 40 }, () => firstSlot(scheduler, input));
  return [...new Set(slots)].toSorted((left, right) => left - right);
}

test('assumed holdings learn from no report and no restart, only that an endpoint is gone', () => {
  for (const name of ['llm-d-default', 'llm-d-affinity', 'kserve-default'] as const) {
    const scheduler = createScheduler(PRESETS[name]);
    for (let request = 0; request < 20; request += 1) {
      scheduler.noteBooked(2, promptInput(1));
      finishUncached(scheduler, 2, promptInput(1));
    }
    scheduler.noteRestart(2);
    assert.deepEqual(preferredSlots(scheduler, promptInput(1)), [2], name);
    scheduler.noteRemoved(2);
    assert.notDeepEqual(preferredSlots(scheduler, promptInput(1)), [2], name);
  }
});

test('corrected holdings learn that an engine caches nothing', () => {
  const scheduler = createScheduler(PRESETS['llm-d-precise']);
  for (let request = 0; request < 20; request += 1) {
    scheduler.noteBooked(2, promptInput(1));
    finishUncached(scheduler, 2, promptInput(1));
  }
  assert.deepEqual(preferredSlots(scheduler, promptInput(1)), [0, 1, 2, 3]);
});

test('what is assumed is kept while a profile reads it, the shadow being one', () => {
  const scheduler = createScheduler(PRESETS['llm-d-default']);
  scheduler.noteBooked(1, promptInput(1));
  scheduler.configure(PRESETS['random'], PRESETS['kserve-default']);
  assert.equal(scheduler.pickShadow(promptInput(1))?.ranked[0]?.slot, 1);
  scheduler.configure(PRESETS['llm-d-affinity'], null);
  assert.deepEqual(preferredSlots(scheduler, promptInput(1)), [1]);
  scheduler.configure(PRESETS['random'], null);
  scheduler.configure(PRESETS['llm-d-default'], null);
  assert.ok(preferredSlots(scheduler, promptInput(1)).length > 1);
});

test('a profile that does not build changes nothing', () => {
  const scheduler = createScheduler(PRESETS['round-robin']);
  const bad: ProfileSpec = {
    name: 'bad',
    plugins: [{ type: 'nothing', name: 'nothing', options: {}, weight: 1 }],
    rankedCount: 1,
  };
  assert.deepEqual(checkProfileSpec(PRESETS['random'], REGISTRY), []);
  assert.equal(checkProfileSpec(bad, REGISTRY).length, 1);
  assert.throws(() => {
    scheduler.configure(bad, null);
  }, /does not build.*"nothing"/);
  assert.throws(() => {
    scheduler.configure(PRESETS['random'], bad);
  }, /does not build/);
  assert.equal(scheduler.profileName, 'round-robin');
});

test('an answer carries what the session plugin asks for', () => {
  const scheduler = createScheduler(PRESETS['session']);
  const [header] = scheduler.answerHeaders(2, promptInput(1));
  assert.equal(header?.name, 'x-session-token');
  const headers = { 'x-session-token': header.value };
  const input = createTestInput(createTestLoad(4), { headers });
  input.load.requestsInFlight.set([0, 0, 50, 0]);
  assert.equal(firstSlot(scheduler, input), 2);
  assert.deepEqual(createScheduler(PRESETS['random']).answerHeaders(2, input), []);
});

test('what the engine says of its cache corrects the index', () => {
  const scheduler = createScheduler(PRESETS['llm-d-default']);
  for (let request = 0; request < 30; request += 1) {
    const input = promptInput(1, 1);
    scheduler.noteBooked(0, input);
    scheduler.noteFinished(0, {
      nowMs: request,
      promptTokens: 6400,
      completionTokens: 10,
      cachedTokens: 0,
      tpotMs: 10,
      batch: 1,
      kvCacheUsage: 0.5,
      blocks: input.blocks,
      firstToken: null,
    });
  }
  assert.ok(scheduler.pick(promptInput(1, 1)).ranked[0]!.matchedBlocks < 100);
});

test('presets are found by name, and unknown names get a suggestion', () => {
  for (const name of PRESET_NAMES) assert.equal(findPreset(name), PRESETS[name]);
  assert.equal(findPreset('constructor'), null);
  assert.equal(
    describeUnknownPreset('round-robbin'),
    '"round-robbin" is no preset; did you mean "round-robin"?',
  );
  assert.match(describeUnknownPreset('zzzzzzzzzzzzzzz'), /presets are soonest, /);
});
