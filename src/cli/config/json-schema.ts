import { FORMATS } from './formats.ts';
import type { ArrayNode, MapNode, ObjectNode, Property, SchemaNode } from './schema-node.ts';
import { unitOf } from './units.ts';

/** A JSON Schema (draft 2020-12), as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Where the published schema says it lives. */
const SCHEMA_ID = 'https://penstock.dev/schema/penstock.schema.json';

/** The JSON Schema of a configuration schema, for editors and other programs. */
export function toJsonSchema(schema: SchemaNode): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: SCHEMA_ID,
    title: 'Penstock configuration',
    ...convert(schema),
    // An empty file is a valid configuration.
    type: ['object', 'null'],
  };
}

function convert(schema: SchemaNode): JsonSchema {
  switch (schema.kind) {
    case 'string':
      return { type: 'string', pattern: FORMATS[schema.format].pattern };
    case 'integer':
    case 'number':
      return { type: schema.kind, minimum: schema.min, maximum: schema.max };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: schema.choices };
    case 'array':
      return convertArray(schema);
    case 'map':
      return convertMap(schema);
    case 'free':
      return { type: 'object' };
    case 'object':
      return convertObject(schema);
  }
}

function convertArray(schema: ArrayNode): JsonSchema {
  const { item, minItems, maxItems } = schema;
  return { type: 'array', items: convert(item), minItems, maxItems };
}

function convertMap(schema: MapNode): JsonSchema {
  return {
    type: 'object',
    propertyNames: { pattern: FORMATS[schema.key].pattern },
    additionalProperties: convert(schema.value),
    maxProperties: schema.maxEntries,
  };
}

function convertObject(schema: ObjectNode): JsonSchema {
  const entries = Object.entries(schema.properties);
  const required = entries
    .filter(([, property]) => property.presence.kind === 'required')
    .map(([key]) => key);
  const mapping: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([key, property]) => [key, convertProperty(key, property)]),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...(schema.exactlyOne.length > 0 ? { oneOf: schema.exactlyOne.map(isGiven) } : {}),
  };
  const short = schema.shorthand === null ? undefined : schema.properties[schema.shorthand];
  return short === undefined ? mapping : { anyOf: [convert(short.node), mapping] };
}

function isGiven(key: string): JsonSchema {
  return { required: [key], properties: { [key]: { not: { type: 'null' } } } };
}

function convertProperty(key: string, property: Property): JsonSchema {
  const { node, presence, isNullable, doc } = property;
  const unit = node.kind === 'integer' ? unitOf(key) : null;
  const description = unit === null ? doc : `${doc} Unit: ${unit}.`;
  const converted = convert(node);
  return {
    description,
    ...(presence.kind === 'default' ? { default: presence.value } : {}),
    ...(isNullable ? { anyOf: [converted, { type: 'null' }] } : converted),
  };
}
