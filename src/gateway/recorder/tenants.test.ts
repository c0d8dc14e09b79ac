import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CREDENTIAL_PLACES, NO_CREDENTIAL } from '../../director/types.ts';
import type { LineValue } from '../../protocol/recording/line-input.ts';
import { RecordingSecrets } from './secrets.ts';
import { Tenants } from './tenants.ts';

function textOf({ quads, length }: LineValue): string {
  return Buffer.from(quads.buffer, 0, length).toString();
}

function createFind(): (text: string) => string {
  const tenants = new Tenants(new RecordingSecrets());
  return (text) => textOf(tenants.find({ text, place: text.length % CREDENTIAL_PLACES }));
}

test('a tenant is a hash, the same each time', () => {
  const find = createFind();
  const tenant = find(' Bearer sk-one');
  assert.match(tenant, /^"[\w-]{8}",$/);
  assert.equal(find(' Bearer sk-one'), tenant);
  assert.equal(find('sk-one'), tenant);
  assert.notEqual(find('sk-two'), tenant);
});

test('without a credential there is none', () => {
  const tenants = new Tenants(new RecordingSecrets());
  assert.equal(textOf(tenants.find(NO_CREDENTIAL)), 'null,');
  assert.equal(createFind()(''), 'null,');
  assert.equal(createFind()(' \t'), 'null,');
});

test('credentials without end are still told apart', () => {
  const find = createFind();
  const first = find('0');
  const tenants = new Set(Array.from({ length: 10_000 }, (_, i) => find(String(i))));
  assert.equal(tenants.size, 10_000);
  assert.equal(find('0'), first);
  const long = 'x'.repeat(5000);
  assert.equal(find(long), find(long));
  assert.notEqual(find(long), find(`${long}y`));
});

test('credentials of one length and ending are told apart, each time they come', () => {
  const find = createFind();
  const [one, two] = ['key-a-0', 'key-b-0'];
  const first = find(one);
  const second = find(two);
  assert.notEqual(first, second);
  for (let i = 0; i < 3; i += 1) {
    assert.equal(find(one), first);
    assert.equal(find(two), second);
  }
  assert.equal(find('key-a-0 '), first, 'blanks do not count');
  assert.notEqual(find('ü\u00a0'), find('ü\u00a1'));
});
