import { createRng, type Rng } from '../../../core/rng.ts';
import type { Distribution, EndpointResult, RunResult, RunSeries } from '../../lab/results.ts';
import type { SizingProbe, SizingResult } from '../../lab/sizing.ts';
import type { SweepResult } from '../../lab/sweep.ts';
import type { MeasuredDistribution, MeasuredReport } from '../../load/measured-report.ts';
import type { ReportInput } from '../report.ts';

/** How a made-up run differs from the others. */
export interface RunSketch {
  readonly policy: string;
  readonly seed?: number;
  readonly status?: RunResult['status'];
  /** Median time to first token in ms; everything else follows from it. */
  readonly ttftMs?: number;
  readonly endpoints?: number;
  readonly samples?: number;
  readonly tenants?: number;
  /** Nothing was answered. */
  readonly isEmpty?: boolean;
}

const PLAIN = {
  seed: 1,
  status: 'finished',
  ttftMs: 200,
  endpoints: 8,
  samples: 120,
  tenants: 4,
  isEmpty: false,
} as const;

/** A result with the looks of a real one. The same sketch gives the same result. */
export function sketchRun(sketch: RunSketch): RunResult {
  const { policy, seed, status, ttftMs, isEmpty, endpoints, samples, tenants } = {
    ...PLAIN,
    ...sketch,
  };
  const rng = createRng(seed * 7919 + policy.length * 104_729 + Math.round(ttftMs));
  const goodShare = isEmpty ? 0 : 1 / (1 + (ttftMs / 1400) ** 1.4);
  const scale = isEmpty ? 0 : 1;
  return {
    policy,
    seed,
    status,
    reason: status === 'finished' ? null : 'more requests were under way than 20,000',
    simulatedMs: samples * 5000,
    countedMs: samples * 4500,
    requests: {
      sent: 12_400,
      completed: isEmpty ? 0 : 12_310,
      refused: 42,
      failed: 3,
      unanswered: 45,
    },
    ...sketchLatencies(isEmpty, ttftMs),
    throughput: {
      requestsPerSecond: 20.5 * scale,
      inputTokensPerSecond: 41_000 * scale,
      outputTokensPerSecond: (6400 - ttftMs / 2) * scale,
    },
    goodput: {
      objective: { ttftMs: 1000, tpotMs: 50, e2eMs: null },
      goodRequests: Math.round(12_000 * goodShare),
      goodShare,
      requestsPerSecond: 20.5 * goodShare,
      outputTokensPerSecond: 6100 * goodShare,
    },
    prefixHitShare: 0.72 - ttftMs / 10_000,
    preemptions: Math.round(ttftMs / 50),
    adapterLoads: 0,
    queue: { meanWaiting: ttftMs / 100, maxWaiting: Math.round(ttftMs / 8) },
    spread: { requestsCv: ttftMs / 8000, outputTokensCv: ttftMs / 7000 },
    fairness: sketchFairness(rng, { tenants, ttftMs, goodShare, isEmpty }),
    acceleratorSecondsPerThousandGood: isEmpty ? null : 390 / goodShare,
    endpoints: sketchEndpoints(rng, endpoints, ttftMs),
    series: sketchSeries(rng, { endpoints, samples, heat: ttftMs / 250 }),
  };
}

function sketchLatencies(
  isEmpty: boolean,
  ttftMs: number,
): Pick<RunResult, 'ttftMs' | 'tpotMs' | 'itlMs' | 'e2eMs'> {
  if (isEmpty) return { ttftMs: NOTHING, tpotMs: NOTHING, itlMs: NOTHING, e2eMs: NOTHING };
  return {
    ttftMs: sketchDistribution(ttftMs, 0.9),
    tpotMs: sketchDistribution(24 + ttftMs / 90, 0.25),
    itlMs: sketchDistribution(21 + ttftMs / 120, 0.5),
    e2eMs: sketchDistribution(5200 + ttftMs * 2, 0.6),
  };
}

