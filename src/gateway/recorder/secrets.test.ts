import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBlocks } from '../../protocol/recording/block-text.ts';
import { PendingHashes } from './pending-hashes.ts';
import { RecordingSecrets } from './secrets.ts';

/** Hashes of two words each, as a recording has them. */
function sealAll(secrets: RecordingSecrets, batches: readonly (readonly number[])[]): string[] {
  const pending = new PendingHashes(secrets);
  for (const words of batches) {
    pending.add({ blockBytes: 256, count: words.length / 2, hashes: Uint32Array.from(words) });
  }
  const { count } = pending;
  const bytes = Buffer.alloc(count * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const hashes = pending.take();
  for (let i = 0; i < count; i += 1) hashes.writeNext(view, i * 8, 1);
  assert.equal(pending.count, 0);
  return bytes.toString('latin1').match(/.{8}/g) ?? [];
}

test('a credential is hashed alike however it is sent, and like no other', () => {
  const secrets = new RecordingSecrets();
  const hash = secrets.hashCredential('Bearer sk-one');
  assert.match(hash, /^[\w-]{8}$/);
  for (const same of [' Bearer sk-one', 'bearer  sk-one\t', 'sk-one', 'sk-one ']) {
    assert.equal(secrets.hashCredential(same), hash);
  }
  assert.notEqual(secrets.hashCredential('sk-two'), hash);
  assert.notEqual(new RecordingSecrets().hashCredential('sk-one'), hash);
});

test('sealed hashes show which are equal and nothing else, in any batch', () => {
  const secrets = new RecordingSecrets();
  const [one, two, oneAgain, swapped] = sealAll(secrets, [
    [1, 2],
    [3, 4, 1, 2],
    [2, 1],
  ]);
  assert.equal(one, oneAgain);
  assert.equal(new Set([one, two, swapped]).size, 3);
  assert.deepEqual(sealAll(secrets, [[1, 2]]), [one]);
  assert.notDeepEqual(sealAll(new RecordingSecrets(), [[1, 2]]), [one]);
  assert.ok(decodeBlocks(one!)![0]! > 2 ** 24, 'not the hash itself');
  assert.deepEqual(sealAll(secrets, []), []);
});

test('more hashes than there was room for are kept in order', () => {
  const secrets = new RecordingSecrets();
  const words = Array.from({ length: 20_000 }, (_, i) => i);
  const all = sealAll(secrets, [words.slice(0, 3000), words.slice(3000)]);
  assert.equal(new Set(all).size, 10_000);
  assert.deepEqual(sealAll(secrets, [words.slice(19_000)]), all.slice(9500));
});
