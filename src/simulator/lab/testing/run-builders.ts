import type { Distribution, RunResult } from '../results.ts';

/** What a made-up run is like; everything else is quiet. */
export interface RunLook {
  readonly status?: RunResult['status'];
  readonly sent?: number;
  readonly failed?: number;
  /** The same at every percentile. */
  readonly ttftMs?: number;
  readonly goodShare?: number;
  /** Open requests at each sample of a second: those that run, and those that wait. */
  readonly running?: readonly number[];
  readonly waiting?: readonly number[];
  /** Picks at each sample. */
  readonly picks?: readonly number[];
}

/** A run of one endpoint that answered everything. */
export function createRun(look: RunLook = {}): RunResult {
  const { status = 'finished', sent = 100, failed = 0, ttftMs = 100, goodShare = 1 } = look;
  const { running = [1, 1, 1, 1], waiting = running.map(() => 0) } = look;
  const picks = look.picks ?? running.map(() => 10);
  const completed = sent - failed;
  const latency = flatDistribution(ttftMs, completed);
  return {
    policy: 'test',
    seed: 1,
    status,
    reason: status === 'finished' ? null : 'for a reason',
    simulatedMs: 1000 * running.length,
    countedMs: 1000 * running.length,
    requests: { sent, completed, refused: 0, failed, unanswered: 0 },
    ttftMs: latency,
    tpotMs: latency,
    itlMs: latency,
    e2eMs: latency,
    throughput: { requestsPerSecond: 1, inputTokensPerSecond: 1, outputTokensPerSecond: 1 },
    goodput: {
      objective: { ttftMs: null, tpotMs: null, e2eMs: null },
      goodRequests: completed,
      goodShare,
      requestsPerSecond: 1,
      outputTokensPerSecond: 1,
    },
    prefixHitShare: 0,
    preemptions: 0,
    adapterLoads: 0,
    queue: { meanWaiting: 0, maxWaiting: 0 },
    spread: { requestsCv: 0, outputTokensCv: 0 },
    fairness: { jain: 1, jainOfGoodShare: 1, tenants: [] },
    acceleratorSecondsPerThousandGood: 1,
    endpoints: [],
    series: {
      intervalMs: 1000,
      waiting: [waiting],
      running: [running],
      kvUsage: [running.map(() => 0)],
      picks: [picks],
    },
  };
}

/** Every percentile is the same. */
function flatDistribution(value: number, count: number): Distribution {
  const quantiles = Array.from({ length: 101 }, () => value);
  const same = { mean: value, min: value, max: value, p50: value, p90: value, p95: value };
  return { count, ...same, p99: value, p999: value, quantiles };
}
