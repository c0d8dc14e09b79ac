import { writeFile } from 'node:fs/promises';
import { HttpTransport } from '../../simulator/load/http-transport.ts';
import type { MeasuredConfig, MeasuredReport } from '../../simulator/load/measured-report.ts';
import { renderMeasuredReport } from '../../simulator/load/report-text.ts';
import { RequestLog } from '../../simulator/load/request-log.ts';
import { startLoad, type RunningLoad } from '../../simulator/load/run-load.ts';
import { summarizeSchedule } from '../../simulator/load/schedule-summary.ts';
import { readBenchPlan, type BenchPlan } from '../bench-plan.ts';
import { formatArrivals } from '../../simulator/workloads/arrival-spec.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { reasonOf } from '../config/tls-files.ts';
import { writeOutcome } from '../lab-output.ts';
import { ProgressDisplay } from '../lab-progress.ts';
import { describeGood, formatTime } from '../lab-text.ts';
import type { ParsedOptions } from '../options.ts';
import { createSystemClock } from '../system-clock.ts';

/** How often progress is looked at, in milliseconds. */
const PROGRESS_MS = 200;
/** For a dry run: what a streamed token takes on the engines of today, in milliseconds. */
const DRY_RUN_TOKEN_MS = 20;

/** `penstock bench`: real HTTP load on a server. */
export async function runBench(options: ParsedOptions, context: CommandContext): Promise<number> {
  const planned = await readBenchPlan(options);
  if (!planned.ok) {
    context.writeError(`penstock bench: ${planned.error}\n`);
    return EXIT_CODES.usage;
  }
  const plan = planned.value;
  if (options.boolean('dry-run')) {
    context.writeOut(describeSchedule(plan));
    return EXIT_CODES.ok;
  }
  const apiKey = process.env[options.string('api-key-env') ?? ''] ?? '';
  const transport = new HttpTransport(plan.target, {
    maxConnections: plan.maxOpenRequests,
    apiKey: apiKey === '' ? null : apiKey,
  });
  try {
    const model = plan.model ?? (await findModel(transport, plan, context));
    return model === null ? EXIT_CODES.failed : await measure(plan, { transport, model, context });
  } finally {
    await transport.close();
  }
}

async function findModel(
  transport: HttpTransport,
  { target }: BenchPlan,
  context: CommandContext,
): Promise<string | null> {
  const url = `${target.origin}${target.basePath}`;
  try {
    const [model] = await transport.listModels();
    if (model !== undefined) return model;
    context.writeError(`penstock bench: ${url} lists no models; name one with --model\n`);
  } catch (cause) {
    const why = transport.redact(reasonOf(cause));
    context.writeError(`penstock bench: ${url}/v1/models cannot be read: ${why}\n`);
  }
  return null;
}

interface BenchPorts {
  readonly transport: HttpTransport;
  readonly model: string;
  readonly context: CommandContext;
}

async function measure(plan: BenchPlan, ports: BenchPorts): Promise<number> {
  const { transport, model, context } = ports;
  const { seed, load, durationMs } = plan;
  const clock = createSystemClock();
  const log = plan.perRequest === null ? null : new RequestLog();
  const loading = startLoad({
    traffic: plan.workload.createTraffic({ seed, load, durationMs }),
    transport,
    clock,
    requests: {
      api: plan.api,
      model,
      salt: seed,
      ignoresEnd: plan.ignoresEnd,
      headers: plan.headers,
    },
    objective: plan.objective,
    config: configOf(plan, model),
    timeoutMs: plan.timeoutMs,
    maxOpenRequests: plan.maxOpenRequests,
    onEnded:
      log === null
        ? null
        : (ended) => {
            log.note(ended);
          },
  });
  const report = await watch(loading, plan, context);
  const written = await writeOutcome(plan.output, context, {
    json: report,
    lines: [...headOf(plan, model), renderMeasuredReport(report).trimEnd()],
    report: {
      title: `${plan.workload.name} on ${plan.target.origin}`,
      subtitle: plan.workload.summary,
      settings: settingsOf(plan, model),
      runs: [],
      sweeps: [],
      sizes: [],
      measured: [{ name: model, report }],
    },
    inferencePerf: null,
  });
  if (written.ok && log !== null) await writeLog(plan.perRequest ?? '', log);
  if (!written.ok) context.writeError(`penstock bench: ${written.error}\n`);
  return written.ok ? exitCodeOf(report) : EXIT_CODES.failed;
}

async function writeLog(path: string, log: RequestLog): Promise<void> {
  await writeFile(path, `[\n${log.entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`);
}

