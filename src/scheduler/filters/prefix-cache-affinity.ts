import { HOLDINGS_OPTION, matchesFor } from '../framework/holdings-option.ts';
import type { OptionTable, ParsedOptions } from '../framework/options.ts';
import type { FilterDefinition, PluginContext } from '../framework/plugin.ts';
import type { PrefixMatches } from '../framework/prefix-matches.ts';
import { SloHeadroom } from '../framework/slo-headroom.ts';
import type { CandidateSet, Filter, PickInput } from '../types.ts';
import { keepWhere } from './keep-where.ts';

const OPTIONS: OptionTable = [
  {
    name: 'affinityThreshold',
    kind: 'number',
    default: 0.8,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Share of the prompt an endpoint must hold to count as sticky; 0 switches the filter off.',
  },
  {
    name: 'explorationProbability',
    kind: 'number',
    default: 0,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Share of the requests that the filter lets pass unfiltered.',
  },
  {
    name: 'maxTTFTPenaltyMs',
    kind: 'number',
    default: 18_000,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    doc: 'How much later than elsewhere the first token may come; 0 always sticks.',
  },
  {
    name: 'ttftSource',
    kind: 'choice',
    default: 'prefillThroughput',
    choices: ['prefillThroughput', 'latencyPredictor'],
    doc: 'Whether time to first token is tokens in flight over throughput, or the latency model’s.',
  },
  {
    name: 'peakPrefillThroughput',
    kind: 'number',
    default: 15_928,
    min: 1,
    max: 1e12,
    unit: 'tokens/s',
    doc: 'Prompt tokens an endpoint prefills at most, for `prefillThroughput`.',
  },
  HOLDINGS_OPTION,
];

/**
 * Sticks to endpoints that hold at least `affinityThreshold` of the prompt, unless the best of them
 * answers more than `maxTTFTPenaltyMs` later than the best other one, where TTFT = tokens in flight
 * / `peakPrefillThroughput`, or the latency model's. `prefix-cache-affinity-filter` of llm-d's
 * endpoint picker; its default throughput is of a 32B model on two H100.
 */
export const PREFIX_CACHE_AFFINITY_FILTER: FilterDefinition = {
  type: 'prefix-cache-affinity-filter',
  kind: 'filter',
  summary: 'Keeps endpoints that hold most of the prompt, unless they would answer much later.',
  options: OPTIONS,
  create: (options, context): Filter => new PrefixCacheAffinityFilter(options, context),
};

class PrefixCacheAffinityFilter implements Filter {
  readonly type = PREFIX_CACHE_AFFINITY_FILTER.type;
  readonly name: string;
  readonly isPreference: boolean = true;
  readonly #context: PluginContext;
  readonly #matches: PrefixMatches;
  readonly #headroom: SloHeadroom;
  readonly #threshold: number;
  readonly #exploration: number;
  readonly #penaltyMs: number;
  readonly #usesModel: boolean;
  readonly #tokensPerMs: number;

  constructor(options: ParsedOptions, context: PluginContext) {
    this.name = context.name;
    this.#context = context;
    this.#matches = matchesFor(options, context);
    this.#headroom = new SloHeadroom(context.latency);
    this.#threshold = options.number('affinityThreshold');
    this.#exploration = options.number('explorationProbability');
    this.#penaltyMs = options.number('maxTTFTPenaltyMs');
    this.#usesModel = options.text('ttftSource') === 'latencyPredictor';
    this.#tokensPerMs = options.number('peakPrefillThroughput') / 1000;
  }

  keep(input: PickInput, candidates: CandidateSet): number {
    const { positions, count } = candidates;
    if (count <= 1 || this.#threshold === 0) return count;
    if (this.#exploration > 0 && this.#context.rng.next() < this.#exploration) return count;
    if (this.#usesModel) this.#headroom.prepare(input);
    const matches = this.#matches.of(input, candidates);
    let stickyMs = Number.POSITIVE_INFINITY;
    let otherMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const matched = matches[position] as number;
      const ttftMs = this.#ttftMs(input, input.members[position] as number, matched);
      if (this.#isSticky(input, matched)) stickyMs = Math.min(stickyMs, ttftMs);
      else otherMs = Math.min(otherMs, ttftMs);
    }
    if (stickyMs === Number.POSITIVE_INFINITY) return count;
    if (this.#penaltyMs > 0 && stickyMs - otherMs > this.#penaltyMs) return count;
    return keepWhere(input, candidates, (_slot, position) =>
      this.#isSticky(input, matches[position] as number),
    );
  }

  #isSticky(input: PickInput, matchedBlocks: number): boolean {
    return this.#matches.shareOf(input, matchedBlocks) >= this.#threshold;
  }

  #ttftMs(input: PickInput, slot: number, matchedBlocks: number): number {
    if (this.#usesModel) return this.#headroom.predictTtftMs(input, slot, matchedBlocks);
    return (input.load.tokensInFlight[slot] as number) / this.#tokensPerMs;
  }
}
