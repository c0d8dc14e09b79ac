import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument, stringify } from 'yaml';

import { ConfigDocument } from './document.ts';
import { toJsonSchema, type JsonSchema } from './json-schema.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { validateDocument } from './validate.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../test/golden/config');
const SCHEMA = toJsonSchema(CONFIG_SCHEMA);

type Check = (schema: JsonSchema, argument: never, value: unknown) => boolean;

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isMapping(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** The keywords of JSON Schema 2020-12 that the published schema uses; any other fails the test. */
const KEYWORDS: Readonly<Record<string, Check>> = {
  type: (_schema, types: string | string[], value) =>
    [types].flat().some((type) => hasType(type, value)),
  enum: (_schema, choices: unknown[], value) => choices.includes(value),
  pattern: (_schema, pattern: string, value) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minimum: (_schema, least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (_schema, most: number, value) => typeof value !== 'number' || value <= most,
  items: (_schema, item: JsonSchema, value) =>
    !Array.isArray(value) || value.every((each) => conforms(item, each)),
  minItems: (_schema, least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (_schema, most: number, value) => !Array.isArray(value) || value.length <= most,
  maxProperties: (_schema, most: number, value) =>
    !isMapping(value) || Object.keys(value).length <= most,
  propertyNames: (_schema, names: JsonSchema, value) =>
    !isMapping(value) || Object.keys(value).every((key) => conforms(names, key)),
  required: (_schema, keys: string[], value) =>
    !isMapping(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (_schema, properties: Record<string, JsonSchema>, value) =>
    !isMapping(value) ||
    Object.entries(properties).every(
      ([key, each]) => !Object.hasOwn(value, key) || conforms(each, value[key]),
    ),
  additionalProperties: (schema, rest: JsonSchema | false, value) => {
    const known = Object.keys(schema['properties'] ?? {});
    const others = isMapping(value) ? Object.keys(value).filter((key) => !known.includes(key)) : [];
    if (rest === false) return others.length === 0;
    return others.every((key) => conforms(rest, (value as Record<string, unknown>)[key]));
  },
  anyOf: (_schema, choices: JsonSchema[], value) => choices.some((each) => conforms(each, value)),
  oneOf: (_schema, choices: JsonSchema[], value) =>
    choices.filter((each) => conforms(each, value)).length === 1,
  not: (_schema, refused: JsonSchema, value) => !conforms(refused, value),
};

const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  'title',
  'description',
  'default',
]);

function conforms(schema: JsonSchema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (ANNOTATIONS.has(keyword)) return true;
    const check = KEYWORDS[keyword];
    assert.ok(check, `the test knows the keyword ${keyword}`);
    return check(schema, argument as never, value);
  });
}

/** Mistakes that JSON Schema cannot see: formats finer than a pattern, and the text itself. */
const FINER_THAN_SCHEMA: ReadonlySet<string> = new Set([
  'address-impossible.yaml',
  'duplicate-key.yaml',
  'url-impossible.yaml',
  'variable.yaml',
]);

for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.yaml'))) {
  const document = new ConfigDocument(readFileSync(path.join(FOLDER, name), 'utf8'), name);
  if (document.problems.length > 0 || name === 'unknown-alias.yaml') continue;
  test(`JSON Schema and validator agree on ${name}`, () => {
    const source = readFileSync(path.join(FOLDER, name), 'utf8');
    const value: unknown = parseDocument(source, { uniqueKeys: false }).toJS();
    const isValid = validateDocument(document, CONFIG_SCHEMA).ok;
    const isConforming = conforms(SCHEMA, value);
    if (isValid) assert.ok(isConforming, 'valid for the validator, refused by the schema');
    else if (!FINER_THAN_SCHEMA.has(name))
      assert.ok(!isConforming, 'refused by the validator only');
  });
}

/** A value of the schema's own defaults and bounds, with now and then something foreign in it. */
function arbitrary(schema: JsonSchema): fc.Arbitrary<unknown> {
  const foreign = fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'x y', [], {}, [1], {
    a: 1,
  });
  return fc.oneof({ weight: 12, arbitrary: fitting(schema) }, { weight: 1, arbitrary: foreign });
}

function fitting(schema: JsonSchema): fc.Arbitrary<unknown> {
  const choices = (schema['anyOf'] ?? []) as JsonSchema[];
  if (choices.length > 0) return fc.oneof(...choices.map(fitting));
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch ([schema['type']].flat()[0]) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fc.constantFrom('127.0.0.1:80', 'http://a:8000', 'name', 'a.pem', '10.0.0.1');
    case 'integer':
    case 'number':
      return fc.integer({ min: schema['minimum'] as number, max: schema['maximum'] as number });
    case 'array':
      return fc.array(arbitrary(schema['items'] as JsonSchema), { maxLength: 3 });
    default:
      return mappingOf(schema);
  }
}

function mappingOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const required = (schema['required'] ?? []) as string[];
  const model = Object.fromEntries(properties.map(([key, each]) => [key, arbitrary(each)]));
  return fc.record(model, { requiredKeys: required as never[] });
}

test('what the validator accepts conforms to the JSON Schema, whatever is generated', () => {
  let validCount = 0;
  fc.assert(
    fc.property(arbitrary(SCHEMA), (value) => {
      const document = new ConfigDocument(stringify(value), 'generated.yaml');
      assert.deepEqual(document.problems, []);
      const { ok } = validateDocument(document, CONFIG_SCHEMA);
      if (ok) validCount += 1;
      const isConforming = conforms(SCHEMA, value);
      if (ok) assert.ok(isConforming);
    }),
    { numRuns: 300 },
  );
  assert.ok(validCount > 0, 'some generated files are valid');
});

test('every key of the JSON Schema has a description, and every limit a unit where its name has one', () => {
  const visit = (schema: JsonSchema): void => {
    const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
    for (const [key, property] of Object.entries(properties)) {
      if (Object.keys(property).join() === 'not') continue;
      assert.equal(typeof property['description'], 'string', key);
      if (key.endsWith('Ms')) assert.match(String(property['description']), /milliseconds/, key);
      if (key.endsWith('Bytes')) assert.match(String(property['description']), /bytes/, key);
    }
    for (const nested of Object.values(schema).flat()) if (isMapping(nested)) visit(nested);
  };
  visit(SCHEMA);
});
