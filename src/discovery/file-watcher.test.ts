import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Clock } from '../core/clock.ts';
import { createSystemClock } from '../cli/system-clock.ts';
import { FileWatcher } from './file-watcher.ts';

/** Longer than any wait that should succeed; a failing test ends here. */
const DEADLINE_MS = 5000;

interface Scene {
  readonly folder: string;
  readonly watcher: FileWatcher;
  /** How often the watcher has called back. */
  readonly calls: () => number;
  readonly untilCalls: (count: number) => Promise<void>;
}

function createScene(context: TestContext): Scene {
  const folder = mkdtempSync(path.join(tmpdir(), 'penstock-watch-'));
  let calls = 0;
  const clock: Clock = createSystemClock();
  const watcher = new FileWatcher(() => (calls += 1), {
    clock,
    settleMs: 20,
    pollMs: 50,
    onFailure: (_name, cause) => {
      throw cause;
    },
  });
  context.after(async () => {
    await watcher.close();
    rmSync(folder, { recursive: true });
  });
  const readCalls = (): number => calls;
  const untilCalls = async (count: number): Promise<void> => {
    const endMs = performance.now() + DEADLINE_MS;
    while (readCalls() < count) {
      assert.ok(performance.now() < endMs, `${count} calls expected, ${calls} came`);
      await delay(5);
    }
  };
  return { folder, watcher, calls: readCalls, untilCalls };
}

test('a rename over the file is noticed, once', async (context) => {
  const { folder, watcher, calls, untilCalls } = createScene(context);
  const file = path.join(folder, 'penstock.yaml');
  writeFileSync(file, 'a');
  await watcher.watch([file]);
  writeFileSync(`${file}.new`, 'b');
  renameSync(`${file}.new`, file);
  await untilCalls(1);
  await delay(150);
  assert.equal(calls(), 1);
});

test('a swapped symbolic link to the folder is noticed, as with a mounted config map', async (context) => {
  const { folder, watcher, untilCalls } = createScene(context);
  for (const version of ['..v1', '..v2']) {
    mkdirSync(path.join(folder, version));
    writeFileSync(path.join(folder, version, 'penstock.yaml'), version);
  }
  symlinkSync('..v1', path.join(folder, '..data'));
  const file = path.join(folder, 'penstock.yaml');
  symlinkSync(path.join('..data', 'penstock.yaml'), file);
  await watcher.watch([file]);
  symlinkSync('..v2', path.join(folder, '..tmp'));
  renameSync(path.join(folder, '..tmp'), path.join(folder, '..data'));
  await untilCalls(1);
});

test('another file of the folder and a file that stays as it is call nobody', async (context) => {
  const { folder, watcher, calls } = createScene(context);
  const file = path.join(folder, 'penstock.yaml');
  writeFileSync(file, 'a');
  await watcher.watch([file]);
  writeFileSync(path.join(folder, 'other'), 'b');
  await delay(150);
  assert.equal(calls(), 0);
});

test('a file that goes away and comes back is noticed', async (context) => {
  const { folder, watcher, calls, untilCalls } = createScene(context);
  const file = path.join(folder, 'penstock.yaml');
  writeFileSync(file, 'a');
  await watcher.watch([file]);
  unlinkSync(file);
  await untilCalls(1);
  const before = calls();
  writeFileSync(file, 'b');
  await untilCalls(before + 1);
});

test('a change between the call and watching again is told again', async (context) => {
  const { folder, watcher, untilCalls } = createScene(context);
  const file = path.join(folder, 'penstock.yaml');
  const key = path.join(folder, 'key.pem');
  writeFileSync(file, 'a');
  writeFileSync(key, 'a');
  await watcher.watch([file]);
  writeFileSync(file, 'bb');
  await untilCalls(1);
  writeFileSync(file, 'ccc');
  await watcher.watch([file, key]);
  await untilCalls(2);
  writeFileSync(key, 'bb');
  await untilCalls(3);
});

test('nothing is called after close, and closing twice is harmless', async (context) => {
  const { folder, watcher, calls } = createScene(context);
  const file = path.join(folder, 'penstock.yaml');
  writeFileSync(file, 'a');
  await watcher.watch([file]);
  await watcher.close();
  await watcher.close();
  writeFileSync(file, 'b');
  await watcher.watch([file]);
  await delay(150);
  assert.equal(calls(), 0);
});
