/** A function of a few parameters that gives residuals: all are 0 when it fits perfectly. */
export type Residuals = (point: readonly number[]) => Promise<readonly number[]>;

/** Bounds of a descent. */
export interface DescentOptions {
  readonly start: readonly number[];
  /** Differences are taken over this distance. */
  readonly step: number;
  /** The descent ends when a step is shorter than this in every direction. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Asked before each iteration; true ends the descent with the best point so far. */
  readonly shouldStop: () => boolean;
}

/** Where a descent ended. */
export interface Descent {
  readonly point: readonly number[];
  /** Slope of each residual (row) by each parameter (column) there; null when it was stopped. */
  readonly slopes: readonly (readonly number[])[] | null;
  readonly isConverged: boolean;
}

// Damping of Levenberg and Marquardt, relative to the diagonal: little at first, more after a step
// that made things worse.
const FIRST_DAMPING = 0.001;
const MORE_DAMPING = 10;
const LESS_DAMPING = 0.3;

/**
 * Walks down a sum of squares by Gauss and Newton's method with the damping of Levenberg and
 * Marquardt ("An algorithm for least-squares estimation of nonlinear parameters", 1963). Each
 * iteration calls the function once for every parameter and once for the step.
 */
export async function descend(residuals: Residuals, options: DescentOptions): Promise<Descent> {
  let point = options.start;
  let values = await residuals(point);
  let slopes: readonly (readonly number[])[] | null = null;
  let damping = FIRST_DAMPING;
  for (let iteration = 0; iteration < options.maxIterations; iteration += 1) {
    if (options.shouldStop()) return { point, slopes, isConverged: false };
    slopes ??= await slopesAt(residuals, point, { values, step: options.step });
    const step = stepDown(slopes, values, damping);
    const isShort = step.every((length) => Math.abs(length) < options.tolerance);
    if (isShort) return { point, slopes, isConverged: true };
    const next = point.map((value, axis) => value + (step[axis] as number));
    const nextValues = await residuals(next);
    if (sumOfSquares(nextValues) < sumOfSquares(values)) {
      point = next;
      values = nextValues;
      slopes = null;
      damping *= LESS_DAMPING;
    } else damping *= MORE_DAMPING;
  }
  return { point, slopes, isConverged: false };
}

/** Slopes by forward differences. */
async function slopesAt(
  residuals: Residuals,
  point: readonly number[],
  { values, step }: { readonly values: readonly number[]; readonly step: number },
): Promise<readonly (readonly number[])[]> {
  const columns: (readonly number[])[] = [];
  for (let axis = 0; axis < point.length; axis += 1) {
    const beside = point.map((value, index) => (index === axis ? value + step : value));
    columns.push(await residuals(beside));
  }
  return values.map((value, row) =>
    columns.map((column) => ((column[row] as number) - value) / step),
  );
}

/** The damped solution of the normal equations. */
function stepDown(
  slopes: readonly (readonly number[])[],
  values: readonly number[],
  damping: number,
): readonly number[] {
  const normal = normalMatrix(slopes).map((row, index) =>
    row.map((value, column) => (index === column ? value * (1 + damping) : value)),
  );
  const right = normal.map((_, axis) =>
    slopes.reduce((sum, row, index) => sum - (row[axis] as number) * (values[index] as number), 0),
  );
  return solve(normal, right) ?? right.map(() => 0);
}

/** Products of the columns with each other. */
export function normalMatrix(slopes: readonly (readonly number[])[]): readonly number[][] {
  const size = slopes[0]?.length ?? 0;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (__, column) =>
      slopes.reduce((sum, each) => sum + (each[row] as number) * (each[column] as number), 0),
    ),
  );
}

/** Solves a small system of linear equations; null when it has no single solution. */
export function solve(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): readonly number[] | null {
  const rows = matrix.map((row, index) => [...row, right[index] as number]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    const pivotRow = largestRow(rows, column);
    const pivot = rows[pivotRow]?.[column] ?? 0;
    if (!(Math.abs(pivot) > Number.MIN_VALUE)) return null;
    [rows[column], rows[pivotRow]] = [rows[pivotRow] as number[], rows[column] as number[]];
    const base = rows[column] as number[];
    for (const row of rows) {
      if (row === base) continue;
      const factor = (row[column] as number) / pivot;
      for (let at = column; at <= size; at += 1) {
        row[at] = (row[at] as number) - factor * (base[at] as number);
      }
    }
  }
  return rows.map((row, index) => (row[size] as number) / (row[index] as number));
}

function largestRow(rows: readonly (readonly number[])[], column: number): number {
  let best = column;
  for (let row = column + 1; row < rows.length; row += 1) {
    const size = Math.abs(rows[row]?.[column] ?? 0);
    if (size > Math.abs(rows[best]?.[column] ?? 0)) best = row;
  }
  return best;
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
