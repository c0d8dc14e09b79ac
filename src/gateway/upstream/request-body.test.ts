import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyConsumer, BodySource } from './request-body.ts';
import { RequestBody } from './request-body.ts';

interface RecordedSource extends BodySource {
  readonly calls: string[];
}

function createSource(): RecordedSource {
  const calls: string[] = [];
  return { calls, pause: () => calls.push('pause'), resume: () => calls.push('resume') };
}

/** Takes up to `roomBytes` before it asks to wait. */
class TestConsumer implements BodyConsumer {
  text = '';
  isEnded = false;
  roomBytes: number;

  constructor(roomBytes = Number.POSITIVE_INFINITY) {
    this.roomBytes = roomBytes;
  }

  write(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    return this.text.length < this.roomBytes;
  }

  end(): void {
    this.isEnded = true;
  }
}

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function wholeText(body: RequestBody): string | null {
  const whole = body.takeWhole();
  return whole === null ? null : Buffer.from(whole).toString();
}

test('a body that is complete is given as one buffer, to every attempt', () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.push(bytes('abc'));
  body.push(bytes('def'));
  assert.equal(body.takeWhole(), null);
  body.end();
  assert.equal(wholeText(body), 'abcdef');
  assert.equal(wholeText(body), 'abcdef');
  assert.equal(body.isReplayable, true);
});

test('a body that is still arriving flows through, and a second attempt gets it from the start', () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.push(bytes('one '));
  const first = new TestConsumer();
  body.attach(first);
  body.push(bytes('two '));
  assert.equal(first.text, 'one two ');
  assert.equal(body.isReplayable, true);
  const second = new TestConsumer();
  body.attach(second);
  body.push(bytes('three'));
  body.end();
  assert.equal(second.text, 'one two three');
  assert.equal(second.isEnded, true);
  assert.equal(first.text, 'one two ');
  assert.equal(first.isEnded, false);
});

test('past the replay limit the sent part is dropped and the body cannot be sent again', () => {
  const body = new RequestBody(createSource(), { replayBytes: 8 });
  const consumer = new TestConsumer();
  body.push(bytes('12345'));
  body.attach(consumer);
  assert.equal(body.isReplayable, true);
  body.push(bytes('67890'));
  assert.equal(body.isReplayable, false);
  body.end();
  assert.equal(consumer.text, '1234567890');
  assert.equal(consumer.isEnded, true);
});

test('a client faster than the endpoint is asked to wait, and to go on when it has caught up', () => {
  const source = createSource();
  const body = new RequestBody(source, { replayBytes: 1024 });
  const consumer = new TestConsumer(1);
  const chunk = bytes('x'.repeat(100 * 1024));
  body.attach(consumer);
  for (let i = 0; i < 6; i += 1) body.push(chunk);
  assert.equal(consumer.text.length, chunk.length);
  assert.deepEqual(source.calls, ['pause']);
  consumer.roomBytes = Number.POSITIVE_INFINITY;
  body.flow();
  assert.equal(consumer.text.length, 6 * chunk.length);
  assert.deepEqual(source.calls, ['pause', 'resume']);
  body.end();
  assert.equal(consumer.isEnded, true);
});

test('the end waits for what the endpoint has not taken yet', () => {
  const body = new RequestBody(createSource(), { replayBytes: 1024 });
  const consumer = new TestConsumer(1);
  body.attach(consumer);
  body.push(bytes('first '));
  body.push(bytes('second'));
  body.end();
  assert.equal(consumer.isEnded, false);
  body.flow();
  assert.equal(consumer.text, 'first second');
  assert.equal(consumer.isEnded, true);
});

test('an abandoned body gives nothing more and never a clean end', () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  const consumer = new TestConsumer();
  body.attach(consumer);
  body.push(bytes('half'));
  body.destroy();
  body.push(bytes(' more'));
  body.end();
  assert.equal(consumer.text, 'half');
  assert.equal(consumer.isEnded, false);
  assert.equal(body.isReplayable, false);
});

test('an empty body is sent as empty', () => {
  const body = new RequestBody(createSource(), { replayBytes: 100 });
  body.end();
  assert.equal(wholeText(body), '');
});

test('a body whose start is gone is not sent a second time', () => {
  const body = new RequestBody(createSource(), { replayBytes: 4 });
  body.push(bytes('12345'));
  body.attach(new TestConsumer());
  body.push(bytes('67890'));
  body.end();
  assert.equal(body.isReplayable, false);
  assert.throws(() => body.takeWhole(), { name: 'AssertionError' });
  assert.throws(() => body.attach(new TestConsumer()), { name: 'AssertionError' });
});
