import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';

import { checkRequest, createGuardPolicy, isLoopbackHost } from './guard.ts';
import type { Exposure } from './guard.ts';

function check(listen: string, host: string | undefined, exposure: Exposure, names: string[] = []) {
  const request = { headers: { host } } as IncomingMessage;
  return checkRequest(request, exposure, createGuardPolicy(listen, names))?.code ?? 'passes';
}

test('a server on one address takes changes under that address, loopback and its names', () => {
  const hosts = ['10.1.2.3:9090', '10.1.2.3', 'localhost:9090', '[::1]:9090', 'ADMIN.svc.:9090'];
  for (const host of hosts) {
    assert.equal(check('10.1.2.3', host, 'change', ['admin.svc']), 'passes', host);
  }
  for (const host of ['10.1.2.4', 'evil.example', '', undefined, 'localhost.evil.example']) {
    assert.equal(
      check('10.1.2.3', host, 'change', ['admin.svc']),
      'host_not_allowed',
      String(host),
    );
  }
});

test('a server on every address takes changes under any address but no foreign name', () => {
  for (const listen of ['0.0.0.0', '::']) {
    assert.equal(check(listen, '192.168.7.7:9090', 'change'), 'passes');
    assert.equal(check(listen, '[fd00::7]:9090', 'change'), 'passes');
    assert.equal(check(listen, 'evil.example:9090', 'change'), 'host_not_allowed');
  }
});

test('reads are checked on loopback only, health never', () => {
  assert.equal(check('127.0.0.1', 'evil.example', 'read'), 'host_not_allowed');
  assert.equal(check('0.0.0.0', 'penstock.monitoring.svc:9090', 'read'), 'passes');
  assert.equal(check('127.0.0.1', 'evil.example', 'public'), 'passes');
  assert.equal(check('127.0.0.1', undefined, 'public'), 'passes');
});

test('loopback is known in all its spellings', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', 'LOCALHOST', '::1', '[::1]']) {
    assert.equal(isLoopbackHost(host), true, host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'example']) {
    assert.equal(isLoopbackHost(host), false, host);
  }
});
