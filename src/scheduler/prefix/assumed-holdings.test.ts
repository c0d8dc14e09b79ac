import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixMatches } from '../framework/prefix-matches.ts';
import {
  allCandidates,
  createTestBlocks,
  createTestInput,
  createTestLoad,
} from '../testing/pick-world.ts';
import type { PickInput } from '../types.ts';
import { ASSUMED_PROMPT_BLOCKS, AssumedHoldings } from './assumed-holdings.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** A prompt of `count` blocks; equal numbers are equal prompts. */
function promptInput(prompt: number, count: number, load = createTestLoad(2)): PickInput {
  const seeds = Array.from({ length: count }, (_, index) => prompt * 100_000 + index);
  return createTestInput(load, { blocks: createTestBlocks(seeds) });
}

function matchedOf(holdings: AssumedHoldings, input: PickInput): readonly number[] {
  const matches = new PrefixMatches(holdings, ASSUMED_PROMPT_BLOCKS);
  matches.begin();
  return [...matches.of(input, allCandidates(input)).subarray(0, input.members.length)];
}

test('an endpoint is assumed to hold what was sent there, and nothing else', () => {
  const holdings = new AssumedHoldings(MAX_BYTES);
  holdings.noteBooked(1, promptInput(1, 100));
  holdings.noteBooked(1, createTestInput(createTestLoad(2)));
  assert.deepEqual(matchedOf(holdings, promptInput(1, 120)), [0, 100]);
  assert.deepEqual(matchedOf(holdings, promptInput(2, 100)), [0, 0]);
  assert.equal(holdings.blocksOf(1), 100);
});

test('the reported cache bounds what is held, and the prompt used longest ago goes first', () => {
  const holdings = new AssumedHoldings(MAX_BYTES);
  const load = createTestLoad(2);
  // 150 blocks of 256 bytes at 4 bytes a token.
  load.kvBlockTokens[0] = 16;
  load.kvBlockCount[0] = 600;
  holdings.noteBooked(0, promptInput(1, 100, load));
  holdings.noteBooked(0, promptInput(2, 50, load));
  holdings.noteBooked(0, promptInput(1, 100, load));
  holdings.noteBooked(0, promptInput(3, 50, load));
  assert.equal(holdings.blocksOf(0), 150);
  assert.deepEqual(matchedOf(holdings, promptInput(1, 100)), [100, 0]);
  assert.deepEqual(matchedOf(holdings, promptInput(2, 50)), [0, 0]);
  assert.deepEqual(matchedOf(holdings, promptInput(3, 50)), [50, 0]);
});

test('a cache that turns out smaller is trimmed with the next booking', () => {
  const holdings = new AssumedHoldings(MAX_BYTES);
  const load = createTestLoad(2);
  holdings.noteBooked(0, promptInput(1, 100, load));
  load.kvBlockTokens[0] = 16;
  load.kvBlockCount[0] = 200;
  holdings.noteBooked(0, promptInput(2, 10, load));
  assert.equal(holdings.blocksOf(0), 50);
});

test('of a longer prompt the first 131,072 tokens count, as if they were all of it', () => {
  const holdings = new AssumedHoldings(MAX_BYTES);
  const input = promptInput(1, 3000);
  holdings.noteBooked(0, input);
  assert.equal(ASSUMED_PROMPT_BLOCKS, 2048);
  assert.deepEqual(matchedOf(holdings, input), [2048, 0]);
  assert.equal(new PrefixMatches(holdings, ASSUMED_PROMPT_BLOCKS).shareOf(input, 2048), 1);
});

test('an endpoint that is gone leaves nothing to the next in its slot', () => {
  const holdings = new AssumedHoldings(MAX_BYTES);
  holdings.noteBooked(0, promptInput(1, 100));
  holdings.noteRemoved(0);
  assert.deepEqual(matchedOf(holdings, promptInput(1, 100)), [0, 0]);
});

test('memory is bounded: what does not fit pushes out the oldest', () => {
  const holdings = new AssumedHoldings(262_144);
  for (let prompt = 0; prompt < 200; prompt += 1) holdings.noteBooked(0, promptInput(prompt, 100));
  assert.deepEqual(matchedOf(holdings, promptInput(199, 100)), [100, 0]);
  assert.deepEqual(matchedOf(holdings, promptInput(0, 100)), [0, 0]);
});
