import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';

import { createSystemClock } from '../cli/system-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createFileSource } from './file-source.ts';
import { NO_DEFAULTS } from './sources.ts';
import type { EndpointSource } from './sources.ts';
import { until } from './testing/until.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Watched {
  readonly source: EndpointSource;
  /** URLs of each list that was told, in order. */
  readonly lists: string[][];
  readonly reasons: string[];
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'penstock-file-source-'));
  closers.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

function follow(path: string): Watched {
  const clock = createSystemClock();
  const reasons: string[] = [];
  const destination = {
    write: (line: string): void => {
      const { reason } = JSON.parse(line) as { reason?: string };
      if (reason !== undefined) reasons.push(reason);
    },
  };
  const log = createLogger({ level: 'warn', sampleRequests: 0, destination, clock });
  const source = createFileSource({ path, defaults: NO_DEFAULTS, clock, log });
  closers.push(() => source.close());
  const lists: string[][] = [];
  source.start((specs) => {
    lists.push(specs.map((spec) => spec.url));
  });
  return { source, lists, reasons };
}

/** Replaces a file as careful writers do. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

test('tells the list at the start, and again when the file is rewritten or replaced', async () => {
  const path = join(await folder(), 'endpoints.yaml');
  await writeFile(path, '- a:1\n');
  const { lists } = follow(path);
  await until('the first list', () => lists.length === 1);
  await replace(path, '- a:1\n- b:2\n');
  await until('the replaced list', () => lists.length === 2);
  await writeFile(path, '["c:3"]');
  await until('the rewritten list', () => lists.length === 3);
  await replace(path, '- d:4\n');
  await until('a second replacement', () => lists.length === 4);
  assert.deepEqual(lists, [
    ['http://a:1'],
    ['http://a:1', 'http://b:2'],
    ['http://c:3'],
    ['http://d:4'],
  ]);
});

test('a swapped symbolic link is seen, as for a mounted config map', async () => {
  const root = await folder();
  await mkdir(join(root, 'v1'));
  await mkdir(join(root, 'v2'));
  await writeFile(join(root, 'v1', 'list.yaml'), '- a:1\n');
  await writeFile(join(root, 'v2', 'list.yaml'), '- b:2\n');
  await symlink('v1', join(root, '..data'));
  await symlink(join('..data', 'list.yaml'), join(root, 'list.yaml'));
  const { lists } = follow(join(root, 'list.yaml'));
  await until('the first list', () => lists.length === 1);
  await symlink('v2', join(root, '..data_tmp'));
  await rename(join(root, '..data_tmp'), join(root, '..data'));
  await until('the second list', () => lists.length === 2);
  assert.deepEqual(lists[1], ['http://b:2']);
});

test('broken content keeps the last list and says why once, and mending it is seen', async () => {
  const path = join(await folder(), 'endpoints.yaml');
  await writeFile(path, '- a:1\n');
  const { lists, reasons } = follow(path);
  await until('the first list', () => lists.length === 1);
  await replace(path, '- url: [\n');
  await until('the complaint', () => reasons.length === 1);
  await replace(path, '- {url: a:1, engin: vllm}\n');
  await until('the second complaint', () => reasons.length === 2);
  assert.match(String(reasons[1]), /entry 1: unknown key "engin"; did you mean "engine"/);
  await rm(path);
  await until('the third complaint', () => reasons.length === 3);
  assert.equal(lists.length, 1, 'nothing was told meanwhile');
  await replace(path, '- b:2\n');
  await until('the mended list', () => lists.length === 2);
  assert.deepEqual(lists[1], ['http://b:2']);
  assert.equal(reasons.length, 3);
});

test('the same content written again is not told again', async () => {
  const path = join(await folder(), 'endpoints.yaml');
  await writeFile(path, '- a:1\n');
  const { lists } = follow(path);
  await until('the first list', () => lists.length === 1);
  await replace(path, '- a:1\n');
  await replace(path, '- a:1\n- b:2\n');
  await until('the new list', () => lists.length === 2);
  assert.deepEqual(lists[1], ['http://a:1', 'http://b:2']);
});

test('a file, and a folder, that come later are found', async () => {
  const root = await folder();
  const path = join(root, 'later', 'endpoints.yaml');
  const { lists, reasons } = follow(path);
  await until('the complaint', () => reasons.length === 1);
  await mkdir(join(root, 'later'));
  await writeFile(path, '- a:1\n');
  await until('the list', () => lists.length === 1);
});

test('nothing is told after closing, which is idempotent', async () => {
  const path = join(await folder(), 'endpoints.yaml');
  await writeFile(path, '- a:1\n');
  const first = follow(path);
  const second = follow(path);
  await until('the first list', () => first.lists.length === 1 && second.lists.length === 1);
  await Promise.all([first.source.close(), first.source.close()]);
  await replace(path, '- b:2\n');
  await until('the other one is told', () => second.lists.length === 2);
  assert.equal(first.lists.length, 1);
});
