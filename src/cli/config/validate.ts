import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';

import { findNearest } from '../../core/nearest.ts';
import type { ConfigDocument } from './document.ts';
import { FORMATS } from './formats.ts';
import { formatPath, quote, sortProblems, type ConfigPath, type ConfigProblem } from './problem.ts';
import {
  checkBoolean,
  checkChoice,
  checkNumber,
  checkText,
  type Checked,
  type ScalarValue,
} from './scalars.ts';
import type {
  ArrayNode,
  MapNode,
  ObjectNode,
  Property,
  ScalarNode,
  SchemaNode,
  Typed,
} from './schema-node.ts';
import { fillDefault } from './schema-defaults.ts';
import { findKey } from './schema-index.ts';
import { fail, succeed, type Result } from '../../core/result.ts';

/** Bounds the work that aliases of aliases can cause. */
const MOST_NODES = 200_000;

/** A value that could not be read; its problems are already noted. */
const INVALID = Symbol('invalid');

/** Which mapping is being filled. */
interface ObjectPlace {
  readonly node: Node;
  readonly path: ConfigPath;
  /** Keys that are absent, but that a misspelt key was probably meant to be. */
  readonly meant: ReadonlySet<string>;
}

/**
 * Checks a document against a schema and fills in defaults; failure carries every problem found.
 */
export function validateDocument<T>(
  document: ConfigDocument,
  schema: Typed<T>,
): Result<T, readonly ConfigProblem[]> {
  if (document.problems.length > 0) return fail(document.problems);
  const validator = new Validator(document, schema);
  const value = validator.run();
  if (validator.problems.length > 0) return fail(sortProblems(validator.problems));
  // The schema's type says what a value without problems is.
  return succeed(value as T);
}

class Validator {
  readonly problems: ConfigProblem[] = [];
  readonly #document: ConfigDocument;
  readonly #schema: SchemaNode;
  #visited = 0;

  constructor(document: ConfigDocument, schema: SchemaNode) {
    this.#document = document;
    this.#schema = schema;
  }

  run(): unknown {
    const root = this.#document.root;
    if (root === null || isEmptyScalar(root)) return fillDefault(this.#schema);
    return this.#check(this.#schema, root, []);
  }

  #check(schema: SchemaNode, written: unknown, path: ConfigPath): unknown {
    this.#visited += 1;
    if (this.#visited === MOST_NODES) {
      this.#report(written, path, 'the file is too large, counting what aliases stand for');
    }
    if (this.#visited >= MOST_NODES) return INVALID;
    const node = isNode(written) ? this.#document.resolve(written) : null;
    if (node === null) {
      if (!isAlias(written)) return this.#report(written, path, `expected ${describe(schema)}`);
      const message = `there is no anchor ${quote(written.source)}`;
      return this.#report(written, path, message, 'define the anchor before its first use');
    }
    return this.#descend(schema, node, path);
  }

  #descend(schema: SchemaNode, node: Node, path: ConfigPath): unknown {
    switch (schema.kind) {
      case 'object':
        return this.#object(schema, node, path);
      case 'array':
        return this.#array(schema, node, path);
      case 'map':
        return this.#map(schema, node, path);
      case 'free':
        return isMap(node) ? this.#free(node, path) : this.#wrongType(schema, node, path);
      case 'string':
      case 'integer':
      case 'number':
      case 'boolean':
      case 'choice':
        return this.#scalar(schema, node, path);
    }
  }

