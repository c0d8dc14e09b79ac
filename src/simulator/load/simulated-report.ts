import type { Distribution, RunResult } from '../lab/results.ts';
import type {
  MeasuredConfig,
  MeasuredDistribution,
  MeasuredGoodput,
  MeasuredReport,
  MeasuredTokens,
} from './measured-report.ts';

/** What a result does not say about its own run. */
export interface SimulatedRunConfig {
  readonly workload: string | null;
  readonly trace: string | null;
  readonly arrivals: string | null;
  readonly load: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  /** Profile or model that was simulated. */
  readonly model: string | null;
}

/**
 * A simulated run under the keys of a measured one, so that both fit in one table. A simulated
 * client is never late, and sizes in bytes are not known.
 */
export function toMeasuredReport(result: RunResult, config: SimulatedRunConfig): MeasuredReport {
  const { requests, countedMs } = result;
  const seconds = countedMs / 1000;
  return {
    benchmark_time_seconds: seconds,
    load_summary: {
      count: requests.sent,
      schedule_delay: null,
      send_duration: config.durationMs / 1000,
      achieved_rate: seconds > 0 ? requests.sent / seconds : 0,
    },
    successes: successesOf(result, seconds),
    failures: {
      count: requests.refused + requests.failed,
      request_latency: null,
      by_label: failureGroups(result),
    },
    penstock: {
      config: configOf(result, config),
      status: result.status,
      unanswered: requests.unanswered,
      latency_from_sending: null,
      client: null,
    },
  };
}

function successesOf(result: RunResult, seconds: number): MeasuredReport['successes'] {
  const { throughput } = result;
  const promptTokens = throughput.inputTokensPerSecond * seconds;
  const cached = promptTokens * result.prefixHitShare;
  return {
    count: result.e2eMs.count,
    latency: {
      request_latency: toSeconds(result.e2eMs),
      normalized_time_per_output_token: null,
      time_per_output_token: toSeconds(result.tpotMs),
      time_to_first_token: toSeconds(result.ttftMs),
      inter_token_latency: toSeconds(result.itlMs),
    },
    throughput: {
      input_tokens_per_sec: throughput.inputTokensPerSecond,
      output_tokens_per_sec: throughput.outputTokensPerSecond,
      total_tokens_per_sec: throughput.inputTokensPerSecond + throughput.outputTokensPerSecond,
      requests_per_sec: throughput.requestsPerSecond,
    },
    request_size_bytes: null,
    prompt_tokens: { ...sumOf(promptTokens), cached, uncached: promptTokens - cached },
    output_len: null,
    output_tokens: sumOf(throughput.outputTokensPerSecond * seconds),
    token_count_mismatches: 0,
    goodput_metrics: goodputOf(result),
  };
}

/** Good tokens are output tokens alone: a run does not count the prompts of good requests. */
function goodputOf(result: RunResult): MeasuredGoodput {
  const { goodput } = result;
  return {
    goodput_percentage: goodput.goodShare * 100,
    request_goodput: goodput.requestsPerSecond,
    token_goodput: goodput.outputTokensPerSecond,
    good_requests: goodput.goodRequests,
    total_requests: result.requests.sent,
  };
}

function configOf(result: RunResult, config: SimulatedRunConfig): MeasuredConfig {
  return {
    kind: 'lab',
    workload: config.workload,
    trace: config.trace,
    arrivals: config.arrivals,
    load: config.load,
    seed: result.seed,
    duration_seconds: config.durationMs / 1000,
    warm_up_seconds: config.warmUpMs / 1000,
    policy: result.policy,
    target: null,
    model: config.model,
  };
}

function sumOf(tokens: number): MeasuredTokens {
  return { total: Math.round(tokens) };
}

function failureGroups({ requests }: RunResult): MeasuredReport['failures']['by_label'] {
  const groups = [
    ['refused by the gateway', requests.refused],
    ['failed', requests.failed],
  ] as const;
  return Object.fromEntries(
    groups
      .filter(([, count]) => count > 0)
      .map(([label, count]) => [label, { count, messages: [] }] as const),
  );
}

function toSeconds(distribution: Distribution): MeasuredDistribution | null {
  if (distribution.count === 0) return null;
  const { mean, min, max, p50, p90, p95, p99, p999, quantiles } = distribution;
  const lower: readonly (readonly ['p1' | 'p5' | 'p10' | 'p25' | 'p75', number])[] = [
    ['p1', 1],
    ['p5', 5],
    ['p10', 10],
    ['p25', 25],
    ['p75', 75],
  ];
  const known = lower.flatMap(([name, percent]) => {
    const value = quantiles[percent];
    return value === undefined ? [] : [[name, value / 1000] as const];
  });
  return {
    mean: mean / 1000,
    min: min / 1000,
    max: max / 1000,
    ...Object.fromEntries(known),
    median: p50 / 1000,
    p90: p90 / 1000,
    p95: p95 / 1000,
    p99: p99 / 1000,
    'p99.9': p999 / 1000,
  };
}
