import { assert } from '../../core/assert.ts';
import type { RunResult } from './results.ts';
import {
  judgeRuns,
  measureTerm,
  type ObjectiveTerm,
  type ObjectiveVerdict,
} from './sizing-objective.ts';

/** Runs a fleet of so many replicas once per seed; resolves in the order of the seeds. */
export type EvaluateFleet = (
  replicas: number,
  seeds: readonly number[],
) => Promise<readonly RunResult[]>;

/** One count that was tried. */
export interface SizingProbe {
  readonly replicas: number;
  /** Seeds that were run: the first one only, when that one already missed. */
  readonly seeds: number;
  readonly verdict: ObjectiveVerdict;
}

/** What a fleet of one profile needs to meet an objective. */
export interface SizingResult {
  readonly profile: string;
  readonly objective: readonly ObjectiveTerm[];
  /** Smallest count that meets it; null when none up to the limit does. */
  readonly replicas: number | null;
  /** All accelerators of these replicas; null without a count. */
  readonly accelerators: number | null;
  /** Of these replicas; null without a count or a known price. */
  readonly hourlyUsd: number | null;
  /** Share of its bound that the tightest term has left, in the worst run; null without a count. */
  readonly headroom: number | null;
  /** A larger fleet missed what a smaller one met; the count is the first of two that both meet. */
  readonly isMonotone: boolean;
  /** Why there is no count; null when there is one. */
  readonly reason: string | null;
  /** In the order in which they were tried. */
  readonly probes: readonly SizingProbe[];
  /** Runs of the fleet that was found; empty without one. */
  readonly runs: readonly RunResult[];
}

/** How a search goes. */
export interface SizingOptions {
  readonly profile: {
    readonly name: string;
    readonly accelerators: number;
    readonly hourlyUsd: number | null;
  };
  readonly objective: readonly ObjectiveTerm[];
  readonly maxReplicas: number;
  readonly seeds: readonly number[];
  readonly evaluate: EvaluateFleet;
  /** Runs one replica under next to no load: what no number of replicas can better. */
  readonly evaluateAlone: () => Promise<RunResult>;
  /** Whether to give up; asked before each probe. */
  readonly shouldStop: () => boolean;
  readonly onProbe: (probe: SizingProbe) => void;
}

/**
 * Finds the smallest number of replicas that meets an objective: 1, 2, 4, 8 … until one does, then
 * bisection between that and the last that did not. The neighbour below has then been tried and
 * missed; the one above must meet as well, or the search goes on upwards from there.
 */
export async function sizeFleet(options: SizingOptions): Promise<SizingResult> {
  const search = new Search(options);
  await search.tryAlone();
  const found = await findSmallest((count) => search.meets(count), options.maxReplicas);
  const { profile, objective } = options;
  const base = { profile: profile.name, objective, probes: search.probes };
  if (search.isOver || found.count === null) {
    const reason = search.explain();
    const nothing = { replicas: null, accelerators: null, hourlyUsd: null, headroom: null };
    return { ...base, ...nothing, isMonotone: found.isMonotone, reason, runs: [] };
  }
  const { count, isMonotone } = found;
  const { runs, verdict } = search.outcomeOf(count);
  return {
    ...base,
    replicas: count,
    accelerators: count * profile.accelerators,
    hourlyUsd: profile.hourlyUsd === null ? null : count * profile.hourlyUsd,
    headroom: Math.min(...verdict.terms.map(({ headroom }) => headroom)),
    isMonotone,
    reason: null,
    runs,
  };
}

/** The outcome of a search for a smallest count. */
export interface SmallestCount {
  /** Null when no count up to the limit meets. */
  readonly count: number | null;
  /** False when a count was seen to miss above one that met. */
  readonly isMonotone: boolean;
}

/**
 * The smallest count from 1 to `max` that meets, by doubling and bisection; asks for each count
 * once at most. A count whose upper neighbour misses is not trusted: the first of two neighbours
 * that both meet is taken, or `max` by itself.
 */
export async function findSmallest(
  meets: (count: number) => Promise<boolean>,
  max: number,
): Promise<SmallestCount> {
  assert(Number.isInteger(max) && max >= 1, 'at least one replica may be tried');
  let low = 0;
  let high = 1;
  while (!(await meets(high))) {
    if (high === max) return { count: null, isMonotone: true };
    low = high;
    high = Math.min(2 * high, max);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await meets(middle)) high = middle;
    else low = middle;
  }
  let isMonotone = true;
  let count = high;
  while (count < max && !(await meets(count + 1))) {
    isMonotone = false;
    count += 2;
    while (count <= max && !(await meets(count))) count += 1;
    if (count > max) return { count: null, isMonotone };
  }
  return { count, isMonotone };
}