  #scalar(schema: ScalarNode, node: Node, path: ConfigPath): unknown {
    const value = readScalar(node);
    if (value === undefined) return this.#wrongType(schema, node, path);
    const checked = checkScalar(schema, value, lastKey(path));
    if (checked.ok) return checked.value;
    const { message, suggestion } = checked.error;
    return this.#report(node, path, message, suggestion);
  }

  #array(schema: ArrayNode, node: Node, path: ConfigPath): unknown {
    if (!isSeq(node)) return this.#wrongType(schema, node, path);
    const { length } = node.items;
    if (length < schema.minItems) {
      return this.#report(node, path, 'the list is empty', 'add an entry or remove the key');
    }
    if (length > schema.maxItems) {
      return this.#report(node, path, `at most ${schema.maxItems} entries, got ${length}`);
    }
    return node.items.map((item, index) => this.#check(schema.item, item, [...path, index]));
  }

  #map(schema: MapNode, node: Node, path: ConfigPath): unknown {
    if (!isMap(node)) return this.#wrongType(schema, node, path);
    if (node.items.length > schema.maxEntries) {
      this.#report(node, path, `at most ${schema.maxEntries} entries, got ${node.items.length}`);
    }
    const values = new Map<string, unknown>();
    for (const [key, pair] of this.#entries(node, path)) {
      const format = FORMATS[schema.key];
      if (!format.isValid(key)) {
        this.#report(pair.key, [...path, key], `expected ${format.description}`);
      }
      values.set(key, this.#check(schema.value, pair.value, [...path, key]));
    }
    return Object.fromEntries(values);
  }

  /** Plain values, with aliases replaced up to the same bound as everything. */
  #free(node: Node, path: ConfigPath): unknown {
    this.#visited += 1;
    if (this.#visited >= MOST_NODES) {
      return this.#report(node, path, 'the file is too large, counting what aliases stand for');
    }
    if (isSeq(node)) return node.items.map((item, index) => this.#freeItem(item, [...path, index]));
    if (!isMap(node)) return readScalar(node);
    const values = new Map<string, unknown>();
    for (const [key, pair] of this.#entries(node, path)) {
      values.set(key, this.#freeItem(pair.value, [...path, key]));
    }
    return Object.fromEntries(values);
  }

  #freeItem(written: unknown, path: ConfigPath): unknown {
    const node = isNode(written) ? this.#document.resolve(written) : null;
    return node === null ? null : this.#free(node, path);
  }

  #object(schema: ObjectNode, node: Node, path: ConfigPath): unknown {
    const { shorthand } = schema;
    if (shorthand !== null && isScalar(node) && typeof node.value === 'string') {
      return this.#fill(schema, new Map([[shorthand, node]]), { node, path, meant: new Set() });
    }
    if (!isMap(node)) return this.#wrongType(schema, node, path);
    const given = new Map<string, unknown>();
    const meant = new Set<string>();
    for (const [key, pair] of this.#entries(node, path)) {
      if (Object.hasOwn(schema.properties, key)) given.set(key, pair.value);
      else {
        const near = this.#unknownKey(schema, pair, [...path, key]);
        if (near !== null) meant.add(near);
      }
    }
    return this.#fill(schema, given, { node, path, meant });
  }

  #fill(schema: ObjectNode, given: ReadonlyMap<string, unknown>, at: ObjectPlace): unknown {
    const filled: Record<string, unknown> = {};
    for (const [key, property] of Object.entries(schema.properties)) {
      const written = given.get(key);
      if (written === undefined) {
        filled[key] = this.#absent(key, property, at);
      } else if (property.isNullable && this.#isNull(written)) filled[key] = null;
      else {
        const place = isMap(at.node) ? [...at.path, key] : at.path;
        filled[key] = this.#check(property.node, written, place);
      }
    }
    const isGiven = (key: string): boolean => filled[key] !== null || at.meant.has(key);
    this.#checkExactlyOne(schema, schema.exactlyOne.filter(isGiven), at);
    return filled;
  }

  #absent(key: string, property: Property, at: ObjectPlace): unknown {
    if (property.presence.kind !== 'required') return fillDefault(property);
    if (at.meant.has(key)) return INVALID;
    return this.#report(at.node, at.path, `the key ${quote(key)} is missing`);
  }

  #checkExactlyOne(schema: ObjectNode, given: readonly string[], at: ObjectPlace): void {
    if (schema.exactlyOne.length === 0 || given.length === 1) return;
    const choices = schema.exactlyOne.map(quote).join(', ');
    const what = given.length === 0 ? 'none' : given.map(quote).join(' and ');
    this.#report(at.node, at.path, `exactly one of ${choices} is needed, got ${what}`);
  }

  /** The pairs of a mapping with text keys, each key once. */
  #entries(map: YAMLMap, path: ConfigPath): ReadonlyMap<string, Pair> {
    const entries = new Map<string, Pair>();
    for (const pair of map.items) {
      const key = isNode(pair.key) ? this.#document.resolve(pair.key) : null;
      const value = key === null ? undefined : readScalar(key);
      if (value === undefined || value === null) {
        this.#report(pair.key, path, 'a key must be plain text');
        continue;
      }
      const name = String(value);
      const first = entries.get(name);
      if (first === undefined) entries.set(name, pair);
      else {
        const { line } = this.#document.positionOf(first.key);
        const message = `the key is given twice, first on line ${line}`;
        this.#report(pair.key, [...path, name], message, 'remove one of them');
      }
    }
    return entries;
  }

  /** Reports the key; returns the known key that was probably meant. */
  #unknownKey(schema: ObjectNode, pair: Pair, path: ConfigPath): string | null {
    const key = String(path.at(-1));
    if (key === '<<') {
      const wayOut = 'use an alias for a whole value, or repeat the keys';
      this.#report(pair.key, path, 'merge keys are not supported', wayOut);
      return null;
    }
    const known = Object.keys(schema.properties);
    const near = findNearest(key, known);
    const suggestion =
      near === null ? this.#suggestPlace(known, key, path) : `did you mean ${quote(near)}?`;
    this.#report(pair.key, path, 'unknown key', suggestion);
    return near;
  }

  #suggestPlace(known: readonly string[], key: string, path: ConfigPath): string {
    const here = formatPath(path.slice(0, -1)).replaceAll(/\[\d+\]/g, '[]');
    return findKey(this.#schema, key, here) ?? `known here: ${known.join(', ')}`;
  }

  #wrongType(schema: SchemaNode, node: Node, path: ConfigPath): unknown {
    const got = kindOf(node);
    let suggestion: string | null = null;
    if (schema.kind === 'array' && !isEmptyScalar(node)) suggestion = 'put "- " before each entry';
    else if (isEmptyScalar(node)) suggestion = 'give it a value or remove the key';
    return this.#report(node, path, `expected ${describe(schema)}, got ${got}`, suggestion);
  }

  #isNull(written: unknown): boolean {
    if (written === null) return true;
    const node = isNode(written) ? this.#document.resolve(written) : null;
    return isScalar(node) && node.value === null;
  }

  #report(
    node: unknown,
    path: ConfigPath,
    message: string,
    suggestion: string | null = null,
  ): typeof INVALID {
    this.problems.push(this.#document.problemOn(node, path, message, suggestion));
    return INVALID;
  }
}

