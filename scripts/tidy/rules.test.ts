import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProject } from './finding.ts';
import { parseProject } from './project.ts';
import { RULES } from './rules.ts';

type Files = Readonly<Record<string, string>>;

/** What one rule finds in the given files, as `file:line`. */
function findings(ruleName: string, files: Files): string[] {
  const rule = RULES.find(({ name }) => name === ruleName);
  assert.ok(rule, `no rule ${ruleName}`);
  const texts = Object.entries(files).map(([path, text]) => ({ path, text }));
  return checkProject(parseProject(texts), [rule]).map(({ file, line }) => `${file}:${line}`);
}

interface Case {
  readonly rule: string;
  readonly catches: string;
  readonly bad: Files;
  readonly at: readonly string[];
  readonly good: Files;
}

const lines = (count: number): string => 'const x = 1;\n'.repeat(count);
const functionOf = (count: number): string => `function f() {\n${'  g();\n'.repeat(count - 2)}}\n`;
const doc = (text: string): string => `/** Documented. */\n${text}\n`;
// In pieces, because these tests are checked by the same rules.
const mark = ['TO', 'DO'].join('');
const home = ['', 'home', 'someone', 'penstock'].join('/');

const CASES: readonly Case[] = [
  {
    rule: 'rank',
    catches: 'imports of the same rank or higher, whatever form they take',
    bad: {
      'src/pool/a.ts': `import { b } from '../scheduler/b.ts';`,
      'src/pool/c.ts': `import type { B } from '../scheduler/b.ts';`,
      'src/pool/d.ts': `export { b } from '../scheduler/b.ts';`,
      'src/core/e.ts': `const f = await import('../cli/main.ts');`,
      'src/core/g.ts': `\nlet h: import('../protocol/h.ts').H;`,
    },
    at: [
      'src/core/e.ts:1',
      'src/core/g.ts:2',
      'src/pool/a.ts:1',
      'src/pool/c.ts:1',
      'src/pool/d.ts:1',
    ],
    good: {
      'src/pool/a.ts': `import { c } from '../core/c.ts';\nimport { d } from './d.ts';`,
      'src/pool/a.test.ts': `import { b } from '../scheduler/b.ts';`,
      'src/pool/text.ts': `// import { b } from '../scheduler/b.ts'\nconst s = "from '../cli/x.ts'";`,
    },
  },
  {
    rule: 'module',
    catches: 'a source file outside the known modules',
    bad: { 'src/loose.ts': '', 'src/novel/a.ts': '' },
    at: ['src/loose.ts:1', 'src/novel/a.ts:1'],
    good: { 'src/core/a.ts': '', 'scripts/a.ts': '' },
  },
  {
    rule: 'shipped-import',
    catches: 'shipped code that needs tests or scripts',
    bad: {
      'src/cli/a.ts': `import { b } from '../pool/testing/b.ts';`,
      'src/cli/b.ts': `import manifest from '../../package.json';`,
    },
    at: ['src/cli/a.ts:1', 'src/cli/b.ts:1'],
    good: {
      'src/cli/a.ts': `const url = new URL('../../package.json', import.meta.url);`,
      'src/cli/a.test.ts': `import { b } from '../pool/testing/b.ts';`,
    },
  },
  {
    rule: 'io-import',
    catches: 'I/O modules in ranks 0 to 3 and timers below cli',
    bad: {
      'src/core/a.ts': `import fs from 'node:fs';`,
      'src/director/b.ts': `import type { Dispatcher } from 'undici';`,
      'src/gateway/c.ts': `import { setTimeout } from 'node:timers/promises';`,
      'src/pool/d.ts': `import pino from 'pino';`,
    },
    at: ['src/core/a.ts:1', 'src/director/b.ts:1', 'src/gateway/c.ts:1', 'src/pool/d.ts:1'],
    good: {
      'src/core/a.ts': `import { Buffer } from 'node:buffer';`,
      'src/core/a.test.ts': `import fs from 'node:fs';`,
      'src/gateway/b.ts': `import http from 'node:http';`,
      'src/telemetry/c.ts': `import pino from 'pino';`,
    },
  },
  {
    rule: 'ambient',
    catches: 'ambient time, randomness, timers and process',
    bad: {
      'src/core/a.ts': `const t = Date.now();\nconst d = new Date();\nMath.random();`,
      'src/pool/b.ts': `setTimeout(go, 5);\nprocess.exit(1);\nconst later = setImmediate;`,
      'src/gateway/c.ts': `performance.now();\nsetInterval(go, 5);`,
    },
    at: [
      'src/core/a.ts:1',
      'src/core/a.ts:2',
      'src/core/a.ts:3',
      'src/gateway/c.ts:1',
      'src/gateway/c.ts:2',
      'src/pool/b.ts:1',
      'src/pool/b.ts:2',
      'src/pool/b.ts:3',
    ],
    good: {
      'src/core/a.ts': `const d = new Date(clock.wallMs());\n// Date.now()\nconst s = 'Date.now()';`,
      'src/core/b.ts': 'const s = `setTimeout(${clock.now()})`;\nsocket.setTimeout(5);',
      'src/core/c.ts': `function run(process: Job) { process.stop(); }`,
      'src/core/d.ts': `interface Api { performance: number; fetch(): void }`,
      'src/gateway/e.ts': `setImmediate(go);\nprocess.memoryUsage();`,
      'src/cli/f.ts': `setTimeout(() => Date.now(), 5);`,
      'src/core/g.test.ts': `Date.now();`,
    },
  },
  {
    rule: 'environment',
    catches: 'process.env outside cli',
    bad: { 'src/gateway/a.ts': `\nconst home = process.env['HOME'];` },
    at: ['src/gateway/a.ts:2'],
    good: { 'src/cli/a.ts': `const home = process.env['HOME'];` },
  },
  {
    rule: 'console',
    catches: 'console in shipped code',
    bad: { 'src/cli/a.ts': `console.log('x');` },
    at: ['src/cli/a.ts:1'],
    good: { 'scripts/a.ts': `console.log('x');`, 'src/cli/a.ts': `output.console.show();` },
  },
  {
    rule: 'cycle',
    catches: 'files that import each other at run time',
    bad: {
      'src/core/a.ts': `import { c } from './b.ts';`,
      'src/core/b.ts': `export { d } from './c.ts';`,
      'src/core/c.ts': `import { type A, a } from './a.ts';`,
    },
    at: ['src/core/a.ts:1'],
    good: {
      'src/core/a.ts': `import { c } from './b.ts';`,
      'src/core/b.ts': `import type { A } from './a.ts';`,
    },
  },
  {
    rule: 'dead-file',
    catches: 'a source file that only its own test uses',
    bad: {
      'src/cli/main.ts': `import './used.ts';`,
      'src/cli/used.ts': ``,
      'src/core/dead.ts': ``,
      'src/core/dead.test.ts': `import { d } from './dead.ts';`,
    },
    at: ['src/core/dead.ts:1'],
    good: {
      'src/cli/main.ts': `const w = new Worker(new URL('./worker.ts', import.meta.url));`,
      'src/cli/worker.ts': `import type { A } from '../core/types.ts';`,
      'src/core/types.ts': ``,
      'src/core/for-tests.ts': ``,
      'src/pool/b.test.ts': `import { c } from '../core/for-tests.ts';`,
    },
  },
  {
    rule: 'dependency',
    catches: 'packages that are imported but not declared, or declared but not imported',
    bad: {
      'package.json': `{"dependencies":{"unused":"1.0.0"}}`,
      'src/cli/a.ts': `import x from '@scope/pkg/deep';`,
    },
    at: ['package.json:1', 'src/cli/a.ts:1'],
    good: {
      'package.json': `{"dependencies":{"@scope/pkg":"1.0.0"}}`,
      'src/cli/a.ts': `import x from '@scope/pkg/deep';\nimport fs from 'node:fs';`,
      'src/cli/a.test.ts': `import fc from 'fast-check';`,
    },
  },
  {
    rule: 'file-lines',
    catches: 'files over their budget',
    bad: { 'src/core/a.ts': lines(401), 'src/core/b.test.ts': lines(901) },
    at: ['src/core/a.ts:1', 'src/core/b.test.ts:1'],
    good: { 'src/core/a.ts': lines(400), 'src/core/b.test.ts': lines(900) },
  },
  {
    rule: 'function-lines',
    catches: 'functions over their budget of code lines',
    bad: { 'src/core/a.ts': `\n${functionOf(51)}`, 'src/core/b.ts': `const g = ${functionOf(71)}` },
    at: ['src/core/a.ts:2', 'src/core/b.ts:1'],
    good: {
      'src/core/a.ts': functionOf(50),
      'src/core/b.ts': `function f() {\n${'\n  // why\n  /* a\n b */\n'.repeat(40)}}`,
      'src/core/c.test.ts': functionOf(200),
    },
  },
  {
    rule: 'parameters',
    catches: 'functions with more than four parameters',
    bad: { 'src/core/a.ts': `const f = (a, b, c, d, e) => a;` },
    at: ['src/core/a.ts:1'],
    good: { 'src/core/a.ts': `const f = (a, b, c, d) => a;` },
  },
  {
    rule: 'columns',
    catches: 'lines wider than 100 columns that could be broken',
    bad: { 'src/core/a.ts': `\n// ${'word '.repeat(20)}\nconst x = ${'1 + '.repeat(25)}1;` },
    at: ['src/core/a.ts:2', 'src/core/a.ts:3'],
    good: {
      'src/core/a.ts': `const text = '${'word '.repeat(25)}';`,
      'src/core/b.ts': `// https://example.org/${'x'.repeat(100)}`,
      'src/core/c.ts': `const t = \`\n${'word '.repeat(25)}\n\`;`,
    },
  },
  {
    rule: 'barrel',
    catches: 'files that only re-export',
    bad: {
      'src/core/index.ts': `export const a = 1;`,
      'src/core/all.ts': `export * from './a.ts';`,
    },
    at: ['src/core/all.ts:1', 'src/core/index.ts:1'],
    good: { 'src/core/a.ts': `export * from './b.ts';\nexport const c = 1;` },
  },
  {
    rule: 'default-export',
    catches: 'default exports',
    bad: {
      'src/core/a.ts': `export default 1;`,
      'src/core/b.ts': `export default function f() {}`,
    },
    at: ['src/core/a.ts:1', 'src/core/b.ts:1'],
    good: { 'src/core/a.ts': `export const a = { default: 1 };` },
  },
  {
    rule: 'name',
    catches: 'files and folders with names that say nothing',
    bad: { 'src/core/utils.ts': '', 'src/helpers/a.ts': '', 'src/core/string-utils.test.ts': '' },
    at: ['src/core/string-utils.test.ts:1', 'src/core/utils.ts:1', 'src/helpers/a.ts:1'],
    good: { 'src/core/utilisation.ts': '' },
  },
  {
    rule: 'bare-error',
    catches: 'errors without a code below cli',
    bad: { 'src/core/a.ts': `throw new Error('x');`, 'src/pool/b.ts': `throw TypeError('x');` },
    at: ['src/core/a.ts:1', 'src/pool/b.ts:1'],
    good: {
      'src/core/a.ts': `throw new PenstockError('internal', 'x');\nclass E extends Error {}`,
      'src/cli/b.ts': `throw new Error('x');`,
    },
  },
  {
    rule: 'non-null',
    catches: 'non-null assertions outside tests',
    bad: { 'src/core/a.ts': `const a = b!.c;\nclass D { e!: string }\nlet f!: number;` },
    at: ['src/core/a.ts:1', 'src/core/a.ts:2', 'src/core/a.ts:3'],
    good: { 'src/core/a.ts': `const a = !b && c != d;`, 'src/core/a.test.ts': `a!.b;` },
  },
  {
    rule: 'docstring',
    catches: 'exports without a docstring',
    bad: {
      'src/core/a.ts': `export function a() {}\n// not a docstring\nexport const b = 1;`,
      'src/core/c.ts': `interface C {}\nexport type { C };`,
      'src/core/d.ts': `/* plain */\nexport class D {}\nexport type E = 1;\nexport interface F {}`,
    },
    at: [
      'src/core/a.ts:1',
      'src/core/a.ts:3',
      'src/core/c.ts:1',
      'src/core/d.ts:2',
      'src/core/d.ts:3',
      'src/core/d.ts:4',
    ],
    good: {
      'src/core/a.ts': doc('export function a(): void;') + 'export function a(b?: 1): void {}',
      'src/core/b.ts': doc('export const b = 1;') + 'const inner = 1;',
      'src/core/c.ts': doc('interface C {}') + `export type { C };\nexport * from './a.ts';`,
      'src/core/d.test.ts': 'export const e = 1;',
    },
  },
  {
    rule: 'module-readme',
    catches: 'modules without a README, or with one that is no help or a book',
    bad: {
      'src/core/a.ts': '',
      'src/pool/a.ts': '',
      'src/pool/README.md': '# pool\n',
    },
    at: ['src/core/README.md:1', 'src/pool/README.md:1'],
    good: { 'src/core/a.ts': '', 'src/core/README.md': 'line\n'.repeat(30) },
  },
  {
    rule: 'mark',
    catches: 'left-over marks',
    bad: { 'src/core/a.ts': `\n// ${mark}: later` },
    at: ['src/core/a.ts:2'],
    good: { 'src/core/a.ts': `const ${mark}s = 1;`, 'docs/a.md': mark },
  },
  {
    rule: 'machine-path',
    catches: 'paths of one machine',
    bad: { 'docs/a.md': `see ${home}/notes.md`, 'src/core/a.ts': `const p = '${home}/x';` },
    at: ['docs/a.md:1', 'src/core/a.ts:1'],
    good: {
      'docs/a.md': 'see ./home/someone/notes.md, /etc/penstock/penstock.yaml, https://a/home/b/',
    },
  },
];

