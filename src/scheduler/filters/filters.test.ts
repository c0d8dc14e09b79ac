import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../framework/options.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import { LatencyModel } from '../latency/latency-model.ts';
import {
  createTestBlocks,
  createTestInput,
  createTestLoad,
  keepAll,
} from '../testing/pick-world.ts';
import { createTestContext, createTestFilter, createTestScorer } from '../testing/test-parts.ts';
import { CONTEXT_LENGTH_AWARE } from '../scorers/context-length-aware.ts';
import type { Filter } from '../types.ts';
import { ENDPOINT_ATTRIBUTE_FILTER } from './endpoint-attribute.ts';
import { LABEL_SELECTOR_FILTER } from './label-selector.ts';
import { PREFIX_CACHE_AFFINITY_FILTER } from './prefix-cache-affinity.ts';
import { DECODE_FILTER, ENCODE_FILTER, PREFILL_FILTER } from './role.ts';
import { SESSION_AFFINITY_FILTER } from './session-affinity.ts';
import { SLO_HEADROOM_TIER_FILTER } from './slo-headroom-tier.ts';
import { UTILIZATION_FILTER } from './utilization.ts';

const ENDPOINTS = [{ gpu: 'h100', zone: 'a' }, { gpu: 'a100', zone: 'a' }, { zone: 'b' }, {}];

const SELECTORS = [
  { options: {}, kept: [0, 1, 2, 3] },
  { options: { matchLabels: { zone: 'a' } }, kept: [0, 1] },
  { options: { matchLabels: { zone: 'a', gpu: 'h100' } }, kept: [0] },
  {
    options: { matchExpressions: [{ key: 'gpu', operator: 'In', values: ['h100', 'a100'] }] },
    kept: [0, 1],
  },
  {
    options: { matchExpressions: [{ key: 'gpu', operator: 'NotIn', values: ['h100'] }] },
    kept: [1, 2, 3],
  },
  { options: { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }, kept: [0, 1] },
  { options: { matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] }, kept: [2, 3] },
  {
    options: {
      matchLabels: { zone: 'a' },
      matchExpressions: [{ key: 'gpu', operator: 'NotIn', values: ['h100'] }],
    },
    kept: [1],
  },
] as const;

for (const { options, kept } of SELECTORS) {
  test(`label-selector-filter ${JSON.stringify(options)} keeps ${kept.join()}`, () => {
    const input = createTestInput(createTestLoad(4), { labels: ENDPOINTS });
    assert.deepEqual(keepAll(createTestFilter(LABEL_SELECTOR_FILTER, options), input), kept);
  });
}

test('label-selector-filter notices that labels have changed', () => {
  const labels: Record<string, string>[] = [{ zone: 'a' }, { zone: 'b' }];
  const filter = createTestFilter(LABEL_SELECTOR_FILTER, { matchLabels: { zone: 'a' } });
  const input = createTestInput(createTestLoad(2), { labels });
  assert.deepEqual(keepAll(filter, input), [0]);
  labels[1] = { zone: 'a' };
  assert.deepEqual(keepAll(filter, input), [0, 1]);
});

const ROLES = [
  'decode',
  'prefill',
  'encode',
  'both',
  'prefill-decode',
  'encode-prefill',
  'encode-prefill-decode',
  'other',
  null,
];

const ROLE_ROWS: readonly (readonly [FilterDefinition, readonly (string | null)[]])[] = [
  [DECODE_FILTER, ['decode', 'both', 'prefill-decode', 'encode-prefill-decode', null]],
  [
    PREFILL_FILTER,
    ['prefill', 'both', 'prefill-decode', 'encode-prefill', 'encode-prefill-decode'],
  ],
  [ENCODE_FILTER, ['encode', 'encode-prefill', 'encode-prefill-decode']],
];

for (const [definition, kept] of ROLE_ROWS) {
  test(`${definition.type} keeps ${kept.join()}`, () => {
    const labels = ROLES.map((role): Record<string, string> => {
      return role === null ? {} : { 'llm-d.ai/role': role };
    });
    const input = createTestInput(createTestLoad(ROLES.length), { labels });
    const positions = keepAll(createTestFilter(definition), input);
    assert.deepEqual(
      positions.map((position) => ROLES[position]),
      kept,
    );
  });
}

const AFFINITY_ROWS = [
  { what: 'keeps those that hold 0.8 of the prompt', matched: [8, 7, 9], tokens: [], kept: [0, 2] },
  { what: 'keeps all when nobody does', matched: [7, 7, 7], tokens: [], kept: [0, 1, 2] },
  {
    // 300,000 tokens at 15,928 a second are 18.8 seconds.
    what: 'keeps all when the holder would answer 18 seconds later',
    matched: [10, 0, 0],
    tokens: [300_000, 0, 0],
    kept: [0, 1, 2],
  },
  {
    what: 'sticks while the delay is below',
    matched: [10, 0, 0],
    tokens: [280_000, 0, 0],
    kept: [0],
  },
  {
    what: 'compares the best of both',
    matched: [10, 9, 0],
    tokens: [900_000, 0, 0],
    kept: [0, 1],
  },
  {
    what: 'always sticks with a penalty of 0',
    options: { maxTTFTPenaltyMs: 0 },
    matched: [10, 0, 0],
    tokens: [9e9, 0, 0],
    kept: [0],
  },
  {
    what: 'explores when told to',
    options: { explorationProbability: 1 },
    matched: [10, 0, 0],
    tokens: [],
    kept: [0, 1, 2],
  },
  {
    what: 'is off with a threshold of 0',
    options: { affinityThreshold: 0 },
    matched: [10, 0, 0],
    tokens: [],
    kept: [0, 1, 2],
  },
] as const;

