import { fail, succeed, type Result } from '../../core/result.ts';
import type { FleetPart } from '../../simulator/lab/jobs.ts';
import type { ObjectiveTerm } from '../../simulator/lab/sizing-objective.ts';
import { sizeFleet, type SizingProbe, type SizingResult } from '../../simulator/lab/sizing.ts';
import type { LabPolicy } from '../../simulator/lab/types.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { readOutput, writeOutcome, type LabOutcome, type LabOutput } from '../lab-output.ts';
import { readAlternatives } from '../lab-fleet.ts';
import { createJob, readScene, readWorkload, type LabScene } from '../lab-plan.ts';
import { readPolicies } from '../lab-policies.ts';
import { formatWait } from '../lab-progress.ts';
import { LabSession } from '../lab-session.ts';
import { renderProbes, renderSizes } from '../lab-size-table.ts';
import { alignColumns } from '../lab-table.ts';
import { describeScene, describeTermBound } from '../lab-text.ts';
import { parseSizingObjective } from '../lab-values.ts';
import type { ParsedOptions } from '../options.ts';

/** Share of the load at which a request meets hardly any other; for the floor of latencies. */
const ALONE_LOAD = 0.02;

interface SizePlan {
  readonly scene: LabScene;
  readonly objective: readonly ObjectiveTerm[];
  readonly alternatives: readonly FleetPart[];
  readonly policy: LabPolicy;
  readonly maxReplicas: number;
  readonly output: LabOutput;
}

/** `penstock lab size`: the smallest fleet that meets an objective, for each profile. */
export async function runLabSize(options: ParsedOptions, context: CommandContext): Promise<number> {
  const planned = await readPlan(options);
  if (!planned.ok) {
    context.writeError(`penstock lab size: ${planned.error}\n`);
    return EXIT_CODES.usage;
  }
  const plan = planned.value;
  const trying = new Map<string, number>();
  const session = new LabSession(context, {
    workers: plan.scene.workers,
    budgetMs: plan.scene.budgetMs,
    describe: ({ finished }) => [
      `${finished} runs; ${[...trying].map(([name, count]) => `${name}: ${count} replicas`).join(', ')}`,
      null,
    ],
  });
  try {
    const sizes = await Promise.all(
      plan.alternatives.map((part) => sizePart(plan, part, { session, trying })),
    );
    const took = formatWait(session.elapsedMs);
    const { exitCode } = session;
    await session.close();
    const outcome = describeSizes(plan, sizes, took);
    const written = await writeOutcome(plan.output, context, outcome);
    if (!written.ok) {
      context.writeError(`penstock lab size: ${written.error}\n`);
      return EXIT_CODES.failed;
    }
    const isAnswered = sizes.some(({ replicas }) => replicas !== null);
    return exitCode === EXIT_CODES.ok && !isAnswered ? EXIT_CODES.failed : exitCode;
  } finally {
    await session.close();
  }
}

async function readPlan(options: ParsedOptions): Promise<Result<SizePlan, string>> {
  const traffic = readWorkload(options.string('workload'), options.string('arrivals'));
  if (!traffic.ok) return traffic;
  const objective = readObjective(options);
  if (!objective.ok) return objective;
  const scene = readScene(options, traffic.value, options.number('load') ?? 1);
  if (!scene.ok) return scene;
  const alternatives = await readAlternatives(options, traffic.value.workload);
  if (!alternatives.ok) return alternatives;
  const policy = await readOnePolicy(options);
  if (!policy.ok) return policy;
  const output = await readOutput(options);
  if (!output.ok) return output;
  return succeed({
    scene: scene.value,
    objective: objective.value,
    alternatives: alternatives.value,
    policy: policy.value,
    maxReplicas: options.number('max-replicas') ?? 1,
    output: output.value,
  });
}

function readObjective(options: ParsedOptions): Result<readonly ObjectiveTerm[], string> {
  const wanted = options.string('objective');
  if (wanted === null) {
    return fail('--objective is missing; for example --objective ttft-p99=1s,itl-p99=50ms');
  }
  const objective = parseSizingObjective(wanted);
  return objective.ok ? objective : fail(`--objective: ${objective.error}`);
}

async function readOnePolicy(options: ParsedOptions): Promise<Result<LabPolicy, string>> {
  const policies = await readPolicies([options.string('policy') ?? '']);
  if (!policies.ok) return policies;
  const [policy] = policies.value;
  const isOne = policy !== undefined && policies.value.length === 1;
  return isOne ? succeed(policy) : fail('--policy: name one policy');
}

function sizePart(
  { scene, objective, policy, maxReplicas }: SizePlan,
  part: FleetPart,
  { session, trying }: { readonly session: LabSession; readonly trying: Map<string, number> },
): Promise<SizingResult> {
  const { profile } = part;
  const seeds = scene.seeds;
  return sizeFleet({
    profile,
    objective,
    maxReplicas,
    seeds,
    evaluate: (replicas, chosen) => {
      trying.set(profile.name, replicas);
      const fleet = [{ ...part, replicas }];
      return Promise.all(
        chosen.map((seed) =>
          session.pool.run(createJob(scene, { fleet, policy, seed, load: scene.load })),
        ),
      );
    },
    evaluateAlone: () => {
      const [seed = 0] = seeds;
      const load = scene.load * ALONE_LOAD;
      return session.pool.run(createJob(scene, { fleet: [part], policy, seed, load }));
    },
    shouldStop: () => session.stopReason !== null,
    onProbe: (_probe: SizingProbe) => undefined,
  });
}

function describeSizes(
  { scene, objective, policy }: SizePlan,
  sizes: readonly SizingResult[],
  took: string,
): LabOutcome {
  const settings = [
    ...describeScene(scene, null),
    ['objective', objective.map(describeTermBound).join(', ')],
    ['policy', policy.name],
  ] as const;
  return {
    json: {
      settings: Object.fromEntries(settings),
      // The time series of every run would bury the answer.
      sizes: sizes.map(({ runs, ...size }) => ({
        ...size,
        runs: runs.map(({ series: _series, ...run }) => run),
      })),
    },
    lines: [
      ...alignColumns(settings, 2),
      '',
      ...renderSizes(sizes, objective),
      '',
      ...renderProbes(sizes),
      `${countRuns(sizes)} in ${took}.`,
    ],
    report: {
      title: `Size for ${scene.workload.name}`,
      subtitle: scene.workload.summary,
      settings,
      // One run of each fleet that was found, under the name of its profile.
      runs: sizes.flatMap(({ profile, replicas, runs }) =>
        runs.slice(0, 1).map((run) => ({ ...run, policy: `${replicas ?? 0}\u00a0× ${profile}` })),
      ),
      sweeps: [],
      sizes,
      measured: [],
    },
    inferencePerf: null,
  };
}

/** `1 run`, or `22 runs`. */
function countRuns(sizes: readonly SizingResult[]): string {
  const runs = sizes.flatMap(({ probes }) => probes).reduce((sum, { seeds }) => sum + seeds, 0);
  return runs === 1 ? '1 run' : `${runs} runs`;
}
