import type { SweepResult } from '../lab/sweep.ts';
import type { Outcome } from './outcome.ts';
import { formatMs, formatNumber, formatShare } from './page/format.ts';

/** A figure that stands out on the page. */
export interface SummaryCard {
  readonly label: string;
  readonly value: string;
  /** Whose it is, and what it is compared with. */
  readonly note: string;
}

/** Shares closer than this are called equal: half a point is less than a change of seed makes. */
const SHARE_TIE = 0.005;
/** Latencies and rates closer than this, relative to the better one, are called equal. */
const RELATIVE_TIE = 0.02;

/** A policy's means over its seeds. Null where it has nothing to say. */
interface Standing {
  readonly name: string;
  readonly goodShare: number | null;
  readonly ttftP90Ms: number | null;
  readonly outputTokensPerSecond: number;
  readonly acceleratorSeconds: number | null;
}

/** One quantity that policies are ranked by. */
interface Criterion {
  readonly label: string;
  readonly read: (standing: Standing) => number | null;
  readonly better: 'higher' | 'lower';
  readonly format: (value: number) => string;
}

const CRITERIA: readonly Criterion[] = [
  {
    label: 'Within the objective',
    read: ({ goodShare }) => goodShare,
    better: 'higher',
    format: formatShare,
  },
  {
    label: 'p90 TTFT',
    read: ({ ttftP90Ms }) => ttftP90Ms,
    better: 'lower',
    format: formatMs,
  },
  {
    label: 'Output tokens/s',
    read: ({ outputTokensPerSecond }) => outputTokensPerSecond,
    better: 'higher',
    format: formatNumber,
  },
  {
    label: 'GPU-seconds per 1,000 good',
    read: ({ acceleratorSeconds }) => acceleratorSeconds,
    better: 'lower',
    format: (seconds) => `${formatNumber(seconds)}\u00a0s`,
  },
];

/** What came out, in sentences; empty when nothing was run. */
export function verdictSentences(
  outcomes: readonly Outcome[],
  sweeps: readonly SweepResult[],
): readonly string[] {
  const standings = standingsOf(outcomes);
  return [...policySentences(standings), ...sweepSentences(sweeps)];
}

/** The best of each quantity, with the next best beside it. */
export function summaryCards(outcomes: readonly Outcome[]): readonly SummaryCard[] {
  const standings = standingsOf(outcomes);
  return CRITERIA.flatMap((criterion) => {
    const ranked = rank(standings, criterion);
    const [best, next] = ranked;
    if (best === undefined) return [];
    const value = criterion.format(best.value);
    if (next === undefined) return [{ label: criterion.label, value, note: best.name }];
    const note = `${best.name}; next: ${next.name}, ${criterion.format(next.value)}`;
    return [{ label: criterion.label, value, note }];
  });
}

/** Runs that ended by themselves speak; if none did, those that were stopped do. */
function standingsOf(outcomes: readonly Outcome[]): readonly Standing[] {
  const simulated = outcomes.filter(({ kind }) => kind === 'simulated');
  const pool = simulated.length > 0 ? simulated : outcomes;
  const whole = pool.filter(({ status }) => status === 'finished' || status === 'saturated');
  const counted = whole.length > 0 ? whole : pool;
  const groups = [...new Set(counted.map(({ group }) => group))];
  return groups.map((name) => {
    const members = counted.filter(({ group }) => group === name);
    return {
      name,
      goodShare: meanOf(members.map(({ goodShare }) => goodShare)),
      ttftP90Ms: meanOf(members.map(({ latencies }) => latencies.ttft.p90)),
      outputTokensPerSecond: meanOf(members.map((o) => o.outputTokensPerSecond)) ?? 0,
      acceleratorSeconds: meanOf(
        members.map(({ run }) => run?.acceleratorSecondsPerThousandGood ?? null),
      ),
    };
  });
}

function policySentences(standings: readonly Standing[]): readonly string[] {
  const [good, ttft, tokens] = CRITERIA.map((criterion) => rank(standings, criterion));
  const lead = good?.[0];
  if (lead !== undefined) {
    const sentences = [shareSentence(good ?? []), ttftSentence(lead.name, ttft ?? [])];
    const rate = tokensSentence(lead.name, tokens ?? []);
    return [...sentences, rate].filter((sentence) => sentence !== '');
  }
  const first = ttft?.[0];
  return first === undefined ? [] : [ttftSentence(first.name, ttft ?? [])];
}

interface Ranked {
  readonly name: string;
  readonly value: number;
}

