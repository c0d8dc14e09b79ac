import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, cuts, jsonText, singleBytes } from '../testing/chunks.ts';
import { type PromptKernel, sharedPromptKernel, WINDOW_BYTES } from '../wasm/prompt-kernel.ts';
import { JsonScanner, MAX_DEPTH, MAX_TEXT_BYTES, type JsonSink } from './json-scanner.ts';
import { KeyTable } from './key-table.ts';
import { parseJson } from './parse-json.ts';

const NAMES = ['a', 'model', 'stream_options', 'é'];

class RecordingSink implements JsonSink {
  readonly events: unknown[] = [];

  onKey(depth: number, key: number): void {
    this.events.push(['key', depth, key]);
  }

  onValueStart(depth: number, kind: string, start: number): boolean {
    this.events.push(['start', depth, kind, start]);
    return kind !== 'object' && kind !== 'array';
  }

  onValueEnd(depth: number, end: number, text: string | null): void {
    this.events.push(['end', depth, end, text]);
  }
}

interface Scan {
  readonly scanner: JsonScanner;
  readonly sink: RecordingSink;
}

function scan(
  chunks: readonly Uint8Array[],
  kernel: PromptKernel | null = sharedPromptKernel(),
): Scan {
  const sink = new RecordingSink();
  const scanner = new JsonScanner(sink, new KeyTable(NAMES), 2, kernel);
  for (const chunk of chunks) scanner.push(chunk);
  scanner.finish();
  return { scanner, sink };
}

function accepts(chunks: readonly Uint8Array[]): boolean {
  const { scanner } = scan(chunks);
  assert.equal(scanner.isComplete, scanner.failure === null);
  return scanner.failure === null;
}

function assertAgrees(text: string, places: readonly number[]): void {
  const bytes = Buffer.from(text);
  const expected = parseJson(bytes.toString()) !== undefined;
  const label = JSON.stringify(text);
  assert.equal(accepts([bytes]), expected, label);
  const failure = scan([bytes]).scanner.failure;
  assert.deepEqual(scan(cutAt(bytes, places)).scanner.failure, failure, label);
  assert.deepEqual(scan([bytes], null).scanner.failure, failure, label);
}

test('accepts what JSON.parse accepts', () => {
  fc.assert(fc.property(jsonText, cuts, (text, places) => assertAgrees(text, places)));
});

test('accepts and refuses mutated documents as JSON.parse does', () => {
  const mutation = fc.record({
    at: fc.nat(500),
    drop: fc.nat(3),
    insert: fc.oneof(
      fc.constantFrom(...'{}[]",:\\/-+.eE0123456789truefalsn \t\n\r\0\x1f\x7f'.split('')),
      fc.constantFrom(
        '\\u',
        '\\ud800',
        '\\u00zz',
        '""',
        '01',
        '1.',
        '1e',
        '-',
        '.5',
        '\u00a0',
        '\ufeff',
      ),
      fc.string({ unit: 'binary', maxLength: 2 }),
    ),
  });
  fc.assert(
    fc.property(
      jsonText,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      cuts,
      (text, edits, places) => {
        let mutated = text;
        for (const { at, drop, insert } of edits) {
          const place = at % (mutated.length + 1);
          mutated = mutated.slice(0, place) + insert + mutated.slice(place + drop);
        }
        assertAgrees(mutated.toWellFormed(), places);
      },
    ),
    { numRuns: 2000 },
  );
});

test('agrees with JSON.parse on short texts of JSON characters', () => {
  const text = fc.string({
    unit: fc.constantFrom(...'{}[]":,\\u0a1-.eE tfn\n'.split('')),
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, cuts, (value, places) => assertAgrees(value, places)),
    { numRuns: 3000 },
  );
});

