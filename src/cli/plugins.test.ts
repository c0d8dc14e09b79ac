import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { loadPlugins } from './plugins.ts';

async function createFolder(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'penstock-plugins-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

function moduleOf(type: string): string {
  const definition = `{ type: '${type}', kind: 'filter', summary: '', options: [], create() {} }`;
  return `export const plugins = [${definition}];\n`;
}

async function typesOf(specifiers: readonly string[], folder: string): Promise<readonly string[]> {
  const loaded = await loadPlugins(specifiers, folder);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value.flatMap(({ definitions }) => definitions.map(({ type }) => type));
}

async function problemOf(specifiers: readonly string[], folder: string): Promise<string> {
  const loaded = await loadPlugins(specifiers, folder);
  return loaded.ok ? '' : loaded.error.map(({ message }) => message).join('\n');
}

test('files are found relative to the configuration, packages in its node_modules', async (t) => {
  const folder = await createFolder(t, {
    'mine.mjs': moduleOf('from-file'),
    'typed.ts': moduleOf('from-typescript').replace('const plugins', 'const plugins: unknown[]'),
    'node_modules/only-import/package.json': '{"type":"module","exports":{"import":"./a.js"}}',
    'node_modules/only-import/a.js': moduleOf('from-import'),
    'node_modules/@scope/plain/package.json': '{"type":"module","main":"b.js"}',
    'node_modules/@scope/plain/b.js': moduleOf('from-main'),
    'node_modules/nested/package.json':
      '{"type":"module","exports":{".":{"node":{"import":"./c.js"}}}}',
    'node_modules/nested/c.js': moduleOf('from-nested'),
  });
  const specifiers = ['./mine.mjs', './typed.ts', 'only-import', '@scope/plain', 'nested'];
  assert.deepEqual(await typesOf([...specifiers], folder), [
    'from-file',
    'from-typescript',
    'from-import',
    'from-main',
    'from-nested',
  ]);
  assert.deepEqual(await typesOf([path.join(folder, 'mine.mjs')], '/'), ['from-file']);
});

test('a file that has changed is another module', async (t) => {
  const folder = await createFolder(t, { 'mine.mjs': moduleOf('before') });
  assert.deepEqual(await typesOf(['./mine.mjs'], folder), ['before']);
  const file = path.join(folder, 'mine.mjs');
  await writeFile(file, moduleOf('after'));
  await utimes(file, 1, 1);
  assert.deepEqual(await typesOf(['./mine.mjs'], folder), ['after']);
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['export const plugin = [];', /has no export named "plugins"/],
  ['export const plugins = {};', /exports no list of plugin definitions/],
  ['export const plugins = [];', /exports no list of plugin definitions/],
  ['export const plugins = [null];', /plugins\[0\] is no object/],
  [moduleOf('Wrong Name'), /needs a "type" of lower-case words/],
  [moduleOf('x').replace("'filter'", "'chooser'"), /\("x"\) needs a "kind": filter, scorer/],
  [moduleOf('x').replace("summary: ''", 'summary: 1'), /needs a "summary"/],
  [moduleOf('x').replace('options: []', 'options: {}'), /needs a list "options"/],
  [moduleOf('x').replace('options: []', 'options: [{ name: "a" }]'), /option without name/],
  [moduleOf('x').replace('create() {}', 'create: 1'), /needs a function "create"/],
  [moduleOf('queue-scorer'), /has the type "queue-scorer" of Penstock/],
  ['throw new Error("first line\\nsecond")', /cannot be imported: first line$/],
  ['export const plugins = [', /cannot be imported: /],
];

for (const [source, message] of WRONG) {
  test(`refused: ${message.source}`, async (t) => {
    const folder = await createFolder(t, { 'mine.mjs': source });
    assert.match(await problemOf(['./mine.mjs'], folder), message);
  });
}

test('two modules may not have plugins of one type, nor one module twice the same', async (t) => {
  const twice = moduleOf('same').replace('];', ', ...[]];');
  const folder = await createFolder(t, {
    'a.mjs': moduleOf('same'),
    'b.mjs': moduleOf('same'),
    'c.mjs': `${twice.replace('export const plugins', 'const one')}export const plugins = [...one, ...one];`,
  });
  assert.match(await problemOf(['./a.mjs', './b.mjs'], folder), /of \.\/a\.mjs$/);
  assert.match(await problemOf(['./c.mjs'], folder), /of this module itself$/);
});

test('every module that cannot be used is reported, with its place', async (t) => {
  const folder = await createFolder(t, { 'a.mjs': moduleOf('fine') });
  const loaded = await loadPlugins(['./none.mjs', './a.mjs', 'no-such-package'], folder);
  assert.ok(!loaded.ok);
  assert.deepEqual(
    loaded.error.map(({ index }) => index),
    [0, 2],
  );
});
