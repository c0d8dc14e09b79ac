import { findNearest } from '../../core/nearest.ts';
import { createAdapterZooWorkload } from './adapter-zoo.ts';
import { createConversationWorkload } from './conversations.ts';
import { createDiurnalWorkload } from './diurnal.ts';
import { createMixedSizesWorkload } from './mixed-sizes.ts';
import { createNoisyNeighbourWorkload } from './noisy-neighbour.ts';
import * as sheets from './parameters.ts';
import { createSharedPrefixWorkload } from './prefix-groups.ts';
import { createSingleTurnWorkload } from './single-turn.ts';
import type { Workload } from './types.ts';

/** Every workload, in the order help shows them: the catalogue's seven, then ours. */
export const WORKLOADS: readonly Workload[] = Object.freeze([
  createConversationWorkload(sheets.INTERACTIVE_CHAT),
  createConversationWorkload(sheets.CODE_GENERATION),
  createConversationWorkload(sheets.DEEP_RESEARCH),
  createSingleTurnWorkload(sheets.REASONING),
  createSingleTurnWorkload(sheets.BATCH_SUMMARIZATION_RAG),
  createConversationWorkload(sheets.BATCH_SYNTHETIC_DATA),
  createConversationWorkload(sheets.AGENTIC),
  createSharedPrefixWorkload(sheets.SHARED_PREFIX),
  createNoisyNeighbourWorkload(sheets.NOISY_NEIGHBOUR),
  createAdapterZooWorkload(sheets.ADAPTER_ZOO),
  createMixedSizesWorkload(sheets.MIXED_SIZES),
  createDiurnalWorkload(sheets.DIURNAL),
]);

/** The workload of that name, or null. */
export function findWorkload(name: string): Workload | null {
  return WORKLOADS.find((workload) => workload.name === name) ?? null;
}

/** What to say of a name that is no workload. */
export function describeUnknownWorkload(name: string): string {
  const names = WORKLOADS.map((workload) => workload.name);
  const nearest = findNearest(name, names);
  const hint =
    nearest === null ? `workloads are ${names.join(', ')}` : `did you mean "${nearest}"?`;
  return `"${name}" is no workload; ${hint}`;
}
