import { quote } from './problem.ts';
import type { ObjectNode, Property, SchemaNode } from './schema-node.ts';

/** One key of the schema with its full path; lists add `[]`, free keys `.*`. */
export interface KnownKey {
  /** For example `pools[].dns.minTtlMs`. */
  readonly path: string;
  readonly key: string;
  /** Path of the mapping that holds it; empty at the top. */
  readonly parent: string;
  readonly property: Property;
}

/** Every key of a schema, depth first in the order of definition. */
export function listKeys(schema: SchemaNode, parent = ''): readonly KnownKey[] {
  const holder = objectWithin(schema, parent);
  if (holder === null) return [];
  return Object.entries(holder.node.properties).flatMap(([key, property]) => {
    const path = holder.path === '' ? key : `${holder.path}.${key}`;
    return [{ path, key, parent: holder.path, property }, ...listKeys(property.node, path)];
  });
}

function objectWithin(
  schema: SchemaNode,
  path: string,
): { readonly node: ObjectNode; readonly path: string } | null {
  if (schema.kind === 'array') return objectWithin(schema.item, `${path}[]`);
  return schema.kind === 'object' ? { node: schema, path } : null;
}

/**
 * Where a key that is not known in the mapping `here` belongs, as a sentence; null when it is not
 * known anywhere, or when its name is common to several mappings.
 */
export function findKey(schema: SchemaNode, key: string, here: string): string | null {
  const known = listKeys(schema).filter((each) => each.key === key && each.parent !== here);
  const only = known.length === 1 ? known[0] : undefined;
  if (only === undefined) return null;
  return only.parent === ''
    ? `${quote(key)} belongs at the top level`
    : `it belongs in ${quote(only.parent)}`;
}