for (const row of AFFINITY_ROWS) {
  const { what, matched, tokens, kept } = row;
  test(`prefix-cache-affinity-filter ${what}`, () => {
    const load = createTestLoad(3);
    load.tokensInFlight.set(tokens);
    const options = 'options' in row ? row.options : {};
    const context = createTestContext({ matched });
    const filter = createTestFilter(PREFIX_CACHE_AFFINITY_FILTER, options, context);
    const blocks = createTestBlocks([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(keepAll(filter, createTestInput(load, { blocks })), kept);
  });
}

/** A model in which the time to first token is the tokens ahead in ms, and tokens take 20 ms. */
class PlainLatency extends LatencyModel {
  override predictTtftMs(_slot: number, work: { readonly prefillTokensAhead: number }): number {
    return work.prefillTokensAhead;
  }

  override predictTpotMs(): number {
    return 20;
  }
}

test('prefix-cache-affinity-filter can go by the latency model', () => {
  const load = createTestLoad(2);
  load.prefillTokensInFlight.set([20_000, 0]);
  const context = createTestContext({ matched: [10, 0], latency: new PlainLatency() });
  const options = { ttftSource: 'latencyPredictor' };
  const filter = createTestFilter(PREFIX_CACHE_AFFINITY_FILTER, options, context);
  const blocks = createTestBlocks([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(keepAll(filter, createTestInput(load, { blocks })), [0, 1]);
  load.prefillTokensInFlight[0] = 10_000;
  assert.deepEqual(keepAll(filter, createTestInput(load, { blocks })), [0]);
});

function tierFilter(epsilonExploreNeg: number): Filter {
  const context = createTestContext({ latency: new PlainLatency() });
  return createTestFilter(SLO_HEADROOM_TIER_FILTER, { epsilonExploreNeg }, context);
}

test('slo-headroom-tier-filter keeps those that meet the objective, or the others to explore', () => {
  const load = createTestLoad(3);
  load.prefillTokensInFlight.set([100, 900, 500]);
  const input = createTestInput(load, { objective: { ttftMs: 500, tpotMs: 20 } });
  assert.deepEqual(keepAll(tierFilter(0), input), [0, 2]);
  assert.deepEqual(keepAll(tierFilter(1), input), [1]);
});

test('slo-headroom-tier-filter keeps all when none or all meet the objective', () => {
  const load = createTestLoad(2);
  const missed = createTestInput(load, { objective: { ttftMs: 500, tpotMs: 19 } });
  assert.deepEqual(keepAll(tierFilter(0), missed), [0, 1]);
  const met = createTestInput(load, { objective: { ttftMs: 500, tpotMs: 20 } });
  assert.deepEqual(keepAll(tierFilter(1), met), [0, 1]);
});

test('session-affinity-filter keeps the endpoint of the session alone, if it is there', () => {
  const filter = createTestFilter(SESSION_AFFINITY_FILTER, {
    encodedEndpointHeaderConfig: { header: 'X-Mine' },
  });
  const load = createTestLoad(3);
  const keep = (id: string): number[] => {
    const headers = { 'x-mine': Buffer.from(id).toString('base64') };
    return keepAll(filter, createTestInput(load, { headers }));
  };
  assert.deepEqual(keep('endpoint-1'), [1]);
  assert.deepEqual(keep('endpoint-7'), [0, 1, 2]);
  assert.deepEqual(keepAll(filter, createTestInput(load)), [0, 1, 2]);
});

test('utilization-filter removes endpoints over any cap', () => {
  const load = createTestLoad(4);
  load.lastWaiting.set([0, 6, 5, 0]);
  load.kvCacheUsage.set([0.5, 0.1, 0.9, Number.NaN]);
  const conditions = [
    { metric: 'waiting-queue', maxValue: 5 },
    { metric: 'kv-cache-utilization', maxValue: 0.8 },
  ];
  const filter = createTestFilter(UTILIZATION_FILTER, { conditions });
  assert.deepEqual(keepAll(filter, createTestInput(load)), [0, 3]);
});

test('utilization-filter keeps nobody, or all with fallbackOnEmpty, when all are over', () => {
  const load = createTestLoad(2);
  load.requestsInFlight.fill(10);
  const conditions = [{ metric: 'active-requests', maxValue: 9 }];
  const strict = createTestFilter(UTILIZATION_FILTER, { conditions });
  assert.deepEqual(keepAll(strict, createTestInput(load)), []);
  const lenient = createTestFilter(UTILIZATION_FILTER, { conditions, fallbackOnEmpty: true });
  assert.deepEqual(keepAll(lenient, createTestInput(load)), [0, 1]);
});

const COMPARISONS = [
  ['LessThan', [0]],
  ['LessThanOrEqual', [0, 1]],
  ['GreaterThan', [2]],
  ['GreaterThanOrEqual', [1, 2]],
  ['Equal', [1]],
  ['NotEqual', [0, 2]],
] as const;

for (const [operator, kept] of COMPARISONS) {
  test(`endpoint-attribute-filter ${operator} 5 of 4, 5, 6 keeps ${kept.join()}`, () => {
    const load = createTestLoad(3);
    load.lastRunning.set([4, 5, 6]);
    const filter = createTestFilter(ENDPOINT_ATTRIBUTE_FILTER, {
      attribute: 'RunningRequestsSize',
      algorithm: { type: 'threshold', threshold: { operator, value: 5 } },
    });
    assert.deepEqual(keepAll(filter, createTestInput(load)), kept);
  });
}

test('endpoint-attribute-filter keeps or drops endpoints whose number is unknown', () => {
  const load = createTestLoad(2);
  load.kvCacheUsage.set([0.9, Number.NaN]);
  const options = {
    attribute: 'KVCacheUsagePercent',
    algorithm: { type: 'threshold', threshold: { operator: 'LessThan', value: 0.5 } },
  };
  const input = createTestInput(load);
  const lenient = createTestFilter(ENDPOINT_ATTRIBUTE_FILTER, options);
  assert.deepEqual(keepAll(lenient, input), [1]);
  const strict = createTestFilter(ENDPOINT_ATTRIBUTE_FILTER, { ...options, onMissing: 'Fail' });
  assert.deepEqual(keepAll(strict, input), []);
});

test('context-length-aware filters only when told to', () => {
  const labels = ['0-100', '50-900', 'nonsense'].map((range) => ({ range }));
  const input = createTestInput(createTestLoad(4), { labels, promptTokens: 200 });
  const options = { label: 'range', enableFiltering: true };
  const filtering = createTestScorer(CONTEXT_LENGTH_AWARE, options);
  assert.deepEqual(keepAll(filtering as unknown as Filter, input), [1, 3]);
  assert.ok(!('keep' in createTestScorer(CONTEXT_LENGTH_AWARE, { label: 'range' })));
});

const REFUSED: readonly (readonly [FilterDefinition, Record<string, unknown>, RegExp])[] = [
  [LABEL_SELECTOR_FILTER, { matchLabels: ['a'] }, /mapping of label to value/],
  [LABEL_SELECTOR_FILTER, { matchLabels: { a: 1 } }, /text as the value of "a"/],
  [LABEL_SELECTOR_FILTER, { matchExpressions: [{ operator: 'In' }] }, /"key" in each/],
  [LABEL_SELECTOR_FILTER, { matchExpressions: [{ key: 'a', operator: 'In' }] }, /needs "values"/],
  [
    LABEL_SELECTOR_FILTER,
    { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
    /takes no "values"/,
  ],
  [LABEL_SELECTOR_FILTER, { matchExpressions: [{ key: 'a', operator: 'Gt' }] }, /one of In, NotIn/],
  [UTILIZATION_FILTER, {}, /is required/],
  [UTILIZATION_FILTER, { conditions: [] }, /list with an entry/],
  [UTILIZATION_FILTER, { conditions: [{ metric: 'gpu', maxValue: 1 }] }, /one of active-requests/],
  [
    UTILIZATION_FILTER,
    { conditions: [{ metric: 'kv-cache-utilization', maxValue: 80 }] },
    /0 to 1 for kv-cache-utilization/,
  ],
  [SESSION_AFFINITY_FILTER, { strategy: 'session_id' }, /consistent-hash/],
  [SESSION_AFFINITY_FILTER, { cookie: 'a b' }, /name of a cookie/],
  [PREFIX_CACHE_AFFINITY_FILTER, { affinityTreshold: 1 }, /did you mean "affinityThreshold"/],
  [PREFIX_CACHE_AFFINITY_FILTER, { affinityThreshold: 1.5 }, /from 0 to 1/],
  [PREFIX_CACHE_AFFINITY_FILTER, { ttftSource: 'latencyPredictors' }, /"latencyPredictor"/],
  [
    ENDPOINT_ATTRIBUTE_FILTER,
    { attribute: 'RunningRequestSize', algorithm: {} },
    /did you mean "RunningRequestsSize"/,
  ],
  [DECODE_FILTER, { label: 'x' }, /has no options/],
];

for (const [definition, options, message] of REFUSED) {
  test(`${definition.type} refuses ${JSON.stringify(options)}`, () => {
    const parsed = parseOptions(definition.options, options);
    assert.ok(!parsed.ok);
    assert.match(parsed.error.map((problem) => problem.message).join('\n'), message);
  });
}
