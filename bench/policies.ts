import { PRESET_NAMES, findPreset } from '../src/scheduler/presets.ts';
import { findProfile } from '../src/simulator/hardware/profiles.ts';
import {
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
  type LabJob,
} from '../src/simulator/lab/jobs.ts';
import { JobPool, type PoolProgress } from '../src/simulator/lab/jobs-pool.ts';
import { ORACLE_NAME } from '../src/simulator/lab/oracle.ts';
import type { RunResult } from '../src/simulator/lab/results.ts';
import type { Workload } from '../src/simulator/workloads/types.ts';
import { findWorkload, WORKLOADS } from '../src/simulator/workloads/workloads.ts';
import type { Bench } from './lib/bench.ts';
import { shareCores } from './lib/cpu-plan.ts';
import { BenchFailure } from './lib/failure.ts';
import type { Lab } from './lib/lab.ts';
import {
  bestPolicy,
  isServed,
  meanOfCells,
  shareOfBest,
  winsOf,
  worstStanding,
  type Cell,
  type Standing,
} from './lib/policy-matrix.ts';
import { ladderTable, loadTables, type Contest } from './lib/policy-tables.ts';
import { checkAtLeast, type BenchResult, type Check } from './lib/report.ts';

const SUBJECT = 'soonest';
/** What the field uses today, and what does not look at prompts at all. */
const RIVALS: readonly string[] = ['llm-d-default', 'least-request'];
/** What the field's own would be if it knew of caches what we know; for information. */
const PRECISE = 'llm-d-precise';

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
 * What a fleet can take depends on who picks, so no load is called its capacity: a workload goes up
 * the ladder while some policy serves it. At 1 nearly all answers are good whoever picks, and only
 * p90 TTFT tells policies apart; further up goodput does as well.
 */
const LADDER: readonly number[] = [1, 1.25, 1.5];

interface Plan {
  readonly workloads: readonly Workload[];
  readonly policies: readonly string[];
  readonly seeds: readonly number[];
  /** Ascending. */
  readonly loads: readonly number[];
  /** Factor on every run's length. */
  readonly lengthShare: number;
}

const FULL_PLAN: Omit<Plan, 'workloads'> = {
  policies: [...PRESET_NAMES, ORACLE_NAME],
  seeds: [1, 2, 3],
  loads: LADDER,
  lengthShare: 1,
};
const QUICK_PLAN: Omit<Plan, 'workloads'> = {
  policies: [SUBJECT, ...RIVALS],
  seeds: [1],
  loads: [1, 1.5],
  lengthShare: 0.4,
};
const PROGRESS_MS = 10_000;

/** How well the scheduling policies serve, in virtual time. */
export const policiesBench: Bench = {
  name: 'policies',
  question: 'p90 TTFT, output tokens/s and goodput of every policy on eight workloads, in the lab',
  limitMs: 3 * 3_600_000,
  run: runPoliciesBench,
};

async function runPoliciesBench(lab: Lab): Promise<BenchResult> {
  const plan = createPlan(lab);
  shareCores(lab.cpus);
  const standings = await climbAll(plan);
  const names = plan.workloads.map(({ name }) => name);
  const contest: Contest = {
    subject: SUBJECT,
    rivals: RIVALS,
    others: [PRECISE],
    policies: plan.policies,
    oracleName: ORACLE_NAME,
  };
  return {
    reference: `presets ${RIVALS.join(', ')}`,
    tables: [
      ...plan.loads.flatMap((load) => loadTables(names, standings, load, contest)),
      ladderTable(names, standings, plan.loads, contest),
    ],
    notes: [...findingsOf(plan, standings), ...notesOf(plan)],
    checks: checksOf(plan, standings),
  };
}

