import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionRecord, ShadowRecord } from '../../telemetry/decision-log.ts';
import { createDecisionRecord } from '../../telemetry/testing/decision-records.ts';
import { createShadowReport } from './shadow-report.ts';

function decision(routed: string, shadow: Partial<ShadowRecord> | null): DecisionRecord {
  return createDecisionRecord({
    ordered: [
      {
        endpoint: routed,
        score: 1,
        reasons: {},
        predictedTtftMs: 100,
        predictedTpotMs: 10,
        matchedBlocks: 4,
      },
    ],
    shadow:
      shadow === null
        ? null
        : { profile: 'random', endpoint: 'a', predictedTtftMs: 300, matchedBlocks: 0, ...shadow },
  });
}

test('both policies are compared over the decisions that have a shadow of the newest profile', () => {
  const report = createShadowReport([
    decision('a', { endpoint: 'b' }),
    decision('a', { endpoint: 'a', predictedTtftMs: null }),
    decision('b', null),
    decision('b', { profile: 'older' }),
  ]);
  assert.deepEqual(report, {
    profile: 'random',
    decisions: 2,
    same: 1,
    routed: { predictedTtftMs: 100, matchedBlocks: 4 },
    shadow: { predictedTtftMs: 300, matchedBlocks: 0 },
    endpoints: [
      { endpoint: 'a', routed: 2, shadow: 1 },
      { endpoint: 'b', routed: 0, shadow: 1 },
    ],
  });
});

test('without any shadow there is nothing to compare', () => {
  const report = createShadowReport([decision('a', null)]);
  assert.equal(report.profile, null);
  assert.equal(report.decisions, 0);
  assert.equal(report.shadow.predictedTtftMs, null);
});
