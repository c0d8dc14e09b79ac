import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';
import { CLIENT_HEADERS } from '../../src/gateway/server/client-headers.ts';
import { APIS } from '../../src/protocol/api-table.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** First cells of a page's tables, of the column with this heading, without code marks. */
function column(page: string, heading: string): string[] {
  const values: string[] = [];
  let index = -1;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').map((cell) => cell.trim()) : [];
    if (cells.length === 0) index = -1;
    else if (cells.includes(heading)) index = cells.indexOf(heading);
    else if (index > 0 && !/^-*$/.test(cells[index] ?? '')) values.push(cells[index] ?? '');
  }
  return values.flatMap((value) => value.match(/`[^`]+`/g) ?? []).map((code) => code.slice(1, -1));
}

/** Rows of the tables whose first headings are these. */
function rows(page: string, headings: readonly string[]): string[][] {
  const found: string[][] = [];
  let isInside = false;
  for (const line of page.split('\n')) {
    const cells = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    if (!line.startsWith('|')) isInside = false;
    else if (headings.every((heading, index) => cells[index] === heading)) isInside = true;
    else if (isInside && !/^-+$/.test(cells[0] ?? '')) found.push(cells);
  }
  return found;
}

test('the HTTP page has exactly the POST paths of the API table, with family and body', () => {
  const documented = rows(read('docs/reference/http.md'), ['Method', 'Path'])
    .filter(([method, name = '']) => method === 'POST' && !name.includes('…'))
    .map((cells) => cells.slice(1, 4));
  const families = { openai: 'OpenAI', anthropic: 'Anthropic' };
  const bodies = { json: 'JSON', multipart: 'multipart form' };
  assert.deepEqual(
    documented,
    APIS.map(({ path: name, family, body }) => [`\`${name}\``, families[family], bodies[body]]),
  );
});

test('the HTTP page has exactly the headers that clients may set, and who may', () => {
  const internal = 'clients of a listener with `internal: true`';
  const documented = rows(read('docs/reference/http.md'), ['Header', 'Who may set it']);
  for (const { names, isInternalOnly } of CLIENT_HEADERS) {
    const row = documented.find(([name]) => name === `\`${names[0]}\``);
    assert.ok(row, `${names[0]} is missing`);
    assert.equal(row[1], isInternalOnly ? internal : 'everyone');
    for (const name of names) assert.ok(row.join(' ').includes(`\`${name}\``), name);
  }
  const known = new Set(CLIENT_HEADERS.flatMap(({ names }) => names));
  const cells = documented.flat();
  const named = cells.flatMap((cell) => cell.match(/x-[a-z-]*(penstock|slo)-[a-z-]+/g) ?? []);
  for (const name of named) assert.ok(known.has(name), `${name} is no header of the gateway`);
});

test('the HTTP page names exactly the x-penstock headers that the gateway knows', () => {
  const sources = globSync('src/gateway/**/*.ts', { cwd: ROOT })
    .filter((file) => !file.endsWith('.test.ts'))
    .map(read)
    .join('\n');
  const names = (text: string): string[] =>
    [...new Set(text.match(/x-penstock-[a-z][a-z-]*/g) ?? [])].sort();
  assert.deepEqual(names(read('docs/reference/http.md')), names(sources));
});

test('every dependency has its reason, and no reason is left without its dependency', () => {
  const manifest = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const wanted = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  assert.deepEqual(column(read('docs/dependencies.md'), 'package').sort(), wanted.sort());
});

test('versions of dependencies are exact', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  for (const kind of ['dependencies', 'devDependencies']) {
    for (const version of Object.values(manifest[kind]!)) assert.match(version, /^\d+\.\d+\.\d+$/);
  }
});

test('every npm ci on every platform finds what it asks for in the lock file', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  for (const [folder, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const isListed = `node_modules/${name}` in packages;
      assert.ok(isListed, `${name}, an optional build of ${folder}, is not in package-lock.json`);
    }
  }
});

test('links between pages lead somewhere', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'bench/**/*.md'], { cwd: ROOT });
  assert.ok(pages.includes('README.md'));
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      assert.ok(existsSync(path.join(ROOT, found)), `${page} links to ${target}`);
      if (anchor !== undefined) {
        assert.ok(anchorsOf(found).includes(anchor), `${page} links to ${target}`);
      }
    }
  }
});

test('files and folders that the pages name exist', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'bench/**/*.md'], { cwd: ROOT });
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|scripts|test|bench|docs|schema)\/[\w./-]+)`/g)].map(
      ([, name = '']) => ({ page, name }),
    ),
  );
  assert.ok(named.length > 20);
  for (const { page, name } of named) {
    assert.ok(existsSync(path.join(ROOT, name)), `${page} names ${name}`);
  }
});

test('the configuration files on the pages are valid', () => {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT });
  const examples = pages.flatMap((page) =>
    [...read(page).matchAll(/^```yaml\n([^]*?)^```$/gm)]
      .map(([, source = '']) => ({ page, source }))
      // A list at the top is a file of endpoints, not a configuration.
      .filter(({ source }) => !source.startsWith('- ')),
  );
  assert.ok(examples.length >= 2);
  for (const { page, source } of examples) {
    const parsed = parseConfig(source, page);
    assert.deepEqual(parsed.ok ? [] : parsed.error.map(formatProblem), []);
  }
});

test('scripts that the pages mention exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const pages = ['README.md', 'CONTRIBUTING.md', 'STYLE.md', 'docs/quickstart.md'];
  for (const page of pages) {
    for (const [, name = ''] of read(page).matchAll(/npm run ([a-z-]+)/g)) {
      assert.ok(name in scripts, `${page} mentions npm run ${name}`);
    }
  }
});

function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
