import { TraceError } from '../../simulator/traces/errors.ts';
import { readTrace } from '../../simulator/traces/read-trace.ts';
import { createTraceWorkload } from '../../simulator/traces/trace-workload.ts';
import type { ReadTraceOptions, TraceFormat } from '../../simulator/traces/types.ts';
import type { PoolProgress } from '../../simulator/lab/jobs-pool.ts';
import type { RunResult } from '../../simulator/lab/results.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { writeOutcome, type LabOutcome } from '../lab-output.ts';
import { createJob, readWorkload, type LabTraffic } from '../lab-plan.ts';
import { readComparison, type Comparison } from '../lab-comparison.ts';
import { formatWait } from '../lab-progress.ts';
import { LabSession } from '../lab-session.ts';
import { alignColumns, renderRunTable } from '../lab-table.ts';
import { describeEndings, describeScene } from '../lab-text.ts';
import type { ParsedOptions } from '../options.ts';

/** `penstock lab run`: policies on a workload. */
export async function runLabRun(options: ParsedOptions, context: CommandContext): Promise<number> {
  const traffic = readWorkload(options);
  const plan = traffic.ok
    ? await readComparison(options, traffic.value, options.number('load') ?? 1)
    : traffic;
  return runPlan('penstock lab run', plan, context);
}

/** `penstock lab replay`: policies on a recorded or published trace. */
export async function runLabReplay(
  options: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  const traffic = await readTraceTraffic(options, context);
  const plan = traffic.ok
    ? await readComparison(options, traffic.value, options.number('speed') ?? 1)
    : traffic;
  return runPlan('penstock lab replay', plan, context);
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
    return succeed({ traffic: { kind: 'trace', path, options: settings }, workload });
  } catch (cause) {
    if (cause instanceof TraceError) return fail(cause.message);
    throw cause;
  }
}

async function runPlan(
  who: string,
  planned: Result<Comparison, string>,
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
  { scene, fleet, policies }: Comparison,
  runs: readonly RunResult[],
  took: string,
): LabOutcome {
  const settings = describeScene(scene, fleet);
  // A run that was stopped before its first request has nothing to show.
  const columns = policies.flatMap(({ name }) => {
    const own = runs.filter(({ policy, requests }) => policy === name && requests.sent > 0);
    return own.length === 0 ? [] : [{ policy: name, runs: own }];
  });
  const endings = describeEndings(runs);
  const mark = policies.length > 1 ? '* best of its row. ' : '';
  return {
    json: { settings: Object.fromEntries(settings), runs },
    lines: [
      ...alignColumns(settings, 2),
      '',
      ...(columns.length === 0 ? ['no request was sent'] : renderRunTable(columns)),
      '',
      ...endings,
      `${mark}${took}.`,
    ],
    report: {
      title: `${scene.workload.name}: ${policies.map(({ name }) => name).join(', ')}`,
      subtitle: scene.workload.summary,
      settings,
      runs,
      sweeps: [],
      measured: [],
    },
  };
}
