import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import type { OptionDefinition, ParsedOptions } from './options.ts';
import { parseOptions } from './parse-options.ts';

const COMMON = { env: null, unit: null, help: 'Text.' };
const TABLE: readonly OptionDefinition[] = [
  { ...COMMON, flag: 'listen', env: 'PENSTOCK_LISTEN', kind: 'string', default: 'a:1' },
  { ...COMMON, flag: 'server', env: 'PENSTOCK_SERVER', kind: 'list', default: [] },
  { ...COMMON, flag: 'watch', env: 'PENSTOCK_WATCH', kind: 'boolean', default: true },
  {
    ...COMMON,
    flag: 'timeout-ms',
    env: 'PENSTOCK_TIMEOUT_MS',
    kind: 'integer',
    default: 5,
    unit: 'milliseconds',
    min: 0,
    max: 100,
  },
  { ...COMMON, flag: 'share', kind: 'number', default: 1 },
  { ...COMMON, flag: 'demo', kind: 'integer', default: null, bareValue: 3 },
  {
    ...COMMON,
    flag: 'level',
    env: 'PENSTOCK_LEVEL',
    kind: 'choice',
    default: 'info',
    choices: ['debug', 'info'],
  },
];

function parse(args: readonly string[], env: Record<string, string> = {}): ParsedOptions {
  const parsed = parseOptions(TABLE, { args, env });
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  assert.equal(parsed.value.kind, 'options');
  assert.ok(parsed.value.kind === 'options');
  return parsed.value.options;
}

function mistake(args: readonly string[], env: Record<string, string> = {}): string {
  const parsed = parseOptions(TABLE, { args, env });
  return parsed.ok ? 'no mistake' : parsed.error;
}

test('a value follows its flag or an equals sign, and only the first equals sign counts', () => {
  assert.equal(parse(['--listen', 'b:2']).string('listen'), 'b:2');
  assert.equal(parse(['--listen=b=2']).string('listen'), 'b=2');
  assert.equal(parse(['--share', '-0.5']).number('share'), -0.5);
});

test('a repeated list keeps all, of another repeated flag the last counts', () => {
  const options = parse(['--server', 'x', '--listen=a', '--server=y', '--listen', 'b']);
  assert.deepEqual(options.list('server'), ['x', 'y']);
  assert.equal(options.string('listen'), 'b');
});

test('booleans take no word after them and are switched off by --no-', () => {
  const options = parse(['--no-watch', 'operand']);
  assert.equal(options.boolean('watch'), false);
  assert.deepEqual(options.operands, ['operand']);
  assert.equal(parse(['--watch=false']).boolean('watch'), false);
  assert.equal(parse(['--watch']).boolean('watch'), true);
});

test('a flag wins over the environment, the environment over the default', () => {
  const env = { PENSTOCK_LISTEN: 'env:1', PENSTOCK_WATCH: '0', PENSTOCK_TIMEOUT_MS: '7' };
  const options = parse(['--listen', 'flag:1'], env);
  assert.equal(options.string('listen'), 'flag:1');
  assert.equal(options.boolean('watch'), false);
  assert.equal(options.number('timeout-ms'), 7);
  assert.equal(options.originOf('listen'), 'flag');
  assert.equal(options.originOf('watch'), 'environment');
  assert.equal(options.originOf('share'), 'default');
  assert.equal(options.nameOf('watch'), 'PENSTOCK_WATCH');
  assert.equal(options.nameOf('listen'), '--listen');
});

test('an environment variable that is set to nothing counts as not set', () => {
  const options = parse([], { PENSTOCK_LISTEN: ' ', PENSTOCK_SERVER: '' });
  assert.equal(options.string('listen'), 'a:1');
  assert.equal(options.isGiven('server'), false);
});

test('a list in the environment is separated by commas, and flags replace it as a whole', () => {
  const env = { PENSTOCK_SERVER: 'x, y,' };
  assert.deepEqual(parse([], env).list('server'), ['x', 'y']);
  assert.deepEqual(parse(['--server', 'z'], env).list('server'), ['z']);
});

