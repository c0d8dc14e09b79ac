import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { normaliseServerUrl } from './server-url.ts';

const GOOD: Readonly<Record<string, string>> = {
  'http://a:8000': 'http://a:8000',
  'a:8000': 'http://a:8000',
  'a:8000/': 'http://a:8000',
  'a:8000/v1': 'http://a:8000',
  'a:8000/v1/': 'http://a:8000',
  'HTTP://Gpu-1:8000/v1': 'http://gpu-1:8000',
  'https://a/v1': 'https://a',
  'https://a:443': 'https://a',
  'http://a/llm/v1/': 'http://a/llm',
  'http://a/llm//': 'http://a/llm',
  'http://a/v10': 'http://a/v10',
  localhost: 'http://localhost',
  '10.0.0.5:11434': 'http://10.0.0.5:11434',
  '[::1]:8000': 'http://[::1]:8000',
  'http://[fd00::1]:8000/v1': 'http://[fd00::1]:8000',
};

for (const [text, expected] of Object.entries(GOOD)) {
  test(`accepts ${JSON.stringify(text)}`, () => {
    assert.deepEqual(normaliseServerUrl(text), { ok: true, value: expected });
  });
}

const BAD: Readonly<Record<string, RegExp>> = {
  '': /empty.*write it like http:\/\/10\.0\.0\.5:8000/,
  '   ': /white space/,
  'a:8000 ': /white space/,
  'a\\b': /backslash/,
  'http://': /not an address/,
  'http:///a': /not an address/,
  '/a': /not an address/,
  '8000': /has no host/,
  'a b:8000': /white space/,
  'ftp://a': /scheme ftp; only http and https/,
  'unix:///run/x.sock': /scheme unix/,
  '::1:8000': /brackets, like \[::1\]:8000/,
  'fd00::1': /brackets/,
  'a:99999': /not an address/,
  'a:port': /not an address/,
  'http://a:0': /port 0/,
  'http://user:secret@a:8000': /credentials; remove/,
  'http://a:8000?x=1': /query or fragment/,
  'http://a:8000#x': /query or fragment/,
  'http://a:8000/v1/chat/completions': /API path; end the address before \/v1/,
};

for (const [text, expected] of Object.entries(BAD)) {
  test(`refuses ${JSON.stringify(text)} and says the way out`, () => {
    const result = normaliseServerUrl(text);
    assert.ok(!result.ok);
    assert.match(result.error, expected);
  });
}

test('property: never throws, and a normal address stays as it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl()), (text) => {
      const once = normaliseServerUrl(text);
      if (once.ok) assert.deepEqual(normaliseServerUrl(once.value), once);
    }),
  );
});
