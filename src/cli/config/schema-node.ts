import type { FormatName } from './formats.ts';

/** Text, checked by a named format. */
export interface StringNode {
  readonly kind: 'string';
  readonly format: FormatName;
}

/** A whole number within inclusive bounds. */
export interface IntegerNode {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  /** What writing null does, for those who write 0 for it; null: not allowed or nothing special. */
  readonly nullMeans: string | null;
}

/** A number within inclusive bounds. */
export interface NumberNode {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
}

/** true or false. */
export interface BooleanNode {
  readonly kind: 'boolean';
}

/** One of a few words. */
export interface ChoiceNode {
  readonly kind: 'choice';
  readonly choices: readonly string[];
}

/** A list of equal things. */
export interface ArrayNode {
  readonly kind: 'array';
  readonly item: SchemaNode;
  readonly minItems: number;
  readonly maxItems: number;
}

/** A mapping with free keys and equal values. */
export interface MapNode {
  readonly kind: 'map';
  readonly key: FormatName;
  readonly value: SchemaNode;
  readonly maxEntries: number;
}

/** A mapping that whoever it is for checks: the options of a plugin. */
export interface FreeNode {
  readonly kind: 'free';
}

/** A mapping with known keys. */
export interface ObjectNode {
  readonly kind: 'object';
  readonly properties: Readonly<Record<string, Property>>;
  /** A plain text in place of the mapping stands for this key; null: not allowed. */
  readonly shorthand: string | null;
  /** Exactly one of these keys must be given; empty: no such rule. */
  readonly exactlyOne: readonly string[];
}

/** A node without children. */
export type ScalarNode = StringNode | IntegerNode | NumberNode | BooleanNode | ChoiceNode;

/**
 * One node of the schema. The schema is data: it validates, and is the source of JSON Schema and
 * reference page.
 */
export type SchemaNode = ScalarNode | ArrayNode | MapNode | FreeNode | ObjectNode;

/** What an absent key means. */
export type Presence =
  | { readonly kind: 'required' }
  | { readonly kind: 'default'; readonly value: unknown }
  /** The object that results from its own keys' defaults. */
  | { readonly kind: 'section' };

/** A known key of a mapping. */
export interface Property {
  readonly node: SchemaNode;
  readonly presence: Presence;
  /** Whether null may be written. */
  readonly isNullable: boolean;
  /**
   * One or two sentences for the reference page and for editors, with the reason of a default where
   * it has one.
   */
  readonly doc: string;
}

declare const valueType: unique symbol;

/**
 * A node whose checked and filled value has type `T`; the compiler holds schema and type together.
 */
export type Typed<T> = SchemaNode & { readonly [valueType]?: T };

/** A key whose checked and filled value has type `T`. */
export type TypedProperty<T> = Property & { readonly [valueType]?: T };

type TypedProperties<T> = { readonly [Key in keyof T]-?: TypedProperty<T[Key]> };

/** Text of a named format. */
export function text(format: FormatName): Typed<string> {
  return { kind: 'string', format };
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Typed<number> & IntegerNode {
  return { kind: 'integer', min, max, nullMeans: null };
}

/** A number from `min` to `max`. */
export function numberBetween(min: number, max: number): Typed<number> {
  return { kind: 'number', min, max };
}

/** true or false. */
export function flag(): Typed<boolean> {
  return { kind: 'boolean' };
}

/** One of `choices`. */
export function choice<T extends string>(choices: readonly T[]): Typed<T> {
  return { kind: 'choice', choices };
}

/**
 * A list of `minItems` to 10,000 things; the bound keeps a damaged file from filling the memory.
 */
export function list<T>(item: Typed<T>, minItems = 0): Typed<readonly T[]> {
  return { kind: 'array', item, minItems, maxItems: 10_000 };
}

/** A mapping of up to 64 free keys. */
export function mapping<T>(key: FormatName, value: Typed<T>): Typed<Readonly<Record<string, T>>> {
  return { kind: 'map', key, value, maxEntries: 64 };
}

/** A mapping with any keys and values. */
export function freeMapping(): Typed<Readonly<Record<string, unknown>>> {
  return { kind: 'free' };
}

/** A mapping with these keys; all others are refused. */
export function object<T>(
  properties: TypedProperties<T>,
  rules: { readonly shorthand?: string; readonly exactlyOne?: readonly string[] } = {},
): Typed<T> {
  return {
    kind: 'object',
    properties,
    shorthand: rules.shorthand ?? null,
    exactlyOne: rules.exactlyOne ?? [],
  };
}

/** A key that must be given. */
export function required<T>(node: Typed<T>, doc: string): TypedProperty<T> {
  return { node, presence: { kind: 'required' }, isNullable: false, doc };
}

/** A key that may be left out or set to null; both give null. */
export function optional<T>(node: Typed<T>, doc: string): TypedProperty<T | null> {
  return { node, presence: { kind: 'default', value: null }, isNullable: true, doc };
}

/** A key that may be left out, but not set to null. */
export function withDefault<T>(node: Typed<T>, value: T, doc: string): TypedProperty<T> {
  return { node, presence: { kind: 'default', value }, isNullable: false, doc };
}

/** A limit with a default, lifted by null. */
export function untilNull(
  node: IntegerNode,
  value: number,
  doc: string,
): TypedProperty<number | null> {
  const limit: IntegerNode = { ...node, nullMeans: 'no limit' };
  return { node: limit, presence: { kind: 'default', value }, isNullable: true, doc };
}

/** A key whose mapping may be left out, which gives the defaults of its own keys. */
export function section<T>(node: Typed<T>, doc: string): TypedProperty<T> {
  return { node, presence: { kind: 'section' }, isNullable: false, doc };
}
