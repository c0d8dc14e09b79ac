import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AdapterStore } from './adapter-store.ts';

function storeOf(names: readonly string[]): AdapterStore {
  const store = new AdapterStore({ slots: 2, cpuSlots: 3, loadMs: 500, activateMs: 50 });
  for (const name of names) store.register(name);
  return store;
}

function tiers(store: AdapterStore): Record<string, string> {
  return Object.fromEntries(store.views().map((view) => [view.name, view.tier]));
}

it('evicts the least recently used idle adapter, to host memory and then to storage', () => {
  const store = storeOf(['a', 'b', 'c', 'd']);
  assert.equal(store.preload('a'), 500);
  assert.equal(store.preload('b'), 500);
  assert.equal(store.preload('a'), 0);
  assert.equal(store.preload('c'), 500);
  assert.deepEqual(tiers(store), { a: 'gpu', b: 'cpu', c: 'gpu', d: 'disk' });
  assert.equal(store.preload('b'), 50);
  assert.deepEqual(tiers(store), { a: 'cpu', b: 'gpu', c: 'gpu', d: 'disk' });
  assert.equal(store.preload('d'), 500);
  assert.deepEqual(tiers(store), { a: 'disk', b: 'gpu', c: 'cpu', d: 'gpu' });
  assert.equal(store.loads, 5);
});

it('never evicts an adapter in use', () => {
  const store = storeOf(['a', 'b', 'c']);
  store.acquire('a');
  store.acquire('b');
  assert.equal(store.acquire('c'), -1);
  store.release('b');
  assert.equal(store.acquire('c'), 500);
  assert.deepEqual(tiers(store), { a: 'gpu', b: 'cpu', c: 'gpu' });
});

it('refuses to forget an adapter that requests use or wait for', () => {
  const store = storeOf(['a']);
  store.addWaiting('a', 1);
  assert.equal(store.unregister('a'), 'in_use');
  store.addWaiting('a', -1);
  assert.equal(store.unregister('a'), 'removed');
  assert.equal(store.has('a'), false);
  assert.equal(store.register('a'), true);
  assert.equal(store.register('a'), false);
});