/** Best first; those without a value are left out. */
function rank(standings: readonly Standing[], { read, better }: Criterion): readonly Ranked[] {
  const sign = better === 'higher' ? -1 : 1;
  return standings
    .flatMap((standing) => {
      const value = read(standing);
      return value === null || !Number.isFinite(value) ? [] : [{ name: standing.name, value }];
    })
    .sort((left, right) => sign * (left.value - right.value));
}

function shareSentence(ranked: readonly Ranked[]): string {
  const [best, ...others] = ranked;
  if (best === undefined) return '';
  const share = formatShare(best.value);
  if (others.length === 0) return `${best.name} answers ${share} of requests within the objective.`;
  const equal = others.filter(({ value }) => best.value - value < SHARE_TIE);
  const next = others[equal.length];
  const names = listNames([best.name, ...equal.map(({ name }) => name)]);
  const verb = equal.length === 0 ? 'answers' : 'answer';
  const least = formatShare(equal.at(-1)?.value ?? best.value);
  const much = least === share ? share : `at least ${least}`;
  const head = `${names} ${verb} ${much} of requests within the objective`;
  if (next === undefined) return `${head}: no difference that counts.`;
  const points = formatNumber(Math.round((best.value - next.value) * 1000) / 10);
  const unit = points === '1' ? 'point' : 'points';
  const rest =
    others.length - equal.length > 1 ? `, the next best (${formatShare(next.value)})` : '';
  return `${head}, ${points} ${unit} more than ${next.name}${rest}.`;
}

/** How fast the leader begins to answer, beside the one nearest to it or ahead of it. */
function ttftSentence(leader: string, ranked: readonly Ranked[]): string {
  const own = ranked.find(({ name }) => name === leader);
  const others = ranked.filter(({ name }) => name !== leader);
  const best = others[0];
  if (own === undefined) return '';
  if (best === undefined) return `Its p90 TTFT is ${formatMs(own.value)}.`;
  const gap = (own.value - best.value) / Math.max(own.value, best.value);
  const [mine, least] = formatTogether(own.value, best.value);
  const theirs = `${least} for ${best.name}`;
  if (Math.abs(gap) < RELATIVE_TIE) return `p90 TTFT is ${mine} for ${leader} and ${theirs}.`;
  if (gap > 0) {
    return `${best.name} has the lowest p90 TTFT: ${least} against ${mine} for ${leader}.`;
  }
  return `${leader} has the lowest p90 TTFT: ${mine} against ${theirs}.`;
}

/** Two times in one unit, so that they can be compared at a glance. */
function formatTogether(first: number, second: number): readonly [string, string] {
  const longest = Math.max(first, second);
  if (longest < 1000 || longest >= 120_000) return [formatMs(first), formatMs(second)];
  return [`${formatNumber(first / 1000)}\u00a0s`, `${formatNumber(second / 1000)}\u00a0s`];
}

/** Only said when another one gives more: that is what a reader would ask. */
function tokensSentence(leader: string, ranked: readonly Ranked[]): string {
  const own = ranked.find(({ name }) => name === leader);
  const best = ranked[0];
  if (own === undefined || best === undefined || best.name === leader) return '';
  if ((best.value - own.value) / Math.max(best.value, 1e-9) < RELATIVE_TIE) return '';
  const most = formatNumber(best.value);
  return `${best.name} gives the most output: ${most} tokens/s against ${formatNumber(own.value)}.`;
}

/** How far each policy goes before it saturates, per workload. */
function sweepSentences(sweeps: readonly SweepResult[]): readonly string[] {
  const workloads = [...new Set(sweeps.map(({ workload }) => workload))];
  return workloads.flatMap((workload) => {
    const parts = sweeps
      .filter((sweep) => sweep.workload === workload && sweep.points.length > 0)
      .map((sweep) => ({ ...reachOf(sweep), policy: sweep.policy }))
      .sort((left, right) => right.rate - left.rate)
      .map(({ policy, text }) => `${policy} ${text}`);
    return parts.length === 0 ? [] : [`Under rising load (${workload}): ${parts.join('; ')}.`];
  });
}

function reachOf(sweep: SweepResult): { readonly rate: number; readonly text: string } {
  const { points, kneeIndex, saturatedFrom } = sweep;
  const last = points.at(-1)?.requestsPerSecond ?? 0;
  if (kneeIndex !== null) {
    const rate = points[kneeIndex]?.requestsPerSecond ?? 0;
    return { rate, text: `keeps up until ${formatNumber(rate)} requests/s` };
  }
  if (saturatedFrom === 0) return { rate: 0, text: 'is saturated at the lowest load tried' };
  return {
    rate: last,
    text: `keeps up at every load tried, up to ${formatNumber(last)} requests/s`,
  };
}

function listNames(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** Null when no value is known. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
