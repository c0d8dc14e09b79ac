import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import type { PluginDefinition, PluginInstance } from './framework/plugin.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';
import type { Profile } from './profile.ts';
import { createTestBlocks, createTestInput, createTestLoad } from './testing/pick-world.ts';
import { createFixedIndex, createTestProfile } from './testing/test-parts.ts';
import type { CandidateSet, Filter, Picker, PickInput, Scorer } from './types.ts';

type Keep = Filter['keep'];
type Score = Scorer['score'];
type Order = Picker['order'];

function filterOf(keep: Keep): PluginDefinition {
  return {
    type: 'bad',
    kind: 'filter',
    summary: '',
    options: [],
    create: (_options, { name }) => ({ type: 'bad', name, keep }),
  };
}

function scorerOf(score: Score): PluginDefinition {
  return {
    type: 'bad',
    kind: 'scorer',
    summary: '',
    options: [],
    create: (_options, { name }) => ({ type: 'bad', name, score }),
  };
}

function pickerOf(order: Order): PluginDefinition {
  return {
    type: 'bad',
    kind: 'picker',
    summary: '',
    options: [],
    create: (_options, { name }) => ({ type: 'bad', name, order }),
  };
}

function instance(type: string, name = type, weight = 1): PluginInstance {
  return { type, name, options: {}, weight };
}

interface Watched {
  readonly profile: Profile;
  readonly faults: string[];
}

/** A profile of a queue scorer and the plugin under test, called `mine`. */
function watch(definition: PluginDefinition): Watched {
  const faults: string[] = [];
  const profile = createTestProfile(
    {
      name: 'watched',
      plugins: [instance('bad', 'mine', 100), instance('queue-scorer')],
      rankedCount: 3,
    },
    {
      plugins: [definition],
      onPluginFault: (name, cause) => faults.push(`${name}: ${String(cause)}`),
    },
  );
  return { profile, faults };
}

/** Endpoint 2 has the shortest queue, then 1, 0 and 3. */
function queuedInput(): PickInput {
  const load = createTestLoad(4);
  load.lastWaiting.set([5, 3, 1, 9]);
  return createTestInput(load);
}

function slotsOf(profile: Profile, input: PickInput): readonly number[] {
  return profile.rank(input).ranked.map(({ slot }) => slot);
}

const BAD_FILTERS: readonly (readonly [string, Keep])[] = [
  [
    'throws',
    () => {
      throw new TypeError('boom');
    },
  ],
  [
    'throws after it has changed the candidates',
    (_input, { positions }) => {
      positions.fill(0);
      throw new TypeError('boom');
    },
  ],
  ['keeps more than there are', (_input, { count }) => count + 1],
  ['keeps a negative number', () => -1],
  ['keeps no number', () => Number.NaN],
  ['keeps a part of one', () => 1.5],
  ['keeps one twice', (_input, { positions }) => (positions.fill(1, 0, 2), 2)],
  ['keeps a stranger', (_input, { positions }) => ((positions[0] = 77), 1)],
  ['turns the order', (_input, { positions }) => (positions.set([2, 1]), 2)],
];

for (const [what, keep] of BAD_FILTERS) {
  test(`a filter that ${what} is left out of the pick, counted and named`, () => {
    const { profile, faults } = watch(filterOf(keep));
    assert.deepEqual(slotsOf(profile, queuedInput()), [2, 1, 0]);
    assert.equal(faults.length, 1);
    assert.match(faults[0]!, /^mine: /);
  });
}

const BAD_SCORERS: readonly (readonly [string, Score])[] = [
  [
    'throws',
    () => {
      throw new TypeError('boom');
    },
  ],
  ['gives NaN to one', (_input, _candidates, scores) => (scores.fill(1), (scores[1] = Number.NaN))],
  ['leaves one out', (_input, _candidates, scores) => scores.fill(1, 0, 3)],
];

for (const [what, score] of BAD_SCORERS) {
  test(`a scorer that ${what} is left out of the pick, counted and named`, () => {
    const { profile, faults } = watch(scorerOf(score));
    const { ranked, scorers } = profile.rank(queuedInput());
    assert.deepEqual(
      ranked.map(({ slot }) => slot),
      [2, 1, 0],
    );
    assert.deepEqual(scorers, ['mine', 'queue-scorer']);
    assert.deepEqual(ranked[0]!.reasons, [Number.NaN, 1]);
    assert.equal(faults.length, 1);
    assert.match(faults[0]!, /^mine: /);
  });
}

