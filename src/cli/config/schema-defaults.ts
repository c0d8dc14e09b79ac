import { assert } from '../../core/assert.ts';
import type { Property, SchemaNode } from './schema-node.ts';

/**
 * The value of a key that is not in the file; or, for a mapping's schema, what an empty mapping
 * becomes. A required key has none.
 */
export function fillDefault(of: Property | SchemaNode): unknown {
  if ('presence' in of) {
    const { presence } = of;
    if (presence.kind === 'default') return structuredClone(presence.value);
    return presence.kind === 'section' ? fillDefault(of.node) : undefined;
  }
  assert(of.kind === 'object', 'only a mapping whose keys all have defaults may be left out');
  const filled: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(of.properties)) filled[key] = fillDefault(property);
  return filled;
}
