import type { OptionTable, ParsedOptions } from '../framework/options.ts';
import type { PluginContext, ScorerDefinition } from '../framework/plugin.ts';
import { matchedShare } from '../framework/prefix-matches.ts';
import { SloHeadroom } from '../framework/slo-headroom.ts';
import type { CandidateSet, PickInput, Scorer } from '../types.ts';

function weightOption(name: string, value: number, doc: string): OptionTable[number] {
  return { name, kind: 'number', default: value, min: 0, max: 1_000_000, unit: '', doc };
}

const OPTIONS: OptionTable = [
  weightOption('ttftWeight', 0.8, 'Share of the time to first token in the score.'),
  weightOption('tpotWeight', 0.2, 'Share of the time per output token in the score.'),
  {
    name: 'headroomSelectionStrategy',
    kind: 'choice',
    default: 'least',
    choices: ['least', 'most'],
    doc: 'Whether endpoints that meet the objective closely, or amply, come first.',
  },
  weightOption('compositeKVWeight', 1, 'Share of free KV cache while no latency is known.'),
  weightOption('compositeQueueWeight', 1, 'Share of the short queue while no latency is known.'),
  weightOption('compositePrefixWeight', 1, 'Share of the held prompt while no latency is known.'),
];

/** Scores are multiples of one hundredth, as in the original. */
const STEPS = 100;
/** Differences in milliseconds that count as none. */
const EPSILON = 1e-9;

/** Why an endpoint is scored with others: best bucket first. */
const MEETS = 0;
const IDLE = 1;
const MISSES_TPOT = 2;
const MISSES_TTFT = 3;
const MISSES_BOTH = 4;

/**
 * Headroom h = objective − prediction. Only the best bucket that is not empty is scored: both h ≥
 * 0; idle; only TPOT missed; only TTFT missed; both. In it, with a = |h| scaled to [0, 1] over the
 * bucket, x = ttftWeight × a(TTFT) + tpotWeight × a(TPOT); the score is (⌊100 × (1 − x)⌋ + 1) /
 * 100, with x for 1 − x when objectives are met and the strategy is `most`. While no endpoint's
 * latency was observed: the weighted mean of free KV cache, relative queue and held prompt.
 * `latency-scorer` of llm-d's endpoint picker, fed by Penstock's own latency model.
 */
export const LATENCY_SCORER: ScorerDefinition = {
  type: 'latency-scorer',
  kind: 'scorer',
  summary: 'Prefers endpoints by predicted headroom towards the latency objective.',
  options: OPTIONS,
  create: (options, context): Scorer => new LatencyScorer(options, context),
};

class LatencyScorer implements Scorer {
  readonly type = LATENCY_SCORER.type;
  readonly name: string;
  readonly #context: PluginContext;
  readonly #headroom: SloHeadroom;
  readonly #ttftShare: number;
  readonly #prefersMost: boolean;
  readonly #kvWeight: number;
  readonly #queueWeight: number;
  readonly #prefixWeight: number;
  #ttft: Float64Array = new Float64Array(16);
  #tpot: Float64Array = new Float64Array(16);
  #buckets: Uint8Array = new Uint8Array(16);

