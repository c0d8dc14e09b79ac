import { assert } from '../../core/assert.ts';
import { findNearest } from '../../core/nearest.ts';
import type { PluginDefinition } from './plugin.ts';

/** The plugin types that profiles may name. */
export interface Registry {
  /** All definitions in their order. */
  readonly definitions: readonly PluginDefinition[];
  find(type: string): PluginDefinition | null;
  /** The known type most like `type`, for error messages. */
  nearest(type: string): string | null;
}

/** Makes a registry; a type that comes twice is a mistake of the caller and throws. */
export function createRegistry(definitions: readonly PluginDefinition[]): Registry {
  const byType = new Map<string, PluginDefinition>();
  for (const definition of definitions) {
    assert(!byType.has(definition.type), `plugin type ${definition.type} is defined twice`);
    byType.set(definition.type, definition);
  }
  return Object.freeze({
    definitions: Object.freeze([...definitions]),
    find: (type: string) => byType.get(type) ?? null,
    nearest: (type: string) => findNearest(type, byType.keys()),
  });
}
