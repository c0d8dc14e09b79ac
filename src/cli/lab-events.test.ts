import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../core/assert.ts';
import { findProfile } from '../simulator/hardware/profiles.ts';
import type { JobEvent } from '../simulator/lab/jobs.ts';
import { parseEvent } from './lab-events.ts';

const H100 = must(findProfile('h100-8b'), 'h100-8b');
const L4 = must(findProfile('l4-8b'), 'l4-8b');
const FLEET = [H100, H100, L4];

function eventOf(text: string): JobEvent {
  const parsed = parseEvent(text, FLEET);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}

test('events of endpoints', () => {
  const expected: readonly (readonly [string, JobEvent])[] = [
    [
      'restart:2@60s:30s',
      { endpoint: 2, event: { kind: 'restart', atMs: 60_000, downMs: 30_000 } },
    ],
    ['slow:0@500ms:1.5', { endpoint: 0, event: { kind: 'slow', atMs: 500, factor: 1.5 } }],
    ['sleep:1@60s', { endpoint: 1, event: { kind: 'sleep', atMs: 60_000, level: 1 } }],
    ['sleep:0@5s:level=2', { endpoint: 0, event: { kind: 'sleep', atMs: 5000, level: 2 } }],
    ['wake:1@90s', { endpoint: 1, event: { kind: 'wake', atMs: 90_000 } }],
    ['drain:1@0s', { endpoint: 1, event: { kind: 'drain', atMs: 0 } }],
    ['start:1@1m:45s', { endpoint: 1, event: { kind: 'start', readyAtMs: 105_000 } }],
  ];
  for (const [text, event] of expected) assert.deepEqual(eventOf(text), event);
});

function readyAtMs(text: string): number {
  const { event } = eventOf(text);
  assert.ok(event.kind === 'start');
  return event.readyAtMs;
}

test('a start takes the phases of its own profile that are not cached', () => {
  const { nodeMs, imageMs, processMs, weightsMs, compileMs, warmUpMs } = L4.startUp;
  const coldMs = nodeMs + imageMs + processMs + weightsMs + compileMs + warmUpMs;
  assert.equal(readyAtMs('start:2@60s'), 60_000 + coldMs);
  assert.equal(readyAtMs('start:2@60s:cached=node+image'), 60_000 + coldMs - nodeMs - imageMs);
});

test('a restart without a time finds everything where it was', () => {
  const { processMs, cachedWeightsMs, cachedCompileMs, warmUpMs } = H100.startUp;
  const { event } = eventOf('restart:0@1s');
  assert.ok(event.kind === 'restart');
  assert.equal(event.downMs, processMs + cachedWeightsMs + cachedCompileMs + warmUpMs);
});

for (const text of [
  'stop:1@1s',
  'restart:1@1:1s',
  'restart:1@1s:-1s',
  'start:1@1s:cached=',
  'start:1@1s:cached=disk',
  'start:1@1s:cached=node+constructor',
  'start:3@1s',
  'slow:1@1s:0',
  'slow:1@1s:NaN',
  'slow:1@1s',
  'drain:1@1s:1s',
  'sleep:1@1s:3',
  'sleep:1@1s:level=0',
  'wake:1@1s:1s',
  'drain:x@1s',
]) {
  test(`the event ${text} is refused`, () => {
    const parsed = parseEvent(text, FLEET);
    assert.equal(parsed.ok, false);
    assert.ok(!parsed.ok && parsed.error.includes(text), 'it is named');
  });
}
