import type { Distribution, RunResult } from '../simulator/lab/results.ts';
import type { MeasuredLatency, MeasuredReport } from '../simulator/load/measured-report.ts';

type Better = 'less' | 'more' | null;

/** One measure that runs are compared by. */
export interface RunMeasure {
  readonly label: string;
  /** `ms`: shown in seconds when the values of the row are long; `share`: shown in per cent. */
  readonly unit: 'ms' | 'share' | 'count' | 'rate' | 'ratio';
  /** Null where which is better is nobody's business. */
  readonly better: Better;
  /** Null: there is no value, shown as a dash. */
  readonly read: (run: RunResult) => number | null;
  /** The same of a measured run; null where it does not know. */
  readonly readMeasured: (report: MeasuredReport) => number | null;
}

type Statistic = 'p50' | 'p90' | 'p99';

/** Every measure, in the order of the table. */
export const RUN_MEASURES: readonly RunMeasure[] = Object.freeze([
  latency('TTFT', 'p50', [(run) => run.ttftMs, 'time_to_first_token']),
  latency('TTFT', 'p90', [(run) => run.ttftMs, 'time_to_first_token']),
  latency('TTFT', 'p99', [(run) => run.ttftMs, 'time_to_first_token']),
  latency('TPOT', 'p50', [(run) => run.tpotMs, 'time_per_output_token']),
  latency('TPOT', 'p90', [(run) => run.tpotMs, 'time_per_output_token']),
  latency('TPOT', 'p99', [(run) => run.tpotMs, 'time_per_output_token']),
  latency('ITL', 'p50', [(run) => run.itlMs, 'inter_token_latency']),
  latency('ITL', 'p99', [(run) => run.itlMs, 'inter_token_latency']),
  latency('e2e', 'p50', [(run) => run.e2eMs, 'request_latency']),
  latency('e2e', 'p90', [(run) => run.e2eMs, 'request_latency']),
  latency('e2e', 'p99', [(run) => run.e2eMs, 'request_latency']),
  {
    ...row('goodput', 'share', 'more', (run) => run.goodput.goodShare),
    readMeasured: ({ successes: { goodput_metrics: good } }) =>
      good === undefined ? null : good.goodput_percentage / 100,
  },
  {
    ...row('good requests/s', 'rate', 'more', (run) => run.goodput.requestsPerSecond),
    readMeasured: ({ successes }) => successes.goodput_metrics?.request_goodput ?? null,
  },
  {
    ...row('output tokens/s', 'rate', 'more', (run) => run.throughput.outputTokensPerSecond),
    readMeasured: ({ successes }) => successes.throughput.output_tokens_per_sec,
  },
  {
    ...row('prefix hits', 'share', 'more', (run) => run.prefixHitShare),
    readMeasured: ({ successes: { prompt_tokens: prompts } }) =>
      prompts.total > 0 ? prompts.cached / prompts.total : null,
  },
  row('preemptions', 'count', 'less', (run) => run.preemptions),
  row('queue mean', 'rate', 'less', (run) => run.queue.meanWaiting),
  row('queue max', 'count', 'less', (run) => run.queue.maxWaiting),
  row('spread of requests', 'ratio', null, (run) => run.spread.requestsCv),
  row('spread of tokens', 'ratio', null, (run) => run.spread.outputTokensCv),
  row('adapter loads', 'count', 'less', (run) => run.adapterLoads),
  row('Jain of tokens', 'ratio', 'more', (run) => run.fairness.jain),
  row('Jain of good share', 'ratio', 'more', (run) => run.fairness.jainOfGoodShare),
  row('GPU-s per 1,000 good', 'rate', 'less', (run) => run.acceleratorSecondsPerThousandGood),
  row('refused', 'count', 'less', (run) => run.requests.refused),
  {
    ...row('failed', 'count', 'less', (run) => run.requests.failed),
    readMeasured: ({ failures }) => failures.count,
  },
  {
    ...row('unanswered', 'count', 'less', (run) => run.requests.unanswered),
    readMeasured: ({ penstock }) => penstock?.unanswered ?? null,
  },
]);

const SELDOM: ReadonlySet<string> = new Set([
  'adapter loads',
  'refused',
  'failed',
  'unanswered',
  'preemptions',
]);

/** Whether a measure is left out when it is 0 everywhere: most runs have no adapters. */
export function isSeldom({ label }: RunMeasure): boolean {
  return SELDOM.has(label);
}

function row(
  label: string,
  unit: RunMeasure['unit'],
  better: Better,
  read: RunMeasure['read'],
): RunMeasure {
  return { label, unit, better, read, readMeasured: () => null };
}

function latency(
  name: string,
  statistic: Statistic,
  [simulated, measured]: readonly [(run: RunResult) => Distribution, keyof MeasuredLatency],
): RunMeasure {
  const read = (run: RunResult): number | null =>
    simulated(run).count === 0 ? null : simulated(run)[statistic];
  const readMeasured = ({ successes }: MeasuredReport): number | null => {
    const seconds = successes.latency[measured]?.[statistic === 'p50' ? 'median' : statistic];
    return seconds === undefined ? null : seconds * 1000;
  };
  return { ...row(`${name} ${statistic}`, 'ms', 'less', read), readMeasured };
}
