import { PRESET_NAMES, findPreset } from '../src/scheduler/presets.ts';
import { findProfile } from '../src/simulator/hardware/profiles.ts';
import {
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
  createLabOptions,
  type LabJob,
} from '../src/simulator/lab/jobs.ts';
import { JobPool, type PoolProgress } from '../src/simulator/lab/jobs-pool.ts';
import { createOracleWorld, ORACLE_NAME } from '../src/simulator/lab/oracle.ts';
import type { RunResult } from '../src/simulator/lab/results.ts';
import type { Workload } from '../src/simulator/workloads/types.ts';
import { driveWorld } from '../src/simulator/lab/world.ts';
import { findWorkload, WORKLOADS } from '../src/simulator/workloads/workloads.ts';
import type { Bench } from './lib/bench.ts';
import { shareCores } from './lib/cpu-plan.ts';
import { BenchFailure } from './lib/failure.ts';
import type { Lab } from './lib/lab.ts';
import {
  bestPolicy,
  leastShareOfBest,
  meanOfCells,
  shareOfBest,
  wins,
  workloadsWon,
  type Cell,
  type Matrix,
} from './lib/policy-matrix.ts';
import { checkAtLeast, type BenchResult, type Check, type Table } from './lib/report.ts';

const SUBJECT = 'soonest';
/** What the field uses today, and what does not look at prompts at all. */
const RIVALS: readonly string[] = ['llm-d-default', 'least-request'];

/** The seven kinds of the catalogue, and llm-d's published benchmark. */
const EIGHT: readonly string[] = [
  'interactive-chat',
  'code-generation',
  'deep-research',
  'reasoning',
  'batch-summarization-rag',
  'batch-synthetic-data',
  'agentic',
  'shared-prefix',
];

/**
 * Load 1 of every workload is four fifths of what its fleet can take (docs/workloads.md), where
 * nearly all answers are good whoever picks. 1.25 is all that it can take: there goodput tells
 * policies apart. Both follow from how loads were placed and from no policy's result.
 */
const LOADS: readonly number[] = [1, 1.25];
const KNEE = 1.25;

interface Plan {
  readonly workloads: readonly Workload[];
  readonly policies: readonly string[];
  readonly seeds: readonly number[];
  readonly loads: readonly number[];
  /** Factor on every run's length. */
  readonly lengthShare: number;
}

const FULL_PLAN: Omit<Plan, 'workloads'> = {
  policies: [...PRESET_NAMES, ORACLE_NAME],
  seeds: [1, 2, 3],
  loads: LOADS,
  lengthShare: 1,
};
const QUICK_PLAN: Omit<Plan, 'workloads'> = {
  policies: [SUBJECT, ...RIVALS],
  seeds: [1],
  loads: [1],
  lengthShare: 0.4,
};
const PROGRESS_MS = 10_000;

/** How well the scheduling policies serve, in virtual time. */
export const policiesBench: Bench = {
  name: 'policies',
  question: 'p90 TTFT, output tokens/s and goodput of every policy on eight workloads, in the lab',
  limitMs: 3_600_000,
  run: runPoliciesBench,
};

async function runPoliciesBench(lab: Lab): Promise<BenchResult> {
  const plan = createPlan(lab);
  shareCores(lab.cpus);
  const cells = await runAll(plan);
  const matrices = plan.loads.map((load) => [load, matrixOf(plan, load, cells)] as const);
  return {
    reference: `presets ${RIVALS.join(', ')}`,
    tables: matrices.flatMap(([load, matrix]) => tablesOf(matrix, load)),
    notes: notesOf(plan),
    checks: checksOf(plan, new Map(matrices)),
  };
}

function createPlan({ isQuick, only }: Lab): Plan {
  const usual = isQuick ? QUICK_PLAN : FULL_PLAN;
  const plan: Plan = {
    workloads: (only.workloads ?? EIGHT).map(workloadOf),
    policies: only.policies ?? usual.policies,
    seeds: only.seeds === null ? usual.seeds : only.seeds.map(Number),
    loads: only.loads === null ? usual.loads : only.loads.map(Number),
    lengthShare: usual.lengthShare,
  };
  const unknown = plan.policies.find(
    (policy) => policy !== ORACLE_NAME && findPreset(policy) === null,
  );
  if (unknown !== undefined) throw new BenchFailure(`"${unknown}" is no preset`);
  if (!plan.seeds.every(Number.isInteger)) throw new BenchFailure('seeds are whole numbers');
  if (!plan.loads.every((load) => load > 0)) throw new BenchFailure('loads are above 0');
  return plan;
}