function checkScalar(schema: ScalarNode, value: ScalarValue, key: string): Checked {
  switch (schema.kind) {
    case 'string':
      return checkText(schema.format, value);
    case 'choice':
      return checkChoice(schema.choices, value);
    case 'boolean':
      return checkBoolean(value);
    case 'integer':
    case 'number':
      return checkNumber(schema, value, key);
  }
}

function lastKey(path: ConfigPath): string {
  return path.findLast((part) => typeof part === 'string') ?? '';
}

const SCALAR_TYPES: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'bigint']);

/** The single value that a node holds; undefined when it is a collection. */
function readScalar(node: Node): ScalarValue | undefined {
  if (!isScalar(node)) return undefined;
  const { value } = node;
  return value === null || SCALAR_TYPES.has(typeof value) ? (value as ScalarValue) : undefined;
}

function isEmptyScalar(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

function kindOf(node: Node): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (isEmptyScalar(node)) return 'nothing';
  if (!isScalar(node)) return 'something else';
  return typeof node.value === 'string' ? quote(node.value) : String(node.value);
}

function describe(schema: SchemaNode): string {
  switch (schema.kind) {
    case 'object':
      return schema.shorthand === null ? 'a mapping' : 'text or a mapping';
    case 'array':
      return 'a list';
    case 'map':
    case 'free':
      return 'a mapping';
    case 'string':
      return FORMATS[schema.format].description;
    case 'choice':
      return `one of ${schema.choices.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
  }
}
