import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

test('up ends on SIGTERM when the reader of its output has gone', async (t) => {
  const addresses = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const child = spawn(process.execPath, [MAIN, 'up', '--demo', '1', ...addresses], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (text.includes('"msg":"serving"')) break;
  }
  // Leaving the loop has closed the pipe, as `penstock up | head` does.
  assert.ok(child.stdout.destroyed);
  child.kill('SIGTERM');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.deepEqual({ code, signal, errors }, { code: 0, signal: null, errors: '' });
});
