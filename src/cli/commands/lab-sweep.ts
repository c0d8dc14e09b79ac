import { fail, succeed, type Result } from '../../core/result.ts';
import type { RunResult } from '../../simulator/lab/results.ts';
import {
  createSweepResult,
  offeredPerSecond,
  sweepLoads,
  type SweepResult,
} from '../../simulator/lab/sweep.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { readComparison, type Comparison } from '../lab-comparison.ts';
import { writeOutcome, type LabOutcome } from '../lab-output.ts';
import { createJob, readWorkload, type LabScene } from '../lab-plan.ts';
import { formatWait } from '../lab-progress.ts';
import { LabSession } from '../lab-session.ts';
import { renderSweep } from '../lab-sweep-table.ts';
import { alignColumns } from '../lab-table.ts';
import { describeEndings, describeScene } from '../lab-text.ts';
import type { ParsedOptions } from '../options.ts';
import { findLoadProblem } from '../traffic-values.ts';

interface SweepPlan extends Comparison {
  readonly loads: readonly number[];
}

/** `penstock lab sweep`: the saturation curve of a fleet under each policy. */
export async function runLabSweep(
  options: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  const planned = await readPlan(options);
  if (!planned.ok) {
    context.writeError(`penstock lab sweep: ${planned.error}\n`);
    return EXIT_CODES.usage;
  }
  const { scene, fleet, policies, loads, output } = planned.value;
  const [seed = 0] = scene.seeds;
  const jobs = policies.flatMap((policy) =>
    loads.map((load) => createJob(scene, { fleet, policy, seed, load })),
  );
  const session = new LabSession(context, {
    workers: Math.min(scene.workers, jobs.length),
    budgetMs: scene.budgetMs,
    describe: ({ finished, doneJobs }) => [
      `${finished} of ${jobs.length} loads`,
      doneJobs / jobs.length,
    ],
  });
  try {
    const runs = await Promise.all(jobs.map((job) => session.pool.run(job)));
    const took = `${jobs.length} runs in ${formatWait(session.elapsedMs)}`;
    const { exitCode } = session;
    await session.close();
    const outcome = describeSweeps(planned.value, runs, took);
    const written = await writeOutcome(output, context, outcome);
    if (written.ok) return exitCode;
    context.writeError(`penstock lab sweep: ${written.error}\n`);
    return EXIT_CODES.failed;
  } finally {
    await session.close();
  }
}

async function readPlan(options: ParsedOptions): Promise<Result<SweepPlan, string>> {
  const traffic = readWorkload(options.string('workload'), options.string('arrivals'));
  if (!traffic.ok) return traffic;
  const from = options.number('from') ?? 0;
  const to = options.number('to') ?? 0;
  if (!(from > 0)) return fail(`--from must be more than 0, got ${from}`);
  if (!(to > from)) return fail(`--to must be more than --from, got ${from} to ${to}`);
  const problem = findLoadProblem(traffic.value.workload, to);
  if (problem !== null) return fail(`--to: ${problem}`);
  const compared = await readComparison(options, traffic.value, from);
  if (!compared.ok) return compared;
  const spacing = options.string('spacing') === 'linear' ? 'linear' : 'geometric';
  const stages = options.number('stages') ?? 2;
  const loads = sweepLoads({ from, to, stages, spacing });
  return succeed({ ...compared.value, loads });
}

function describeSweeps(
  { scene, fleet, policies, loads }: SweepPlan,
  runs: readonly RunResult[],
  took: string,
): LabOutcome {
  const sweeps = policies.map(({ name }, index) => {
    const own = runs.slice(index * loads.length, (index + 1) * loads.length);
    return createSweep(scene, name, { loads, runs: own });
  });
  const settings = describeScene(scene, fleet).map(([name, value]): readonly [string, string] => {
    const isTraffic = name === 'workload';
    const range = `load ${loads[0] ?? 0} to ${loads.at(-1) ?? 0}`;
    return isTraffic ? [name, value.replace(`load ${scene.load}`, range)] : [name, value];
  });
  return {
    json: { settings: Object.fromEntries(settings), sweeps },
    lines: [
      ...alignColumns(settings, 2),
      ...sweeps.flatMap((sweep) => ['', ...renderSweep(sweep, scene.durationMs)]),
      '',
      ...describeEndings(
        runs.filter(({ status }) => status !== 'saturated'),
        (run) => `load ${loads[runs.indexOf(run) % loads.length] ?? 0}`,
      ),
      `${took}.`,
    ],
    report: {
      title: `${scene.workload.name}: load until saturation`,
      subtitle: scene.workload.summary,
      settings,
      runs: [],
      sweeps,
      sizes: [],
      measured: [],
    },
    inferencePerf: null,
  };
}

function createSweep(
  scene: LabScene,
  policy: string,
  { loads, runs }: { readonly loads: readonly number[]; readonly runs: readonly RunResult[] },
): SweepResult {
  const points = loads.flatMap((load, index) => {
    const result = runs[index];
    // A run that was stopped by the caller says nothing of this load.
    if (result === undefined || !['finished', 'saturated'].includes(result.status)) return [];
    return [{ load, requestsPerSecond: offeredPerSecond(result, scene), result }];
  });
  return createSweepResult(
    { workload: scene.workload.name, policy, durationMs: scene.durationMs },
    points,
  );
}
