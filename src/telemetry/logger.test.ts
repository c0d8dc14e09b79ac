import assert from 'node:assert/strict';
import { test } from 'node:test';

import { VirtualClock } from '../core/virtual-clock.ts';
import { createLogger, SILENT_LOGGER } from './logger.ts';
import type { LogLevel } from './log-level.ts';

function createCapture(level: LogLevel, sampleRequests = 1) {
  const lines: string[] = [];
  const log = createLogger({
    level,
    sampleRequests,
    destination: {
      write: (line: string) => {
        lines.push(line);
      },
    },
    clock: new VirtualClock(1_700_000_000_000),
  });
  const read = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, read };
}

test('a line is one JSON object with level, time, fields and message', () => {
  const { log, lines, read } = createCapture('info');
  log.info({ endpoint: '10.0.0.1:8000', ms: 3 }, 'endpoint joined');
  assert.deepEqual(read(), [
    {
      level: 'info',
      time: '2023-11-14T22:13:20.000Z',
      endpoint: '10.0.0.1:8000',
      ms: 3,
      msg: 'endpoint joined',
    },
  ]);
  assert.equal(lines[0]!.indexOf('\n'), lines[0]!.length - 1);
});

test('lines below the level are dropped', () => {
  const order: LogLevel[] = ['debug', 'info', 'warn', 'error', 'off'];
  for (const [index, level] of order.entries()) {
    const { log, read } = createCapture(level);
    log.debug({}, 'debug');
    log.info({}, 'info');
    log.warn({}, 'warn');
    log.error({}, 'error');
    assert.deepEqual(
      read().map(({ msg }) => msg),
      order.slice(index, 4),
    );
    assert.equal(log.isDebug, level === 'debug');
  }
});

test('a change of level reaches loggers that were made before it', () => {
  const { log, read } = createCapture('warn');
  const child = log.child({ part: 'monitor' });
  child.info({}, 'unheard');
  assert.equal(child.isDebug, false);
  log.configure({ level: 'debug', sampleRequests: 1 });
  assert.equal(child.isDebug, true);
  child.debug({}, 'heard');
  log.configure({ level: 'error', sampleRequests: 1 });
  child.warn({}, 'unheard again');
  assert.deepEqual(
    read()
      .filter(({ part }) => part === 'monitor')
      .map(({ msg }) => msg),
    ['heard'],
  );
});

test('prompts and credentials never reach the log, whoever puts them in', () => {
  const { log, lines } = createCapture('debug');
  const secret = 'hunter2-secret';
  const headers = {
    Authorization: `Bearer ${secret}`,
    'x-api-key': secret,
    Cookie: secret,
    'proxy-authorization': secret,
  };
  const fields = {
    headers,
    rawHeaders: Object.entries(headers),
    prompt: secret,
    messages: [{ role: 'user', content: secret }],
    request: { body: { input: secret } },
    url: `http://user:${secret}@10.0.0.1:8000/v1`,
    apiKey: secret,
  };
  log.info(fields, 'request');
  log.child(fields).warn({}, 'child');
  log.child({ part: 'x' }).child(fields).error({ cause: { headers } }, 'grandchild');
  assert.equal(lines.length, 3);
  assert.doesNotMatch(lines.join(''), /hunter2/);
  assert.match(lines[0]!, /http:\/\/10\.0\.0\.1:8000\/v1/);
});

test('errors are shown with their causes and codes', () => {
  const { log, read } = createCapture('info');
  const cause = Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED' });
  log.error({ cause: new RangeError('outer', { cause }) }, 'failed');
  const shown = read()[0]!['cause'] as Record<string, unknown>;
  assert.equal(shown['type'], 'RangeError');
  assert.match(String(shown['stack']), /logger\.test/);
  const inner = shown['cause'] as Record<string, unknown>;
  assert.equal(inner['message'], 'refused');
  assert.equal(inner['code'], 'ECONNREFUSED');
});

test('a cycle or a huge value does not make a huge line', () => {
  const { log, lines } = createCapture('info');
  const loop: Record<string, unknown> = { note: 'x'.repeat(1_000_000) };
  loop['self'] = loop;
  loop['many'] = Array.from({ length: 1000 }, () => loop);
  log.info({ loop }, 'loop');
  assert.ok(lines[0]!.length < 500_000);
  JSON.parse(lines[0]!);
});

test('the request log takes the configured share, and none when info is off', () => {
  for (const [share, expected] of [
    [0, 0],
    [0.1, 100],
    [0.25, 250],
    [1, 1000],
  ] as const) {
    const { log } = createCapture('info', share);
    let taken = 0;
    for (let index = 0; index < 1000; index += 1) if (log.sampleRequest()) taken += 1;
    assert.ok(Math.abs(taken - expected) <= 1, `${share}: ${taken}`);
  }
  const quiet = createCapture('warn').log;
  assert.equal(quiet.sampleRequest(), false);
});

test('the silent logger takes everything', () => {
  SILENT_LOGGER.child({ a: 1 }).error({}, 'nothing');
  assert.equal(SILENT_LOGGER.isDebug, false);
  assert.equal(SILENT_LOGGER.sampleRequest(), false);
});
