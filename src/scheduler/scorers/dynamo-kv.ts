import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import { matchedShare } from '../framework/prefix-matches.ts';
import type { PickInput, Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'overlapScoreWeight',
    kind: 'number',
    default: 1,
    min: 0,
    max: 1_000_000,
    unit: '',
    doc: 'Weight of the blocks to prefill against the blocks being decoded.',
  },
  {
    name: 'blockTokens',
    kind: 'integer',
    default: 16,
    min: 1,
    max: 65_536,
    unit: 'tokens',
    doc: 'Tokens per KV-cache block of endpoints that do not report it.',
  },
];

/**
 * cost = `overlapScoreWeight` × prefill blocks + decode blocks; the score is (max − cost) / (max −
 * min), 1 when all are equal. Prefill blocks are the uncached prompt tokens of this request and of
 * those not yet prefilled; decode blocks the reported KV use, or the tokens in flight where none is
 * reported; each over the block size. The worker selection of NVIDIA Dynamo's router in `kv` mode
 * at temperature 0. Its index follows KV events of the workers; ours, corrected by what engines
 * report of each answer, stands in for that.
 */
export const DYNAMO_KV_SCORER: ScorerDefinition = {
  type: 'dynamo-kv',
  kind: 'scorer',
  summary: 'Least weight × blocks to prefill + blocks being decoded.',
  options: OPTIONS,
  create(options, { name, matches }): Scorer {
    const weight = options.number('overlapScoreWeight');
    const defaultBlockTokens = options.number('blockTokens');
    return {
      type: DYNAMO_KV_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const { positions, count } = candidates;
        const matched = matches.of(input, candidates);
        let least = Number.POSITIVE_INFINITY;
        let most = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          const slot = input.members[position] as number;
          const reported = input.load.kvBlockTokens[slot] as number;
          const blockTokens = reported > 0 ? reported : defaultBlockTokens;
          const uncached = input.promptTokens * (1 - matchedShare(input, matched[position] ?? 0));
          const prefill = (input.load.prefillTokensInFlight[slot] as number) + uncached;
          const cost =
            weight * (prefill / blockTokens) + countDecodeBlocks(input, slot, blockTokens);
          scores[i] = cost;
          least = Math.min(least, cost);
          most = Math.max(most, cost);
        }
        for (let i = 0; i < count; i += 1) {
          scores[i] = most === least ? 1 : (most - (scores[i] as number)) / (most - least);
        }
      },
    };
  },
};

function countDecodeBlocks({ load }: PickInput, slot: number, blockTokens: number): number {
  const reported = (load.kvCacheUsage[slot] as number) * (load.kvBlockCount[slot] as number);
  if (reported >= 0) return reported;
  const prefillTokens = load.prefillTokensInFlight[slot] as number;
  return ((load.tokensInFlight[slot] as number) - prefillTokens) / blockTokens;
}
