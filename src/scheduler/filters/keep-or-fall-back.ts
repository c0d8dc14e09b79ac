import type { CandidateSet, PickInput } from '../types.ts';
import { keepWhere } from './keep-where.ts';

/** Keeps the candidates that pass, or all of them when none does and `fallsBack` is set. */
export function keepOrFallBack(
  input: PickInput,
  candidates: CandidateSet,
  options: { readonly fallsBack: boolean; readonly passes: (slot: number) => boolean },
): number {
  if (!options.fallsBack) return keepWhere(input, candidates, options.passes);
  // The positions are overwritten only from the first that passes on.
  const kept = keepWhere(input, candidates, options.passes);
  return kept === 0 ? candidates.count : kept;
}