test('scores beyond 0 and 1 are clamped, infinite ones too', () => {
  const { profile, faults } = watch(
    scorerOf((_input, _candidates, scores) => {
      scores.set([Number.POSITIVE_INFINITY, 7, -3, Number.NEGATIVE_INFINITY]);
    }),
  );
  const { ranked } = profile.rank(queuedInput());
  assert.deepEqual(
    ranked.map(({ slot, reasons }) => [slot, reasons[0]]),
    [
      [1, 1],
      [0, 1],
      [2, 0],
    ],
  );
  assert.deepEqual(faults, []);
});

const BAD_PICKERS: readonly (readonly [string, Order])[] = [
  [
    'throws',
    () => {
      throw new TypeError('boom');
    },
  ],
  [
    'throws after it has used up the totals',
    (_input, _candidates, totals) => {
      totals.fill(-1);
      throw new TypeError('boom');
    },
  ],
  ['orders nobody', () => 0],
  ['orders more than there is room for', () => 4],
  ['orders one twice', (_input, _candidates, _totals, out) => (out.fill(1), 2)],
  ['orders a stranger', (_input, _candidates, _totals, out) => ((out[0] = 4), 1)],
  ['orders nothing that is a number', () => Number.NaN],
];

for (const [what, order] of BAD_PICKERS) {
  test(`after a picker that ${what} the highest scores come first`, () => {
    const { profile, faults } = watch(pickerOf(order));
    assert.deepEqual(slotsOf(profile, queuedInput()), [2, 1, 0]);
    assert.equal(faults.length, 1);
  });
}

test('a plugin that fails in a hook is counted, and the others hear of the booking', () => {
  const heard: string[] = [];
  const faults: string[] = [];
  const hooked = (type: string, noteBooked: () => void): PluginDefinition => ({
    type,
    kind: 'scorer',
    summary: '',
    options: [],
    create: (_options, { name }) => ({
      type,
      name,
      score: () => undefined,
      noteBooked,
      answerHeader: () => null,
    }),
  });
  const profile = createTestProfile(
    { name: 'hooked', plugins: [instance('first'), instance('second')], rankedCount: 1 },
    {
      plugins: [
        hooked('first', () => {
          throw new TypeError('boom');
        }),
        hooked('second', () => heard.push('second')),
      ],
      onPluginFault: (name) => faults.push(name),
    },
  );
  profile.noteBooked(0, queuedInput());
  assert.deepEqual(heard, ['second']);
  assert.deepEqual(faults, ['first']);
});

test('what each filter removed is recorded, the first sixteen by slot', () => {
  const load = createTestLoad(40);
  load.isAvailable[3] = 0;
  load.requestsInFlight.fill(10, 10);
  const labels = Array.from({ length: 40 }, (_, slot) => ({ gpu: slot < 2 ? 'a100' : 'h100' }));
  const profile = createTestProfile({
    name: 'filtered',
    rankedCount: 3,
    plugins: [
      {
        ...instance('label-selector-filter', 'only-h100'),
        options: { matchLabels: { gpu: 'h100' } },
      },
      {
        ...instance('utilization-filter'),
        options: { conditions: [{ metric: 'active-requests', maxValue: 9 }] },
      },
    ],
  });
  const ranking = profile.rank(createTestInput(load, { labels }));
  assert.equal(ranking.candidateCount, 40);
  assert.equal(ranking.availableCount, 39);
  assert.deepEqual(ranking.removed, [
    { filter: 'only-h100', count: 2, slots: [0, 1] },
    {
      filter: 'utilization-filter',
      count: 30,
      slots: Array.from({ length: 16 }, (_, index) => 10 + index),
    },
  ]);
  for (const { slot } of ranking.ranked) assert.ok(slot >= 2 && slot < 10 && slot !== 3);
});

test('endpoints that a filter only sets aside are fallbacks, if they pass the other filters', () => {
  const load = createTestLoad(5);
  load.requestsInFlight.set([3, 0, 2, 1, 9]);
  const labels = [{}, {}, {}, { 'llm-d.ai/role': 'prefill' }, {}];
  const profile = createTestProfile({
    name: 'sticky',
    rankedCount: 3,
    plugins: [
      instance('session-affinity-filter'),
      instance('decode-filter'),
      instance('queue-scorer'),
    ],
  });
  const headers = { 'x-session-token': Buffer.from('endpoint-4').toString('base64') };
  const { ranked, removed } = profile.rank(createTestInput(load, { labels, headers }));
  assert.deepEqual(
    ranked.map(({ slot, reasons }) => [slot, reasons[0]]),
    [
      [4, 1],
      [1, Number.NaN],
      [2, Number.NaN],
    ],
  );
  assert.deepEqual(removed, [{ filter: 'session-affinity-filter', count: 4, slots: [0, 1, 2, 3] }]);
});

