import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng, pickIndex } from '../../core/rng.ts';
import type { PromptBlocks } from '../types.ts';
import { PrefixIndex } from './prefix-index.ts';
import { NaiveIndex } from './testing/naive-index.ts';
import { promptOf, sequence } from './testing/prompts.ts';

const MEMBERS = Int32Array.of(0);

function createIndex(defaultBlocksPerEndpoint: number): PrefixIndex {
  return new PrefixIndex({ maxBytes: 2 ** 22, defaultBlocksPerEndpoint });
}

function predict(index: PrefixIndex, blocks: PromptBlocks): number {
  const out = new Int32Array(1);
  index.match(blocks, MEMBERS, { positions: MEMBERS, count: 1 }, out);
  return out[0]!;
}

/** Chats that take turns, each turn four blocks longer, with one of three system prompts. */
class Chats {
  readonly #rng = createRng(3);
  readonly #ids: number[];
  readonly #turns: number[];
  #nextId: number;

  constructor(count: number) {
    this.#ids = sequence(0, count);
    this.#turns = this.#ids.map(() => 0);
    this.#nextId = count;
  }

  next(): PromptBlocks {
    const count = this.#ids.length;
    const chat = Math.min(pickIndex(this.#rng, count), pickIndex(this.#rng, count));
    this.#turns[chat]! += 1;
    if (this.#turns[chat]! > 12) {
      this.#turns[chat] = 1;
      this.#ids[chat] = this.#nextId;
      this.#nextId += 1;
    }
    const id = this.#ids[chat]!;
    const system = sequence(1_000_000 * (1 + (id % 3)), 20);
    return promptOf([...system, ...sequence(10_000 * (id + 1_000), 4 * this.#turns[chat]!)]);
  }
}

/** Share of blocks predicted and really cached, in the second half of the requests. */
function measureHitRates(
  index: PrefixIndex,
  engine: NaiveIndex,
  chats: Chats,
): { readonly predicted: number; readonly actual: number } {
  const requestCount = 3_000;
  const inFlight: { readonly blocks: PromptBlocks; readonly cachedShare: number }[] = [];
  let [predicted, actual, total] = [0, 0, 0];
  for (let i = 0; i < requestCount; i += 1) {
    const blocks = chats.next();
    const cached = engine.match(blocks, 0);
    if (i >= requestCount / 2) {
      predicted += predict(index, blocks);
      actual += cached;
      total += blocks.count;
    }
    index.insert(0, blocks);
    engine.insert(0, blocks);
    inFlight.push({ blocks, cachedShare: (cached + 0.5) / blocks.count });
    const finished = inFlight.length > 8 ? inFlight.shift() : undefined;
    if (finished !== undefined) index.correct(0, finished.blocks, finished);
  }
  return { predicted: predicted / total, actual: actual / total };
}

for (const [reported, real, chatCount] of [
  [4_000, 4_000, 200],
  [4_000, 2_000, 200],
  [4_000, 1_000, 60],
  [4_000, 500, 200],
  [2_000, 3_000, 60],
] as const) {
  test(`an engine that keeps ${real} blocks and reports ${reported} is predicted within 5 points`, () => {
    const engine = new NaiveIndex(real);
    const { predicted, actual } = measureHitRates(
      createIndex(reported),
      engine,
      new Chats(chatCount),
    );
    assert.ok(Math.abs(predicted - actual) <= 0.05, `${predicted} predicted, ${actual} actual`);
  });
}

test('an engine that has room again is believed again', () => {
  const index = createIndex(4_000);
  const engine = new NaiveIndex(600);
  const chats = new Chats(100);
  const before = measureHitRates(index, engine, chats);
  engine.setCapacity(0, 4_000);
  const after = measureHitRates(index, engine, chats);
  assert.ok(after.actual > before.actual + 0.1);
  assert.ok(Math.abs(after.predicted - after.actual) <= 0.05, `${after.predicted} predicted`);
});

test('the prompt that was just finished stays held, whatever had been cached of it', () => {
  const index = createIndex(1_000);
  const blocks = promptOf(sequence(0, 40));
  index.insert(0, blocks);
  index.correct(0, blocks, { cachedShare: 0 });
  assert.equal(predict(index, blocks), 40);
});

test('a finished prompt that was evicted meanwhile is held again', () => {
  const index = createIndex(50);
  const blocks = promptOf(sequence(0, 40));
  index.insert(0, blocks);
  index.insert(0, promptOf(sequence(1_000, 45)));
  assert.equal(predict(index, blocks), 5);
  index.correct(0, blocks, { cachedShare: 1 });
  assert.equal(predict(index, blocks), 40);
});

test('an engine that loses blocks is promised less of, and what it was sent is not forgotten', () => {
  const index = createIndex(1_000);
  const prompts = Array.from({ length: 20 }, (_, i) => promptOf(sequence(1_000 * i, 50)));
  for (const blocks of prompts) {
    index.insert(0, blocks);
    index.correct(0, blocks, { cachedShare: 0 });
  }
  assert.equal(predict(index, prompts[0]!), 50);
  for (const blocks of prompts.slice(0, 10)) {
    index.insert(0, blocks);
    index.correct(0, blocks, { cachedShare: 0.5 });
  }
  assert.equal(index.blocksOf(0), 1_000);
  const doubted = prompts.map((blocks) => predict(index, blocks));
  assert.ok(doubted.every((count) => count === doubted[0] && count > 25 && count < 40));
});

test('a burst of one new prompt, none of which finds it cached, is no sign of evictions', () => {
  const index = createIndex(1_000);
  const others = promptOf(sequence(5_000, 900));
  index.insert(0, others);
  const burst = Array.from({ length: 10 }, (_, i) =>
    promptOf([...sequence(0, 20), ...sequence(100 * (i + 1), 2)]),
  );
  for (const blocks of burst) index.insert(0, blocks);
  for (const blocks of burst) index.correct(0, blocks, { cachedShare: 0 });
  assert.equal(predict(index, others), 900);
  assert.equal(predict(index, burst[0]!), 22);
});

test('a prompt inserted by its beginning first is judged by what was held before that', () => {
  const index = createIndex(1_000);
  for (let i = 0; i < 40; i += 1) {
    const symbols = sequence(1_000 * i, 60);
    index.insert(0, promptOf(symbols.slice(0, 30)));
    index.insert(0, promptOf(symbols));
    index.correct(0, promptOf(symbols), { cachedShare: 0 });
    assert.equal(predict(index, promptOf(symbols)), 60);
  }
  assert.ok(index.blocksOf(0) >= 990);
});

test('a prompt that was never answered for is not held to what was promised before it was forgotten', () => {
  const index = createIndex(100);
  const blocks = promptOf(sequence(0, 40));
  index.insert(0, blocks);
  index.correct(0, blocks, { cachedShare: 0 });
  index.insert(0, promptOf(sequence(1_000, 60)));
  index.insert(0, blocks);
  index.insert(0, promptOf(sequence(2_000, 100)));
  index.insert(0, blocks);
  index.correct(0, blocks, { cachedShare: 0 });
  assert.equal(predict(index, blocks), 40);
});

test('an engine that never has anything cached is taken to hold nothing, until it has', () => {
  const index = createIndex(1_000);
  const blocks = promptOf(sequence(0, 40));
  for (let i = 0; i < 20; i += 1) {
    index.insert(0, blocks);
    index.correct(0, blocks, { cachedShare: 0 });
  }
  assert.equal(predict(index, blocks), 0);
  index.insert(0, blocks);
  assert.equal(predict(index, blocks), 0);
  index.correct(0, blocks, { cachedShare: 0.9 });
  assert.equal(predict(index, blocks), 40);
});

test('a cleared slot starts without what was learned of the one before', () => {
  const index = createIndex(1_000);
  const blocks = promptOf(sequence(0, 40));
  for (let i = 0; i < 20; i += 1) {
    index.insert(0, blocks);
    index.correct(0, blocks, { cachedShare: 0 });
  }
  index.clear(0);
  index.insert(0, blocks);
  assert.equal(predict(index, blocks), 40);
});

test('shares outside 0 to 1 count as 0 and 1', () => {
  const index = createIndex(1_000);
  const blocks = promptOf(sequence(0, 40));
  index.correct(0, blocks, { cachedShare: 7 });
  index.correct(0, blocks, { cachedShare: -1 });
  index.correct(0, blocks, { cachedShare: Number.NaN });
  assert.equal(predict(index, blocks), 40);
});