function sketchFairness(
  rng: Rng,
  sketch: {
    readonly tenants: number;
    readonly ttftMs: number;
    readonly goodShare: number;
    readonly isEmpty: boolean;
  },
): RunResult['fairness'] {
  const { tenants, ttftMs, goodShare, isEmpty } = sketch;
  return {
    jain: 0.98 - ttftMs / 20_000,
    jainOfGoodShare: 0.99 - ttftMs / 20_000,
    tenants: Array.from({ length: tenants }, (_, index) => ({
      tenant: `team-${index + 1}`,
      requests: isEmpty ? 0 : 4000 - index * 100,
      outputTokens: isEmpty ? 0 : 1_200_000 - index * 30_000,
      ttftP90Ms: isEmpty ? Number.NaN : ttftMs * (2 + rng.next()),
      goodShare: goodShare * (0.8 + 0.2 * rng.next()),
    })),
  };
}

function sketchEndpoints(rng: Rng, endpoints: number, ttftMs: number): EndpointResult[] {
  return Array.from({ length: endpoints }, (_, index) => ({
    name: `engine-${index}`,
    profile: 'llama-3.1-8b/l4',
    requests: Math.round(1500 + 200 * rng.next()),
    outputTokens: Math.round(480_000 + 60_000 * rng.next()),
    busyShare: 0.7 + 0.25 * rng.next(),
    asleepShare: 0,
    meanKvUsage: 0.4 + 0.4 * rng.next(),
    maxWaiting: Math.round((ttftMs / 8) * rng.next()),
    prefixHitShare: 0.6 + 0.2 * rng.next(),
    preemptions: Math.round(4 * rng.next()),
    adapterLoads: 0,
  }));
}

/** A run as `penstock bench` reports it. */
export function sketchMeasurement(ttftSeconds = 0.24): MeasuredReport {
  const latency = {
    request_latency: measuredDistribution(5.6),
    normalized_time_per_output_token: measuredDistribution(0.028),
    time_per_output_token: measuredDistribution(0.026),
    time_to_first_token: measuredDistribution(ttftSeconds),
    inter_token_latency: measuredDistribution(0.022),
  };
  return {
    benchmark_time_seconds: 600,
    load_summary: {
      count: 12_400,
      schedule_delay: measuredDistribution(0.0004),
      send_duration: 600,
      requested_rate: 20.7,
      achieved_rate: 20.66,
    },
    successes: {
      count: 12_380,
      latency,
      throughput: {
        input_tokens_per_sec: 40_800,
        output_tokens_per_sec: 6210,
        total_tokens_per_sec: 47_010,
        requests_per_sec: 20.6,
      },
      request_size_bytes: null,
      prompt_tokens: { total: 24_000_000, cached: 17_000_000, uncached: 7_000_000 },
      output_len: null,
      output_tokens: { total: 3_700_000 },
      token_count_mismatches: 0,
      goodput_metrics: {
        goodput_percentage: 91.2,
        request_goodput: 18.8,
        token_goodput: 43_000,
        good_requests: 11_290,
        total_requests: 12_400,
      },
    },
    failures: {
      count: 20,
      request_latency: null,
      by_label: {
        '503 - Service Unavailable': { count: 20, messages: [{ message: 'queue is full' }] },
      },
    },
  };
}

/** A saturation curve whose knee is at `knee` requests per second. */
export function sketchSweep(
  policy: string,
  knee: number,
  workload = 'interactive-chat',
): SweepResult {
  const rates = [4, 8, 12, 16, 20, 24, 28, 32];
  const points = rates.map((rate) => {
    const over = Math.max(0, rate - knee) / knee;
    const ttftMs = 120 * (1 + rate / knee) + 9000 * over;
    const run = sketchRun({ policy, ttftMs, endpoints: 2, samples: 10 });
    const completed = Math.min(rate, knee * 1.06);
    const good = Math.max(0, completed * (1 - over * 1.8));
    return {
      load: rate / 10,
      requestsPerSecond: rate,
      result: {
        ...run,
        throughput: { ...run.throughput, requestsPerSecond: completed },
        goodput: { ...run.goodput, requestsPerSecond: good, goodShare: good / rate },
      },
    };
  });
  const kneeIndex = rates.findLastIndex((rate) => rate <= knee);
  const hasKnee = kneeIndex >= 0 && kneeIndex < rates.length - 1;
  return {
    workload,
    policy,
    points,
    kneeIndex: hasKnee ? kneeIndex : null,
    saturatedFrom: hasKnee ? kneeIndex + 1 : null,
  };
}