function createPlan({ isQuick, only }: Lab): Plan {
  const usual = isQuick ? QUICK_PLAN : FULL_PLAN;
  const loads = only.loads === null ? usual.loads : only.loads.map(Number);
  const plan: Plan = {
    workloads: (only.workloads ?? EIGHT).map(workloadOf),
    policies: only.policies ?? usual.policies,
    seeds: only.seeds === null ? usual.seeds : only.seeds.map(Number),
    loads: loads.toSorted((left, right) => left - right),
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

/** What one run is about. */
interface Key {
  readonly workload: Workload;
  readonly policy: string;
  readonly seed: number;
  readonly load: number;
}

/** Takes every workload up the loads, each as far as some policy serves it. */
async function climbAll(plan: Plan): Promise<readonly Standing[]> {
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
  try {
    const climbs = plan.workloads.map((workload) => climb(plan, workload, pool));
    return (await Promise.all(climbs)).flat();
  } finally {
    await pool.close();
  }
}

/** A load that nobody serves is the last, as a higher one says even less. */
async function climb(plan: Plan, workload: Workload, pool: JobPool): Promise<readonly Standing[]> {
  const standings: Standing[] = [];
  for (const load of plan.loads) {
    const standing = await runLoad(plan, { workload, load }, pool);
    standings.push(standing);
    if (!standing.isJudged) break;
  }
  return standings;
}

async function runLoad(
  plan: Plan,
  { workload, load }: Pick<Key, 'workload' | 'load'>,
  pool: JobPool,
): Promise<Standing> {
  const runCell = async (policy: string): Promise<readonly [string, Cell]> => {
    const runs = plan.seeds.map(async (seed) => {
      const job = createJob({ workload, policy, seed, load }, plan);
      return cellOf(await pool.run(job), workload, plan.lengthShare);
    });
    return [policy, meanOfCells(await Promise.all(runs))];
  };
  const cells = new Map(await Promise.all(plan.policies.map(runCell)));
  const oracle = cells.get(ORACLE_NAME) ?? null;
  const row = new Map([...cells].filter(([policy]) => policy !== ORACLE_NAME));
  const { ttftMs, tpotMs, e2eMs } = workload.objective;
  const hasObjective = ttftMs !== null || tpotMs !== null || e2eMs !== null;
  const isJudged = isServed(row, hasObjective);
  return { workload: workload.name, load, row, oracle, isJudged };
}

/** Jobs are counted as loads come up, so what is left grows on the way. */
function describeProgress({ jobs, doneJobs }: PoolProgress, elapsedMs: number): string {
  const perJobMs = doneJobs > 0 ? elapsedMs / doneJobs : Number.NaN;
  const left = (perJobMs * (jobs - doneJobs)) / 1000;
  return `${doneJobs.toFixed(0)} of ${jobs} runs so far, about ${left.toFixed(0)} s left of these`;
}

function createJob({ workload, policy, seed, load }: Key, { lengthShare }: Plan): LabJob {
  const { defaults, objective, name } = workload;
  const profile = findProfile(defaults.profile);
  const isOracle = policy === ORACLE_NAME;
  // The oracle brings its own.
  const spec = findPreset(isOracle ? SUBJECT : policy);
  if (profile === null || spec === null) throw new BenchFailure(`${name} cannot be run`);
  const fleet = [{ profile, replicas: defaults.replicas, overrides: {} }];
  return {
    traffic: { kind: 'workload', name },
    fleet,
    policy: { name: policy, profile: spec, plugins: [] },
    isOracle,
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
    goodShare: result.goodput.goodShare,
    saturatedRuns: result.status === 'finished' ? 0 : 1,
  };
}

function checksOf(plan: Plan, standings: readonly Standing[]): readonly Check[] {
  if (!plan.policies.includes(SUBJECT)) return [];
  const suffix = plan.lengthShare === 1 ? '' : ' (quick)';
  const worst = worstStanding(standings, SUBJECT);
  const least = worst === null ? Number.NaN : shareOfBest(worst.row, SUBJECT);
  const most = plan.workloads.length;
  return [
    checkAtLeast(`least goodput / best policy's at judged loads${suffix}`, least, {
      unit: 'x best',
      must: 0.97,
      aim: 1,
    }),
    checkAtLeast(
      `workloads won by 15 % against both at a judged load${suffix}`,
      winsOf(standings, SUBJECT, RIVALS).size,
      { unit: 'workloads', must: Math.min(5, most), aim: most },
    ),
  ];
}

/** What the checks rest on: which pair is the worst, and what is won where. */
function findingsOf({ policies, loads }: Plan, standings: readonly Standing[]): readonly string[] {
  if (!policies.includes(SUBJECT)) return [];
  const findings: string[] = [];
  const worst = worstStanding(standings, SUBJECT);
  if (worst !== null) {
    const share = shareOfBest(worst.row, SUBJECT).toFixed(3);
    const where = `${worst.workload} at ${worst.load}`;
    findings.push(`least goodput: ${where}, ${share} of ${bestPolicy(worst.row)}'s`);
  }
  const won = winsOf(standings, SUBJECT, RIVALS);
  const list = [...won].map(([workload, at]) => `${workload} (${at.join(', ')})`);
  findings.push(`won against ${RIVALS.join(' and ')}: ${list.join('; ') || 'none'}`);
  const alone = loads.map((load) => {
    const own = standings.filter((standing) => standing.load === load);
    return `${winsOf(own, SUBJECT, RIVALS).size} at ${load}`;
  });
  findings.push(`won at each load alone: ${alone.join(', ')}`);
  if (policies.includes(PRECISE)) {
    const stronger = RIVALS.map((name) => (name === 'llm-d-default' ? PRECISE : name));
    const { size } = winsOf(standings, SUBJECT, stronger);
    findings.push(`with ${PRECISE} in llm-d-default's place, won would be ${size}`);
  }
  return findings;
}

function notesOf({ seeds, lengthShare }: Plan): readonly string[] {
  return [
    `means over seeds ${seeds.join(', ')}; fleets, loads and objectives are the workloads' own`,
    'a load is judged where some policy (not the oracle) gives good answers to 90 % of the ' +
      'requests, as DistServe (OSDI 2024) defines goodput; without an objective always',
    'in brackets: no policy serves that load; beyond it a workload is not run',
    'goodput: answers within the objective per second in which requests were sent; without an ' +
      'objective, all answers',
    'won: 15 % more goodput, or 15 % less p90 TTFT with a goodput at most 3 % lower',
    `${PRECISE}: llm-d with our corrected index for KV events; for information`,
    'oracle: knows caches, queues and the length of every answer, and is tuned by hand; no bound',
    '*: runs given up, or ended with requests unanswered, as more was asked than answered',
    ...(lengthShare === 1 ? [] : [`quick: runs are ${lengthShare} as long`]),
  ];
}
