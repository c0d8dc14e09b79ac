import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { parsePrometheus } from './parser.ts';

function values(text: string, name: string): number[] {
  return parsePrometheus(text)
    .of(name)
    .map((sample) => sample.value);
}

test('reads names, labels, values and timestamps', () => {
  const samples = parsePrometheus(
    [
      '# HELP a_total Requests.',
      '# TYPE a_total counter',
      'a_total{method="post",code="200"} 1027 1395066363000',
      'a_total{method="post",code="400",}    3',
      'plain 12.47',
      '\tspaced { x = "1" , y="2" } 4 ',
      'vllm:num_requests_running{engine="0"} 2.0',
    ].join('\n'),
  );
  assert.equal(samples.brokenLines, 0);
  assert.equal(samples.count, 5);
  const [first, second] = samples.of('a_total');
  assert.deepEqual(
    [...first!.labels],
    [
      ['method', 'post'],
      ['code', '200'],
    ],
  );
  assert.equal(first!.timestamp, 1395066363000);
  assert.equal(second!.timestamp, null);
  assert.deepEqual(
    [...samples.of('spaced')[0]!.labels],
    [
      ['x', '1'],
      ['y', '2'],
    ],
  );
  assert.deepEqual(
    values('vllm:num_requests_running{engine="0"} 2.0\n', 'vllm:num_requests_running'),
    [2],
  );
  assert.deepEqual(samples.of('absent'), []);
});

test('reads the special numbers and exponents', () => {
  assert.deepEqual(values('a NaN\na +Inf\na -Inf\na Inf\na 1.5e-3\na -0.5\n', 'a'), [
    Number.NaN,
    Infinity,
    -Infinity,
    Infinity,
    0.0015,
    -0.5,
  ]);
});

test('undoes the three escapes and keeps other backslashes', () => {
  const [sample] = parsePrometheus('m{p="C:\\\\d\\"q\\"\\nx\\d, } #"} 1').of('m');
  assert.equal(sample!.labels.get('p'), 'C:\\d"q"\nx\\d, } #');
});

test('reads OpenMetrics: exemplars are ignored and nothing after # EOF is read', () => {
  const samples = parsePrometheus(
    [
      '# TYPE h histogram',
      'h_bucket{le="0.1"} 8 # {trace_id="a b"} 0.05 1520879607.789',
      'h_bucket{le="+Inf"} 9 1520879607.789 # {} 0.5',
      'h_count 9',
      '# EOF',
      'h_count 10',
    ].join('\r\n'),
  );
  assert.deepEqual(
    samples.of('h_bucket').map((sample) => [sample.value, sample.timestamp]),
    [
      [8, null],
      [9, 1520879607.789],
    ],
  );
  assert.deepEqual(
    samples.of('h_count').map((sample) => sample.value),
    [9],
  );
  assert.equal(samples.brokenLines, 0);
});

test('a comment that only begins like # EOF does not end the text', () => {
  assert.deepEqual(values('# EOFoo\na 1\n', 'a'), [1]);
});

test('a broken line is skipped and counted and costs no other line', () => {
  const broken = [
    'no_value',
    '{x="1"} 2',
    '9digit 1',
    'open{x="1" 3',
    'unquoted{x=1} 3',
    'twice{x="1",x="2"} 3',
    'word one',
    'trailing 1 2 3',
    'badstamp 1 soon',
    'endquote{x="1\\"} 3',
    'nocomma{x="1"y="2"} 3',
  ];
  const samples = parsePrometheus(['before 1', ...broken, 'after 2'].join('\n'));
  assert.equal(samples.brokenLines, broken.length);
  assert.deepEqual([...samples.names()], ['before', 'after']);
});

test('only wanted names are kept, and a name that begins like the one before is its own', () => {
  const text = 'a 1\nab 2\na_b{x="} broken\na 3\na{x="1"} 4\n';
  const samples = parsePrometheus(text, { wanted: new Set(['a', 'ab']) });
  assert.deepEqual(
    samples.of('a').map((sample) => sample.value),
    [1, 3, 4],
  );
  assert.deepEqual(
    samples.of('ab').map((sample) => sample.value),
    [2],
  );
  assert.equal(samples.brokenLines, 0, 'unwanted lines are not judged');
});

test('a text over the limit is cut at its last whole line', () => {
  const samples = parsePrometheus('a 1\na 22\na 333\n', { maxChars: 11 });
  assert.deepEqual(
    samples.of('a').map((sample) => sample.value),
    [1, 22],
  );
  assert.equal(samples.isTruncated, true);
});

test('samples over the limit are left out', () => {
  const samples = parsePrometheus('a 1\na 2\na 3\n', { maxSamples: 2 });
  assert.equal(samples.count, 2);
  assert.equal(samples.isTruncated, true);
  assert.equal(parsePrometheus('a 1\na 2\n', { maxSamples: 2 }).isTruncated, false);
});

const metricName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/);
const sample = fc.record({
  name: metricName,
  labels: fc.uniqueArray(fc.tuple(labelName, fc.string({ unit: 'grapheme' })), {
    selector: ([name]) => name,
    maxLength: 5,
  }),
  value: fc.oneof(fc.double(), fc.integer()),
  timestamp: fc.option(fc.integer({ min: 0 })),
  gap: fc.constantFrom(' ', '\t', '  '),
});

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function printNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (Object.is(value, -0)) return '-0';
  return value === -Infinity ? '-Inf' : String(value);
}

test('property: what is written is read back, whatever stands between', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 20 }), fc.array(fc.string()), (written, noise) => {
      const lines = written.map(({ name, labels, value, timestamp, gap }) => {
        const pairs = labels.map(([label, text]) => `${label}="${escape(text)}"`).join(',');
        const stamp = timestamp === null ? '' : `${gap}${timestamp}`;
        return `${name}${pairs === '' ? '' : `{${pairs}}`}${gap}${printNumber(value)}${stamp}`;
      });
      const comments = noise.map((text) => `# ${text.replaceAll('\n', ' ')}x`);
      const parsed = parsePrometheus([...comments, ...lines].join('\n'));
      assert.equal(parsed.brokenLines, 0);
      assert.equal(parsed.count, written.length);
      for (const name of new Set(written.map((one) => one.name))) {
        assert.deepEqual(
          parsed.of(name).map((one) => [[...one.labels], one.value, one.timestamp]),
          written
            .filter((one) => one.name === name)
            .map((one) => [one.labels, one.value, one.timestamp]),
        );
      }
    }),
  );
});

test('property: no text makes it throw, and every line is a sample, broken, or nothing', () => {
  const alphabet = fc.constantFrom(...Array.from('ab_:{}"\\=, \t\n\r#019.eNI+-'), 'NaN', '# EOF');
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 200 }), (parts) => {
      const text = parts.join('');
      const parsed = parsePrometheus(text);
      assert.ok(parsed.count + parsed.brokenLines <= text.split('\n').length);
    }),
  );
});
