import type { MeasuredDistribution, MeasuredReport } from './measured-report.ts';

const COLUMNS = ['mean', 'median', 'p90', 'p95', 'p99', 'max'] as const;
const NAME_WIDTH = 16;
const COLUMN_WIDTH = 10;

/** The report as a table for people; times in milliseconds unless a unit says otherwise. */
export function renderMeasuredReport(report: MeasuredReport): string {
  const { successes, failures, load_summary: load, penstock } = report;
  const { latency } = successes;
  const sending = penstock?.latency_from_sending ?? null;
  const lines = [
    countsLine(report),
    '',
    header(),
    row('TTFT', latency.time_to_first_token),
    row('TPOT', latency.time_per_output_token),
    row('ITL', latency.inter_token_latency),
    row('end to end', latency.request_latency),
    ...(sending === null ? [] : [row('TTFT from send', sending.time_to_first_token)]),
    row('sent late by', load.schedule_delay),
    '',
    throughputLine(report),
    ...promptLine(report),
    ...goodputLine(report),
    ...failureLines(failures.by_label),
    ...(penstock?.client?.warnings.map((warning) => `warning: ${warning}`) ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

function countsLine({
  successes,
  failures,
  benchmark_time_seconds,
  penstock,
}: MeasuredReport): string {
  const parts = [`${successes.count} answered`, `${failures.count} failed`];
  if (penstock !== undefined && penstock.unanswered > 0) {
    parts.push(`${penstock.unanswered} unanswered at the end`);
  }
  const status = penstock === undefined ? '' : ` (${penstock.status})`;
  return `requests: ${parts.join(', ')} in ${benchmark_time_seconds.toFixed(1)} s${status}`;
}

function header(): string {
  const names = COLUMNS.map((name) => (name === 'median' ? 'p50' : name).padStart(COLUMN_WIDTH));
  return 'ms'.padEnd(NAME_WIDTH) + names.join('');
}

function row(name: string, distribution: MeasuredDistribution | null): string {
  const cells = COLUMNS.map((column) => {
    const seconds = distribution?.[column];
    return (seconds === undefined ? '-' : milliseconds(seconds)).padStart(COLUMN_WIDTH);
  });
  return name.padEnd(NAME_WIDTH) + cells.join('');
}

function milliseconds(seconds: number): string {
  const ms = seconds * 1000;
  return ms.toFixed(ms < 100 ? 2 : ms < 10_000 ? 1 : 0);
}

function throughputLine({ successes }: MeasuredReport): string {
  const { throughput } = successes;
  return [
    `throughput: ${throughput.requests_per_sec.toFixed(2)} requests/s`,
    `${throughput.input_tokens_per_sec.toFixed(0)} prompt tokens/s`,
    `${throughput.output_tokens_per_sec.toFixed(0)} output tokens/s`,
  ].join(', ');
}

function promptLine({ successes }: MeasuredReport): readonly string[] {
  const { total, cached } = successes.prompt_tokens;
  if (total === 0) return [];
  const share = ((cached / total) * 100).toFixed(1);
  const mismatches = successes.token_count_mismatches;
  return [
    `prompt tokens: ${total}, ${share} % from prefix caches as far as the server says`,
    ...(mismatches === 0
      ? []
      : [`token counts: ${mismatches} answers whose chunks and reported tokens differ`]),
  ];
}

function goodputLine({ successes }: MeasuredReport): readonly string[] {
  const good = successes.goodput_metrics;
  if (good === undefined) return [];
  return [
    `goodput: ${good.good_requests} of ${good.total_requests} requests within the objective ` +
      `(${good.goodput_percentage.toFixed(1)} %), ${good.request_goodput.toFixed(2)} requests/s`,
  ];
}

function failureLines(groups: MeasuredReport['failures']['by_label']): readonly string[] {
  return Object.entries(groups).flatMap(([label, { count, messages }]) => {
    const [first, ...more] = messages;
    const others = more.length === 0 ? '' : ` (and ${more.length} other messages)`;
    const what = first === undefined || first.message === '' ? '' : `: ${first.message}`;
    return [`failed: ${count} × ${label}${what}${others}`];
  });
}