for (const { rule, catches, bad, at, good } of CASES) {
  test(`${rule} finds ${catches}`, () => {
    assert.deepEqual(findings(rule, bad), at);
    assert.deepEqual(findings(rule, good), []);
  });
}

test('every rule has a case here and a way out', () => {
  assert.deepEqual(RULES.map(({ name }) => name).sort(), CASES.map(({ rule }) => rule).sort());
  for (const { wayOut } of RULES) assert.ok(wayOut.length > 10);
});

test('hard limits are marked, so that no exception can lift them', () => {
  const texts = [
    { path: 'src/core/a.ts', text: lines(601) },
    { path: 'src/core/b.ts', text: lines(500) },
    { path: 'src/core/c.ts', text: functionOf(71) },
    { path: 'src/core/d.ts', text: functionOf(60) },
  ];
  const sizes = RULES.filter(({ name }) => name === 'file-lines' || name === 'function-lines');
  const found = checkProject(parseProject(texts), sizes);
  assert.deepEqual(
    found.map(({ file, weight, isHard }) => [file, weight, isHard]),
    [
      ['src/core/a.ts', 201, true],
      ['src/core/b.ts', 100, false],
      ['src/core/c.ts', 21, true],
      ['src/core/d.ts', 10, false],
    ],
  );
});
