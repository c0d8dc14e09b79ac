import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { spawn } from './spawn.ts';

test('a failure of background work reaches the sink with its name, and nothing else', async () => {
  const failures: [string, unknown][] = [];
  const unhandled: unknown[] = [];
  const note = (cause: unknown): number => unhandled.push(cause);
  process.on('unhandledRejection', note);
  const cause = new Error('refused');
  spawn('scrape', Promise.reject(cause), (name, reason) => failures.push([name, reason]));
  spawn('tidy', Promise.resolve(1), (name, reason) => failures.push([name, reason]));
  await setImmediate();
  process.off('unhandledRejection', note);
  assert.deepEqual(failures, [['scrape', cause]]);
  assert.deepEqual(unhandled, []);
});
