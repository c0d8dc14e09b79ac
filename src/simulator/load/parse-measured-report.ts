import { fail, succeed, type Result } from '../../core/result.ts';
import { isJsonObject, type JsonObject } from '../server/json-value.ts';
import type {
  MeasuredClient,
  MeasuredConfig,
  MeasuredExtras,
  MeasuredFailureGroup,
  MeasuredGoodput,
  MeasuredLoad,
  MeasuredPromptTokens,
  MeasuredReport,
  MeasuredTokens,
} from './measured-report.ts';
import { ReportReading } from './report-reading.ts';

/**
 * Reads the content of a `summary_lifecycle_metrics.json`, of Penstock or of inference-perf; keys
 * that are not known are left out. Failure is one sentence that names the member.
 */
export function parseMeasuredReport(json: unknown): Result<MeasuredReport, string> {
  if (!isJsonObject(json)) return fail('the report is not a JSON object');
  const reading = new ReportReading();
  const report: MeasuredReport = {
    benchmark_time_seconds: reading.optionalNumber(json, 'benchmark_time_seconds') ?? 0,
    load_summary: readLoad(reading, json),
    successes: readSuccesses(reading, json),
    failures: readFailures(reading, json),
    ...(json['penstock'] === undefined ? {} : { penstock: readExtras(reading, json) }),
  };
  return reading.problem === null ? succeed(report) : fail(reading.problem);
}

function readLoad(reading: ReportReading, json: JsonObject): MeasuredLoad {
  const load = reading.object(json, 'load_summary');
  const pairs = (['send_duration', 'requested_rate', 'achieved_rate'] as const).map(
    (name) => [name, reading.optionalNumber(load, `load_summary.${name}`)] as const,
  );
  const count = reading.number(load, 'load_summary.count');
  const schedule_delay = reading.distribution(load, 'load_summary.schedule_delay');
  return {
    count,
    schedule_delay,
    ...(Object.fromEntries(pairs.filter(([, value]) => value !== null)) as Partial<MeasuredLoad>),
  };
}

function readSuccesses(reading: ReportReading, json: JsonObject): MeasuredReport['successes'] {
  const source = reading.object(json, 'successes');
  const throughput = reading.object(source, 'successes.throughput');
  const rate = (name: string): number => reading.number(throughput, `successes.throughput.${name}`);
  const mismatches = reading.optionalNumber(source, 'successes.token_count_mismatches');
  return {
    count: reading.number(source, 'successes.count'),
    latency: reading.latency(source, 'successes.latency'),
    throughput: {
      input_tokens_per_sec: rate('input_tokens_per_sec'),
      output_tokens_per_sec: rate('output_tokens_per_sec'),
      total_tokens_per_sec: rate('total_tokens_per_sec'),
      requests_per_sec: rate('requests_per_sec'),
    },
    request_size_bytes: reading.distribution(source, 'successes.request_size_bytes'),
    prompt_tokens: readPromptTokens(reading, source),
    output_len: reading.distribution(source, 'successes.output_len'),
    output_tokens: readTokens(reading, source, 'successes.output_tokens'),
    token_count_mismatches: mismatches ?? 0,
    ...(source['goodput_metrics'] === undefined
      ? {}
      : { goodput_metrics: readGoodput(reading, source) }),
  };
}

/** Older versions of inference-perf do not count tokens: that is no mistake of the report. */
function readTokens(reading: ReportReading, parent: JsonObject, path: string): MeasuredTokens {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (parent[name] === undefined || parent[name] === null) return { total: 0 };
  const source = reading.object(parent, path);
  const total = reading.number(source, `${path}.total`);
  if (source['mean'] === undefined) return { total };
  return { total, ...reading.distribution(parent, path) };
}

