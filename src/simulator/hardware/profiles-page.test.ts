import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.resolve(import.meta.dirname, '../../..');

test('the page of profiles is up to date', () => {
  const file = path.join('scripts', 'generate-profiles.ts');
  const { status, stderr } = spawnSync(process.execPath, [file, '--check'], { cwd: ROOT });
  assert.equal(status, 0, `${stderr.toString('utf8')}run node ${file}`);
});
