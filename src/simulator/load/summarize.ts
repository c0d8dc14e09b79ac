import {
  PERCENTILE_NAMES,
  percentOf,
  type MeasuredDistribution,
  type PercentileName,
} from './measured-report.ts';

/** Distribution of `values`, each multiplied by `scale` (0.001 for milliseconds to seconds). */
export function summarize(
  values: readonly number[] | Float64Array,
  scale: number = 1,
): MeasuredDistribution | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  let sum = 0;
  for (const value of sorted) sum += value;
  const percentiles: Partial<Record<PercentileName, number>> = {};
  for (const name of PERCENTILE_NAMES) {
    percentiles[name] = percentileOf(sorted, percentOf(name)) * scale;
  }
  return {
    mean: (sum / sorted.length) * scale,
    min: (sorted[0] as number) * scale,
    max: (sorted[sorted.length - 1] as number) * scale,
    ...percentiles,
  };
}

/**
 * Percentile of values in rising order, linear between the two that it falls between (numpy's
 * default method). At least one value.
 */
function percentileOf(sorted: Float64Array, percent: number): number {
  const place = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}
