import { must } from '../core/assert.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import { withArrivals } from '../simulator/calibration/measured-scene.ts';
import { parseTarget } from '../simulator/load/http-transport.ts';
import type { LoadApi } from '../simulator/load/request-writer.ts';
import type { GoodputObjective, Workload } from '../simulator/workloads/types.ts';
import { describeUnknownWorkload, findWorkload } from '../simulator/workloads/workloads.ts';
import { reasonOf } from './config/tls-files.ts';
import { readOutput, type LabOutput } from './lab-output.ts';
import { parseDuration } from '../simulator/workloads/duration.ts';
import type { ParsedOptions } from './options.ts';
import { findLoadProblem, readGood, readTimes, usualTimes } from './traffic-values.ts';

/** A checked command line of `penstock bench`. Times in milliseconds. */
export interface BenchPlan {
  readonly target: { readonly origin: string; readonly basePath: string };
  readonly workload: Workload;
  /** The trace's file; null for a workload of ours. */
  readonly trace: string | null;
  readonly load: number;
  readonly seed: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly timeoutMs: number;
  readonly objective: GoodputObjective;
  /** Null: the first that the server lists. */
  readonly model: string | null;
  readonly api: LoadApi;
  readonly headers: Readonly<Record<string, string>>;
  readonly ignoresEnd: boolean;
  readonly maxOpenRequests: number;
  readonly output: LabOutput;
  /** File for single requests; null for none. */
  readonly perRequest: string | null;
}

/** Checks a command line; failure is a sentence for the user. */
export async function readBenchPlan(options: ParsedOptions): Promise<Result<BenchPlan, string>> {
  const url = options.operands[0] ?? '';
  const target = parseTarget(url);
  if (target === null) return fail(`${url} is no http or https address`);
  const load = must(options.number('load'), 'a default of --load');
  const traffic = await readTraffic(options);
  if (!traffic.ok) return traffic;
  const { workload, trace } = traffic.value;
  const problem = findLoadProblem(workload, load);
  if (problem !== null) return fail(`--load: ${problem}`);
  const times = readTimes(options, usualTimes(workload, trace === null ? 1 : load));
  if (!times.ok) return times;
  const timeoutMs = parseDuration(options.string('timeout') ?? '');
  if (!timeoutMs.ok) return fail(`--timeout: ${timeoutMs.error}`);
  const headers = readHeaders(options.list('header'));
  if (!headers.ok) return headers;
  const objective = readGood(options, workload);
  if (!objective.ok) return objective;
  const output = await readOutput(options);
  if (!output.ok) return output;
  return succeed({
    target,
    workload,
    trace,
    load,
    seed: must(options.number('seed'), 'a default of --seed'),
    ...times.value,
    timeoutMs: timeoutMs.value,
    objective: objective.value,
    model: options.string('model'),
    api: options.string('api') as LoadApi,
    headers: headers.value,
    ignoresEnd: options.boolean('ignore-eos'),
    maxOpenRequests: must(options.number('concurrency-limit'), 'a default of the limit'),
    output: output.value,
    perRequest: options.string('per-request'),
  });
}

async function readTraffic(
  options: ParsedOptions,
): Promise<Result<{ readonly workload: Workload; readonly trace: string | null }, string>> {
  const name = options.string('workload');
  const trace = options.string('trace');
  if ((name === null) === (trace === null)) return fail('give one of --workload and --trace');
  const arrivals = options.string('arrivals');
  if (trace !== null) {
    if (arrivals !== null) return fail('--arrivals: a trace has times of its own; leave it away');
    return readTraceWorkload(trace);
  }
  const workload = findWorkload(name ?? '');
  if (workload === null) return fail(`--workload: ${describeUnknownWorkload(name ?? '')}`);
  const arriving = withArrivals(workload, arrivals);
  if (!arriving.ok) return fail(`--arrivals: ${arriving.error}`);
  return succeed({ workload: arriving.value, trace: null });
}

async function readTraceWorkload(
  path: string,
): Promise<Result<{ readonly workload: Workload; readonly trace: string }, string>> {
  const { readTrace } = await import('../simulator/traces/read-trace.ts');
  const { createTraceWorkload } = await import('../simulator/traces/trace-workload.ts');
  try {
    return succeed({ workload: createTraceWorkload(await readTrace(path, {})), trace: path });
  } catch (cause) {
    return fail(reasonOf(cause));
  }
}

/** Headers that the client itself must set. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'host',
]);

function readHeaders(texts: readonly string[]): Result<Readonly<Record<string, string>>, string> {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    const match = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(text);
    const name = match?.[1]?.toLowerCase();
    // A value may be a secret: only the name is repeated.
    if (name === undefined) return fail('--header: expected "name: value"');
    if (OWN_HEADERS.has(name)) return fail(`--header: ${name} is set by the client itself`);
    headers[name] = (match?.[2] ?? '').trim();
  }
  return succeed(headers);
}
