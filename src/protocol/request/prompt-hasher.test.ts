import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { findApi } from '../api-table.ts';
import { cutAt, cuts, singleBytes } from '../testing/chunks.ts';
import { referenceBlocks } from '../testing/reference-hash.ts';
import { createPromptKey, PROMPT_KEY_BYTES, type PromptKey } from '../wasm/prompt-key.ts';
import type { BodyReader } from './body-reader.ts';
import { createBodyReader } from './create-body-reader.ts';
import { MAX_PROMPT_BLOCKS, PROMPT_BLOCK_BYTES, type PromptBlocks } from './prompt-blocks.ts';

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const KEY = keyFrom(1);

function keyFrom(seed: number): PromptKey {
  const rng = createRng(seed);
  return createPromptKey(
    Uint8Array.from({ length: PROMPT_KEY_BYTES }, () => Math.floor(rng.next() * 256)),
  );
}

function start(path: string, key: PromptKey | null = KEY): BodyReader {
  return createBodyReader(findApi(path)!, 'application/json', key);
}

function read(chunks: readonly Uint8Array[], path = CHAT, key: PromptKey = KEY): BodyReader {
  const reader = start(path, key);
  for (const chunk of chunks) reader.push(chunk);
  reader.finish();
  assert.equal(reader.failure, null);
  return reader;
}

function blocksOf(body: object, path = CHAT, salt = 'pool'): string[] {
  return list(
    read([Buffer.from(JSON.stringify({ model: 'm', ...body }))], path).promptBlocks(salt),
  );
}

/** The hashes as text, one for each block. */
function list(blocks: PromptBlocks): string[] {
  assert.equal(blocks.blockBytes, PROMPT_BLOCK_BYTES);
  assert.equal(blocks.hashes.length, blocks.count * 2);
  return Array.from({ length: blocks.count }, (_, index) =>
    [blocks.hashes[index * 2 + 1], blocks.hashes[index * 2]]
      .map((word) => word!.toString(16).padStart(8, '0'))
      .join(''),
  );
}

/** How many blocks two prompts share at their beginning; none may be the same after that. */
function shared(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  const rest = new Set(a.slice(count));
  assert.ok(!b.slice(count).some((hash) => rest.has(hash)), 'nothing in common after a difference');
  return count;
}

/** Text that does not repeat itself, so that no two blocks are alike by chance. */
function prose(seed: number, length: number): string {
  const rng = createRng(seed);
  let text = '';
  while (text.length < length) text += `${Math.floor(rng.next() * 1e9).toString(36)} é\n`;
  return text.slice(0, length);
}

const message = (role: string, content: string): object => ({ role, content });

const text = fc.tuple(fc.nat(9), fc.nat(1500)).map(([seed, length]) => prose(seed, length));
const fields = fc.record(
  {
    model: fc.constant('m'),
    system: text,
    messages: fc.array(
      text.map((content) => message('user', content)),
      { maxLength: 4 },
    ),
    tools: fc.array(text, { maxLength: 2 }),
    cache_salt: fc.constantFrom('a', 'b'),
    metadata: text,
  },
  { requiredKeys: ['model'] },
);
const order = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });

function inOrder(body: object, keys: readonly number[]): Buffer {
  const entries = Object.entries(body).map((entry, index) => ({ entry, key: keys[index] ?? 0 }));
  const sorted = entries.sort((a, b) => a.key - b.key).map(({ entry }) => entry);
  return Buffer.from(JSON.stringify(Object.fromEntries(sorted)));
}

test('blocks are the same in whatever chunks and order of fields a body comes', () => {
  fc.assert(
    fc.property(fields, order, cuts, (body, keys, places) => {
      const whole = list(read([Buffer.from(JSON.stringify(body))], MESSAGES).promptBlocks('s'));
      const bytes = inOrder(body, keys);
      assert.deepEqual(list(read([bytes], MESSAGES).promptBlocks('s')), whole);
      assert.deepEqual(list(read(cutAt(bytes, places), MESSAGES).promptBlocks('s')), whole);
      assert.deepEqual(list(read(singleBytes(bytes), MESSAGES).promptBlocks('s')), whole);
    }),
  );
});

