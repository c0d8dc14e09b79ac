import type { GoodputObjective } from '../workloads/types.ts';
import type { LatencySamples, LoadCollector } from './load-collector.ts';
import type { LoadRun, LoadStatus } from './load-run.ts';
import type {
  MeasuredClient,
  MeasuredConfig,
  MeasuredGoodput,
  MeasuredLatency,
  MeasuredLoad,
  MeasuredReport,
  MeasuredThroughput,
  MeasuredTokens,
} from './measured-report.ts';
import type { SampleList } from './sample-list.ts';
import { summarize } from './summarize.ts';

const SECONDS = 0.001;

/** A share of the time to first token that is worth a warning when the client adds it. */
const MAX_DELAY_SHARE = 0.1;
/** Lateness of timers, in milliseconds, from which on single token gaps mean little. */
const MAX_LOOP_LAG_MS = 20;

/** What a report needs beside the measurements. */
export interface LoadReportInput {
  readonly collector: LoadCollector;
  readonly run: LoadRun;
  readonly status: LoadStatus;
  readonly config: MeasuredConfig;
  readonly objective: GoodputObjective;
  readonly maxOpenRequests: number;
}

/** The report of a run, finished or not. */
export function createLoadReport(input: LoadReportInput): MeasuredReport {
  const { collector, run, status, objective } = input;
  const seconds = collector.spanMs * SECONDS;
  const fromSchedule = latencyOf(collector, collector.fromSchedule);
  const hasObjective = Object.values(objective).some((limit) => limit !== null);
  const cached = collector.cachedTokens;
  return {
    benchmark_time_seconds: seconds,
    load_summary: loadOf(collector),
    successes: {
      count: collector.succeeded,
      latency: fromSchedule,
      throughput: throughputOf(collector, seconds),
      request_size_bytes: summarize(collector.sizeBytes.values),
      prompt_tokens: {
        ...tokensOf(collector.promptTokens),
        cached,
        uncached: collector.promptTokens.sum - cached,
      },
      output_len: summarize(collector.outputChunks.values),
      output_tokens: tokensOf(collector.outputTokens),
      token_count_mismatches: collector.mismatches,
      ...(hasObjective ? { goodput_metrics: goodputOf(input, seconds) } : {}),
    },
    failures: {
      count: collector.failedMs.count,
      request_latency: inSeconds(collector.failedMs),
      by_label: collector.failures.toJson(),
    },
    penstock: {
      config: input.config,
      status,
      unanswered: run.unanswered,
      latency_from_sending: latencyOf(collector, collector.fromSending),
      client: clientOf(input),
    },
  };
}

function inSeconds(samples: SampleList): ReturnType<typeof summarize> {
  return summarize(samples.values, SECONDS);
}

function latencyOf(collector: LoadCollector, samples: LatencySamples): MeasuredLatency {
  return {
    request_latency: inSeconds(samples.e2eMs),
    normalized_time_per_output_token: inSeconds(samples.perTokenMs),
    time_per_output_token: inSeconds(collector.tpotMs),
    time_to_first_token: inSeconds(samples.ttftMs),
    inter_token_latency: inSeconds(collector.itlMs),
  };
}

function loadOf(collector: LoadCollector): MeasuredLoad {
  const count = collector.counted;
  const schedule_delay = inSeconds(collector.scheduleDelayMs);
  if (count === 0) return { count, schedule_delay };
  const sendSeconds = (collector.lastSentMs - collector.firstSentMs) * SECONDS;
  const planSeconds = (collector.lastScheduledMs - collector.firstScheduledMs) * SECONDS;
  return {
    count,
    schedule_delay,
    send_duration: sendSeconds,
    requested_rate: planSeconds > 0 ? count / planSeconds : 0,
    achieved_rate: sendSeconds > 0 ? count / sendSeconds : 0,
  };
}

function throughputOf(collector: LoadCollector, seconds: number): MeasuredThroughput {
  const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
  const input = collector.promptTokens.sum;
  const output = collector.outputTokens.sum;
  return {
    input_tokens_per_sec: perSecond(input),
    output_tokens_per_sec: perSecond(output),
    total_tokens_per_sec: perSecond(input + output),
    requests_per_sec: perSecond(collector.succeeded),
  };
}

function tokensOf(samples: SampleList): MeasuredTokens {
  return { total: samples.sum, ...summarize(samples.values) };
}

function goodputOf({ collector, run, status }: LoadReportInput, seconds: number): MeasuredGoodput {
  // What a saturated server left unanswered is as bad as a failure; Ctrl-C is not its fault.
  const total = collector.counted + (status === 'saturated' ? run.unanswered : 0);
  const { goodRequests, goodTokens } = collector;
  return {
    goodput_percentage: total > 0 ? (goodRequests / total) * 100 : 0,
    request_goodput: seconds > 0 ? goodRequests / seconds : 0,
    token_goodput: seconds > 0 ? goodTokens / seconds : 0,
    good_requests: goodRequests,
    total_requests: total,
  };
}

function clientOf({ collector, run, maxOpenRequests }: LoadReportInput): MeasuredClient {
  const lagMs = summarize(run.loopLagMs.values)?.p99 ?? 0;
  const delayMs = summarize(collector.scheduleDelayMs.values)?.p99 ?? 0;
  const ttftMs = summarize(collector.fromSending.ttftMs.values)?.median ?? null;
  const warnings: string[] = [];
  if (ttftMs !== null && delayMs > ttftMs * MAX_DELAY_SHARE) {
    const why =
      run.heldBack > 0
        ? `${run.heldBack} requests waited because ${maxOpenRequests} were open`
        : 'its event loop was busy, or the time to first token is too short to be measured so';
    warnings.push(
      `client overloaded: 1 % of the requests left ${delayMs.toFixed(1)} ms late or later, ` +
        `with a median time to first token of ${ttftMs.toFixed(1)} ms; ${why}`,
    );
  }
  if (lagMs > MAX_LOOP_LAG_MS) {
    warnings.push(`client overloaded: its timers fired ${lagMs.toFixed(1)} ms late (p99)`);
  }
  return {
    max_open_requests: maxOpenRequests,
    held_back: run.heldBack,
    loop_lag_p99: lagMs * SECONDS,
    warnings,
  };
}