test('what a fallback holds is known, too', () => {
  const blocks = createTestBlocks([1, 2, 3, 4]);
  const profile = createTestProfile(
    {
      name: 'sticky',
      rankedCount: 3,
      plugins: [instance('session-affinity-filter'), instance('prefix-cache-scorer')],
    },
    { prefixIndex: createFixedIndex([1, 2, 3]) },
  );
  const headers = { 'x-session-token': Buffer.from('endpoint-2').toString('base64') };
  const { ranked } = profile.rank(createTestInput(createTestLoad(3), { blocks, headers }));
  assert.deepEqual(
    ranked.map(({ slot, matchedBlocks }) => matchedBlocks - slot),
    [1, 1, 1],
  );
});

test('when filters remove everybody the ranking is empty and says who did', () => {
  const profile = createTestProfile({
    name: 'empty',
    rankedCount: 3,
    plugins: [instance('prefill-filter'), instance('decode-filter'), instance('queue-scorer')],
  });
  const ranking = profile.rank(queuedInput());
  assert.deepEqual(ranking.ranked, []);
  assert.deepEqual(ranking.removed, [{ filter: 'prefill-filter', count: 4, slots: [0, 1, 2, 3] }]);
});

const count = fc.nat(50);
const ratio = fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 1, noNaN: true }));
const endpoint = fc.record({
  isAvailable: fc.boolean(),
  isMember: fc.boolean(),
  requests: count,
  tokens: fc.nat(100_000),
  prefill: fc.nat(10_000),
  waiting: count,
  kv: ratio,
  matched: fc.nat(4),
  residency: fc.nat(2),
});

for (const name of PRESET_NAMES) {
  test(`preset ${name}: a pick never leaves the candidates, and the seed decides it`, () => {
    const world = fc.array(endpoint, { maxLength: 40 });
    fc.assert(
      fc.property(world, fc.boolean(), fc.integer(), (endpoints, hasPrompt, seed) => {
        const load = createTestLoad(endpoints.length);
        for (const [slot, each] of endpoints.entries()) {
          load.isAvailable[slot] = each.isAvailable ? 1 : 0;
          load.requestsInFlight[slot] = each.requests;
          load.tokensInFlight[slot] = each.tokens + each.prefill;
          load.prefillTokensInFlight[slot] = each.prefill;
          load.lastWaiting[slot] = each.waiting;
          load.kvCacheUsage[slot] = each.kv;
        }
        const members = endpoints.flatMap(({ isMember }, slot) => (isMember ? [slot] : []));
        const input = createTestInput(load, {
          members: Int32Array.from(members),
          residency: hasPrompt
            ? Uint8Array.from(members, (slot) => endpoints[slot]!.residency)
            : null,
          blocks: hasPrompt ? createTestBlocks([1, 2, 3, 4]) : null,
          headers: hasPrompt ? { 'x-session-id': String(seed) } : {},
        });
        const rank = (): readonly number[] =>
          createTestProfile(PRESETS[name], {
            rng: createRng(seed),
            prefixIndex: createFixedIndex(endpoints.map(({ matched }) => matched)),
          })
            .rank(input)
            .ranked.map(({ slot, score, matchedBlocks }) => {
              assert.ok(members.includes(slot) && load.isAvailable[slot] === 1);
              assert.ok(score >= 0 && score <= 1 + 1e-9);
              assert.equal(matchedBlocks, hasPrompt ? endpoints[slot]!.matched : 0);
              return slot;
            });
        const slots = rank();
        const available = members.filter((slot) => load.isAvailable[slot] === 1).length;
        assert.equal(new Set(slots).size, slots.length);
        assert.equal(slots.length, Math.min(3, available));
        assert.deepEqual(rank(), slots);
      }),
      { numRuns: 60 },
    );
  });
}

test('200 requests to 20 idle equal servers put exactly 10 on each, with every load policy', () => {
  for (const name of ['soonest', 'least-work', 'least-request', 'round-robin'] as const) {
    const load = createTestLoad(20);
    const input = createTestInput(load);
    const profile = createTestProfile(PRESETS[name]);
    for (let request = 0; request < 200; request += 1) {
      const { slot } = profile.rank(input).ranked[0]!;
      load.tokensInFlight[slot]! += 200;
      load.prefillTokensInFlight[slot]! += 100;
      load.requestsInFlight[slot]! += 1;
    }
    assert.ok(
      load.requestsInFlight.every((requests) => requests === 10),
      `${name}: ${load.requestsInFlight.join()}`,
    );
  }
});

test('candidates are handed over as positions in ascending order', () => {
  let seen: readonly number[] = [];
  const { profile } = watch(
    filterOf((_input, { positions, count: left }: CandidateSet) => {
      seen = [...positions.subarray(0, left)];
      return left;
    }),
  );
  const input = queuedInput();
  input.load.isAvailable[1] = 0;
  profile.rank(input);
  assert.deepEqual(seen, [0, 2, 3]);
});
