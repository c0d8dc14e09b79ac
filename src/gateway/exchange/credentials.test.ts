import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Credential, CREDENTIAL_PLACES, NO_CREDENTIAL } from '../../director/types.ts';
import { Credentials } from './credentials.ts';

/** Finds this credential somewhere in a head. */
function createFind(): (text: string) => Credential {
  const credentials = new Credentials();
  return (text) => {
    const before = 'authorization:';
    return credentials.find({
      text: `${before}${text}\r\n`,
      credentialStart: before.length,
      credentialEnd: before.length + text.length,
    });
  };
}

test('one object stands for all requests with the same credential', () => {
  const find = createFind();
  const credential = find(' Bearer sk-one');
  assert.equal(credential.text, ' Bearer sk-one');
  assert.ok(credential.place >= 0 && credential.place < CREDENTIAL_PLACES);
  assert.equal(find(' Bearer sk-one'), credential);
  assert.notEqual(find(' Bearer sk-two'), credential);
  assert.equal(find(' Bearer sk-one'), credential);
});

test('a request without one has none', () => {
  assert.equal(createFind()(''), NO_CREDENTIAL);
});

test('those of one length and ending take turns in their place and are told apart', () => {
  const find = createFind();
  const [one, two] = [find('key-a-0'), find('key-b-0')];
  assert.equal(one.place, two.place);
  for (let i = 0; i < 3; i += 1) {
    assert.equal(find('key-a-0'), one);
    assert.equal(find('key-b-0'), two);
  }
  assert.equal(find('k').text, 'k');
  assert.equal(find('\u00fc\u00a0').text, '\u00fc\u00a0');
});

test('credentials without end, and very long ones, are right whether kept or not', () => {
  const find = createFind();
  const texts = Array.from({ length: 10_000 }, (_, i) => `key-${i}`);
  assert.deepEqual(
    texts.map((text) => find(text).text),
    texts,
  );
  const long = 'x'.repeat(5000);
  assert.equal(find(long).text, long);
  assert.equal(find(`${long}y`).text, `${long}y`);
});
