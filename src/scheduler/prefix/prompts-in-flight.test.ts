import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PrefixIndex } from './prefix-index.ts';
import { PromptsInFlight } from './prompts-in-flight.ts';
import { promptOf, sequence } from './testing/prompts.ts';

const CAPACITY = 640;

function createIndex(): PrefixIndex {
  return new PrefixIndex({ maxBytes: 2 ** 21, defaultBlocksPerEndpoint: CAPACITY });
}

/** A prompt of 40 blocks that begins like no other. */
function promptOfNumber(number: number): ReturnType<typeof promptOf> {
  return promptOf([1000 + number, ...sequence(0, 39)]);
}

function heldOf(index: PrefixIndex, number: number): number {
  const out = new Int32Array(1);
  const members = Int32Array.of(0);
  index.match(promptOfNumber(number), members, { positions: members, count: 1 }, out);
  return out[0]!;
}

test('a prompt of a request under way is kept while others fill the cache several times', () => {
  const index = createIndex();
  const ticket = index.begin(0, promptOfNumber(0));
  for (let number = 1; number <= 100; number += 1) index.insert(0, promptOfNumber(number));
  assert.equal(heldOf(index, 0), 40);
  assert.equal(heldOf(index, 100), 40);
  assert.equal(heldOf(index, 50), 0);
  assert.equal(index.blocksOf(0), CAPACITY);
  index.end(ticket);
  for (let number = 101; number <= 120; number += 1) index.insert(0, promptOfNumber(number));
  assert.equal(heldOf(index, 0), 0);
});

test('others are put out sooner by what is under way', () => {
  const countKept = (underWay: number): number => {
    const index = createIndex();
    for (let number = 0; number < underWay; number += 1) index.begin(0, promptOfNumber(number));
    for (let number = 50; number < 100; number += 1) index.insert(0, promptOfNumber(number));
    let kept = 0;
    for (let number = 50; number < 100; number += 1) kept += heldOf(index, number) === 40 ? 1 : 0;
    return kept;
  };
  assert.equal(countKept(0), 16);
  assert.equal(countKept(8), 8);
});

test('a restarted engine has nothing of what was under way, and its requests may end', () => {
  const index = createIndex();
  const ticket = index.begin(0, promptOfNumber(0));
  index.clear(0);
  for (let number = 1; number <= 20; number += 1) index.insert(0, promptOfNumber(number));
  assert.equal(heldOf(index, 0), 0);
  index.end(ticket);
  const next = index.begin(0, promptOfNumber(7));
  assert.equal(next, ticket, 'places are given out again');
});

test('a prompt without blocks is no prompt under way', () => {
  const index = createIndex();
  assert.equal(index.begin(0, promptOf([])), 0);
  index.end(0);
});

test('lists are those of a plain model, whatever is added, renewed, removed and abandoned', () => {
  const blocks = promptOf([1]);
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'renew', 'remove', 'abandon'),
    lane: fc.integer({ min: 1, max: 3 }),
    choice: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const lists = new PromptsInFlight(3);
      /** In order of renewal. */
      let model: { place: number; lane: number; epoch: number }[] = [];
      steps.forEach(({ kind, lane, choice }, index) => {
        const epoch = index & 127;
        const chosen = model.length === 0 ? undefined : model[choice % model.length];
        if (kind === 'add') model.push({ place: lists.add(lane, blocks, epoch), lane, epoch });
        else if (kind === 'abandon') {
          lists.abandon(lane);
          model = model.map((each) => (each.lane === lane ? { ...each, lane: 0 } : each));
        } else if (chosen !== undefined) {
          model = model.filter((each) => each !== chosen);
          if (kind === 'remove') lists.remove(chosen.place);
          else if (chosen.lane !== 0) {
            lists.renew(chosen.place, epoch);
            model.push({ ...chosen, epoch });
          } else model.push(chosen);
        }
        const places = model.map(({ place }) => place);
        assert.equal(new Set(places).size, places.length);
        for (const each of [1, 2, 3]) {
          const oldest = model.find((entry) => entry.lane === each);
          assert.equal(lists.oldest(each), oldest?.place ?? 0);
          if (oldest !== undefined) assert.equal(lists.epochOf(oldest.place), oldest.epoch);
        }
      });
    }),
  );
});
