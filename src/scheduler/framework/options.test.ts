import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail, succeed } from '../../core/result.ts';
import type { OptionTable } from './options.ts';
import { parseOptions } from './options.ts';

const TABLE: OptionTable = [
  { name: 'share', kind: 'number', default: 0.5, min: 0, max: 1, unit: '', doc: '' },
  { name: 'count', kind: 'integer', default: 3, min: 1, max: 9, unit: '', doc: '' },
  { name: 'isOn', kind: 'boolean', default: true, doc: '' },
  { name: 'label', kind: 'text', default: 'zone', doc: '' },
  { name: 'mode', kind: 'choice', default: 'least', choices: ['least', 'most'], doc: '' },
  {
    name: 'even',
    kind: 'custom',
    default: 0,
    shape: 'an even number',
    doc: '',
    parse: (value) => (Number(value) % 2 === 0 ? succeed(Number(value) / 2) : fail('is odd')),
  },
];

function problems(given: Record<string, unknown>, table: OptionTable = TABLE): readonly string[] {
  const parsed = parseOptions(table, given);
  return parsed.ok ? [] : parsed.error.map(({ option, message }) => `${option} ${message}`);
}

test('what is not given gets its default, null included', () => {
  const parsed = parseOptions(TABLE, { share: null });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.number('share'), 0.5);
  assert.equal(parsed.value.number('count'), 3);
  assert.equal(parsed.value.boolean('isOn'), true);
  assert.equal(parsed.value.text('label'), 'zone');
  assert.equal(parsed.value.text('mode'), 'least');
  assert.equal(parsed.value.custom('even'), 0);
});

test('what is given is parsed', () => {
  const parsed = parseOptions(TABLE, {
    share: 1,
    count: 9,
    isOn: false,
    label: 'rack',
    mode: 'most',
    even: 8,
  });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.number('share'), 1);
  assert.equal(parsed.value.number('count'), 9);
  assert.equal(parsed.value.boolean('isOn'), false);
  assert.equal(parsed.value.text('label'), 'rack');
  assert.equal(parsed.value.text('mode'), 'most');
  assert.equal(parsed.value.custom('even'), 4);
});

const WRONG: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ chare: 1 }, 'chare is unknown; did you mean "share"?'],
  [{ nothingLikeIt: 1 }, 'nothingLikeIt is unknown; options are share, count, isOn, label'],
  [{ share: '0.5' }, 'share must be a number from 0 to 1'],
  [{ share: Number.NaN }, 'share must be a number from 0 to 1'],
  [{ share: 1.1 }, 'share must be a number from 0 to 1'],
  [{ count: 1.5 }, 'count must be a whole number from 1 to 9'],
  [{ isOn: 'yes' }, 'isOn must be true or false'],
  [{ label: '' }, 'label must be text that is not empty'],
  [{ mode: 'lest' }, 'mode must be one of least, most; did you mean "least"?'],
  [{ even: 3 }, 'even is odd'],
];

for (const [given, message] of WRONG) {
  test(`${JSON.stringify(given)} is refused`, () => {
    const [problem = ''] = problems(given);
    assert.ok(problem.startsWith(message), problem);
  });
}

test('all problems are reported at once', () => {
  assert.equal(problems({ share: 2, count: 0, other: 1 }).length, 3);
});

test('a required option must be given, and a plugin without options takes none', () => {
  const table: OptionTable = [{ name: 'label', kind: 'text', default: null, doc: '' }];
  assert.deepEqual(problems({}, table), ['label is required']);
  assert.deepEqual(problems({ x: 1 }, []), ['x is unknown; this plugin has no options']);
});
