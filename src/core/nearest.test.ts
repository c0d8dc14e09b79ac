import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNearest } from './nearest.ts';

test('a typing error finds the word that was meant', () => {
  assert.equal(findNearest('endpoint', ['endpoints', 'engine', 'name']), 'endpoints');
  assert.equal(findNearest('Qwen2.5-7b', ['Qwen2.5-7B', 'Llama-3.1-8B']), 'Qwen2.5-7B');
});

test('a word that resembles none gets no suggestion', () => {
  assert.equal(findNearest('gpt-4o', ['Qwen2.5-7B-Instruct', 'Llama-3.1-8B']), null);
  assert.equal(findNearest('a', []), null);
});