function readPromptTokens(reading: ReportReading, parent: JsonObject): MeasuredPromptTokens {
  const path = 'successes.prompt_tokens';
  const tokens = readTokens(reading, parent, path);
  const source = parent['prompt_tokens'];
  if (!isJsonObject(source)) return { ...tokens, cached: 0, uncached: 0 };
  const cached = reading.optionalNumber(source, `${path}.cached`) ?? 0;
  const uncached = reading.optionalNumber(source, `${path}.uncached`) ?? tokens.total - cached;
  return { ...tokens, cached, uncached };
}

function readGoodput(reading: ReportReading, parent: JsonObject): MeasuredGoodput {
  const path = 'successes.goodput_metrics';
  const source = reading.object(parent, path);
  const read = (name: keyof MeasuredGoodput): number => reading.number(source, `${path}.${name}`);
  return {
    goodput_percentage: read('goodput_percentage'),
    request_goodput: read('request_goodput'),
    token_goodput: read('token_goodput'),
    good_requests: read('good_requests'),
    total_requests: read('total_requests'),
  };
}

function readFailures(reading: ReportReading, json: JsonObject): MeasuredReport['failures'] {
  const source = reading.object(json, 'failures');
  const groups: Record<string, MeasuredFailureGroup> = {};
  const labels = source['by_label'];
  if (isJsonObject(labels)) {
    for (const label of Object.keys(labels)) groups[label] = readGroup(reading, labels, label);
  }
  return {
    count: reading.number(source, 'failures.count'),
    request_latency: reading.distribution(source, 'failures.request_latency'),
    by_label: groups,
  };
}

function readGroup(
  reading: ReportReading,
  labels: JsonObject,
  label: string,
): MeasuredFailureGroup {
  const group = labels[label];
  if (!isJsonObject(group)) {
    reading.note(`failures.by_label.${label}`, 'expected an object');
    return { count: 0, messages: [] };
  }
  const messages = Array.isArray(group['messages']) ? (group['messages'] as unknown[]) : [];
  return {
    count: reading.number(group, `failures.by_label.${label}.count`),
    messages: messages
      .filter(isJsonObject)
      .flatMap(({ message }) => (typeof message === 'string' ? [{ message }] : [])),
  };
}

function readExtras(reading: ReportReading, json: JsonObject): MeasuredExtras {
  const source = reading.object(json, 'penstock');
  const fromSending = source['latency_from_sending'];
  return {
    config: readConfig(reading, source),
    status: reading.string(source, 'penstock.status'),
    unanswered: reading.optionalNumber(source, 'penstock.unanswered') ?? 0,
    latency_from_sending: isJsonObject(fromSending)
      ? reading.latency(source, 'penstock.latency_from_sending')
      : null,
    client: isJsonObject(source['client']) ? readClient(reading, source) : null,
  };
}

function readConfig(reading: ReportReading, parent: JsonObject): MeasuredConfig {
  const path = 'penstock.config';
  const source = reading.object(parent, path);
  const text = (name: string): string | null => reading.optionalString(source, `${path}.${name}`);
  const number = (name: string): number => reading.number(source, `${path}.${name}`);
  const kind = reading.string(source, `${path}.kind`);
  if (kind !== 'bench' && kind !== 'lab') reading.note(`${path}.kind`, 'expected bench or lab');
  return {
    kind: kind === 'lab' ? 'lab' : 'bench',
    workload: text('workload'),
    trace: text('trace'),
    arrivals: text('arrivals'),
    load: number('load'),
    seed: number('seed'),
    duration_seconds: number('duration_seconds'),
    warm_up_seconds: number('warm_up_seconds'),
    policy: text('policy'),
    target: text('target'),
    model: text('model'),
  };
}

function readClient(reading: ReportReading, parent: JsonObject): MeasuredClient {
  const path = 'penstock.client';
  const source = reading.object(parent, path);
  const warnings = Array.isArray(source['warnings']) ? (source['warnings'] as unknown[]) : [];
  return {
    max_open_requests: reading.number(source, `${path}.max_open_requests`),
    held_back: reading.number(source, `${path}.held_back`),
    loop_lag_p99: reading.number(source, `${path}.loop_lag_p99`),
    warnings: warnings.filter((warning) => typeof warning === 'string'),
  };
}
