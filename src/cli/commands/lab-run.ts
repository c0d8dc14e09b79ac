import { must } from '../../core/assert.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import type { FleetPart } from '../../simulator/lab/jobs.ts';
import { TraceError } from '../../simulator/traces/errors.ts';
import { readTrace } from '../../simulator/traces/read-trace.ts';
import { createTraceWorkload } from '../../simulator/traces/trace-workload.ts';
import type { ReadTraceOptions, TraceFormat } from '../../simulator/traces/types.ts';
import type { PoolProgress } from '../../simulator/lab/jobs-pool.ts';
import type { RunResult } from '../../simulator/lab/results.ts';
import type { MeasuredReport } from '../../simulator/load/measured-report.ts';
import { toMeasuredReport } from '../../simulator/load/simulated-report.ts';
import type { NamedMeasurement } from '../../simulator/report/report-input.ts';
import { formatArrivals } from '../../simulator/workloads/arrival-spec.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { writeOutcome, type LabOutcome } from '../lab-output.ts';
import { describeGaps, readReplayTraffic, readRunTraffic } from '../lab-measured.ts';
import { createJob, type LabScene, type LabTraffic } from '../lab-plan.ts';
import { readComparison, type Comparison } from '../lab-comparison.ts';
import { formatWait } from '../lab-progress.ts';
import { LabSession } from '../lab-session.ts';
import { alignColumns, isCut, renderRunTable, runsToShow } from '../lab-table.ts';
import {
  describeEndings,
  describeFailures,
  describeFleet,
  describeLeftOut,
  describeScene,
} from '../lab-text.ts';
import { readMeasurements } from '../measured-file.ts';
import type { ParsedOptions } from '../options.ts';

/** `penstock lab run`: policies on a workload. */
export async function runLabRun(options: ParsedOptions, context: CommandContext): Promise<number> {
  return runPlan('penstock lab run', await readRunPlan(options), context);
}

/** `penstock lab replay`: policies on a recorded or published trace. */
export async function runLabReplay(
  options: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  return runPlan('penstock lab replay', await readReplayPlan(options, context), context);
}

/** A comparison with the measured runs that stand beside it. */
interface RunPlan extends Comparison {
  readonly measurements: readonly NamedMeasurement[];
}

async function readRunPlan(options: ParsedOptions): Promise<Result<RunPlan, string>> {
  const measurements = await readMeasurements(options.list('measured'));
  if (!measurements.ok) return measurements;
  const traffic = await readRunTraffic(options, measurements.value);
  return traffic.ok ? completePlan(options, traffic.value, measurements.value) : traffic;
}

async function readReplayPlan(
  options: ParsedOptions,
  context: CommandContext,
): Promise<Result<RunPlan, string>> {
  const measurements = await readMeasurements(options.list('measured'));
  if (!measurements.ok) return measurements;
  const trace = await readTraceTraffic(options, context);
  if (!trace.ok) return trace;
  const path = options.operands[0] ?? '';
  const traffic = await readReplayTraffic(trace.value, path, measurements.value);
  return traffic.ok ? completePlan(options, traffic.value, measurements.value) : traffic;
}

async function completePlan(
  options: ParsedOptions,
  traffic: LabTraffic,
  measurements: readonly NamedMeasurement[],
): Promise<Result<RunPlan, string>> {
  const flag = traffic.traffic.kind === 'trace' ? 'speed' : 'load';
  const given = must(options.number(flag), 'a default of the load');
  const load = traffic.measured === null || options.isGiven(flag) ? given : traffic.measured.load;
  const compared = await readComparison(options, traffic, load);
  if (!compared.ok) return compared;
  const { policies, scene, output } = compared.value;
  if (output.inferencePerf !== null && policies.length * scene.seeds.length > 1) {
    return fail('--inference-perf takes one run: name one policy, and one seed');
  }
  return succeed({ ...compared.value, measurements });
}

async function readTraceTraffic(
  options: ParsedOptions,
  context: CommandContext,
): Promise<Result<LabTraffic, string>> {
  const path = options.operands[0] ?? '';
  const format = options.string('format') ?? 'auto';
  const settings: ReadTraceOptions = {
    format: format === 'auto' ? undefined : (format as TraceFormat),
    limit: options.number('limit') ?? undefined,
    blockTokens: options.number('block-tokens') ?? undefined,
  };
  try {
    const trace = await readTrace(path, settings);
    for (const warning of trace.warnings) context.writeError(`${path}: ${warning}\n`);
    const workload = createTraceWorkload(trace);
    return succeed({
      traffic: { kind: 'trace', path, options: settings },
      workload,
      measured: null,
    });
  } catch (cause) {
    if (cause instanceof TraceError) return fail(cause.message);
    throw cause;
  }
}

