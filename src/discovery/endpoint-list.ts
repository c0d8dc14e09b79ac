import { parseDocument } from 'yaml';

import { findNearest } from '../core/nearest.ts';
import { fail, succeed } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { EndpointSpec } from '../pool/endpoint.ts';
import { ENGINE_NAMES } from '../protocol/engines/builtins.ts';
import type { EngineName } from '../protocol/engines/dialect.ts';
import { normaliseServerUrl } from './server-url.ts';
import type { EndpointDefaults } from './sources.ts';

/** Endpoints of one list at most. */
const MAX_ENTRIES = 10_000;

const KEYS = ['url', 'labels', 'engine', 'models'] as const;

/**
 * Reads a list of endpoints in YAML or JSON: each entry a URL, or a mapping of `url` with optional
 * `labels`, `engine` and `models`, which stand in place of the defaults. The list may be the whole
 * document or stand under `endpoints`. The error names the entry and what is wrong with it.
 */
export function parseEndpointList(
  text: string,
  defaults: EndpointDefaults,
): Result<readonly EndpointSpec[], string> {
  const document = parseDocument(text, { logLevel: 'silent' });
  const [broken] = document.errors;
  if (broken !== undefined) return fail(broken.message.split('\n', 1)[0] ?? 'not YAML');
  const read = toPlain(document);
  if (!read.ok) return read;
  const list = isMapping(read.value) ? read.value['endpoints'] : read.value;
  if (!Array.isArray(list)) {
    return fail('expected a list of endpoints, or a mapping with the list under "endpoints"');
  }
  if (list.length > MAX_ENTRIES) return fail(`the list has more than ${MAX_ENTRIES} endpoints`);
  const specs: EndpointSpec[] = [];
  for (const [index, item] of list.entries()) {
    const entry = parseEntry(item, defaults);
    if (!entry.ok) return fail(`entry ${index + 1}: ${entry.error}`);
    specs.push(entry.value);
  }
  return succeed(specs);
}

/** Resolving aliases may fail, when they multiply beyond the library's limit. */
function toPlain(document: ReturnType<typeof parseDocument>): Result<unknown, string> {
  try {
    return succeed(document.toJS() as unknown);
  } catch (cause) {
    return fail(`cannot be resolved: ${String(cause)}`);
  }
}

function parseEntry(item: unknown, defaults: EndpointDefaults): Result<EndpointSpec, string> {
  const entry: unknown = typeof item === 'string' ? { url: item } : item;
  if (!isMapping(entry)) return fail('expected a URL, or a mapping with "url"');
  const strange = Object.keys(entry).find((key) => !(KEYS as readonly string[]).includes(key));
  if (strange !== undefined) return fail(`unknown key "${strange}"${hint(strange, KEYS)}`);
  const { url, labels, models } = entry;
  if (typeof url !== 'string') return fail('"url" is missing or not text');
  const normal = normaliseServerUrl(url);
  if (!normal.ok) return normal;
  const engine = parseEngine(entry['engine'], defaults.engine);
  if (!engine.ok) return engine;
  if (!isTextMapping(labels)) return fail('"labels" must map names to text');
  if (!isTextList(models)) return fail('"models" must be a list of names');
  return succeed({
    url: normal.value,
    labels: { ...defaults.labels, ...labels },
    engine: engine.value,
    models: models ?? defaults.models,
    tls: defaults.tls,
  });
}

function parseEngine(
  value: unknown,
  standard: EngineName | null,
): Result<EngineName | null, string> {
  if (value === undefined || value === null) return succeed(standard);
  const found = ENGINE_NAMES.find((name) => name === value);
  if (found !== undefined) return succeed(found);
  const shown = JSON.stringify(value);
  return fail(`unknown engine ${shown}${hint(shown.replaceAll('"', ''), ENGINE_NAMES)}`);
}

function hint(text: string, known: readonly string[]): string {
  const meant = findNearest(text, known);
  return meant === null ? `; known are ${known.join(', ')}` : `; did you mean "${meant}"?`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextMapping(value: unknown): value is Readonly<Record<string, string>> | undefined {
  if (value === undefined) return true;
  return isMapping(value) && Object.values(value).every((item) => typeof item === 'string');
}

function isTextList(value: unknown): value is readonly string[] | undefined {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}
