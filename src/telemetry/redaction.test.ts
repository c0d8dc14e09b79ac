import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { CONFIG_REDACTION, LOG_REDACTION, redact, REDACTED } from './redaction.ts';

test('credentials are hidden however their name is spelled', () => {
  for (const name of ['apiKey', 'api-key', 'API_KEY', 'x-api-key', 'Authorization', 'keyPem']) {
    assert.deepEqual(redact({ [name]: 'v' }, CONFIG_REDACTION), { [name]: REDACTED }, name);
  }
});

test('a private key is hidden under any name', () => {
  const pem = '-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----';
  assert.deepEqual(redact({ tls: { file: pem, key: '/etc/tls.key' } }, CONFIG_REDACTION), {
    tls: { file: REDACTED, key: '/etc/tls.key' },
  });
});

test('content is hidden in logs only, and sizes under its names are shown', () => {
  assert.deepEqual(redact({ body: 'text', system: ['a'] }, LOG_REDACTION), {
    body: REDACTED,
    system: REDACTED,
  });
  assert.deepEqual(redact({ body: 1024, prompt: null }, LOG_REDACTION), {
    body: 1024,
    prompt: null,
  });
  assert.deepEqual(redact({ body: 'text' }, CONFIG_REDACTION), { body: 'text' });
});

test('a configuration without secrets is shown as it is', () => {
  const config = {
    pools: [{ name: 'a', servers: ['http://h:1/x'], weight: 0.5, tls: null }],
    isOn: true,
  };
  assert.deepEqual(redact(config, CONFIG_REDACTION), config);
});

test('any value gives JSON and the value itself is not changed', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withTypedArray: true }), (value) => {
      const before = structuredClone(value);
      JSON.stringify(redact(value, LOG_REDACTION));
      assert.deepEqual(value, before);
    }),
  );
});
