import { availableParallelism } from 'node:os';

import { fail, succeed, type Result } from '../core/result.ts';
import { withArrivals } from '../simulator/calibration/measured-scene.ts';
import type { MeasuredScene } from '../simulator/calibration/scene.ts';
import {
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
  type FleetPart,
  type JobEvent,
  type JobTraffic,
  type LabJob,
} from '../simulator/lab/jobs.ts';
import type { LabPolicy } from '../simulator/lab/types.ts';
import type { GoodputObjective, Workload } from '../simulator/workloads/types.ts';
import { describeUnknownWorkload, findWorkload } from '../simulator/workloads/workloads.ts';
import { parseDuration } from '../simulator/workloads/duration.ts';
import type { ParsedOptions } from './options.ts';
import { findLoadProblem, readGood, readTimes, usualTimes } from './traffic-values.ts';

/** Points of a time series; more than a plot of usual width can show are not needed. */
const SERIES_POINTS = 240;
const SHORTEST_SAMPLE_MS = 100;

/** Traffic of a command: what a job says of it, and the workload itself. */
export interface LabTraffic {
  readonly traffic: JobTraffic;
  readonly workload: Workload;
  /** A measured run of the same traffic: its times and seed are the usual ones. Null for none. */
  readonly measured: MeasuredScene | null;
}

/** What all jobs of one command have in common. */
export interface LabScene extends LabTraffic {
  readonly load: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly objective: GoodputObjective;
  readonly seeds: readonly number[];
  readonly events: readonly JobEvent[];
  readonly workers: number;
  /** Wall-clock time; null: none. */
  readonly budgetMs: number | null;
}

/** What one job has of its own. */
export interface JobChoice {
  readonly fleet: readonly FleetPart[];
  readonly policy: LabPolicy;
  readonly seed: number;
  readonly load: number;
}

/** The workload of that name, with the arrivals of that text; null: none was given. */
export function readWorkload(
  name: string | null,
  arrivals: string | null,
): Result<LabTraffic, string> {
  if (name === null) {
    return fail('--workload is missing; "penstock lab list" shows the workloads');
  }
  const own = findWorkload(name);
  if (own === null) return fail(describeUnknownWorkload(name));
  const workload = withArrivals(own, arrivals);
  if (!workload.ok) return fail(`--arrivals: ${workload.error}`);
  const spec = workload.value.arrivals;
  const traffic: JobTraffic = {
    kind: 'workload',
    name,
    ...(spec === null ? {} : { arrivals: spec }),
  };
  return succeed({ traffic, workload: workload.value, measured: null });
}

/** Times, seeds, objective and limits of a command. `load` is checked here. */
export function readScene(
  options: ParsedOptions,
  { traffic, workload, measured }: LabTraffic,
  load: number,
): Result<LabScene, string> {
  const problem = findLoadProblem(workload, load);
  if (problem !== null) return fail(problem);
  const usual = usualTimes(workload, traffic.kind === 'trace' ? load : 1);
  const times = readTimes(options, measured?.load === load ? measured : usual);
  if (!times.ok) return times;
  const objective = readGood(options, workload);
  if (!objective.ok) return objective;
  const budget = options.string('budget');
  const budgetMs = budget === null ? succeed(null) : parseDuration(budget);
  if (!budgetMs.ok) return fail(`--budget: ${budgetMs.error}`);
  return succeed({
    traffic,
    workload,
    measured,
    load,
    ...times.value,
    objective: objective.value,
    seeds: readSeeds(options, measured),
    events: [],
    workers: options.number('workers') ?? availableParallelism(),
    budgetMs: budgetMs.value,
  });
}

/** The seeds from `--seed` on; one, for a command without `--seeds`. */
function readSeeds(options: ParsedOptions, measured: MeasuredScene | null): readonly number[] {
  const given = options.number('seed') ?? 0;
  const first = measured === null || options.isGiven('seed') ? given : measured.seed;
  const count = options.has('seeds') ? (options.number('seeds') ?? 1) : 1;
  return Array.from({ length: count }, (_, index) => first + index);
}

/** One job of a command. */
export function createJob(scene: LabScene, { fleet, policy, seed, load }: JobChoice): LabJob {
  const { traffic, durationMs, warmUpMs, objective, events } = scene;
  return {
    traffic,
    fleet,
    policy,
    objective,
    seed,
    load,
    durationMs,
    warmUpMs,
    drainMs: DEFAULT_DRAIN_MS,
    delays: DEFAULT_DELAYS,
    events,
    maxOpenRequests: openRequestsBound(fleet),
    sampleMs: Math.max(SHORTEST_SAMPLE_MS, Math.ceil(durationMs / SERIES_POINTS)),
  };
}
