import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaltMemory } from './salt-memory.ts';

test('a salt is found by API, name and text, and by nothing less', () => {
  const memory = new SaltMemory();
  memory.keep('chat', 'pool', { part: 0, low: 1, high: 2 });
  assert.deepEqual(memory.find('chat', 'pool', 0), { part: 0, low: 1, high: 2 });
  assert.equal(memory.find('chat', 'pool', 1), null);
  assert.equal(memory.find('chat', 'other', 0), null);
  assert.equal(memory.find('messages', 'pool', 0), null);
  memory.keep('chat', 'pool', { part: 1, low: 3, high: 4 });
  assert.equal(memory.find('chat', 'pool', 0), null);
  memory.clear();
  assert.equal(memory.find('chat', 'pool', 1), null);
});

test('names without end do not fill the memory', () => {
  const memory = new SaltMemory();
  for (let i = 0; i < 5000; i += 1) memory.keep('chat', `pool ${i}`, { part: 0, low: i, high: i });
  let kept = 0;
  for (let i = 0; i < 5000; i += 1) if (memory.find('chat', `pool ${i}`, 0) !== null) kept += 1;
  assert.ok(kept > 0 && kept <= 1024, `${kept}`);
  assert.ok(memory.find('chat', 'pool 4999', 0) !== null);
});
