import { findNearest } from '../../core/nearest.ts';
import { createConversationWorkload } from './conversations.ts';
import { BATCH_SUMMARIZATION_RAG, INTERACTIVE_CHAT, SHARED_PREFIX } from './parameters.ts';
import { createSharedPrefixWorkload } from './shared-prefix.ts';
import { createSingleTurnWorkload } from './single-turn.ts';
import type { Workload } from './types.ts';

/** Every workload, in the order help shows them. */
export const WORKLOADS: readonly Workload[] = Object.freeze([
  createConversationWorkload(INTERACTIVE_CHAT),
  createSingleTurnWorkload(BATCH_SUMMARIZATION_RAG),
  createSharedPrefixWorkload(SHARED_PREFIX),
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
