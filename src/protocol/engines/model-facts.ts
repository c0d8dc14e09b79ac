import type { EngineDialect, ModelListSource, ServedModelFact } from './dialect.ts';
import { valueAt } from './evidence.ts';
import type { ProbeEvidence } from './evidence.ts';

/** Models kept of one list; a longer list is cut. */
const MAX_MODELS = 10_000;

interface ListEntry {
  readonly id: string;
  readonly root: string | null;
  readonly parent: string | null;
  readonly contextTokens: number | null;
}

/**
 * The models that a list's JSON names, in its order and without repetition; null when the JSON is
 * not such a list.
 */
export function readModelList(
  format: ModelListSource['format'],
  json: unknown,
): readonly ServedModelFact[] | null {
  const list = valueAt(json, [format === 'openai' ? 'data' : 'models']);
  if (!Array.isArray(list)) return null;
  const entries = new Map<string, ListEntry>();
  for (const item of list.slice(0, MAX_MODELS) as readonly unknown[]) {
    const entry = format === 'openai' ? readOpenAiEntry(item) : readOllamaEntry(item);
    if (entry !== null && !entries.has(entry.id)) entries.set(entry.id, entry);
  }
  const known = [...entries.values()];
  return known.map((entry) => ({
    id: entry.id,
    baseModel: findBase(entry, known),
    contextTokens: entry.contextTokens,
  }));
}

/**
 * An adapter's `parent` is its base model as the engine was told it, which may be the base's path
 * (`root`) or a name the list lacks; then the list's first base model is meant.
 */
function findBase(entry: ListEntry, known: readonly ListEntry[]): string | null {
  const { parent } = entry;
  if (parent === null || parent === entry.id) return null;
  const bases = known.filter((other) => other.parent === null);
  const named = bases.find((base) => base.id === parent);
  const rooted = bases.find((base) => base.root === parent);
  return (named ?? rooted ?? bases[0])?.id ?? parent;
}

function readOpenAiEntry(item: unknown): ListEntry | null {
  const id = textAt(item, 'id');
  if (id === null) return null;
  // llama.cpp has no `max_model_len`; its `meta.n_ctx` is the context of one slot.
  const context = valueAt(item, ['max_model_len']) ?? valueAt(item, ['meta', 'n_ctx']);
  return {
    id,
    root: textAt(item, 'root'),
    parent: textAt(item, 'parent'),
    contextTokens: positiveInteger(context),
  };
}

function readOllamaEntry(item: unknown): ListEntry | null {
  const id = textAt(item, 'model') ?? textAt(item, 'name');
  return id === null ? null : { id, root: null, parent: null, contextTokens: null };
}

function textAt(item: unknown, key: string): string | null {
  const value = valueAt(item, [key]);
  return typeof value === 'string' && value !== '' ? value : null;
}

function positiveInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null;
}

/** A number that `dialect.facts` finds in the answers; null when none has it. */
export function readNumberFact(
  dialect: EngineDialect,
  fact: 'blockSizeTokens' | 'blockCount' | 'maxRunning' | 'contextTokens',
  evidence: ProbeEvidence,
): number | null {
  for (const source of dialect.facts) {
    if (source.fact !== fact) continue;
    const value = positiveInteger(valueAt(evidence.get(source.path)?.json, source.at));
    if (value !== null) return value;
  }
  return null;
}

/** The engine's version by `dialect.facts`; null when no answer has it. */
export function readVersion(dialect: EngineDialect, evidence: ProbeEvidence): string | null {
  for (const source of dialect.facts) {
    if (source.fact !== 'version') continue;
    const answer = evidence.get(source.path);
    const value = answer?.status === 200 ? valueAt(answer.json, source.at) : undefined;
    if (typeof value === 'string' && value !== '') return value.slice(0, 100);
  }
  return null;
}