/** A report with something in every part. */
export function sketchInput(changes: Partial<ReportInput> = {}): ReportInput {
  return {
    title: 'Which policy for the chat fleet?',
    subtitle: 'interactive-chat on 8 × llama-3.1-8b/l4',
    settings: [
      ['Workload', 'interactive-chat'],
      ['Load', '1.0 (20.7 requests/s)'],
      ['Profile', 'llama-3.1-8b/l4'],
      ['Replicas', '8'],
      ['Duration', '10 min, 1 min of warm-up'],
      ['Seed', '1'],
      ['Objective', 'TTFT 1 s, TPOT 50 ms'],
    ],
    runs: [
      sketchRun({ policy: 'soonest', ttftMs: 180 }),
      sketchRun({ policy: 'llm-d-default', ttftMs: 320 }),
      sketchRun({ policy: 'least-request', ttftMs: 900 }),
      sketchRun({ policy: 'round-robin', ttftMs: 2600, status: 'saturated' }),
    ],
    sweeps: [sketchSweep('soonest', 25), sketchSweep('least-request', 18)],
    sizes: [sketchSize('h100', 7), sketchSize('l4', null)],
    measured: [{ name: 'staging, 8 × L4', report: sketchMeasurement() }],
    ...changes,
  };
}

/** A search for the smallest fleet, with a count or without. */
export function sketchSize(profile: string, replicas: number | null): SizingResult {
  const term = {
    kind: 'latency',
    measure: 'ttft',
    statistic: 'p99',
    limitMs: 1000,
  } as const;
  const probes = [4, 8, 7].map((count): SizingProbe => {
    const worst = replicas === null ? Number.POSITIVE_INFINITY : 6500 / count;
    const meets = worst <= term.limitMs;
    const verdict = { term, worst, mean: worst, meets, headroom: 1 - worst / term.limitMs };
    return { replicas: count, seeds: 1, verdict: { meets, terms: [verdict], isSaturated: false } };
  });
  return {
    profile,
    objective: [term],
    replicas,
    accelerators: replicas,
    hourlyUsd: replicas === null ? null : 6.88 * replicas,
    headroom: replicas === null ? null : 0.07,
    isMonotone: true,
    reason: replicas === null ? '64 replicas miss it' : null,
    probes,
    runs: [],
  };
}

const NOTHING: Distribution = {
  count: 0,
  mean: Number.NaN,
  min: Number.NaN,
  max: Number.NaN,
  p50: Number.NaN,
  p90: Number.NaN,
  p95: Number.NaN,
  p99: Number.NaN,
  p999: Number.NaN,
  quantiles: [],
};

/** Log-logistic, which has a closed form and a long tail. */
function valueAt(median: number, shape: number, share: number): number {
  const bounded = Math.min(0.9995, Math.max(0.002, share));
  return median * (bounded / (1 - bounded)) ** (shape / 1.7);
}

function sketchDistribution(median: number, shape: number): Distribution {
  const at = (share: number): number => valueAt(median, shape, share);
  return {
    count: 12_000,
    mean: median * 1.3,
    min: at(0),
    max: at(1),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    quantiles: Array.from({ length: 101 }, (_, percent) => at(percent / 100)),
  };
}

function measuredDistribution(median: number): MeasuredDistribution {
  const at = (share: number): number => valueAt(median, 0.85, share);
  return {
    mean: median * 1.3,
    min: at(0),
    max: at(1),
    p5: at(0.05),
    p10: at(0.1),
    p25: at(0.25),
    median: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
  };
}

interface SeriesSketch {
  readonly endpoints: number;
  readonly samples: number;
  /** How uneven it is. */
  readonly heat: number;
}

function sketchSeries(rng: Rng, { endpoints, samples, heat }: SeriesSketch): RunSeries {
  const make = (value: (sample: number) => number): number[][] =>
    Array.from({ length: endpoints }, () => Array.from({ length: samples }, (_, n) => value(n)));
  const wave = (sample: number): number => 1 + Math.sin((sample / samples) * 9);
  return {
    intervalMs: 5000,
    waiting: make((n) => Math.floor(Math.max(0, wave(n) * heat * 3 * rng.next() - 1))),
    running: make((n) => Math.round(10 + 9 * wave(n) * (0.8 + 0.4 * rng.next()))),
    kvUsage: make((n) => Math.min(1, 0.25 + 0.3 * wave(n) * (0.8 + 0.3 * rng.next()))),
    picks: make((n) => Math.floor(6 * wave(n) * rng.next() ** heat)),
  };
}
