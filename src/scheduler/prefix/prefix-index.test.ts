import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng, pickIndex } from '../../core/rng.ts';
import type { PromptBlocks } from '../types.ts';
import { MIN_INDEX_BYTES } from './memory-plan.ts';
import { PrefixIndex } from './prefix-index.ts';
import { NaiveIndex } from './testing/naive-index.ts';
import { createCollidingPrompts, promptOf, sequence, type PromptMaker } from './testing/prompts.ts';

const ROOMY = 2 ** 21;

function createIndex(defaultBlocksPerEndpoint = 1_000, maxBytes = ROOMY): PrefixIndex {
  return new PrefixIndex({ maxBytes, defaultBlocksPerEndpoint });
}

/** Leading blocks that each of the slots 0 to `slotCount` holds. */
function matchAll(index: PrefixIndex, blocks: PromptBlocks, slotCount: number): number[] {
  const members = Int32Array.from({ length: slotCount }, (_, slot) => slot);
  const out = new Int32Array(slotCount).fill(-1);
  index.match(blocks, members, { positions: members, count: slotCount }, out);
  return [...out];
}

function matchOne(index: PrefixIndex, blocks: PromptBlocks, slot: number): number {
  return matchAll(index, blocks, slot + 1)[slot]!;
}

type Operation =
  | {
      readonly type: 'insert' | 'correct' | 'match';
      readonly slot: number;
      readonly symbols: number[];
    }
  | { readonly type: 'clear'; readonly slot: number }
  | { readonly type: 'setCapacity'; readonly slot: number; readonly blocks: number };

/** Prompts that often share a beginning: a stem of repeated symbols, then a tail of few letters. */
const symbolsOf = fc
  .record({
    stem: fc.constantFrom(0, 1, 4, 5, 6, 32, 33, 34, 40, 70),
    stemSymbol: fc.nat(1),
    tail: fc.array(fc.nat(1), { maxLength: 8 }),
    end: fc.constantFrom(0, 0, 0, 1, 3, 30, 50),
  })
  .map(({ stem, stemSymbol, tail, end }) => [
    ...Array.from({ length: stem }, () => stemSymbol),
    ...tail,
    ...Array.from({ length: end }, () => 2),
  ]);

function operationOf(slotCount: number, capacityMax: number): fc.Arbitrary<Operation> {
  const slot = fc.nat(slotCount - 1);
  const insert = fc.record({ type: fc.constant('insert' as const), slot, symbols: symbolsOf });
  return fc.oneof(
    { weight: 12, arbitrary: insert },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('correct' as const), slot, symbols: symbolsOf }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('match' as const), slot, symbols: symbolsOf }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), slot }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('setCapacity' as const),
        slot,
        blocks: fc.nat(capacityMax),
      }),
    },
  );
}

/** Does the same to both; `correct` confirms what was held, which must teach nothing. */
function apply(index: PrefixIndex, model: NaiveIndex, step: Operation, make: PromptMaker): void {
  switch (step.type) {
    case 'insert':
      index.insert(step.slot, make(step.symbols));
      model.insert(step.slot, make(step.symbols));
      break;
    case 'correct': {
      const blocks = make(step.symbols);
      if (blocks.count === 0) break;
      const cachedShare = (model.match(blocks, step.slot) + 0.5) / blocks.count;
      index.insert(step.slot, blocks);
      index.correct(step.slot, blocks, { cachedShare });
      model.insert(step.slot, blocks);
      break;
    }
    case 'clear':
      index.clear(step.slot);
      model.clear(step.slot);
      break;
    case 'setCapacity':
      index.setCapacity(step.slot, step.blocks);
      model.setCapacity(step.slot, step.blocks);
      break;
    case 'match':
      break;
  }
}

function checkAgainstModel(options: {
  readonly slotCount: number;
  readonly capacityMax: number;
  createMaker(): PromptMaker;
  readonly stepCount: number;
  readonly numRuns: number;
}): void {
  const { slotCount, capacityMax } = options;
  const steps = fc.array(operationOf(slotCount, capacityMax), {
    minLength: 1,
    maxLength: options.stepCount,
    size: 'max',
  });
  fc.assert(
    fc.property(steps, (operations) => {
      const capacity = Math.ceil(capacityMax / 2);
      const index = createIndex(capacity);
      const model = new NaiveIndex(capacity);
      const make = options.createMaker();
      for (const step of operations) {
        apply(index, model, step, make);
        if (!('symbols' in step)) continue;
        const blocks = make(step.symbols);
        const expected = Array.from({ length: slotCount }, (_, slot) => model.match(blocks, slot));
        assert.deepEqual(matchAll(index, blocks, slotCount), expected);
      }
      assert.equal(index.entryCount, model.entryCount);
      for (let slot = 0; slot < slotCount; slot += 1) {
        assert.equal(index.blocksOf(slot), model.blocksOf(slot));
      }
    }),
    { numRuns: options.numRuns },
  );
}