test('blocks are those of the definition, worked out with big integers', () => {
  fc.assert(
    fc.property(fields, fc.string({ unit: 'grapheme' }), (body, salt) => {
      const reader = read([Buffer.from(JSON.stringify(body))], MESSAGES);
      const raw = (value: unknown): Buffer | null =>
        value === undefined ? null : Buffer.from(JSON.stringify(value));
      const expected = referenceBlocks({
        key: KEY,
        salt: `messages ${salt}`,
        modifiers: [raw(body.tools), raw(body.cache_salt)],
        texts: [raw(body.system), raw(body.messages)],
      });
      assert.deepEqual(list(reader.promptBlocks(salt)), expected);
    }),
    { numRuns: 50 },
  );
});

test('once there are blocks, more of the body adds to them and changes none', () => {
  fc.assert(
    fc.property(fields, order, cuts, (body, keys, places) => {
      const reader = start(MESSAGES);
      let known: string[] = [];
      for (const chunk of cutAt(inOrder(body, keys), places)) {
        reader.push(chunk);
        const now = list(reader.promptBlocks('s'));
        assert.deepEqual(now.slice(0, known.length), known);
        known = now;
      }
    }),
  );
});

test('asking early changes nothing when what comes before the text is there', () => {
  const body = { tools: [prose(2, 700)], system: prose(1, 900), messages: [prose(3, 3000)] };
  const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }));
  const reader = start(MESSAGES);
  const counts = new Set<number>();
  for (const chunk of cutAt(
    bytes,
    Array.from({ length: 40 }, (_, index) => index * 120),
  )) {
    reader.push(chunk);
    counts.add(reader.promptBlocks('pool').count);
  }
  assert.deepEqual(list(reader.promptBlocks('pool')), blocksOf(body, MESSAGES));
  assert.ok(counts.size > 10);
});

test('asking again without more of the prompt gives the same object, for the same salt', () => {
  const reader = start(CHAT);
  reader.push(Buffer.from(`{"messages":["${'x'.repeat(600)}`));
  const first = reader.promptBlocks('a');
  reader.push(Buffer.from('y'.repeat(100)));
  assert.equal(reader.promptBlocks('a'), first);
  assert.notDeepEqual(reader.promptBlocks('b'), first);
  assert.deepEqual(reader.promptBlocks('a'), first);
  reader.push(Buffer.from('y'.repeat(100)));
  assert.equal(reader.promptBlocks('a').count, first.count + 1);
});

test('there are no blocks while tools are being read', () => {
  const reader = start(CHAT);
  reader.push(Buffer.from(`{"messages":["${prose(1, 600).replaceAll('\n', ' ')}"],"tools":[`));
  assert.equal(reader.promptBlocks('').count, 0);
  reader.push(Buffer.from('1],"model":"m"}'));
  assert.equal(reader.promptBlocks('').count, 2);
});

test('bodies read in turns do not disturb each other', () => {
  const bodies = [1, 2, 3].map((seed) =>
    Buffer.from(JSON.stringify({ model: 'm', messages: [prose(seed, 4000)] })),
  );
  const readers = bodies.map(() => start(CHAT));
  for (let from = 0; from < 5000; from += 77) {
    readers.forEach((reader, index) => {
      reader.push(bodies[index]!.subarray(from, from + 77));
      if (from % 3 === 0) reader.promptBlocks('other');
    });
  }
  readers.forEach((reader, index) => {
    assert.deepEqual(
      list(reader.promptBlocks('pool')),
      list(read([bodies[index]!]).promptBlocks('pool')),
    );
  });
});

test('a chat that grows by turns keeps all its blocks but the last', () => {
  let messages = [message('system', prose(1, 2000))];
  let before = blocksOf({ messages });
  for (let turn = 0; turn < 6; turn++) {
    const wholeBefore = Buffer.byteLength(JSON.stringify(messages)) - 1;
    messages = [...messages, message('user', prose(10 + turn, 500)), message('assistant', 'yes')];
    const after = blocksOf({ messages });
    // The closing bracket is the one byte that does not stay.
    assert.equal(shared(before, after), Math.floor(wholeBefore / PROMPT_BLOCK_BYTES));
    before = after;
  }
});

