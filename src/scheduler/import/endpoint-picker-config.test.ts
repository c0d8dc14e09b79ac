import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { BUILTIN_PLUGINS } from '../framework/builtins.ts';
import { createRegistry } from '../framework/registry.ts';
import { PRESETS } from '../presets.ts';
import { createTestProfile } from '../testing/test-parts.ts';
import { importEndpointPickerConfig } from './endpoint-picker-config.ts';
import { FOREIGN_TYPES } from './foreign-types.ts';
import { formatImportProblem } from './import-problem.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../test/golden/import');
const REGISTRY = createRegistry(BUILTIN_PLUGINS);
const isUpdating = process.env['UPDATE_GOLDEN'] === '1';

for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.yaml'))) {
  test(`${name} gives exactly what its golden file says`, () => {
    const source = readFileSync(path.join(FOLDER, name), 'utf8');
    const imported = importEndpointPickerConfig(parse(source), REGISTRY);
    const text = imported.ok
      ? JSON.stringify(imported.value, null, 2)
      : imported.error.map(formatImportProblem).join('\n');
    const golden = path.join(FOLDER, name.replace(/yaml$/, 'txt'));
    if (isUpdating) writeFileSync(golden, `${text}\n`);
    assert.ok(existsSync(golden), `${golden} is missing; UPDATE_GOLDEN=1 writes it`);
    assert.equal(`${text}\n`, readFileSync(golden, 'utf8'));
    assert.equal(imported.ok, name.startsWith('good-'), 'only documents named good are accepted');
    if (imported.ok) createTestProfile(imported.value.profile);
  });
}

function importFile(name: string): ReturnType<typeof importEndpointPickerConfig> {
  const source = readFileSync(path.join(FOLDER, name), 'utf8');
  return importEndpointPickerConfig(parse(source), REGISTRY);
}

test('the field’s default and guide are what the presets of that name are', () => {
  const rows = [
    ['good-default.yaml', 'llm-d-default'],
    ['good-kserve.yaml', 'kserve-default'],
  ] as const;
  for (const [file, preset] of rows) {
    const imported = importFile(file);
    assert.ok(imported.ok);
    const weights = imported.value.profile.plugins.map(({ type, weight }) => `${type} ${weight}`);
    const expected = PRESETS[preset].plugins
      .filter(({ type }) => file !== 'good-default.yaml' || type !== 'max-score-picker')
      .map(({ type, weight }) => `${type} ${weight}`);
    assert.deepEqual(weights, expected);
  }
});

test('every plugin that cannot be honoured is named with the nearest equivalent', () => {
  for (const [type, foreign] of Object.entries(FOREIGN_TYPES)) {
    if (foreign.kind !== 'missing') continue;
    const imported = importEndpointPickerConfig(
      {
        apiVersion: 'llm-d.ai/v1alpha1',
        kind: 'EndpointPickerConfig',
        plugins: [{ type, name: 'mine' }],
      },
      REGISTRY,
    );
    assert.ok(!imported.ok);
    const text = imported.error.map(formatImportProblem).join('\n');
    assert.match(text, new RegExp(`^plugins\\[0\\]: plugin "mine" of type "${type}" cannot be`));
    assert.match(text, /nearest is ./);
  }
});

test('no plugin type is both ours and foreign, and no alias leads nowhere', () => {
  for (const [type, foreign] of Object.entries(FOREIGN_TYPES)) {
    assert.equal(REGISTRY.find(type), null, type);
    if (foreign.kind === 'alias') assert.notEqual(REGISTRY.find(foreign.type), null);
    if (foreign.kind === 'built-in' && foreign.parameters.length > 0) {
      assert.notEqual(foreign.instead, '', type);
    }
  }
});

test('no document makes the importer throw', () => {
  const base = { apiVersion: 'llm-d.ai/v1alpha1', kind: 'EndpointPickerConfig' };
  const keys =
    'plugins schedulingProfiles type name parameters pluginRef weight featureGates dataLayer ' +
    'sources flowControl saturationDetector conditions';
  const key = fc.constantFrom(...keys.split(' '));
  const leaf = fc.oneof(
    fc.constantFrom('queue-scorer', 'by-label', 'utilization-filter', 'single-profile-handler'),
    fc.jsonValue(),
  );
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, node, { maxKeys: 6 }), (document) => {
      const imported = importEndpointPickerConfig({ ...base, ...document }, REGISTRY);
      if (!imported.ok) assert.ok(imported.error.length > 0);
      else assert.ok(imported.value.profile.rankedCount >= 1);
    }),
    { numRuns: 500 },
  );
});