test('the index agrees with a map of sets and per-slot orders of use: few slots, tiny caches', () => {
  checkAgainstModel({
    slotCount: 3,
    capacityMax: 60,
    createMaker: () => promptOf,
    stepCount: 60,
    numRuns: 300,
  });
});

test('the index agrees with the model when many slots share their beginnings', () => {
  checkAgainstModel({
    slotCount: 40,
    capacityMax: 400,
    createMaker: () => promptOf,
    stepCount: 250,
    numRuns: 60,
  });
});

test('the index agrees with the model when hashes collide in their low words and buckets', () => {
  checkAgainstModel({
    slotCount: 12,
    capacityMax: 200,
    createMaker: createCollidingPrompts,
    stepCount: 120,
    numRuns: 80,
  });
});

test('slots far apart and beyond one row of bits are told apart', () => {
  const index = createIndex();
  const blocks = promptOf(sequence(0, 40));
  const slots = Array.from({ length: 700 }, (_, i) => (i * 93) % 65_536);
  for (const slot of slots) index.insert(slot, blocks);
  index.insert(65_535, promptOf(sequence(0, 10)));
  const members = Int32Array.from([...slots, 65_535, 60_001]);
  const positions = Int32Array.from(members, (_, i) => i);
  const out = new Int32Array(members.length);
  index.match(blocks, members, { positions, count: positions.length }, out);
  assert.ok(out.subarray(0, slots.length).every((count) => count === 40));
  assert.deepEqual([...out.subarray(slots.length)], [10, 0]);
});

test('only candidates are written, at their positions', () => {
  const index = createIndex();
  const blocks = promptOf([1, 2, 3]);
  index.insert(4, blocks);
  const out = Int32Array.of(-1, -1, -1);
  const members = Int32Array.of(9, 4, 7);
  index.match(blocks, members, { positions: Int32Array.of(1, 2, 0), count: 2 }, out);
  assert.deepEqual([...out], [-1, 3, 0]);
});

test('a prompt beyond the capacity keeps its beginning', () => {
  const index = createIndex(50);
  index.insert(0, promptOf(sequence(0, 80)));
  assert.equal(matchOne(index, promptOf(sequence(0, 80)), 0), 50);
  assert.equal(index.blocksOf(0), 50);
});

test('beyond the capacity the prompt used longest ago goes first, its end before its beginning', () => {
  const index = createIndex(100);
  const [first, second, third] = [0, 1000, 2000].map((from) => promptOf(sequence(from, 40)));
  index.insert(0, first!);
  index.insert(0, second!);
  index.insert(0, first!);
  index.insert(0, third!);
  assert.equal(matchOne(index, first!, 0), 40);
  assert.equal(matchOne(index, second!, 0), 20);
  assert.equal(matchOne(index, third!, 0), 40);
});

test('a cleared slot holds nothing at once, and what it gets next is its own', () => {
  const index = createIndex(5_000);
  const shared = promptOf(sequence(0, 300));
  index.insert(0, shared);
  index.insert(1, shared);
  for (let i = 0; i < 200; i += 1) index.insert(0, promptOf(sequence(10_000 * (i + 1), 20)));
  index.clear(0);
  assert.equal(index.blocksOf(0), 0);
  assert.equal(index.entryCount, 300);
  assert.deepEqual(matchAll(index, shared, 2), [0, 300]);
  index.insert(0, promptOf(sequence(0, 7)));
  assert.deepEqual(matchAll(index, shared, 2), [7, 300]);
});

test('clearing keeps the capacity', () => {
  const index = createIndex(1_000);
  index.setCapacity(3, 10);
  index.clear(3);
  index.insert(3, promptOf(sequence(0, 30)));
  assert.equal(index.blocksOf(3), 10);
});

