import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefillHistory } from './prefill-history.ts';
import { SeatLimits } from './seat-limits.ts';

function createHistory(): PrefillHistory {
  const history = new PrefillHistory();
  history.reserve(2);
  return history;
}

test('tokens since a time are those that were counted since', () => {
  const history = createHistory();
  for (let second = 0; second < 60; second += 1) history.add(0, 1000, 1_000_000 + second * 1000);
  const tokens = history.between(0, 1_050_250, 1_060_250);
  assert.ok(Math.abs(tokens - 9000) <= 1000, `${tokens} tokens`);
  assert.equal(history.between(1, 1_050_000, 1_060_000), 0);
  assert.equal(history.between(0, 1_060_300, 1_060_250), 0);
});

test('a time before the memory began is answered in proportion', () => {
  const history = createHistory();
  for (let second = 0; second < 600; second += 1) history.add(0, 1000, second * 1000);
  const tokens = history.between(0, 300_000, 600_000);
  assert.ok(Math.abs(tokens / 300_000 - 1) < 0.05, `${tokens} tokens`);
});

test('after a reset nothing is remembered', () => {
  const history = createHistory();
  history.add(0, 1000, 5000);
  history.reset(0);
  history.add(0, 10, 6000);
  assert.equal(history.between(0, 4000, 6500), 10);
});

test('a running count that stands still while requests wait is a limit, until more run', () => {
  const seats = new SeatLimits();
  seats.reserve(1);
  for (const running of [40, 64, 64]) seats.observe(0, running, 5);
  assert.equal(seats.limits[0], Number.POSITIVE_INFINITY);
  seats.observe(0, 64, 9);
  assert.equal(seats.limits[0], 64);
  seats.observe(0, 30, 0);
  assert.equal(seats.limits[0], 64);
  seats.observe(0, 70, 0);
  assert.equal(seats.limits[0], Number.POSITIVE_INFINITY);
  for (let i = 0; i < 9; i += 1) seats.observe(0, 12, 0);
  assert.equal(seats.limits[0], Number.POSITIVE_INFINITY);
});