/** Shows progress and obeys signals until the run is over; a second signal ends the process. */
async function watch(
  { run, report }: RunningLoad,
  plan: BenchPlan,
  context: CommandContext,
): Promise<MeasuredReport> {
  const display = new ProgressDisplay(context, createSystemClock());
  // Also what keeps the process alive while no request is open.
  const timer = setInterval(() => {
    const { sent, succeeded, failed, open, held, elapsedMs } = run.progress;
    const waiting = held === 0 ? '' : `, ${held} held back`;
    const text = `${sent} sent, ${succeeded} answered, ${failed} failed, ${open} open${waiting}`;
    const isSending = elapsedMs < plan.durationMs;
    display.update(text, isSending ? elapsedMs / plan.durationMs : null);
  }, PROGRESS_MS);
  const removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    context.onSignal(signal, () => {
      run.stop('interrupted');
      for (const remove of removers) remove();
    }),
  );
  try {
    return await report;
  } finally {
    clearInterval(timer);
    display.clear();
    for (const remove of removers) remove();
  }
}

function exitCodeOf({ penstock, successes, failures }: MeasuredReport): number {
  if (penstock?.status === 'interrupted') return EXIT_CODES.interrupted;
  const isDead = successes.count === 0 && failures.count > 0;
  return isDead ? EXIT_CODES.failed : EXIT_CODES.ok;
}

function configOf(plan: BenchPlan, model: string): MeasuredConfig {
  return {
    kind: 'bench',
    workload: plan.trace === null ? plan.workload.name : null,
    trace: plan.trace,
    arrivals: plan.workload.arrivals === null ? null : formatArrivals(plan.workload.arrivals),
    load: plan.load,
    seed: plan.seed,
    duration_seconds: plan.durationMs / 1000,
    warm_up_seconds: plan.warmUpMs / 1000,
    policy: null,
    target: `${plan.target.origin}${plan.target.basePath}`,
    model,
  };
}

function settingsOf(plan: BenchPlan, model: string): readonly (readonly [string, string])[] {
  const { workload, trace, load, durationMs, warmUpMs, objective, target } = plan;
  return [
    ['target', `${target.origin}${target.basePath}, ${plan.api} API, model ${model}`],
    [
      trace === null ? 'workload' : 'trace',
      `${trace ?? workload.name}, ${trace === null ? 'load' : 'speed'} ${load} (1 is ${workload.loadUnit})`,
    ],
    ['time', `${formatTime(durationMs)}, the first ${formatTime(warmUpMs)} not counted`],
    ['seed', String(plan.seed)],
    ['good', describeGood(objective)],
  ];
}

function headOf(plan: BenchPlan, model: string): readonly string[] {
  const rows = settingsOf(plan, model);
  return [...rows.map(([name, value]) => `${name.padEnd(10)}${value}`), ''];
}

function describeSchedule(plan: BenchPlan): string {
  const { seed, load, durationMs, workload } = plan;
  const traffic = workload.createTraffic({ seed, load, durationMs });
  const summary = summarizeSchedule(traffic, { durationMs, tokenMs: DRY_RUN_TOKEN_MS });
  const { requests, promptTokens, outputTokens } = summary;
  const mean = (sum: number): string => (requests === 0 ? '0' : (sum / requests).toFixed(0));
  const seconds = durationMs / 1000;
  const lines = [
    ...headOf(plan, plan.model ?? 'the first that is listed'),
    `requests: ${summary.isComplete ? '' : 'more than '}${requests}, ` +
      `${(requests / seconds).toFixed(2)}/s, the last after ${formatTime(summary.lastAtMs)}`,
    `prompt tokens: ${mean(promptTokens.sum)} on average, ${promptTokens.max} at most, ` +
      `${(promptTokens.sum / seconds).toFixed(0)}/s`,
    `output tokens: ${mean(outputTokens.sum)} on average, ${outputTokens.max} at most, ` +
      `${(outputTokens.sum / seconds).toFixed(0)}/s`,
    `sessions: ${summary.sessions}, tenants: ${summary.tenants}, adapters: ${summary.adapters}`,
  ];
  const isClosed = workload.arrivals?.kind === 'closed';
  if (summary.dependent > 0 || isClosed) {
    const who = isClosed ? 'users send' : `${summary.dependent} requests are sent`;
    lines.push(
      `${who} only when the answer before has come: ` +
        `their times are as if a token took ${DRY_RUN_TOKEN_MS} ms`,
    );
  }
  return `${lines.join('\n')}\nnothing was sent\n`;
}
