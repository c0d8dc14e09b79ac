import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadTable } from '../ports.ts';
import { allCandidates, createTestInput, createTestLoad } from '../testing/pick-world.ts';
import { MemoryTurns } from './soonest-memory.ts';

const CAPACITY = 16_000;

/** Endpoints that run 20 requests each, with caches of 16,000 tokens. */
function createFullLoad(count: number, usage: number): LoadTable {
  const load = createTestLoad(count);
  load.kvBlockCount.fill(CAPACITY / 16);
  load.kvBlockTokens.fill(16);
  load.kvCacheUsage.fill(usage);
  load.requestsInFlight.fill(20);
  return load;
}

interface Columns {
  readonly turns: number[];
  readonly inflicted: number[];
}

/** For a prompt of 1,000 tokens and an answer of 200. */
function measure(load: LoadTable, cachedTokens: number[] = [], seats: number[] = []): Columns {
  const input = createTestInput(load, { promptTokens: 1000, outputTokens: 200 });
  const candidates = allCandidates(input);
  const memory = new MemoryTurns();
  memory.measure({
    input,
    candidates,
    cachedTokens: Float64Array.from(load.isAvailable, (_, slot) => cachedTokens[slot] ?? 0),
    seats: Float64Array.from(load.isAvailable, (_, s) => seats[s] ?? Number.POSITIVE_INFINITY),
  });
  const { count } = candidates;
  return {
    turns: [...memory.turns.subarray(0, count)],
    inflicted: [...memory.inflicted.subarray(0, count)],
  };
}

test('an engine with room, or that reports nothing, has no wait and inflicts none', () => {
  const zeros = { turns: [0, 0], inflicted: [0, 0] };
  assert.deepEqual(measure(createFullLoad(2, 0.3)), zeros);
  assert.deepEqual(measure(createTestLoad(2)), zeros);
});

test('a full cache is waited for as long as those there take to leave that much room', () => {
  const load = createFullLoad(1, 0.98);
  const { turns, inflicted } = measure(load);
  const blocks = 1200 / (0.98 * CAPACITY);
  const growth = 0.5 / 21;
  assert.ok(Math.abs(turns[0]! - blocks - growth) < 1e-9, `${turns[0]} turns`);
  assert.ok(inflicted[0]! > 0);
});

test('cached blocks that others use take no room again', () => {
  const { turns, inflicted } = measure(createFullLoad(2, 0.98), [0, 1000]);
  assert.ok(turns[1]! < 0.6 * turns[0]!, turns.join(' '));
  const share = inflicted[1]! / inflicted[0]!;
  assert.ok(Math.abs(share - (1200 - 980) / 1200) < 1e-9, `${share}`);
});

test('room is as dear on an endpoint without a queue when others of the pool have one', () => {
  const calm = createFullLoad(2, 0.95);
  const queued = createFullLoad(2, 0.95);
  queued.reportedWaiting[0] = 10;
  const [before, after] = [measure(calm).inflicted, measure(queued).inflicted];
  assert.equal(after[0], after[1]);
  assert.ok(Math.abs(after[1]! / before[1]! - (1 + 6 * 5)) < 1e-9, `${after[1]! / before[1]!}`);
});

test('seats that are all taken are waited for, whatever the cache', () => {
  const { turns } = measure(createFullLoad(2, 0.3), [], [20, 21]);
  assert.deepEqual(turns, [1 / 20, 0]);
});
