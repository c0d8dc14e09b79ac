import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { createSystemClock } from '../cli/system-clock.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { VirtualClock } from '../core/virtual-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createDnsSource } from './dns-source.ts';
import type { DnsSourceOptions } from './dns-source.ts';
import { NO_DEFAULTS } from './sources.ts';
import type { EndpointSource } from './sources.ts';
import { startDnsServer } from './testing/dns-server.ts';
import type { DnsRecord, DnsServer } from './testing/dns-server.ts';
import { until } from './testing/until.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const NAME = 'vllm.serving.test';

async function serve(records: readonly DnsRecord[]): Promise<DnsServer> {
  const server = await startDnsServer(records);
  closers.push(() => server.close());
  return server;
}

interface Followed {
  readonly source: EndpointSource;
  readonly lists: string[][];
  readonly reasons: string[];
}

function follow(
  server: DnsServer | null,
  clock: Clock,
  options: Partial<DnsSourceOptions> = {},
): Followed {
  const reasons: string[] = [];
  const destination = {
    write: (line: string): void => {
      reasons.push(String((JSON.parse(line) as { reason?: unknown }).reason));
    },
  };
  const log = createLogger({ level: 'warn', sampleRequests: 0, destination, clock });
  const source = createDnsSource({
    name: NAME,
    recordType: 'A',
    port: 8000,
    scheme: 'http',
    minTtlMs: 1000,
    maxTtlMs: 60_000,
    resolver: server === null ? null : { host: '127.0.0.1', port: server.port },
    defaults: NO_DEFAULTS,
    clock,
    log,
    ...options,
  });
  closers.push(() => source.close());
  const lists: string[][] = [];
  source.start((specs) => {
    lists.push(specs.map((spec) => spec.url));
  });
  return { source, lists, reasons };
}

function a(address: string, ttl: number, name = NAME): DnsRecord {
  return { type: 'A', name, ttl, address };
}

/** Tells how many timers were set: the source sets one when an answer has been taken in. */
class CountingClock extends VirtualClock {
  timersSet = 0;

  override setTimer(delayMs: number, fire: () => void): TimerHandle {
    this.timersSet += 1;
    return super.setTimer(delayMs, fire);
  }
}

async function whenSettled(clock: CountingClock, answers: number): Promise<void> {
  await until(`answer ${answers}`, () => clock.timersSet >= answers);
}

test('A records give one endpoint each, sorted and without repetition', async () => {
  const server = await serve([a('10.0.0.2', 30), a('10.0.0.1', 30), a('10.0.0.2', 30)]);
  const { lists } = follow(server, new VirtualClock());
  await until('the list', () => lists.length === 1);
  assert.deepEqual(lists[0], ['http://10.0.0.1:8000', 'http://10.0.0.2:8000']);
});

test('AAAA records are put in brackets', async () => {
  const server = await serve([
    { type: 'AAAA', name: NAME, ttl: 30, address: 'fd00:0:0:0:0:0:0:5' },
    a('10.0.0.1', 30),
  ]);
  const { lists } = follow(server, new VirtualClock(), { recordType: 'AAAA', scheme: 'https' });
  await until('the list', () => lists.length === 1);
  assert.deepEqual(lists[0], ['https://[fd00::5]:8000']);
});

test('SRV records give host and port', async () => {
  const srv = (target: string, port: number): DnsRecord => {
    return { type: 'SRV', name: NAME, ttl: 5, port, target };
  };
  const server = await serve([srv('gpu-2.test', 8002), srv('gpu-1.test', 8001)]);
  const { lists } = follow(server, new VirtualClock(), { recordType: 'SRV', port: null });
  await until('the list', () => lists.length === 1);
  assert.deepEqual(lists[0], ['http://gpu-1.test:8001', 'http://gpu-2.test:8002']);
});

test('the time to live of an SRV answer is that of its first target', async () => {
  const server = await serve([
    { type: 'SRV', name: NAME, ttl: 7, port: 8001, target: 'gpu-1.test' },
    a('10.0.0.1', 7, 'gpu-1.test'),
  ]);
  const clock = new CountingClock();
  const { lists } = follow(server, clock, { recordType: 'SRV', port: null });
  await whenSettled(clock, 1);
  clock.advance(6999);
  clock.advance(1);
  await whenSettled(clock, 2);
  assert.equal(lists.length, 1);
  assert.equal(server.asked.filter((question) => question.startsWith('SRV')).length, 2);
});

test('is asked again when the answer expires, and a changed answer is told once', async () => {
  const server = await serve([a('10.0.0.1', 30)]);
  const clock = new CountingClock();
  const { lists } = follow(server, clock);
  await until('the list', () => lists.length === 1);
  await whenSettled(clock, 1);
  clock.advance(29_999);
  assert.equal(clock.timersSet, 1);
  clock.advance(1);
  await whenSettled(clock, 2);
  assert.equal(server.asked.length, 2, 'not before it expires');
  assert.equal(lists.length, 1, 'the same answer is not told again');
  server.records = [a('10.0.0.1', 30), a('10.0.0.9', 5)];
  clock.advance(30_000);
  await until('the new list', () => lists.length === 2);
  assert.deepEqual(lists[1], ['http://10.0.0.1:8000', 'http://10.0.0.9:8000']);
  await whenSettled(clock, 3);
  clock.advance(5000);
  await whenSettled(clock, 4);
  assert.equal(server.asked.length, 4, 'the shortest time to live counts');
});

test('the time to live is bounded on both sides', async () => {
  const server = await serve([a('10.0.0.1', 0)]);
  const clock = new CountingClock();
  const { lists } = follow(server, clock);
  await until('the list', () => lists.length === 1);
  await whenSettled(clock, 1);
  clock.advance(999);
  server.records = [a('10.0.0.1', 86_400)];
  clock.advance(1);
  await whenSettled(clock, 2);
  clock.advance(59_999);
  clock.advance(1);
  await whenSettled(clock, 3);
  assert.equal(server.asked.length, 3);
});

for (const [how, code] of [
  ['a server failure', 2],
  ['a name that is gone', 3],
] as const) {
  test(`${how} keeps the last answer, is logged once, and is asked again`, async () => {
    const server = await serve([a('10.0.0.1', 1)]);
    const clock = new CountingClock();
    const { lists, reasons } = follow(server, clock);
    await until('the list', () => lists.length === 1);
    await whenSettled(clock, 1);
    server.code = code;
    clock.advance(1000);
    await until('the complaint', () => reasons.length === 1);
    await whenSettled(clock, 2);
    const asked = server.asked.length;
    clock.advance(1000);
    await whenSettled(clock, 3);
    assert.ok(server.asked.length > asked, 'it is asked again');
    assert.deepEqual(lists, [['http://10.0.0.1:8000']]);
    assert.equal(reasons.length, 1);
    server.code = 0;
    server.records = [a('10.0.0.2', 1)];
    clock.advance(60_000);
    await until('the new list', () => lists.length === 2);
  });
}

test('without a name server of its own, names that only the system knows are found', async () => {
  const { lists } = follow(null, createSystemClock(), { name: 'localhost' });
  await until('the list', () => lists.length === 1);
  assert.deepEqual(lists[0], ['http://127.0.0.1:8000']);
});

test('closing while the name server is silent is prompt, and nothing is told after', async () => {
  const server = await serve([a('10.0.0.1', 1)]);
  server.code = null;
  const { source, lists, reasons } = follow(server, new VirtualClock());
  await until('the question', () => server.asked.length === 1);
  await Promise.all([source.close(), source.close()]);
  assert.deepEqual(lists, []);
  assert.deepEqual(reasons, []);
});
