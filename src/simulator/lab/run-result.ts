import type { Collector } from './collector.ts';
import type { QueueGauge } from './queue-gauge.ts';
import type { Replica } from './replica.ts';
import type { EndpointResult, RunResult, RunStatus, TenantResult } from './results.ts';
import { distributionOf, distributionOfHistogram, quantileOf } from './samples.ts';
import type { TimeSeries } from './time-series.ts';
import type { LabOptions } from './types.ts';

/** How a run stands at its end or where it was broken off. */
export interface RunEnd {
  readonly status: RunStatus;
  readonly reason: string | null;
  readonly nowMs: number;
}

/** What was measured in a run. */
export interface RunMeasures {
  readonly collector: Collector;
  readonly replicas: readonly Replica[];
  readonly queue: QueueGauge;
  readonly series: TimeSeries;
}

/** Puts the measures of a run together. */
export function createRunResult(
  options: LabOptions,
  { status, reason, nowMs }: RunEnd,
  measures: RunMeasures,
): RunResult {
  const { collector, queue, series } = measures;
  const endpoints = measures.replicas.map((replica) => replica.result(nowMs));
  const endMs = status === 'finished' ? collector.lastEndAtMs : nowMs;
  const countedMs = Math.max(0, endMs - options.warmUpMs);
  const perSecond = (count: number): number => (countedMs > 0 ? (1000 * count) / countedMs : 0);
  const { sent, completed, refused, failed, good } = collector;
  return {
    policy: options.policy.name,
    seed: options.seed,
    status,
    reason,
    simulatedMs: nowMs,
    countedMs,
    requests: { sent, completed, refused, failed, unanswered: sent - completed - refused - failed },
    ttftMs: distributionOf(collector.ttftMs),
    tpotMs: distributionOf(collector.tpotMs),
    itlMs: distributionOfHistogram(collector.itlMs),
    e2eMs: distributionOf(collector.e2eMs),
    throughput: {
      requestsPerSecond: perSecond(completed),
      inputTokensPerSecond: perSecond(collector.promptTokens),
      outputTokensPerSecond: perSecond(collector.outputTokens),
    },
    goodput: {
      objective: options.objective,
      goodRequests: good,
      goodShare: shareOf(good, sent),
      requestsPerSecond: perSecond(good),
      outputTokensPerSecond: perSecond(collector.goodOutputTokens),
    },
    prefixHitShare: prefixHitShareOf(measures.replicas),
    preemptions: sumOf(endpoints, ({ preemptions }) => preemptions),
    adapterLoads: sumOf(endpoints, ({ adapterLoads }) => adapterLoads),
    queue: { meanWaiting: queue.mean(nowMs), maxWaiting: queue.max },
    spread: {
      requestsCv: variationOf(endpoints.map(({ requests }) => requests)),
      outputTokensCv: variationOf(endpoints.map(({ outputTokens }) => outputTokens)),
    },
    fairness: fairnessOf(collector),
    acceleratorSecondsPerThousandGood: acceleratorSecondsOf(options, countedMs, good),
    endpoints,
    series: series.result(),
  };
}

function sumOf(
  endpoints: readonly EndpointResult[],
  read: (endpoint: EndpointResult) => number,
): number {
  return endpoints.reduce((sum, endpoint) => sum + read(endpoint), 0);
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function prefixHitShareOf(replicas: readonly Replica[]): number {
  let hits = 0;
  let queried = 0;
  for (const replica of replicas) {
    const tokens = replica.prefixTokens();
    hits += tokens.hits;
    queried += tokens.queried;
  }
  return shareOf(hits, queried);
}

/** Standard deviation over mean, of the whole population; 0 when all are 0. */
function variationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  if (mean === 0) return 0;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length) / mean;
}

function fairnessOf({ tenants }: Collector): RunResult['fairness'] {
  const results: TenantResult[] = [];
  for (const [tenant, { requests, outputTokens, good, ttftMs }] of tenants) {
    const rising = ttftMs.sorted();
    results.push({
      tenant,
      requests,
      outputTokens,
      ttftP90Ms: rising.length === 0 ? 0 : quantileOf(rising, 0.9),
      goodShare: shareOf(good, requests),
    });
  }
  return {
    jain: jainOf(results.map(({ outputTokens }) => outputTokens)),
    jainOfGoodShare: jainOf(results.map(({ goodShare }) => goodShare)),
    tenants: results,
  };
}

/** Jain, Chiu, Hawe 1984: the square of the sum over n times the sum of squares. */
function jainOf(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value ** 2, 0);
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares);
}

function acceleratorSecondsOf(options: LabOptions, countedMs: number, good: number): number | null {
  if (good === 0) return null;
  const accelerators = options.endpoints.reduce((sum, each) => sum + each.accelerators, 0);
  return (accelerators * (countedMs / 1000) * 1000) / good;
}
