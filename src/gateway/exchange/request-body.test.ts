import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import type { BodySource } from './request-body.ts';
import { RequestBody } from './request-body.ts';

interface RecordedSource extends BodySource {
  readonly calls: string[];
}

function createSource(): RecordedSource {
  const calls: string[] = [];
  return { calls, pause: () => calls.push('pause'), resume: () => calls.push('resume') };
}

async function readAll(body: Uint8Array | Readable): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

test('a body that is complete is given as one buffer, to every attempt', async () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.push(bytes('abc'));
  body.push(bytes('def'));
  body.end();
  assert.equal(await readAll(body.attach()), 'abcdef');
  assert.equal(await readAll(body.attach()), 'abcdef');
  assert.equal(body.isReplayable, true);
});

test('a body that is still arriving flows through, and a second attempt gets it from the start', async () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.push(bytes('one '));
  const first = body.attach() as Readable;
  const started = new Promise((resolve) => first.once('data', resolve));
  assert.equal(String(await started), 'one ');
  body.push(bytes('two '));
  assert.equal(body.isReplayable, true);
  const second = readAll(body.attach());
  body.push(bytes('three'));
  body.end();
  assert.equal(await second, 'one two three');
  assert.equal(first.destroyed, true);
});

test('past the replay limit the sent part is dropped and the body cannot be sent again', async () => {
  const body = new RequestBody(createSource(), { replayBytes: 8 });
  body.push(bytes('12345'));
  const whole = readAll(body.attach());
  await new Promise(setImmediate);
  body.push(bytes('67890'));
  await new Promise(setImmediate);
  assert.equal(body.isReplayable, false);
  body.end();
  assert.equal(await whole, '1234567890');
});

test('a client faster than the endpoint is asked to wait, then to go on', async () => {
  const source = createSource();
  const body = new RequestBody(source, { replayBytes: 1024 });
  const stream = body.attach() as Readable;
  const chunk = Buffer.alloc(100 * 1024, 'x');
  for (let i = 0; i < 6; i += 1) body.push(chunk);
  assert.deepEqual(source.calls, ['pause']);
  body.end();
  const text = await readAll(stream);
  assert.equal(text.length, 6 * chunk.length);
});

test('the source goes on once the endpoint has caught up', async () => {
  const source = createSource();
  const body = new RequestBody(source, { replayBytes: 1024 });
  const stream = body.attach() as Readable;
  for (let i = 0; i < 6; i += 1) body.push(Buffer.alloc(100 * 1024));
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(received, 6 * 100 * 1024);
  assert.deepEqual(source.calls, ['pause', 'resume']);
  body.destroy();
});

test('an abandoned body ends the attempt with an error, not with a clean end', async () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.push(bytes('half'));
  const stream = body.attach() as Readable;
  const reading = readAll(stream);
  body.destroy();
  await assert.rejects(reading);
});

test('an empty body is sent as empty', async () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.end();
  assert.equal(await readAll(body.attach()), '');
});