function workloadOf(name: string): Workload {
  const workload = findWorkload(name);
  if (workload !== null) return workload;
  const names = WORKLOADS.map((each) => each.name).join(', ');
  throw new BenchFailure(`"${name}" is no workload; there are ${names}`);
}

/** What one run is about; results are found again by it. */
interface Key {
  readonly workload: Workload;
  readonly policy: string;
  readonly seed: number;
  readonly load: number;
}

function idOf({ workload, policy, seed, load }: Key): string {
  return `${workload.name} ${policy} ${seed} ${load}`;
}

/** The cells of all runs by their ids. */
async function runAll(plan: Plan): Promise<ReadonlyMap<string, Cell>> {
  const keys = keysOf(plan);
  const startedAtMs = performance.now();
  let toldAtMs = startedAtMs;
  const pool = new JobPool({
    workers: 2,
    onProgress: (progress) => {
      const nowMs = performance.now();
      if (nowMs - toldAtMs < PROGRESS_MS) return;
      toldAtMs = nowMs;
      process.stderr.write(`${describeProgress(progress, nowMs - startedAtMs)}\n`);
    },
    onPluginFault: (policy, plugin, message) => {
      process.stderr.write(`${policy}: plugin ${plugin} failed: ${message}\n`);
    },
  });
  const askOracle = createOracleQueue();
  try {
    const run = async (key: Key): Promise<readonly [string, Cell]> => {
      const job = createJob(key, plan);
      const isOracle = key.policy === ORACLE_NAME;
      const result = isOracle ? await askOracle(job, key.workload) : await pool.run(job);
      return [idOf(key), cellOf(result, key.workload, plan.lengthShare)];
    };
    return new Map(await Promise.all(keys.map(run)));
  } finally {
    await pool.close();
  }
}

type Ask = (job: LabJob, workload: Workload) => Promise<RunResult>;

/** Oracles have functions that cannot be sent to a thread: they take turns in this one. */
function createOracleQueue(): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return (job, workload) => {
    const run = last.then(() =>
      driveWorld(createOracleWorld(createLabOptions(job, workload)), {
        shouldStop: () => null,
        onProgress: () => undefined,
      }),
    );
    last = run;
    return run;
  };
}

function keysOf({ workloads, loads, seeds, policies }: Plan): readonly Key[] {
  return workloads.flatMap((workload) =>
    loads.flatMap((load) =>
      seeds.flatMap((seed) => policies.map((policy) => ({ workload, load, seed, policy }))),
    ),
  );
}

function describeProgress({ jobs, doneJobs }: PoolProgress, elapsedMs: number): string {
  const left = doneJobs > 0 ? (elapsedMs / doneJobs) * (jobs - doneJobs) : Number.NaN;
  return `${doneJobs.toFixed(0)} of ${jobs} runs, about ${(left / 1000).toFixed(0)} s left`;
}

function createJob({ workload, policy, seed, load }: Key, { lengthShare }: Plan): LabJob {
  const { defaults, objective, name } = workload;
  const profile = findProfile(defaults.profile);
  // The oracle brings its own.
  const spec = findPreset(policy === ORACLE_NAME ? SUBJECT : policy);
  if (profile === null || spec === null) throw new BenchFailure(`${name} cannot be run`);
  const fleet = [{ profile, replicas: defaults.replicas, overrides: {} }];
  return {
    traffic: { kind: 'workload', name },
    fleet,
    policy: { name: policy, profile: spec, plugins: [] },
    objective,
    seed,
    load,
    durationMs: defaults.durationMs * lengthShare,
    warmUpMs: defaults.warmUpMs * lengthShare,
    drainMs: DEFAULT_DRAIN_MS,
    delays: DEFAULT_DELAYS,
    events: [],
    maxOpenRequests: openRequestsBound(fleet),
    sampleMs: 10_000,
  };
}

function matrixOf(plan: Plan, load: number, cells: ReadonlyMap<string, Cell>): Matrix {
  const rows = plan.workloads.map((workload) => {
    const row = plan.policies.map((policy) => {
      const runs = plan.seeds.flatMap((seed) => {
        return cells.get(idOf({ workload, policy, seed, load })) ?? [];
      });
      return [policy, meanOfCells(runs)] as const;
    });
    return [workload.name, new Map(row)] as const;
  });
  return new Map(rows);
}

/**
 * Goodput is counted over the time in which requests are sent: over the whole run, how long the
 * longest answer happened to be would decide.
 */
function cellOf(result: RunResult, { defaults }: Workload, lengthShare: number): Cell {
  const countedMs = (defaults.durationMs - defaults.warmUpMs) * lengthShare;
  return {
    ttftP90Ms: result.ttftMs.p90,
    outputTokensPerSecond: result.throughput.outputTokensPerSecond,
    goodPerSecond: (1000 * result.goodput.goodRequests) / countedMs,
    saturatedRuns: result.status === 'finished' ? 0 : 1,
  };
}