test('chats with one system prompt share its blocks and no others', () => {
  const system = message('system', prose(1, 6000));
  const one = blocksOf({ messages: [system, message('user', prose(2, 900))] });
  const two = blocksOf({ messages: [system, message('user', prose(3, 900))] });
  const bytes = Buffer.byteLength(JSON.stringify([system, message('user', '')])) - 3;
  assert.equal(shared(one, two), Math.floor(bytes / PROMPT_BLOCK_BYTES));
  const ofAnthropic = (user: string): string[] =>
    blocksOf({ messages: [message('user', user)], system: prose(1, 6000) }, MESSAGES);
  const systemBytes = Buffer.byteLength(JSON.stringify(prose(1, 6000)));
  assert.equal(
    shared(ofAnthropic(prose(2, 900)), ofAnthropic(prose(3, 900))),
    Math.floor(systemBytes / PROMPT_BLOCK_BYTES),
  );
});

test('an edited middle matches up to the edit', () => {
  const content = prose(1, 8000);
  const edited = `${content.slice(0, 4000)}X${content.slice(4001)}`;
  const [one, two] = [content, edited].map((prompt) => blocksOf({ prompt }, '/v1/completions'));
  const at = Buffer.byteLength(JSON.stringify(content.slice(0, 4000))) - 1;
  assert.equal(shared(one!, two!), Math.floor(at / PROMPT_BLOCK_BYTES));
});

test('messages that follow another system prompt have nothing in common', () => {
  const messages = [message('user', prose(1, 3000))];
  const bodies: object[] = [
    { messages },
    { messages, system: '' },
    { messages, system: 'short' },
    { messages, system: 'shorT' },
    { messages, system: prose(2, 400) },
  ];
  const all = bodies.map((body) => blocksOf(body, MESSAGES));
  for (const one of all) for (const two of all) if (one !== two) assert.equal(shared(one, two), 0);
});

test('salt, tools, cache_salt, key and API are part of every block', () => {
  const body = { messages: [message('user', prose(1, 3000))] };
  const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }));
  const all = [
    blocksOf(body),
    blocksOf(body, CHAT, 'other'),
    blocksOf({ ...body, tools: [] }),
    blocksOf({ ...body, tools: [{ type: 'function' }] }),
    blocksOf({ ...body, tools: prose(3, 5000) }),
    blocksOf({ ...body, tools: prose(3, 5001) }),
    blocksOf({ ...body, cache_salt: 'a' }),
    blocksOf({ ...body, cache_salt: 'b' }),
    blocksOf(body, MESSAGES),
    list(read([bytes], CHAT, keyFrom(2)).promptBlocks('pool')),
  ];
  for (const hashes of all) assert.equal(hashes.length, all[0]!.length);
  for (const one of all) for (const two of all) if (one !== two) assert.equal(shared(one, two), 0);
});

test('what does not change the prompt changes no block', () => {
  const body = { messages: [message('user', prose(1, 3000))] };
  const more = { ...body, temperature: 0.5, stream: true, max_tokens: 5, user: 'u' };
  assert.deepEqual(blocksOf({ ...more, model: 'm2' }), blocksOf(body));
});

test('a long salt counts to its end', () => {
  const body = { prompt: prose(1, 600) };
  const salted = (salt: string): string[] => blocksOf(body, '/v1/completions', salt);
  const base = prose(5, 3000);
  assert.equal(shared(salted(`${base}a`), salted(`${base}b`)), 0);
  assert.deepEqual(salted(base), salted(base));
});

test('a field given twice counts with its first value', () => {
  const first = JSON.stringify(prose(1, 900));
  const second = JSON.stringify(prose(2, 900));
  const bytes = Buffer.from(`{"model":"m","prompt":${first},"prompt":${second}}`);
  const blocks = list(read([bytes], '/v1/completions').promptBlocks('pool'));
  assert.deepEqual(blocks, blocksOf({ prompt: prose(1, 900) }, '/v1/completions'));
});

test('blocks of a prompt longer than the limit are its first ones', () => {
  const limit = MAX_PROMPT_BLOCKS * PROMPT_BLOCK_BYTES;
  const long = 'x'.repeat(limit - 5000) + prose(1, 20_000);
  const longer = `${long} and more`;
  const all = blocksOf({ prompt: long }, '/v1/completions');
  assert.equal(all.length, MAX_PROMPT_BLOCKS);
  assert.deepEqual(blocksOf({ prompt: longer }, '/v1/completions'), all);
  assert.equal(new Set(all).size, MAX_PROMPT_BLOCKS);
  const bytes = Buffer.from(JSON.stringify({ model: 'm', prompt: long }));
  const split = read(cutAt(bytes, [100, 70_001, limit - 1, limit + 7]), '/v1/completions');
  assert.deepEqual(list(split.promptBlocks('pool')), all);
  const afterSystem = blocksOf({ messages: [long], system: prose(3, 9000) }, MESSAGES);
  assert.equal(afterSystem.length, MAX_PROMPT_BLOCKS);
  assert.deepEqual(blocksOf({ system: prose(3, 9000), messages: [longer] }, MESSAGES), afterSystem);
});