test('agrees with JSON.parse on a table of edge cases', () => {
  const cases = {
    numbers: [
      '',
      ' ',
      'null',
      ' true ',
      'false',
      'nul',
      'nulll',
      'True',
      '0',
      '-0',
      '00',
      '-',
      '+1',
      '1.',
      '.1',
    ],
    exponents: [
      '1e5',
      '1E+5',
      '1e-05',
      '1e',
      '1e+',
      '-1.5e3',
      '1.5.5',
      '0x1',
      'NaN',
      'Infinity',
      '"',
      '""',
      "''",
    ],
    strings: [
      '"\\"',
      '"\\\\"',
      '"\\x"',
      '"\\u12"',
      '"\\uD800"',
      '"\\u00aF"',
      '"\t"',
      '"\x7f"',
      '"\n"',
      '"a\0"',
    ],
    containers: [
      '[]',
      '[',
      ']',
      '[,]',
      '[1,]',
      '[1 2]',
      '[[],{}]',
      '{}',
      '{',
      '{,}',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
    ],
    tokens: [
      '{a:1}',
      '{"a":1 "b":2}',
      '{"a":1,,}',
      '[1}',
      '{"a":1]',
      '{}{}',
      '[] 1',
      '1 2',
      '// x',
      '{"":""}',
    ],
    codePoints: [
      '\ufeff{}',
      '\u00a01',
      '{"a":\u2028 1}',
      '"\u2028"',
      '[1]\v',
      '[1]\f',
      '[tru]',
      '[nullx]',
      '{"é":"😀"}',
    ],
  };
  for (const text of Object.values(cases).flat()) {
    assertAgrees(text, []);
    assertAgrees(text, [1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

test('refuses every control character in a string at every position of a word', () => {
  for (let lead = 0; lead < 12; lead++) {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Buffer.from(`"${'x'.repeat(lead)}?${'y'.repeat(11)}"`);
      bytes[lead + 1] = byte;
      const isRefused = byte < 0x20 || byte === 0x22 || byte === 0x5c;
      assert.equal(accepts([bytes]), !isRefused, `${byte} after ${lead}`);
    }
  }
});

test('lets invalid UTF-8 pass inside strings only', () => {
  assert.equal(accepts([Buffer.from([0x22, 0xff, 0x80, 0x22])]), true);
  assert.equal(accepts([Buffer.from([0x5b, 0xff, 0x5d])]), false);
});

test('reports the same events however the document is split', () => {
  const document = fc.oneof(
    jsonText,
    fc
      .dictionary(fc.constantFrom(...NAMES, 'other', 'm'), fc.jsonValue({ maxDepth: 3 }))
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(document, cuts, (text, places) => {
      const bytes = Buffer.from(text);
      const whole = scan([bytes]).sink.events;
      assert.deepEqual(scan(cutAt(bytes, places)).sink.events, whole);
      assert.deepEqual(scan(singleBytes(bytes)).sink.events, whole);
      assert.deepEqual(scan([bytes], null).sink.events, whole);
    }),
  );
});

test('reports the same of a chunk that is longer than the kernel takes at a time', () => {
  const long = 'x\\n\\u00e9'.repeat(WINDOW_BYTES / 3);
  const bytes = Buffer.from(`{"a":"${long}","model":[1,"${long}"],"é":2}`);
  assert.ok(bytes.length > 4 * WINDOW_BYTES);
  const whole = scan([bytes]).sink.events;
  assert.deepEqual(scan([bytes], null).sink.events, whole);
  assert.deepEqual(scan(cutAt(bytes, [WINDOW_BYTES - 1, 3 * WINDOW_BYTES])).sink.events, whole);
  assert.deepEqual(whole.at(-1), ['end', 0, bytes.length, null]);
});

test('reports members of the root and of objects in it, not elements or deeper ones', () => {
  const text = '{"a":[{"model":1}],"model":"x\\n","stream_options":{"model":{"a":2}}}';
  assert.deepEqual(scan([Buffer.from(text)]).sink.events, [
    ['start', 0, 'object', 0],
    ['key', 1, 0],
    ['start', 1, 'array', 5],
    ['end', 1, 18, null],
    ['key', 1, 1],
    ['start', 1, 'string', 27],
    ['end', 1, 32, '"x\\n"'],
    ['key', 1, 2],
    ['start', 1, 'object', 50],
    ['key', 2, 1],
    ['start', 2, 'object', 59],
    ['end', 2, 66, null],
    ['end', 1, 67, null],
    ['end', 0, 68, null],
  ]);
});

test('knows keys that are spelled with escapes', () => {
  const events = scan(singleBytes(Buffer.from('{"mod\\u0065l":1,"m\\u006fdels":2,"\\u00e9":3}')))
    .sink.events;
  const keys = events.filter((event) => Array.isArray(event) && event[0] === 'key');
  assert.deepEqual(keys, [
    ['key', 1, 1],
    ['key', 1, -1],
    ['key', 1, 3],
  ]);
});

test('does not keep the text of a value or key that is too long', () => {
  const long = 'k'.repeat(MAX_TEXT_BYTES);
  const bytes = Buffer.from(`{"${long}":1,"a":"${long}"}`);
  for (const chunks of [[bytes], singleBytes(bytes)]) {
    const { scanner, sink } = scan(chunks);
    assert.equal(scanner.failure, null);
    assert.deepEqual(
      sink.events.filter(
        (event) => Array.isArray(event) && event[3] !== undefined && event[3] === null,
      ).length,
      2,
    );
    assert.deepEqual(sink.events[1], ['key', 1, -1]);
  }
});

test('follows nesting up to its limit and refuses more', () => {
  const nested = (depth: number): Buffer =>
    Buffer.from('[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2));
  assert.equal(accepts([nested(MAX_DEPTH)]), true);
  const tooDeep = nested(MAX_DEPTH + 2);
  for (const chunks of [[tooDeep], cutAt(tooDeep, [500, 1000]), singleBytes(tooDeep)]) {
    for (const { scanner } of [scan(chunks), scan(chunks, null)]) {
      assert.deepEqual(scanner.failure, { reason: 'too_deep', offset: (MAX_DEPTH / 2) * 6 });
    }
  }
  const crossed = Buffer.from('[{"a":'.repeat(100) + '1' + ']}'.repeat(100));
  assert.equal(accepts([crossed]), false);
});

test('brackets are matched at every depth, in whatever chunks', () => {
  const brackets = fc.array(fc.boolean(), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(brackets, fc.nat(250), cuts, (kinds, wrong, places) => {
      const opened = kinds.map((isObject) => (isObject ? '{"a":' : '['));
      const closed = kinds.map((isObject) => (isObject ? '}' : ']')).reverse();
      const text = [...opened, '[1,{}]', ...closed].join('');
      assertAgrees(text, places);
      const other = text.slice(0, wrong).replace(/[\]}]$/, (close) => (close === ']' ? '}' : ']'));
      assertAgrees(other + text.slice(wrong), places);
    }),
  );
});

test('names the offset of the first wrong byte in the whole document', () => {
  const { scanner } = scan([Buffer.from('{"a":'), Buffer.from('1,"b":'), Buffer.from('x}')]);
  assert.deepEqual(scanner.failure, { reason: 'unexpected', offset: 11 });
  assert.deepEqual(scan([Buffer.from('{"a"')]).scanner.failure, { reason: 'truncated', offset: 4 });
});
