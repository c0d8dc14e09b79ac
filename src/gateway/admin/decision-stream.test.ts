import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as sendRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { createSystemClock } from '../../cli/system-clock.ts';
import type { Clock } from '../../core/clock.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type { DecisionLog } from '../../telemetry/decision-log.ts';
import { completeRecord, createDecisionRecord } from '../../telemetry/testing/decision-records.ts';
import { DEFAULT_STREAM_LIMITS } from './decision-stream.ts';
import type { AdminServerOptions } from './server.ts';
import { startAdmin } from './testing/admin-fixture.ts';

const systemClock = createSystemClock();

/** Starts a server that is closed when the test ends, however it ends. */
async function start(t: TestContext, clock: Clock, options: Partial<AdminServerOptions> = {}) {
  const admin = await startAdmin(clock, options);
  t.after(async () => {
    const closing = admin.server.close();
    // Followers that are still connected are cut off after the grace.
    await nextTurn();
    if (clock instanceof VirtualClock) clock.advance(1_000);
    await closing;
  });
  return admin;
}

/** Opens the live stream and collects what comes. */
async function follow(port: number) {
  const request = sendRequest({
    host: '127.0.0.1',
    port,
    path: '/api/decisions/stream',
    agent: false,
  });
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  response.on('error', () => {});
  const follower = {
    request,
    response,
    text: '',
    /** Waits until the text has `mark`. */
    async until(mark: string): Promise<void> {
      while (!follower.text.includes(mark)) await once(response, 'data');
    },
  };
  response.on('data', (chunk: string) => {
    follower.text += chunk;
  });
  await follower.until(': decisions\n\n');
  return follower;
}

function events(text: string): { event: string; data: Record<string, unknown> }[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.startsWith('event: '))
    .map((frame) => {
      const [event = '', data = ''] = frame.split('\n');
      return { event: event.slice(7), data: JSON.parse(data.slice(6)) as Record<string, unknown> };
    });
}

/**
 * Whether anybody listens to the log: its `subscribe` is bounded, so the room that is left tells.
 */
function countListeners(decisions: DecisionLog): number {
  const leaves: (() => void)[] = [];
  try {
    for (;;) leaves.push(decisions.subscribe(() => {}));
  } catch {
    for (const leave of leaves) leave();
  }
  return 8 - leaves.length;
}

test('followers see each pick and each end as they happen', async (t) => {
  const { sources, port } = await start(t, systemClock);
  const followers = [await follow(port), await follow(port)];
  const record = createDecisionRecord({ requestId: 'live-1' });
  sources.decisions.add(record);
  completeRecord(record);
  sources.decisions.complete(record);
  for (const follower of followers) {
    await follower.until('event: completed');
    await follower.until('"cachedTokens":16');
    const [picked, completed] = events(follower.text);
    assert.equal(follower.response.headers['content-type'], 'text/event-stream');
    assert.equal(picked?.event, 'picked');
    assert.equal(picked.data['outcome'], null);
    assert.equal(completed?.event, 'completed');
    assert.equal(completed.data['outcome'], 'completed');
    assert.equal(completed.data['requestId'], 'live-1');
  }
});

test('the log is listened to only while there are followers', async (t) => {
  const { sources, server, port } = await start(t, systemClock);
  assert.equal(countListeners(sources.decisions), 0);
  const one = await follow(port);
  const two = await follow(port);
  assert.equal(countListeners(sources.decisions), 1);
  one.request.destroy();
  two.request.destroy();
  while (countListeners(sources.decisions) > 0) await nextTurn();
  const again = await follow(port);
  assert.equal(countListeners(sources.decisions), 1);
  again.request.destroy();
  await server.close();
  assert.equal(countListeners(sources.decisions), 0);
});

test('a slow follower is cut off and counted while others go on', async (t) => {
  const clock = new VirtualClock();
  const { sources, port } = await start(t, clock, {
    streamLimits: {
      ...DEFAULT_STREAM_LIMITS,
      maxPendingBytes: 65_536,
      maxEventsPerSecond: 1_000_000,
    },
  });
  const slow = await follow(port);
  slow.response.pause();
  const quick = await follow(port);
  const dropped = sources.metrics.counter('penstock_admin_followers_dropped_total');
  const filler = 'm'.repeat(20_000);
  let sent = 0;
  // The system's socket buffers take some megabytes before anything waits in the process.
  while (dropped.value === 0 && sent < 5_000) {
    sources.decisions.add(createDecisionRecord({ requestId: `r${sent}`, clientModel: filler }));
    sent += 1;
    await quick.until(`"requestId":"r${sent - 1}"`);
    quick.text = '';
  }
  assert.equal(dropped.value, 1);
  sources.decisions.add(createDecisionRecord({ requestId: 'after' }));
  await quick.until('"requestId":"after"');
  const closed = new Promise((resolve) => slow.response.once('close', resolve));
  slow.response.resume();
  await closed;
  assert.equal(dropped.value, 1);
  quick.request.destroy();
});

test('events over the rate are skipped, counted and told', async (t) => {
  const clock = new VirtualClock();
  const { sources, port } = await start(t, clock, {
    streamLimits: { ...DEFAULT_STREAM_LIMITS, maxEventsPerSecond: 3 },
  });
  const follower = await follow(port);
  clock.advance(5_000);
  for (let index = 0; index < 10; index += 1) {
    sources.decisions.add(createDecisionRecord({ requestId: `r${index}` }));
  }
  clock.advance(1_000);
  sources.decisions.add(createDecisionRecord({ requestId: 'last' }));
  await follower.until('"requestId":"last"');
  assert.deepEqual(
    events(follower.text).map(
      ({ event, data }) => data['requestId'] ?? `${event} ${Number(data['count'])}`,
    ),
    ['r0', 'r1', 'r2', 'skipped 7', 'last'],
  );
  follower.request.destroy();
});

test('silence is broken by heartbeats', async (t) => {
  const clock = new VirtualClock();
  const { port } = await start(t, clock);
  const follower = await follow(port);
  assert.doesNotMatch(follower.text, /heartbeat/);
  clock.advance(DEFAULT_STREAM_LIMITS.heartbeatMs);
  await follower.until(': heartbeat\n\n');
  follower.text = '';
  clock.advance(DEFAULT_STREAM_LIMITS.heartbeatMs);
  await follower.until(': heartbeat\n\n');
  follower.request.destroy();
});

test('one follower too many is refused and takes nobody else’s place', async (t) => {
  const { sources, port, call } = await start(t, systemClock, {
    streamLimits: { ...DEFAULT_STREAM_LIMITS, maxFollowers: 2 },
  });
  const one = await follow(port);
  await follow(port);
  const refused = await call('GET', '/api/decisions/stream');
  assert.equal(refused.status, 503);
  assert.match(refused.text, /too_many_followers/);
  sources.decisions.add(createDecisionRecord({ requestId: 'still' }));
  await one.until('"requestId":"still"');
});