async function runPlan(
  who: string,
  planned: Result<RunPlan, string>,
  context: CommandContext,
): Promise<number> {
  if (!planned.ok) {
    context.writeError(`${who}: ${planned.error}\n`);
    return EXIT_CODES.usage;
  }
  const { scene, fleet, policies, output } = planned.value;
  const jobs = policies.flatMap((policy) =>
    scene.seeds.map((seed) => createJob(scene, { fleet, policy, seed, load: scene.load })),
  );
  const session = new LabSession(context, {
    workers: Math.min(scene.workers, jobs.length),
    budgetMs: scene.budgetMs,
    describe: ({ finished, doneJobs }: PoolProgress) => [
      `${finished} of ${jobs.length} runs`,
      doneJobs / jobs.length,
    ],
  });
  try {
    const runs = await Promise.all(jobs.map((job) => session.pool.run(job)));
    const took = `${jobs.length === 1 ? '1 run' : `${jobs.length} runs`} in ${formatWait(session.elapsedMs)}`;
    await session.close();
    const written = await writeOutcome(output, context, describeRuns(planned.value, runs, took));
    if (written.ok) return session.exitCode;
    context.writeError(`${who}: ${written.error}\n`);
    return EXIT_CODES.failed;
  } finally {
    await session.close();
  }
}

function describeRuns(
  { scene, fleet, policies, measurements }: RunPlan,
  runs: readonly RunResult[],
  took: string,
): LabOutcome {
  const beside = measurements.map(({ name }) => name).join(', ');
  const settings = [
    ...describeScene(scene, fleet),
    ...(measurements.length === 0 ? [] : [['measured', beside] as const]),
  ];
  const columns = policies.flatMap(({ name }) => {
    const own = runsToShow(runs.filter(({ policy }) => policy === name));
    return own.length === 0 ? [] : [{ policy: name, runs: own }];
  });
  const shown = new Set(columns.flatMap((column) => column.runs));
  const leftOut = new Set(runs.filter((run) => !shown.has(run) && isCut(run)));
  const endings = [
    ...describeEndings(runs.filter((run) => !leftOut.has(run))),
    ...describeLeftOut([...leftOut]),
  ];
  const mark = columns.length > 1 ? '* best of its row. ' : '';
  return {
    json: { settings: Object.fromEntries(settings), runs, ...measuredJson(measurements) },
    lines: [
      ...alignColumns(settings, 2),
      '',
      ...(columns.length === 0
        ? ['no run got past its warm-up: there is nothing to show']
        : renderRunTable(columns, measurements)),
      '',
      ...endings,
      ...(scene.events.length === 0 ? describeFailures(runs, fleet) : []),
      ...describeGaps(measurements, runs),
      `${mark}${took}.`,
    ],
    report: {
      title: `${scene.workload.name}: ${policies.map(({ name }) => name).join(', ')}`,
      subtitle: scene.workload.summary,
      settings,
      runs,
      sweeps: [],
      sizes: [],
      measured: measurements,
    },
    inferencePerf: measuredOf(scene, fleet, runs),
  };
}

/** Only what was asked for is in the output. */
function measuredJson(measurements: readonly NamedMeasurement[]): object {
  return measurements.length === 0 ? {} : { measured: measurements };
}

/** The first run under the keys of inference-perf; null when there is none. */
function measuredOf(
  { traffic, workload, load, durationMs, warmUpMs }: LabScene,
  fleet: readonly FleetPart[],
  runs: readonly RunResult[],
): MeasuredReport | null {
  const [run] = runs;
  if (run === undefined) return null;
  return toMeasuredReport(run, {
    workload: traffic.kind === 'trace' ? null : workload.name,
    trace: traffic.kind === 'trace' ? traffic.path : null,
    arrivals: workload.arrivals === null ? null : formatArrivals(workload.arrivals),
    load,
    durationMs,
    warmUpMs,
    model: describeFleet(fleet),
  });
}