function tablesOf(matrix: Matrix, load: number): readonly Table[] {
  const names = [...matrix.keys()];
  const policies = [...(matrix.values().next().value?.keys() ?? [])];
  const table = (title: string, read: (cell: Cell) => string): Table => [
    [`${title}, load ${load}`, ...names],
    ...policies.map((policy) => [
      policy,
      ...names.map((name) => {
        const cell = matrix.get(name)?.get(policy);
        return cell === undefined ? '-' : read(cell) + (cell.saturatedRuns > 0 ? '*' : '');
      }),
    ]),
  ];
  return [
    table('p90 TTFT ms', ({ ttftP90Ms }) => ttftP90Ms.toFixed(0)),
    table('output tokens/s', ({ outputTokensPerSecond }) => outputTokensPerSecond.toFixed(0)),
    table('good answers/s', ({ goodPerSecond }) => goodPerSecond.toFixed(2)),
    verdictTable(matrix, load),
  ];
}

function verdictTable(matrix: Matrix, load: number): Table {
  const gap = (row: ReadonlyMap<string, Cell>): readonly string[] => {
    const [ours, oracle] = [row.get(SUBJECT), row.get(ORACLE_NAME)];
    if (ours === undefined || oracle === undefined) return ['-', '-'];
    return [
      (ours.goodPerSecond / oracle.goodPerSecond).toFixed(3),
      (ours.ttftP90Ms / oracle.ttftP90Ms).toFixed(2),
    ];
  };
  const verdict = (row: ReadonlyMap<string, Cell>, other: string): string =>
    wins(row, SUBJECT, other) ? 'won' : wins(row, other, SUBJECT) ? 'LOST' : 'even';
  return [
    [
      `${SUBJECT}, load ${load}`,
      'goodput ÷ best',
      'best',
      ...RIVALS.map((name) => `to ${name}`),
      'goodput ÷ oracle',
      'TTFT ÷ oracle',
    ],
    ...[...matrix].map(([workload, row]) => [
      workload,
      shareOfBest(withoutOracle(row), SUBJECT).toFixed(3),
      bestPolicy(withoutOracle(row)),
      ...RIVALS.map((other) => verdict(row, other)),
      ...gap(row),
    ]),
  ];
}

/** Policies that could be used. */
function withoutOracle(row: ReadonlyMap<string, Cell>): ReadonlyMap<string, Cell> {
  return new Map([...row].filter(([policy]) => policy !== ORACLE_NAME));
}

function checksOf(plan: Plan, matrices: ReadonlyMap<number, Matrix>): readonly Check[] {
  if (!plan.policies.includes(SUBJECT)) return [];
  const checks: Check[] = [];
  const won = new Set<string>();
  const suffix = plan.lengthShare === 1 ? '' : ' (quick)';
  for (const [load, matrix] of matrices) {
    for (const workload of workloadsWon(matrix, SUBJECT, RIVALS)) won.add(workload);
    const name = `least goodput / best policy's, load ${load}${suffix}`;
    const targets = { unit: 'x best', must: 0.97, aim: 1 };
    const rivals = new Map([...matrix].map(([workload, row]) => [workload, withoutOracle(row)]));
    checks.push(checkAtLeast(name, leastShareOfBest(rivals, SUBJECT), targets));
  }
  const most = plan.workloads.length;
  const must = Math.min(5, most);
  const where = plan.loads.includes(KNEE) && plan.loads.length > 1 ? ' at either load' : '';
  checks.push(
    checkAtLeast(`workloads won by 15 % against both${where}${suffix}`, won.size, {
      unit: 'workloads',
      must,
      aim: most,
    }),
  );
  return checks;
}

function notesOf({ seeds, lengthShare }: Plan): readonly string[] {
  return [
    `means over seeds ${seeds.join(', ')}; fleets, loads and objectives are the workloads' own`,
    'load 1 is four fifths of what the fleet can take, 1.25 all of it (docs/workloads.md)',
    'goodput: answers within the objective per second in which requests were sent; without an ' +
      'objective, all answers',
    'won: 15 % more goodput, or 15 % less p90 TTFT with a goodput at most 3 % lower',
    'oracle: knows caches, queues and the length of every answer, and is tuned by hand; no bound',
    '*: runs given up, or ended with requests unanswered, as more was asked than answered',
    ...(lengthShare === 1 ? [] : [`quick: runs are ${lengthShare} as long`]),
  ];
}
