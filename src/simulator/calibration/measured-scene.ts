import { fail, succeed, type Result } from '../../core/result.ts';
import type { MeasuredReport } from '../load/measured-report.ts';
import { isJsonObject, readNumber, readObject, type JsonObject } from '../server/json-value.ts';
import { parseArrivals } from '../workloads/arrival-spec.ts';
import { WorkloadError } from '../workloads/errors.ts';
import { RequestList } from '../workloads/request-list.ts';
import { createRequest } from '../workloads/request.ts';
import type { LabRequest, Workload } from '../workloads/types.ts';
import { findWorkload } from '../workloads/workloads.ts';
import type { MeasuredScene } from './scene.ts';

/** How a trace named in a report is read; the caller has the file system. */
export type TraceReader = (path: string) => Promise<Workload>;

/**
 * The run that a report describes, ready to be simulated. Failure says what the report lacks; the
 * reader's own errors pass through.
 */
export async function sceneOfReport(
  report: MeasuredReport,
  readTrace: TraceReader,
): Promise<Result<MeasuredScene, string>> {
  const config = report.penstock?.config;
  if (config === undefined) {
    return fail('the report does not say what was run; give its single requests too');
  }
  const { workload: name, trace, load, seed } = config;
  const durationMs = config.duration_seconds * 1000;
  const warmUpMs = config.warm_up_seconds * 1000;
  if (!(load > 0)) return fail(`penstock.config.load must be above 0, not ${load}`);
  if (!Number.isSafeInteger(seed)) return fail(`penstock.config.seed must be whole, not ${seed}`);
  if (!(durationMs > warmUpMs)) return fail('penstock.config: nothing is left after the warm-up');
  const workload = trace === null ? findWorkload(name ?? '') : await readTrace(trace);
  if (workload === null) return fail(`penstock.config: "${name ?? ''}" is no workload`);
  const arriving = withArrivals(workload, config.arrivals);
  if (!arriving.ok) return fail(`penstock.config.arrivals: ${arriving.error}`);
  return succeed({ workload: arriving.value, load, seed, durationMs, warmUpMs });
}

/** The workload with the arrivals of that text; null: its own. */
export function withArrivals(workload: Workload, text: string | null): Result<Workload, string> {
  if (text === null) return succeed(workload);
  const arrivals = parseArrivals(text);
  if (!arrivals.ok) return arrivals;
  try {
    return succeed(workload.withArrivals(arrivals.value));
  } catch (cause) {
    if (cause instanceof WorkloadError) return fail(cause.message);
    throw cause;
  }
}

/** Machine of such a scene when nothing is said; it is always said here. */
const NO_DEFAULTS: Workload['defaults'] = Object.freeze({
  profile: 'demo',
  replicas: 1,
  durationMs: 1,
  warmUpMs: 0,
});

/** Requests of a log at most: a day of 10 requests a second. */
const MAX_REQUESTS = 1_000_000;

/**
 * The run that a log of single requests describes (inference-perf's per-request file), for reports
 * that do not say what was run: times and sizes are known, but prompts share nothing.
 */
export function sceneOfRequests(json: unknown): Result<MeasuredScene, string> {
  if (!Array.isArray(json)) return fail('the single requests are not a JSON list');
  const entries = json as readonly unknown[];
  if (entries.length === 0) return fail('the list of single requests is empty');
  if (entries.length > MAX_REQUESTS) return fail(`more than ${MAX_REQUESTS} single requests`);
  const sizes: Size[] = [];
  for (const [index, entry] of entries.entries()) {
    const size = sizeOf(entry);
    if (size === 'failed') continue;
    if (size === null) return fail(`request ${index}: no start_time, or no token counts`);
    sizes.push(size);
  }
  if (sizes.length === 0) return fail('none of the single requests succeeded');
  sizes.sort((left, right) => left.atMs - right.atMs);
  const startMs = sizes[0]?.atMs ?? 0;
  const requests = sizes.map((size, index) => requestOf(size, index, startMs));
  const durationMs = (requests.at(-1)?.atMs ?? 0) + 1;
  const workload: Workload = {
    name: 'single requests',
    summary: `${requests.length} requests of a measured run`,
    objective: { ttftMs: null, tpotMs: null, e2eMs: null },
    adapters: [],
    defaults: NO_DEFAULTS,
    loadUnit: 'as measured',
    arrivals: null,
    withArrivals: () => {
      const message = 'measured requests have times of their own';
      throw new WorkloadError('arrivals_invalid', message);
    },
    createTraffic: () => new RequestList(requests),
  };
  return succeed({ workload, load: 1, seed: 1, durationMs, warmUpMs: 0 });
}

interface Size {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Null: the entry lacks something. */
function sizeOf(entry: unknown): Size | 'failed' | null {
  if (!isJsonObject(entry)) return null;
  if (isJsonObject(entry['error'])) return 'failed';
  const start = readNumber(entry, 'scheduled_time') ?? readNumber(entry, 'start_time');
  const computed = readObject(entry, 'computed_metrics') ?? {};
  const info = readObject(entry, 'info') ?? {};
  const promptTokens = readNumber(computed, 'input_tokens') ?? deepNumber(info, INPUT_PATH);
  const outputTokens = readNumber(computed, 'output_tokens') ?? deepNumber(info, OUTPUT_PATH);
  if (start === null || !isTokenCount(promptTokens) || !isTokenCount(outputTokens)) return null;
  return { atMs: start * 1000, promptTokens, outputTokens };
}

const INPUT_PATH = ['request_metrics', 'text', 'input_tokens'] as const;
const OUTPUT_PATH = ['response_metrics', 'output_tokens'] as const;

function deepNumber(object: JsonObject, path: readonly string[]): number | null {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return readNumber(object, name);
  const inner = readObject(object, name);
  return inner === null ? null : deepNumber(inner, rest);
}

function isTokenCount(value: number | null): value is number {
  return value !== null && Number.isSafeInteger(value) && value >= 1 && value <= 2 ** 21;
}

function requestOf(size: Size, index: number, startMs: number): LabRequest {
  return createRequest({
    atMs: size.atMs - startMs,
    session: index,
    tenant: 'measured',
    segments: [{ id: 2 * index, tokens: size.promptTokens }],
    output: { id: 2 * index + 1, tokens: size.outputTokens },
  });
}
