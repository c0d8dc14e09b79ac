import { IdHashes, mixWords } from '../framework/hash.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { PromptBlocks, Scorer } from '../types.ts';
import { LOAD_FACTOR, scoreByHash } from './bounded-hash.ts';

/** Bytes per token that turn `prefixTokens` into blocks; the field's rule of thumb. */
const BYTES_PER_TOKEN = 4;

/**
 * Sends prompts that begin alike to the same endpoint: rendezvous hashing with bounded loads over
 * the hash of their first `prefixTokens`; 1 for all without a whole block. SGLang's router calls it
 * `prefix_hash`; its defaults are these, too.
 */
export const PREFIX_HASH_SCORER: ScorerDefinition = {
  type: 'prefix-hash',
  kind: 'scorer',
  summary: 'Same beginning of the prompt, same endpoint: rendezvous hashing with bounded loads.',
  options: [
    {
      name: 'prefixTokens',
      kind: 'integer',
      default: 256,
      min: 1,
      max: 1_000_000,
      unit: 'tokens',
      doc: 'Leading tokens that decide, rounded to whole blocks, at least one.',
    },
    LOAD_FACTOR,
  ],
  create(options, { name }): Scorer {
    const prefixBytes = options.number('prefixTokens') * BYTES_PER_TOKEN;
    const loadFactor = options.number('loadFactor');
    const ids = new IdHashes();
    return {
      type: PREFIX_HASH_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const { blocks } = input;
        if (blocks === null || blocks.count === 0) {
          scores.fill(1, 0, candidates.count);
          return;
        }
        const key = keyOf(blocks, prefixBytes);
        scoreByHash(input, candidates, { key, ids, loadFactor, scores });
      },
    };
  },
};

/** The chained hash at the end of the prefix, which covers all that comes before. */
function keyOf({ hashes, count, blockBytes }: PromptBlocks, prefixBytes: number): number {
  const wanted = Math.max(1, Math.round(prefixBytes / blockBytes));
  const last = 2 * (Math.min(wanted, count) - 1);
  return mixWords(hashes[last] as number, hashes[last + 1] as number);
}