  constructor(options: ParsedOptions, context: PluginContext) {
    this.name = context.name;
    this.#context = context;
    this.#headroom = new SloHeadroom(context.latency);
    const ttft = options.number('ttftWeight');
    const sum = ttft + options.number('tpotWeight');
    this.#ttftShare = sum > 0 ? ttft / sum : 1;
    this.#prefersMost = options.text('headroomSelectionStrategy') === 'most';
    const kv = options.number('compositeKVWeight');
    const queue = options.number('compositeQueueWeight');
    const prefix = options.number('compositePrefixWeight');
    const composite = kv + queue + prefix;
    this.#kvWeight = composite > 0 ? kv / composite : 1;
    this.#queueWeight = composite > 0 ? queue / composite : 0;
    this.#prefixWeight = composite > 0 ? prefix / composite : 0;
  }

  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    this.#headroom.prepare(input);
    if (!this.#isAnyKnown(input, candidates)) {
      this.#scoreComposite(input, candidates, scores);
      return;
    }
    const bucket = this.#sort(input, candidates);
    scores.fill(0, 0, candidates.count);
    this.#scoreBucket(bucket, candidates.count, scores);
  }

  #isAnyKnown({ members }: PickInput, { positions, count }: CandidateSet): boolean {
    const { latency } = this.#context;
    for (let i = 0; i < count; i += 1) {
      if (latency.confidence(members[positions[i] as number] as number) > 0) return true;
    }
    return false;
  }

  /** Fills headroom and bucket of each candidate; returns the best bucket there is. */
  #sort(input: PickInput, candidates: CandidateSet): number {
    const { positions, count } = candidates;
    if (this.#ttft.length < count) this.#grow(positions.length);
    const matched = this.#context.matches.of(input, candidates);
    let best = MISSES_BOTH;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = input.members[position] as number;
      const ttft = this.#headroom.ttftMs(input, slot, matched[position] as number);
      const tpot = this.#headroom.tpotMs(input, slot);
      const isIdle = input.load.requestsInFlight[slot] === 0;
      const bucket = bucketOf(ttft, tpot, isIdle);
      this.#ttft[i] = Math.abs(ttft);
      this.#tpot[i] = Math.abs(tpot);
      this.#buckets[i] = bucket;
      if (bucket < best) best = bucket;
    }
    return best;
  }

  #grow(size: number): void {
    this.#ttft = new Float64Array(size);
    this.#tpot = new Float64Array(size);
    this.#buckets = new Uint8Array(size);
  }

  #scoreBucket(bucket: number, count: number, scores: Float64Array): void {
    const ttft = this.#rangeOf(this.#ttft, bucket, count);
    const tpot = this.#rangeOf(this.#tpot, bucket, count);
    let share = this.#ttftShare;
    // What is equal everywhere must not squeeze what differs.
    if (ttft.width <= EPSILON && tpot.width > EPSILON) share = 0;
    else if (tpot.width <= EPSILON && ttft.width > EPSILON) share = 1;
    const rises = bucket === MEETS && this.#prefersMost;
    for (let i = 0; i < count; i += 1) {
      if (this.#buckets[i] !== bucket) continue;
      const x =
        share * scaleTo(ttft, this.#ttft[i] as number) +
        (1 - share) * scaleTo(tpot, this.#tpot[i] as number);
      scores[i] = (Math.floor((rises ? x : 1 - x) * STEPS) + 1) / STEPS;
    }
  }

  #rangeOf(values: Float64Array, bucket: number, count: number): Range {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      if (this.#buckets[i] !== bucket) continue;
      least = Math.min(least, values[i] as number);
      most = Math.max(most, values[i] as number);
    }
    return { least, width: most - least };
  }

  #scoreComposite(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { load, members } = input;
    const { positions, count } = candidates;
    const matched = this.#context.matches.of(input, candidates);
    let longest = 0;
    for (let i = 0; i < count; i += 1) {
      const slot = members[positions[i] as number] as number;
      longest = Math.max(longest, load.lastWaiting[slot] as number);
    }
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const usage = load.kvCacheUsage[slot] as number;
      const queue = longest > 0 ? (longest - (load.lastWaiting[slot] as number)) / longest : 1;
      const composite =
        this.#kvWeight * (usage >= 0 ? 1 - usage : 1) +
        this.#queueWeight * queue +
        this.#prefixWeight * matchedShare(input, matched[position] as number);
      scores[i] = Math.round(STEPS * composite) / STEPS;
    }
  }
}

interface Range {
  readonly least: number;
  readonly width: number;
}

function scaleTo({ least, width }: Range, value: number): number {
  return width > EPSILON ? (value - least) / width : 0.5;
}

function bucketOf(ttftMs: number, tpotMs: number, isIdle: boolean): number {
  if (ttftMs >= 0 && tpotMs >= 0) return MEETS;
  if (isIdle) return IDLE;
  if (ttftMs >= 0) return MISSES_TPOT;
  return tpotMs >= 0 ? MISSES_TTFT : MISSES_BOTH;
}
