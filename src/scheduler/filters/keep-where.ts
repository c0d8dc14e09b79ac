import type { CandidateSet, PickInput } from '../types.ts';

/** Keeps the candidates whose slot passes; returns how many, as `Filter.keep` must. */
export function keepWhere(
  { members }: PickInput,
  { positions, count }: CandidateSet,
  passes: (slot: number, position: number) => boolean,
): number {
  let kept = 0;
  for (let i = 0; i < count; i += 1) {
    const position = positions[i] as number;
    if (passes(members[position] as number, position)) positions[kept++] = position;
  }
  return kept;
}