interface Outcome {
  readonly runs: readonly RunResult[];
  readonly verdict: ObjectiveVerdict;
}

class Search {
  readonly probes: SizingProbe[] = [];
  readonly #options: SizingOptions;
  readonly #outcomes = new Map<number, Outcome>();
  #alone: RunResult | null = null;
  #wasStopped = false;
  #isHopeless = false;

  constructor(options: SizingOptions) {
    this.#options = options;
  }

  /** Whether the search ended before it had an answer. */
  get isOver(): boolean {
    return this.#wasStopped || this.#isHopeless;
  }

  /**
   * Runs one replica under next to no load: what it loses there, such as prompts longer than its
   * context, every fleet will lose, so that there is nothing to search for.
   */
  async tryAlone(): Promise<void> {
    const { evaluateAlone, objective, shouldStop } = this.#options;
    const alone = await evaluateAlone();
    this.#wasStopped = shouldStop();
    if (this.#wasStopped || alone.requests.sent === 0) return;
    this.#alone = alone;
    this.#isHopeless = objective.some((term) => measureTerm(term, alone) === Infinity);
  }

  /** A search that is over says yes to everything, so that it ends at once. */
  async meets(replicas: number): Promise<boolean> {
    const known = this.#outcomes.get(replicas);
    if (known !== undefined) return known.verdict.meets;
    const runs = this.isOver ? [] : await this.#run(replicas);
    this.#wasStopped ||= this.#options.shouldStop();
    if (this.isOver) return true;
    const verdict = judgeRuns(this.#options.objective, runs);
    this.#outcomes.set(replicas, { runs, verdict });
    const probe = { replicas, seeds: runs.length, verdict };
    this.probes.push(probe);
    this.#options.onProbe(probe);
    return verdict.meets;
  }

  /** The first seed alone, as most counts that are too small already miss in it. */
  async #run(replicas: number): Promise<readonly RunResult[]> {
    const { evaluate, seeds, objective } = this.#options;
    const first = await evaluate(replicas, seeds.slice(0, 1));
    if (seeds.length === 1 || !judgeRuns(objective, first).meets) return first;
    return [...first, ...(await evaluate(replicas, seeds.slice(1)))];
  }

  outcomeOf(replicas: number): Outcome {
    const outcome = this.#outcomes.get(replicas);
    assert(outcome !== undefined, 'the count was tried');
    return outcome;
  }

  /** Why there is no count: stopped, what a request alone already misses, or the missed terms. */
  explain(): string {
    if (this.#wasStopped) return 'stopped before the answer was known';
    const { objective, maxReplicas } = this.#options;
    const alone = this.#alone === null ? [] : [this.#alone];
    const lost = this.#describeLost();
    if (lost !== null) return lost;
    const floors = alone.length === 0 ? [] : missedOf(judgeRuns(objective, alone));
    if (floors.length > 0) {
      return `requests alone on a replica already miss it (${floors.join(', ')}): no number of replicas helps`;
    }
    const { verdict } = this.outcomeOf(maxReplicas);
    const left = verdict.isSaturated ? ['requests were left unanswered'] : [];
    return `${maxReplicas} replicas miss it (${[...missedOf(verdict), ...left].join(', ')})`;
  }

  #describeLost(): string | null {
    if (!this.#isHopeless || this.#alone === null) return null;
    const { sent, refused, failed } = this.#alone.requests;
    return (
      `a replica without other load leaves ${refused + failed} of ${sent} requests unanswered, ` +
      'for example because prompts are longer than its context: no number of replicas helps'
    );
  }
}

function missedOf(verdict: ObjectiveVerdict): readonly string[] {
  return verdict.terms
    .filter(({ meets }) => !meets)
    .map(({ term, worst }) => `${describeTerm(term)} is ${describeValue(term, worst)}`);
}

/** A term's name as the user writes it, such as `ttft-p99`. */
export function describeTerm(term: ObjectiveTerm): string {
  if (term.kind === 'goodput') return 'goodput';
  return `${term.measure}-${term.statistic === 'p999' ? 'p99.9' : term.statistic}`;
}

function describeValue(term: ObjectiveTerm, value: number): string {
  if (term.kind === 'goodput') return `${(100 * value).toFixed(1)} %`;
  if (!Number.isFinite(value)) return 'unbounded';
  return value < 1000 ? `${value.toPrecision(3)} ms` : `${(value / 1000).toPrecision(3)} s`;
}
