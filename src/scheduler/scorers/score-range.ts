import type { CandidateSet, PickInput } from '../types.ts';

/**
 * Scores each candidate by (max − value) / (max − min) over the candidates, 1 when all are equal:
 * the fewest get 1, the most 0. Reads one column of the load table.
 */
export function scoreFewest(
  { members }: PickInput,
  { positions, count }: CandidateSet,
  options: { readonly column: Float64Array; readonly scores: Float64Array },
): void {
  const { column, scores } = options;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i += 1) {
    const value = column[members[positions[i] as number] as number] as number;
    scores[i] = value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (most === least) {
    scores.fill(1, 0, count);
    return;
  }
  for (let i = 0; i < count; i += 1) scores[i] = (most - (scores[i] as number)) / (most - least);
}