test('a flag with a bare value takes a following number and nothing else', () => {
  assert.equal(parse([]).number('demo'), null);
  assert.equal(parse(['--demo']).number('demo'), 3);
  assert.equal(parse(['--demo', '5']).number('demo'), 5);
  assert.equal(parse(['--demo=5']).number('demo'), 5);
  const options = parse(['--demo', '--listen', 'b:2']);
  assert.equal(options.number('demo'), 3);
  assert.equal(options.string('listen'), 'b:2');
});

test('two dashes end the options', () => {
  assert.deepEqual(parse(['a', '--', '--listen', '-x']).operands, ['a', '--listen', '-x']);
});

test('help is given wherever it is asked for, even beside a mistake', () => {
  for (const args of [['--help'], ['--nonsense', '-h'], ['--listen', 'x', '--help']]) {
    const parsed = parseOptions(TABLE, { args, env: {} });
    assert.ok(parsed.ok && parsed.value.kind === 'help');
  }
});

const MISTAKES: readonly (readonly [readonly string[], Record<string, string>, string])[] = [
  [['--lisen', 'x'], {}, 'unknown option --lisen; did you mean --listen?'],
  [['-server', 'x'], {}, 'unknown option -server; did you mean --server?'],
  [['--zzzzzzzzzzzz=1'], {}, 'unknown option --zzzzzzzzzzzz'],
  [['--no-listen'], {}, 'unknown option --no-listen; did you mean --listen?'],
  [['--no-watch=true'], {}, '--no-watch takes no value'],
  [['--listen'], {}, '--listen needs a value'],
  [['--listen='], {}, '--listen needs a value'],
  [['--listen', '--server', 'x'], {}, '--listen needs a value'],
  [['--timeout-ms', '5s'], {}, '--timeout-ms: expected a whole number (milliseconds), got "5s"'],
  [['--timeout-ms', '101'], {}, '--timeout-ms: must be at most 100, got 101'],
  [['--timeout-ms=-1'], {}, '--timeout-ms: must be at least 0, got -1'],
  [['--share', 'NaN'], {}, '--share: expected a number, got "NaN"'],
  [['--demo=x'], {}, '--demo: expected a whole number, got "x"'],
  [['--level', 'inf'], {}, '--level: expected one of debug, info, got "inf"; did you mean info?'],
  [[], { PENSTOCK_WATCH: 'maybe' }, 'PENSTOCK_WATCH: expected true or false, got "maybe"'],
  [
    [],
    { PENSTOCK_TIMEOUT_MS: 'tcp://10.0.0.1:80' },
    'PENSTOCK_TIMEOUT_MS: expected a whole number (milliseconds), got "tcp://10.0.0.1:80"',
  ],
];

for (const [args, env, message] of MISTAKES) {
  test(`the mistake is named: ${[...args, ...Object.keys(env)].join(' ')}`, () => {
    assert.equal(mistake(args, env), message);
  });
}

test('the parser never throws, and what it returns fits the table', () => {
  const words = fc.oneof(
    fc.string(),
    fc.constantFrom('--', '-', '--listen', '--server=', '--watch', '--no-watch', '--demo', '5'),
    fc.constantFrom('--__proto__', '--constructor=1', '--level', 'info', '--timeout-ms', '--=x'),
  );
  const env = fc.dictionary(
    fc.constantFrom('PENSTOCK_LISTEN', 'PENSTOCK_SERVER', 'PENSTOCK_TIMEOUT_MS', '__proto__'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 8 }), env, (args, variables) => {
      const parsed = parseOptions(TABLE, { args, env: variables });
      if (!parsed.ok) return assert.notEqual(parsed.error, '');
      if (parsed.value.kind === 'help')
        return assert.ok(args.includes('--help') || args.includes('-h'));
      const { options } = parsed.value;
      const timeoutMs = options.number('timeout-ms') ?? -1;
      assert.ok(Number.isSafeInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= 100);
      assert.ok(['debug', 'info'].includes(options.string('level') ?? ''));
      assert.ok(options.list('server').every((text) => typeof text === 'string'));
    }),
    { numRuns: 1000 },
  );
});

test('asking for an option that the table does not declare is a defect, not a null', () => {
  assert.throws(() => parse([]).string('nothing'), /no option --nothing/);
  assert.throws(() => parse([]).number('listen'), /--listen is of kind string/);
});
