import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import type { Command, CommandContext } from './command.ts';
import { COMMANDS } from './command-list.ts';
import { runProgram } from './program.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../../test/golden');
const isUpdating = process.env['UPDATE_GOLDEN'] === '1';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(args: readonly string[], commands: readonly Command[] = COMMANDS): Promise<Run> {
  let out = '';
  let error = '';
  const context: CommandContext = {
    version: '1.2.3',
    writeOut: (text) => (out += text),
    writeError: (text) => (error += text),
    onSignal: () => () => undefined,
  };
  const code = await runProgram(commands, { args, env: {} }, context);
  return { code, out, error };
}

const HELP: readonly (readonly [string, readonly string[]])[] = [
  ['penstock', ['--help']],
  ...COMMANDS.map(({ name }): readonly [string, readonly string[]] => {
    return [name.replace(' ', '-'), [...name.split(' '), '--help']];
  }),
];

for (const [name, args] of HELP) {
  test(`help of ${args.join(' ')} is what its golden file says`, async () => {
    const { code, out, error } = await run(args);
    assert.equal(code, 0);
    assert.equal(error, '');
    const golden = path.join(GOLDEN, 'config', 'help', `${name}.txt`);
    if (isUpdating) writeFileSync(golden, out);
    assert.ok(existsSync(golden), `${golden} is missing; UPDATE_GOLDEN=1 writes it`);
    assert.equal(out, readFileSync(golden, 'utf8'));
    for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
  });
}

test('help names every flag and variable of a command, and says each default', async () => {
  for (const command of COMMANDS) {
    const { out } = await run([...command.name.split(' '), '--help']);
    for (const { flag, env, help } of command.options) {
      assert.ok(out.includes(`-${flag}`), flag);
      if (env !== null) assert.ok(out.includes(`[${env}]`), env);
      assert.match(help, /\.$/, `the help of --${flag} is a sentence`);
    }
  }
});

test('option tables are consistent: one flag and variable each, and defaults of the right kind', () => {
  for (const { name, options } of COMMANDS) {
    const flags = options.map(({ flag }) => flag);
    assert.equal(new Set(flags).size, flags.length, `${name} has a flag twice`);
    for (const { flag, env, kind, default: value, choices } of options) {
      assert.match(flag, /^[a-z][a-z0-9-]*$/);
      assert.doesNotMatch(flag, /^(no-|help$)/);
      // Kubernetes sets such variables for a service of the same name, with a URL as the value.
      assert.doesNotMatch(env ?? '', /(_PORT|_SERVICE_HOST|_TCP)$/);
      assert.match(env ?? 'PENSTOCK_', /^PENSTOCK_/);
      assert.equal(kind === 'choice', choices !== undefined, flag);
      if (value === null) continue;
      const expected = { integer: 'number', choice: 'string', list: 'object' } as const;
      const type = kind in expected ? expected[kind as keyof typeof expected] : kind;
      assert.equal(typeof value, type, `default of --${flag}`);
    }
  }
});

test('the version is printed', async () => {
  assert.deepEqual(await run(['--version']), { code: 0, out: 'penstock 1.2.3\n', error: '' });
});

const MISUSES: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /^Penstock: /],
  [['upp'], /^penstock: unknown command upp; did you mean up\?\nRun "penstock --help"/],
  [['config'], /^penstock: config needs one of: config check, config schema\n/],
  [['config', 'chek', 'x'], /config needs one of/],
  [['--listen', 'x', 'up'], /^penstock: --listen must come after a command/],
  [['up', '--lisen=x'], /^penstock up: unknown option --lisen; did you mean --listen\?\nRun "/],
  [['up', 'extra'], /^penstock up: unexpected argument extra\n/],
  [['config', 'check'], /^penstock config check: FILE is missing\n/],
  [['config', 'check', 'a', 'b'], /^penstock config check: unexpected argument b\n/],
];

for (const [args, expected] of MISUSES) {
  test(`misuse "${args.join(' ')}" exits with 2 and says why`, async () => {
    const { code, out, error } = await run(args);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(error, expected);
  });
}

test('config check says what a good file sets up', async () => {
  const file = path.join(GOLDEN, 'config', 'good-everything.yaml');
  const { code, out, error } = await run(['config', 'check', file]);
  assert.equal(code, 0);
  assert.equal(error, '');
  assert.equal(
    out.replaceAll(`${path.dirname(file)}/`, ''),
    [
      'good-everything.yaml: ok',
      '  listeners  http://0.0.0.0:8080; http://[::1]:8081 (internal)',
      '  admin      127.0.0.1:9090',
      '  servers    http://10.0.0.1:11434',
      '  pools      large (2 endpoints); listed (servers.txt); resolved (DNS _http._tcp.models.svc)',
      '  models     assistant (2 targets, also gpt-4o-mini); llama-3.1-8b (1 target, also small)',
      '',
    ].join('\n'),
  );
});

test('config check lists every problem on standard error and exits with 2', async () => {
  const file = path.join(GOLDEN, 'config', 'dangling-pool.yaml');
  const { code, out, error } = await run(['config', 'check', file]);
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.equal(error.split('\n').length, 4);
  assert.match(error, /^.*dangling-pool\.yaml:6:16 models\[0\]\.targets\[0\]\.pool: no pool/);
  assert.match(error, /dangling-pool\.yaml: 2 problems\n$/);
});

test('config schema prints the published file', async () => {
  const { code, out } = await run(['config', 'schema']);
  assert.equal(code, 0);
  const published = path.resolve(import.meta.dirname, '../../schema/penstock.schema.json');
  assert.equal(out, readFileSync(published, 'utf8'));
});

test('a command that throws exits with 1 and tells why', async () => {
  const broken: Command = {
    name: 'broken',
    summary: 'Fails.',
    operands: [],
    options: [],
    examples: [],
    run: () => Promise.reject(new Error('out of luck')),
  };
  const { code, error } = await run(['broken'], [broken]);
  assert.equal(code, 1);
  assert.match(error, /^penstock broken: Error: out of luck/);
});
