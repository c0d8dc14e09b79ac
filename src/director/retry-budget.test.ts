import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/virtual-clock.ts';
import { RetryBudget } from './retry-budget.ts';

function takeAll(budget: RetryBudget): number {
  let taken = 0;
  while (taken < 100_000 && budget.tryTake()) taken += 1;
  return taken;
}

test('retries are bounded to the share of requests in the window', () => {
  const budget = new RetryBudget(new VirtualClock(), 0.2);
  for (let i = 0; i < 1000; i += 1) budget.countRequest();
  assert.equal(takeAll(budget), 200);
});

test('a quiet gateway can still fail over a few requests', () => {
  const budget = new RetryBudget(new VirtualClock(), 0.2);
  budget.countRequest();
  assert.equal(takeAll(budget), 30);
});

test('the budget comes back as requests and retries leave the window', () => {
  const clock = new VirtualClock();
  const budget = new RetryBudget(clock, 0.2);
  for (let i = 0; i < 1000; i += 1) budget.countRequest();
  takeAll(budget);
  clock.advance(9000);
  assert.equal(budget.tryTake(), false);
  clock.advance(2000);
  assert.equal(takeAll(budget), 30);
});

test('a share of zero allows no retry at all', () => {
  const budget = new RetryBudget(new VirtualClock(), 0);
  for (let i = 0; i < 1000; i += 1) budget.countRequest();
  assert.equal(budget.tryTake(), false);
});

test('a long silence clears the whole window', () => {
  const clock = new VirtualClock();
  const budget = new RetryBudget(clock, 0.5);
  for (let i = 0; i < 1000; i += 1) budget.countRequest();
  clock.advance(3_600_000);
  budget.countRequest();
  assert.equal(takeAll(budget), 30);
});
