import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { parseConfig } from './config/load.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

for (const script of ['generate-schema.ts', 'generate-reference.ts']) {
  test(`what ${script} writes is up to date`, () => {
    const file = path.join('scripts', script);
    const { status, stderr } = spawnSync(process.execPath, [file, '--check'], { cwd: ROOT });
    assert.equal(status, 0, `${stderr.toString('utf8')}run node ${file}`);
  });
}

test('the example of the configuration page is a valid file', () => {
  const page = readFileSync(path.join(ROOT, 'docs/reference/configuration.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const loaded = parseConfig(example, 'example.yaml');
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.equal(loaded.value.models[0]?.name, 'assistant');
});
