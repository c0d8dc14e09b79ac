import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseConfig } from './load.ts';
import { watchedFiles } from './watched-files.ts';

test('the files to watch are the configuration and what it names for TLS, each once', () => {
  const source = 'pools:\n  - {name: a, endpoints: [https://a], tls: {skipVerify: true}}\n';
  const loaded = parseConfig(source, '/etc/penstock/penstock.yaml');
  assert.ok(loaded.ok);
  assert.deepEqual(watchedFiles(loaded.value), ['/etc/penstock/penstock.yaml']);
  const [pool] = loaded.value.pools;
  assert.ok(pool?.tls);
  const tls = { ...pool.tls, caFile: '/etc/ca.pem', certFile: '/etc/c.pem', keyFile: '/etc/c.pem' };
  assert.deepEqual(watchedFiles({ ...loaded.value, pools: [{ ...pool, tls }] }), [
    '/etc/penstock/penstock.yaml',
    '/etc/ca.pem',
    '/etc/c.pem',
  ]);
});