test('only whole blocks count', () => {
  const ofLength = (bytes: number): number =>
    blocksOf({ prompt: 'x'.repeat(bytes - 2) }, '/v1/completions').length;
  assert.deepEqual([2, 255, 256, 511, 512, 513].map(ofLength), [0, 0, 1, 1, 2, 2]);
});

test('there are no blocks without a prompt, a prefix cache or a key', () => {
  const messages = [message('user', prose(1, 3000))];
  assert.equal(blocksOf({ metadata: prose(1, 3000) }).length, 0);
  assert.equal(blocksOf({ messages }, '/v1/messages/count_tokens').length, 0);
  assert.equal(blocksOf({ input: prose(1, 3000) }, '/v1/embeddings').length, 0);
  assert.ok(blocksOf({ input: prose(1, 3000) }, '/v1/responses').length > 0);
  const reader = start(CHAT, null);
  reader.push(Buffer.from(JSON.stringify({ model: 'm', messages })));
  reader.finish();
  assert.equal(reader.promptBlocks('').count, 0);
});

test('a hash has no bit that is always, or nearly always, the same', () => {
  const blocks = read([
    Buffer.from(JSON.stringify({ model: 'm', messages: ['x'.repeat(1_000_000)] })),
  ]).promptBlocks('pool');
  const ones = Array.from({ length: 64 }, () => 0);
  for (let block = 0; block < blocks.count; block++) {
    for (let bit = 0; bit < 64; bit++) {
      ones[bit]! += (blocks.hashes[block * 2 + (bit >> 5)]! >>> (bit & 31)) & 1;
    }
  }
  // Of 3,906 fair coins, fewer than 1,700 or more than 2,200 show heads once in 10^14 times.
  for (const count of ones) assert.ok(count > 1700 && count < 2200, `${count}`);
});

test('a salt that was worked out before gives the same blocks, whatever came in between', () => {
  const plain = { messages: [message('user', prose(1, 3000))] };
  const variants: readonly (() => string[])[] = [
    () => blocksOf(plain),
    () => blocksOf(plain, CHAT, 'other'),
    () => blocksOf({ ...plain, tools: [{ type: 'function' }] }),
    () => blocksOf(plain, MESSAGES),
    () => blocksOf({ ...plain, system: prose(2, 700) }, MESSAGES),
    () =>
      list(
        read(
          [Buffer.from(JSON.stringify({ model: 'm', ...plain }))],
          CHAT,
          keyFrom(2),
        ).promptBlocks('pool'),
      ),
  ];
  const first = variants.map((blocks) => blocks());
  for (const order of [variants, variants.toReversed()]) {
    for (const blocks of order) {
      assert.deepEqual(blocks(), first[variants.indexOf(blocks)]);
      assert.deepEqual(blocks(), first[variants.indexOf(blocks)]);
    }
  }
});

test('the mask takes the salt off again, where a prompt is one text and nothing else', () => {
  const body = { messages: [message('user', prose(1, 3000))] };
  const blocksWith = (salt: string, more: object, api = CHAT): PromptBlocks =>
    read([Buffer.from(JSON.stringify({ model: 'm', ...body, ...more }))], api).promptBlocks(salt);
  const bare = ({ hashes, mask }: PromptBlocks): number[] =>
    Array.from(hashes, (word, i) => (word ^ (i % 2 === 0 ? mask!.low : mask!.high)) >>> 0);
  const [one, two] = [blocksWith('pool', {}), blocksWith('other', {})];
  assert.notDeepEqual([...one.hashes], [...two.hashes]);
  assert.deepEqual(bare(one), bare(two));
  assert.equal(blocksWith('pool', { tools: [] }).mask, undefined);
  assert.equal(blocksWith('pool', { cache_salt: 'a' }).mask, undefined);
  assert.equal(blocksWith('pool', { system: prose(2, 700) }, MESSAGES).mask, undefined);
});
