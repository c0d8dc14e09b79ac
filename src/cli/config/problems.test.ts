import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { formatProblem } from './problem.ts';
import { loadConfig } from './load.ts';
import { redactConfig } from './redact.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../test/golden/config');
const isUpdating = process.env['UPDATE_GOLDEN'] === '1';

/** What `name` gives: its problems, or the whole configuration; without this machine's paths. */
async function describeCase(name: string): Promise<string> {
  const loaded = await loadConfig(path.join(FOLDER, name));
  const text = loaded.ok
    ? JSON.stringify(redactConfig(loaded.value), null, 2)
    : loaded.error.map(formatProblem).join('\n');
  return `${text.replaceAll(`${FOLDER}/`, '')}\n`;
}

for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.yaml'))) {
  test(`configuration ${name} gives exactly what its golden file says`, async () => {
    const golden = path.join(FOLDER, name.replace(/yaml$/, 'txt'));
    const actual = await describeCase(name);
    if (isUpdating) writeFileSync(golden, actual);
    assert.ok(existsSync(golden), `${golden} is missing; UPDATE_GOLDEN=1 writes it`);
    assert.equal(actual, readFileSync(golden, 'utf8'));
    const isGood = name.startsWith('good-') || name === 'empty.yaml';
    assert.equal(actual.startsWith('{'), isGood, 'only cases named good are valid');
  });
}