test('memory is given back: the same filling after clearing takes the same memory', () => {
  const index = createIndex(100_000, 2 ** 22);
  const sizes: number[] = [];
  for (let cycle = 0; cycle < 8; cycle += 1) {
    const rng = createRng(5);
    for (let i = 0; i < 400; i += 1) {
      const stem = sequence(0, 1 + pickIndex(rng, 60));
      const tail = sequence(1000 * (1 + pickIndex(rng, 50)), pickIndex(rng, 60));
      index.insert(pickIndex(rng, 30), promptOf([...stem, ...tail]));
    }
    for (let slot = 0; slot < 30; slot += 1) index.clear(slot);
    for (let i = 0; i < 200; i += 1) index.clear(0);
    sizes.push(index.sizeBytes);
  }
  assert.equal(index.entryCount, 0);
  assert.deepEqual(
    sizes,
    sizes.map(() => sizes[0]),
  );
});

test('memory stays within its bound, and what is held then is still held from the start on', () => {
  const slotCount = 20;
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, isColliding) => {
      const make = isColliding ? createCollidingPrompts() : promptOf;
      const rng = createRng(seed);
      const index = createIndex(1_000_000, MIN_INDEX_BYTES);
      const model = new NaiveIndex(1_000_000);
      for (let i = 0; i < 400; i += 1) {
        const slot = pickIndex(rng, slotCount);
        const stem = sequence(0, pickIndex(rng, 40));
        const tail = sequence(1000 * pickIndex(rng, 400), pickIndex(rng, 90));
        const blocks = make([...stem, ...tail]);
        index.insert(slot, blocks);
        model.insert(slot, blocks);
        assert.ok(index.sizeBytes <= MIN_INDEX_BYTES);
        assert.equal(matchOne(index, blocks, slot), blocks.count);
        if (i % 50 !== 0) continue;
        if (i % 100 === 0) {
          index.clear(slot);
          model.clear(slot);
        }
        const held = matchAll(index, blocks, slotCount);
        held.forEach((count, each) => assert.ok(count <= model.match(blocks, each)));
      }
    }),
    { numRuns: 15 },
  );
});

test('when memory is full the endpoint that holds most gives up its oldest', () => {
  const index = createIndex(1_000_000, MIN_INDEX_BYTES);
  const small = promptOf(sequence(0, 100));
  index.insert(1, small);
  for (let i = 1; i < 2_000; i += 1) index.insert(0, promptOf(sequence(1_000 * i, 30)));
  assert.equal(matchOne(index, small, 1), 100);
  assert.equal(matchOne(index, promptOf(sequence(1_000, 30)), 0), 0);
  assert.equal(matchOne(index, promptOf(sequence(1_000 * 1_999, 30)), 0), 30);
});

test('the same calls give the same state', () => {
  const run = (): readonly unknown[] => {
    const rng = createRng(11);
    const index = createIndex(300, MIN_INDEX_BYTES);
    const answers: unknown[] = [];
    for (let i = 0; i < 1_500; i += 1) {
      const blocks = promptOf([
        ...sequence(0, pickIndex(rng, 50)),
        ...sequence(100 * pickIndex(rng, 90), pickIndex(rng, 40)),
      ]);
      const slot = pickIndex(rng, 25);
      index.insert(slot, blocks);
      if (i % 7 === 0) index.correct(slot, blocks, { cachedShare: rng.next() });
      if (i % 90 === 0) index.clear(pickIndex(rng, 25));
      answers.push(matchAll(index, blocks, 25));
    }
    return [...answers, index.entryCount, index.sizeBytes];
  };
  assert.deepEqual(run(), run());
});

test('more endpoints than there is memory for are left out, the others work', () => {
  const index = createIndex(1_000, MIN_INDEX_BYTES);
  const blocks = promptOf(sequence(0, 5));
  for (let slot = 0; slot < 3_000; slot += 1) index.insert(slot, blocks);
  assert.equal(matchOne(index, blocks, 0), 5);
  assert.equal(matchOne(index, blocks, 2_999), 0);
  for (let i = 0; i < 1_000; i += 1) index.clear(0);
  assert.equal(matchOne(index, blocks, 0), 0);
  assert.equal(matchOne(index, blocks, 1), 5);
});

test('too little memory, empty prompts and unknown slots', () => {
  assert.throws(() => createIndex(1, 1_000), /262144/);
  const index = createIndex();
  const none = promptOf([]);
  index.insert(0, none);
  index.correct(0, none, { cachedShare: 1 });
  index.clear(5);
  index.clear(70_000);
  index.insert(70_000, promptOf([1]));
  assert.equal(index.entryCount, 0);
  assert.deepEqual(matchAll(index, none, 2), [0, 0]);
});
