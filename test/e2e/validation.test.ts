import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureScene } from '../../scripts/validation/real-fleet.ts';
import {
  compareScene,
  simulateScene,
  type RealScene,
} from '../../src/simulator/validation/real-scene.ts';
import { describeRow, isWithin, type ValidationRow } from '../../src/simulator/validation/row.ts';

const SCENE: RealScene = { policy: 'round-robin', seed: 2, durationMs: 18_000, warmUpMs: 2000 };

/** Measures, and gives the rows that are out of their tolerance. */
async function findGaps(): Promise<readonly string[]> {
  const result = simulateScene(SCENE);
  const report = await measureScene(SCENE);
  assert.equal(report.failures.count, 0);
  assert.equal(report.successes.count, result.requests.completed);
  assert.equal(report.successes.token_count_mismatches, 0);
  const rows: readonly ValidationRow[] = compareScene(SCENE, report, result);
  return rows.filter((row) => !isWithin(row)).map(describeRow);
}

// Medians of a machine whose steps take 35 ms and more: what a busy test machine adds is small
// beside them, and a second try is for the case that it is not.
test('real processes answer as fast as the lab says, within 10 % at the median', async (t) => {
  const gaps = await findGaps();
  if (gaps.length === 0) return;
  t.diagnostic(`tried again after ${gaps.join('; ')}`);
  assert.deepEqual(await findGaps(), []);
});
