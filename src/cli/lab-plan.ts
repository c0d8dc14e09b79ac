import { availableParallelism } from 'node:os';

import { findNearest } from '../core/nearest.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import type { EngineModelOptions } from '../simulator/engine/engine-model.ts';
import {
  ENGINE_PROFILES,
  findProfile,
  type EngineProfile,
} from '../simulator/hardware/profiles.ts';
import {
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
  replicasOf,
  type FleetPart,
  type JobEvent,
  type JobTraffic,
  type LabJob,
} from '../simulator/lab/jobs.ts';
import type { LabPolicy } from '../simulator/lab/types.ts';
import type { GoodputObjective, Workload } from '../simulator/workloads/types.ts';
import { describeUnknownWorkload, findWorkload } from '../simulator/workloads/workloads.ts';
import { readModelProfile } from './lab-model.ts';
import {
  parseDuration,
  parseEvent,
  parseFleetWish,
  parseGoodput,
  splitList,
  type FleetWish,
} from './lab-values.ts';
import type { ParsedOptions } from './options.ts';

/** Points of a time series; more than a plot of usual width can show are not needed. */
const SERIES_POINTS = 240;
const SHORTEST_SAMPLE_MS = 100;

/** Traffic of a command: what a job says of it, and the workload itself. */
export interface LabTraffic {
  readonly traffic: JobTraffic;
  readonly workload: Workload;
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

/** The workload that `--workload` names. */
export function readWorkload(options: ParsedOptions): Result<LabTraffic, string> {
  const name = options.string('workload');
  if (name === null) {
    return fail('--workload is missing; "penstock lab list" shows the workloads');
  }
  const workload = findWorkload(name);
  if (workload === null) return fail(describeUnknownWorkload(name));
  return succeed({ traffic: { kind: 'workload', name }, workload });
}

/** Times, seeds, objective and limits of a command. `load` is checked here. */
export function readScene(
  options: ParsedOptions,
  { traffic, workload }: LabTraffic,
  load: number,
): Result<LabScene, string> {
  if (!(load > 0)) return fail(`the load must be more than 0, got ${load}`);
  const times = readTimes(
    options,
    traffic.kind === 'trace' ? scaleTimes(workload, load) : workload.defaults,
  );
  if (!times.ok) return times;
  const objective = readGood(options, workload);
  if (!objective.ok) return objective;
  const budget = options.string('budget');
  const budgetMs = budget === null ? succeed(null) : parseDuration(budget);
  if (!budgetMs.ok) return fail(`--budget: ${budgetMs.error}`);
  return succeed({
    traffic,
    workload,
    load,
    ...times.value,
    objective: objective.value,
    seeds: readSeeds(options),
    events: [],
    workers: options.number('workers') ?? availableParallelism(),
    budgetMs: budgetMs.value,
  });
}

/** The seeds from `--seed` on; one, for a command without `--seeds`. */
function readSeeds(options: ParsedOptions): readonly number[] {
  const first = options.number('seed') ?? 0;
  const count = options.has('seeds') ? (options.number('seeds') ?? 1) : 1;
  return Array.from({ length: count }, (_, index) => first + index);
}

interface Times {
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** A trace at twice the speed takes half the time. */
function scaleTimes({ defaults }: Workload, speed: number): Times {
  return { durationMs: defaults.durationMs / speed, warmUpMs: defaults.warmUpMs / speed };
}

function readTimes(options: ParsedOptions, defaults: Times): Result<Times, string> {
  const duration = options.string('duration');
  const durationMs = duration === null ? succeed(defaults.durationMs) : parseDuration(duration);
  if (!durationMs.ok) return fail(`--duration: ${durationMs.error}`);
  const warmUp = options.string('warm-up');
  if (warmUp === null) {
    // A shorter run warms up for a shorter time, so that the same share of it counts.
    const share = Math.min(1, durationMs.value / defaults.durationMs);
    return succeed({ durationMs: durationMs.value, warmUpMs: defaults.warmUpMs * share });
  }
  const warmUpMs = parseDuration(warmUp, 0);
  if (!warmUpMs.ok) return fail(`--warm-up: ${warmUpMs.error}`);
  if (warmUpMs.value >= durationMs.value) {
    return fail(
      `--warm-up ${warmUp} leaves nothing of the ${durationMs.value / 1000} s that requests come; make it shorter, or --duration longer`,
    );
  }
  return succeed({ durationMs: durationMs.value, warmUpMs: warmUpMs.value });
}

function readGood(options: ParsedOptions, workload: Workload): Result<GoodputObjective, string> {
  const good = options.string('good');
  if (good === null) return succeed(workload.objective);
  const parsed = parseGoodput(good);
  return parsed.ok ? parsed : fail(`--good: ${parsed.error}`);
}

/** The fleet of `--profile`, `--replicas` and the engine's options. */
export async function readFleet(
  options: ParsedOptions,
  { defaults }: Workload,
): Promise<Result<readonly FleetPart[], string>> {
  const overrides = readOverrides(options);
  const replicas = options.number('replicas');
  const own = await readModelProfile(options);
  if (!own.ok) return own;
  if (own.value !== null) {
    const profile = own.value;
    return checkFleet([{ profile, replicas: replicas ?? defaults.replicas, overrides }]);
  }
  const wishes = readWishes(options, defaults.profile);
  if (!wishes.ok) return wishes;
  const parts: FleetPart[] = [];
  for (const { name, replicas: wanted } of wishes.value) {
    const profile = findProfile(name);
    if (profile === null) return fail(describeUnknownProfile(name));
    parts.push({ profile, replicas: wanted ?? replicas ?? defaults.replicas, overrides });
  }
  const isCounted = wishes.value.every(({ replicas: wanted }) => wanted !== null);
  if (isCounted && replicas !== null) {
    return fail('--replicas has no meaning when every profile has its count; leave one away');
  }
  return checkFleet(parts);
}

function readWishes(options: ParsedOptions, profile: string): Result<readonly FleetWish[], string> {
  const texts = splitList(options.list('profile'));
  const wishes: FleetWish[] = [];
  for (const text of texts.length === 0 ? [profile] : texts) {
    const wish = parseFleetWish(text);
    if (!wish.ok) return fail(`--profile ${wish.error}`);
    wishes.push(wish.value);
  }
  return succeed(wishes);
}

/** The profiles that `lab size` compares, as fleets of one. */
export async function readAlternatives(
  options: ParsedOptions,
  { defaults }: Workload,
): Promise<Result<readonly FleetPart[], string>> {
  const overrides = readOverrides(options);
  const own = await readModelProfile(options);
  if (!own.ok) return own;
  if (own.value !== null) return checkFleet([{ profile: own.value, replicas: 1, overrides }]);
  const names = splitList(options.list('profile'));
  const parts: FleetPart[] = [];
  for (const name of names.length === 0 ? [defaults.profile] : names) {
    const profile = findProfile(name);
    if (profile === null) {
      const isCounted = /:\d+$/.test(name);
      return fail(
        isCounted
          ? `--profile ${name}: the count is what "lab size" finds; leave it away`
          : describeUnknownProfile(name),
      );
    }
    if (parts.some((part) => part.profile.name === name)) {
      return fail(`--profile ${name} is given twice`);
    }
    parts.push({ profile, replicas: 1, overrides });
  }
  return checkFleet(parts);
}

function checkFleet(fleet: readonly FleetPart[]): Result<readonly FleetPart[], string> {
  for (const { profile, overrides } of fleet) {
    const sequences = overrides.maxNumSeqs ?? profile.maxNumSeqs;
    const tokens = overrides.maxNumBatchedTokens ?? profile.maxNumBatchedTokens;
    if (tokens < sequences) {
      return fail(
        `${profile.name}: a step of ${tokens} tokens cannot hold ${sequences} sequences; raise --max-num-batched-tokens or lower --max-num-seqs`,
      );
    }
  }
  return succeed(fleet);
}

/** What to say of a name that is no profile. */
export function describeUnknownProfile(name: string): string {
  const names = ENGINE_PROFILES.map((profile: EngineProfile) => profile.name);
  const nearest = findNearest(name, names);
  const hint = nearest === null ? `profiles are ${names.join(', ')}` : `did you mean "${nearest}"?`;
  return `"${name}" is no profile; ${hint}`;
}

function readOverrides(options: ParsedOptions): Partial<EngineModelOptions> {
  const numbers: readonly (readonly [keyof EngineModelOptions, string])[] = [
    ['maxNumSeqs', 'max-num-seqs'],
    ['maxNumBatchedTokens', 'max-num-batched-tokens'],
    ['kvBlocks', 'kv-blocks'],
    ['maxModelLenTokens', 'max-model-len'],
  ];
  const given = numbers.flatMap(([field, flag]): readonly (readonly [string, number])[] => {
    const value = options.number(flag);
    return value === null ? [] : [[field, value]];
  });
  const caching = options.boolean('prefix-caching') ? {} : { isPrefixCaching: false };
  return { ...Object.fromEntries(given), ...caching };
}

/** The events of `--event`, checked against the fleet. */
export function readEvents(
  options: ParsedOptions,
  fleet: readonly FleetPart[],
): Result<readonly JobEvent[], string> {
  const replicas = replicasOf(fleet);
  const events: JobEvent[] = [];
  for (const text of splitList(options.list('event'))) {
    const event = parseEvent(text);
    if (!event.ok) return fail(`--event: ${event.error}`);
    if (event.value.endpoint >= replicas) {
      return fail(
        `--event ${text}: there is no endpoint ${event.value.endpoint}; they are 0 to ${replicas - 1}`,
      );
    }
    events.push(event.value);
  }
  return succeed(events);
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
