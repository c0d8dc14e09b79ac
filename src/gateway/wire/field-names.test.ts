import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldName, FieldNames } from './field-names.ts';

/** Names that are counted each time one is described. */
function createNames(): { names: FieldNames<FieldName>; described: string[] } {
  const described: string[] = [];
  const describe = (name: FieldName): FieldName => {
    described.push(name.start);
    return name;
  };
  return { names: new FieldNames(describe, { knownMax: 3, expectedMax: 2 }), described };
}

test('a name is read at any place, in the spelling it has there', () => {
  const { names, described } = createNames();
  const text = 'Host: x\r\nhost: y\r\nA:\r\n';
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(names.at(text, 0, 0), { start: 'Host:', text: 'host' });
    assert.deepEqual(names.at(text, 9, 1), { start: 'host:', text: 'host' });
    assert.deepEqual(names.at(text, 18, 2), { start: 'A:', text: 'a' });
  }
  assert.deepEqual(described, ['Host:', 'host:', 'A:']);
  // Another order is read as well: what stood here last is no more than a guess.
  assert.equal(names.at('A: 1\r\nHost: x\r\n', 0, 0)?.text, 'a');
  assert.equal(names.at('A: 1\r\nHost: x\r\n', 6, 1)?.start, 'Host:');
  // A name that begins like the expected one is another.
  assert.equal(names.at('Ab: 1\r\n', 0, 0)?.text, 'ab');
});

test('what is no token, or has no colon in its line, is no name', () => {
  const { names } = createNames();
  for (const text of ['a : b', ' a: b', ': b', 'a', 'a\r\nb: c', 'a b: c', '\xe9: b', '']) {
    assert.equal(names.at(text, 0, 0), null, JSON.stringify(text));
  }
});

test('spellings beyond the bound are read, and not kept', () => {
  const { names, described } = createNames();
  for (const name of ['a', 'b', 'c', 'd', 'd']) assert.equal(names.find(name)?.text, name);
  assert.deepEqual(described, ['a:', 'b:', 'c:', 'd:', 'd:']);
});
