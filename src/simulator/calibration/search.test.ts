import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descend, solve } from './gauss-newton.ts';
import { minimize } from './nelder-mead.ts';

const NEVER = (): boolean => false;

test('the simplex search finds the minimum of a curved valley, the same way each time', async () => {
  // Rosenbrock's function: minimum 0 at (1, 1).
  const points: string[] = [];
  const valley = (point: readonly number[]): Promise<number> => {
    const [x = 0, y = 0] = point;
    points.push(point.join());
    return Promise.resolve((1 - x) ** 2 + 100 * (y - x * x) ** 2);
  };
  const options = {
    start: [-1.2, 1],
    step: 0.5,
    maxEvaluations: 400,
    tolerance: 1e-6,
    shouldStop: NEVER,
  };
  const found = await minimize(valley, options);
  assert.ok(Math.abs((found.point[0] ?? 0) - 1) < 1e-4);
  assert.ok(Math.abs((found.point[1] ?? 0) - 1) < 1e-4);
  const first = points.splice(0);
  assert.deepEqual(await minimize(valley, options), found);
  assert.deepEqual(points, first);
});

test('the simplex search keeps its bounds and survives values that are no numbers', async () => {
  let calls = 0;
  const found = await minimize(
    ([x = 0]) => {
      calls += 1;
      return Promise.resolve(x < 0.5 ? Number.NaN : Math.abs(x - 2));
    },
    { start: [1, 0], step: 1, maxEvaluations: 30, tolerance: 1e-9, shouldStop: NEVER },
  );
  assert.equal(calls, 30);
  assert.ok(found.value < 0.2);
});

test('the descent solves a linear problem in one step and says so', async () => {
  const residuals = ([x = 0, y = 0]: readonly number[]): Promise<readonly number[]> =>
    Promise.resolve([x + y - 3, x - y + 1, 2 * x - 2]);
  const found = await descend(residuals, {
    start: [0, 0],
    step: 0.1,
    tolerance: 1e-6,
    maxIterations: 20,
    shouldStop: NEVER,
  });
  assert.equal(found.isConverged, true);
  assert.ok(Math.abs((found.point[0] ?? 0) - 1) < 1e-6);
  assert.ok(Math.abs((found.point[1] ?? 0) - 2) < 1e-6);
  assert.equal(found.slopes?.length, 3);
});

test('equations without a single solution have none', () => {
  assert.equal(
    solve(
      [
        [1, 2],
        [2, 4],
      ],
      [1, 2],
    ),
    null,
  );
  assert.deepEqual(
    solve(
      [
        [0, 2],
        [4, 0],
      ],
      [2, 8],
    ),
    [2, 1],
  );
});
