import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { endpointId, requestId } from '../../core/ids.ts';
import type { EndedFlight, RefusedRequest } from '../../director/ports.ts';
import { type Credential, NO_CREDENTIAL, type RequestHead } from '../../director/types.ts';
import { findApi } from '../../protocol/api-table.ts';
import { decodeRecordedRequest } from '../../protocol/recording/decode.ts';
import type { RecordedRequest } from '../../protocol/recording/types.ts';
import { RECORDING_LINE_BYTES_MAX } from '../../protocol/recording/types.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';
import { MetricsRegistry } from '../../telemetry/registry.ts';
import { Credentials } from '../exchange/credentials.ts';
import { parseRequestHead } from '../server/request-head.ts';
import { type LineSink, Recorder } from './recorder.ts';

/** A file in memory; writing can be made to wait or to fail. */
class MemorySink implements LineSink {
  readonly path = 'trace.jsonl';
  text = '';
  appends = 0;
  isClosed = false;
  failure: Error | null = null;
  isOurs = true;
  gate: Promise<void> | null = null;

  async append(lines: Uint8Array): Promise<void> {
    await this.gate;
    this.appends += 1;
    if (this.failure !== null) throw this.failure;
    this.text += Buffer.from(lines).toString();
  }

  async verify(): Promise<boolean> {
    return this.isOurs;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  get requests(): readonly RecordedRequest[] {
    const lines = this.text.split('\n').slice(0, -1);
    return lines.map((line) => {
      const decoded = decodeRecordedRequest(line);
      assert.ok(decoded.ok, line);
      return decoded.value;
    });
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly sink: MemorySink;
  readonly recorder: Recorder;
  readonly logged: string[];
  recorded(): number;
  dropped(reason: string): number;
}

function createWorld(): World {
  const clock = new VirtualClock(1_790_000_000_000);
  clock.advance(5000);
  const metrics = new MetricsRegistry();
  const sink = new MemorySink();
  const logged: string[] = [];
  const note = (_: object, message: string): void => {
    logged.push(message);
  };
  const log = { error: note, info: note, warn: note } as never;
  const onFailure = (name: string, cause: unknown): void => {
    throw new Error(name, { cause });
  };
  const recorder = new Recorder(sink, { clock, log, metrics, onFailure });
  return {
    clock,
    sink,
    recorder,
    logged,
    recorded: () => metrics.counter('penstock_recorded_requests_total').value,
    dropped: (reason) => metrics.counter('penstock_recording_dropped_total', [reason]).value,
  };
}

function createHead(more: Partial<RequestHead> = {}): RequestHead {
  return {
    requestId: requestId('r'),
    api: findApi('/v1/chat/completions')!,
    model: 'm',
    isStream: true,
    promptBytes: 812,
    maxTokens: 64,
    pinnedEndpoint: null,
    objective: { ttftMs: null, tpotMs: null },
    credential: NO_CREDENTIAL,
    header: () => null,
    promptBlocks: () => ({ blockBytes: 256, count: 2, hashes: Uint32Array.of(1, 2, 3, 4) }),
    ...more,
  };
}

function createEnd(
  world: World,
  more: Partial<DecisionRecord> = {},
  head = createHead(),
): EndedFlight {
  const record = {
    api: head.api.id,
    clientModel: head.model,
    stream: head.isStream,
    maxTokens: head.maxTokens,
    pool: 'chat',
    adapter: null,
    attempts: [
      { endpoint: endpointId('a:1'), result: 'reset', ms: 1 },
      { endpoint: endpointId('b:1'), result: 'answered', ms: 120 },
    ],
    promptTokensEstimate: 203,
    promptTokens: 198,
    completionTokens: 12,
    cachedTokens: 160,
    ttftMs: 31.499,
    tpotMs: 8.25,
    durationMs: 122.25,
    outcome: 'completed',
    status: 200,
    ...more,
  } as DecisionRecord;
  return { head, record, startedAtMs: world.clock.now() };
}

test('a flight becomes a line: where it went last, what the engine counted, when it came', async () => {
  const world = createWorld();
  world.clock.advance(1000.5);
  endFlight(world, createEnd(world));
  await world.recorder.close();
  const [{ blocks, ...rest } = assert.fail(), ...others] = world.sink.requests;
  assert.equal(others.length, 0);
  assert.deepEqual(rest, {
    atMs: 1000.5,
    api: 'chat-completions',
    model: 'm',
    adapter: null,
    pool: 'chat',
    endpoint: 'b:1',
    tenant: null,
    stream: true,
    promptBytes: 812,
    promptTokens: 198,
    tokensFrom: 'usage',
    maxTokens: 64,
    outputTokens: 12,
    cachedTokens: 160,
    ttftMs: 31.5,
    tpotMs: 8.25,
    durationMs: 122.25,
    outcome: 'completed',
    status: 200,
    attempts: 2,
  });
  assert.equal(new Set(blocks).size, 2);
  assert.equal(world.recorded(), 1);
});

test('without usage the estimate is written and says so; other answers have no first token', async () => {
  const world = createWorld();
  const counts = { promptTokens: null, completionTokens: null, cachedTokens: null, tpotMs: null };
  endFlight(world, createEnd(world, counts, createHead({ isStream: false })));
  await world.recorder.close();
  const [line] = world.sink.requests;
  assert.equal(line!.promptTokens, 203);
  assert.equal(line!.tokensFrom, 'estimate');
  assert.equal(line!.outputTokens, null);
  assert.equal(line!.ttftMs, null);
});

test('equal credentials are one tenant whichever header has them; the first of three counts', async () => {
  const world = createWorld();
  const headers: readonly Readonly<Record<string, string>>[] = [
    { authorization: 'Bearer sk-1' },
    { 'x-api-key': 'sk-1' },
    { 'api-key': 'sk-1', 'x-other': 'sk-9' },
    { authorization: 'Bearer sk-2', 'x-api-key': 'sk-1' },
    {},
  ];
  for (const each of headers) {
    const head = createHead({ credential: credentialIn(each) });
    endFlight(world, createEnd(world, {}, head));
  }
  await world.recorder.close();
  const [one, two, three, four, five] = world.sink.requests.map(({ tenant }) => tenant);
  assert.equal(one, two);
  assert.equal(one, three);
  assert.notEqual(one, four);
  assert.equal(five, null);
  assert.ok(!world.sink.text.includes('sk-'));
});

test('a refusal is a line; a name that nobody knows is not written', async () => {
  const world = createWorld();
  const refused: RefusedRequest = {
    head: createHead({ model: 'my password' }),
    refusal: { code: 'model_not_found', message: 'no', retryAfterMs: null },
    model: null,
    pool: null,
    promptTokens: null,
    startedAtMs: world.clock.now(),
    refusedAtMs: world.clock.now() + 2,
  };
  world.recorder.onRefused(refused);
  const busy = { code: 'no_endpoint', message: 'no', retryAfterMs: 5 } as const;
  const known = { model: 'm', pool: 'chat', promptTokens: 190, refusal: busy };
  world.recorder.onRefused({ ...refused, ...known, head: createHead({ model: 'alias' }) });
  await world.recorder.close();
  const lines = world.sink.requests.map(
    ({ model, pool, endpoint, outcome, status, attempts, promptTokens, durationMs }) =>
      [model, pool, endpoint, outcome, status, attempts, promptTokens, durationMs].join(),
  );
  assert.deepEqual(lines, [',,,rejected,404,0,203,2', 'alias,chat,,rejected,503,0,190,2']);
  assert.ok(!world.sink.text.includes('password'));
});

test('lines are written after half a second, or at once when there are many', async () => {
  const world = createWorld();
  endFlight(world, createEnd(world));
  world.clock.advance(499);
  assert.equal(world.sink.appends, 0);
  world.clock.advance(1);
  await settle();
  assert.equal(world.sink.requests.length, 1);
  for (let i = 0; i < 8000; i += 1) endFlight(world, createEnd(world));
  await settle();
  const written = world.sink.requests.length;
  assert.ok(written > 1000 && written < 8000, `${written}`);
  assert.ok(world.sink.appends <= 4, `${world.sink.appends}`);
  world.clock.advance(500);
  await settle();
  assert.equal(world.sink.requests.length, 8001);
  await world.recorder.close();
  assert.equal(world.recorded(), 8001);
  assert.equal(world.sink.isClosed, true);
});

test('while the disk does not answer, memory is bounded and what is left out is counted', async () => {
  const world = createWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.sink.gate = promise;
  for (let i = 0; i < 100_000; i += 1) endFlight(world, createEnd(world));
  const early = world.dropped('slow_disk');
  assert.ok(early > 1000 && early < 99_000, `${early}`);
  assert.deepEqual(world.logged, ['recording: the disk is too slow; requests are left out']);
  resolve();
  await world.recorder.close();
  const { length } = world.sink.requests;
  assert.equal(length, world.recorded());
  assert.equal(length, 100_000 - world.dropped('slow_disk'));
  assert.deepEqual(world.logged.slice(1), ['recording goes on']);
});

test('a file that cannot be written is logged once and tried again', async () => {
  const world = createWorld();
  world.sink.failure = Object.assign(new Error('full'), { code: 'ENOSPC' });
  for (let i = 0; i < 3; i += 1) {
    endFlight(world, createEnd(world));
    world.clock.advance(500);
    await settle();
  }
  assert.equal(world.dropped('write_failed'), 3);
  assert.equal(world.logged.length, 1);
  world.sink.failure = null;
  endFlight(world, createEnd(world));
  world.clock.advance(500);
  await settle();
  assert.equal(world.sink.requests.length, 1);
  assert.deepEqual(world.logged.slice(1), ['recording goes on']);
  await world.recorder.close();
});

test('a file that something else writes to is left alone', async () => {
  const world = createWorld();
  world.sink.isOurs = false;
  for (let i = 0; i < 5; i += 1) {
    endFlight(world, createEnd(world));
    world.clock.advance(5000);
    await settle();
  }
  assert.equal(world.sink.appends + world.dropped('write_failed'), 5);
  assert.ok(world.sink.appends <= 1);
  assert.equal(world.logged.length, 1);
  assert.match(world.logged[0]!, /something else writes to the file/);
  await world.recorder.close();
});

test('a line that is too long is left out alone', async () => {
  const world = createWorld();
  const model = 'x'.repeat(RECORDING_LINE_BYTES_MAX);
  endFlight(world, createEnd(world, {}, createHead({ model })));
  endFlight(world, createEnd(world));
  await world.recorder.close();
  assert.equal(world.dropped('too_long'), 1);
  assert.equal(world.sink.requests.length, 1);
});

test('after close nothing is recorded, and closing again waits for the same end', async () => {
  const world = createWorld();
  endFlight(world, createEnd(world));
  await Promise.all([world.recorder.close(), world.recorder.close()]);
  endFlight(world, createEnd(world));
  world.clock.advance(1000);
  await settle();
  assert.equal(world.sink.requests.length, 1);
});

/** Where a request with these fields says who sends it. */
function credentialIn(fields: Readonly<Record<string, string>>): Credential {
  const lines = Object.entries({ host: 'a', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const head = parseRequestHead(['GET / HTTP/1.1', ...lines, ''].join('\r\n'));
  assert.ok(!('code' in head));
  return new Credentials().find(head);
}

/** As the director does. */
function endFlight(world: World, flight: EndedFlight): void {
  world.recorder.onEnded(flight, flight.head.promptBlocks('pool'));
}

/** Lets promises that are ready go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}
