import { assert, must } from '../../core/assert.ts';
import { engineOptionsOf, type EngineOverrides, type EngineProfile } from '../hardware/profiles.ts';
import { readTrace } from '../traces/read-trace.ts';
import { createTraceWorkload } from '../traces/trace-workload.ts';
import type { ReadTraceOptions } from '../traces/types.ts';
import type { ArrivalSpec } from '../workloads/arrival-spec.ts';
import { findWorkload } from '../workloads/workloads.ts';
import type { GoodputObjective, Workload } from '../workloads/types.ts';
import { createOracleWorld } from './oracle.ts';
import type { RunResult } from './results.ts';
import type { EndpointEvent, LabDelays, LabEndpoint, LabOptions, LabPolicy } from './types.ts';
import { driveWorld, type DriveHooks, LabWorld } from './world.ts';

/**
 * What a gateway adds to a request on the way to its pick (`stream` bench: p99 under 1 ms), one way
 * within a data centre zone, and what reading a metrics page takes beside its interval.
 */
export const DEFAULT_DELAYS: LabDelays = Object.freeze({
  gatewayMs: 0.5,
  networkMs: 0.25,
  scrapeMs: 5,
});

/** Ten minutes: as long as the gateway waits for the first byte of an answer by default. */
export const DEFAULT_DRAIN_MS = 600_000;

/** Where a job's requests come from. */
export type JobTraffic =
  | {
      readonly kind: 'workload';
      readonly name: string;
      /** Requests come so in place of the workload's own way. */
      readonly arrivals?: ArrivalSpec;
    }
  | { readonly kind: 'trace'; readonly path: string; readonly options: ReadTraceOptions };

/** Equal replicas of a fleet. */
export interface FleetPart {
  readonly profile: EngineProfile;
  readonly replicas: number;
  /** Engine settings in place of the profile's. */
  readonly overrides: EngineOverrides;
}

/** What happens to which endpoint; they are numbered through the parts of the fleet, from 0. */
export interface JobEvent {
  readonly endpoint: number;
  readonly event: EndpointEvent | StartEvent;
}

/** An endpoint that is not up from the beginning; it is new, with empty caches, at `readyAtMs`. */
export interface StartEvent {
  readonly kind: 'start';
  readonly readyAtMs: number;
}

/**
 * One run as plain data, so that a worker thread can do it; only a policy with plugins of its own
 * has functions in it and stays in the process.
 */
export interface LabJob {
  readonly traffic: JobTraffic;
  readonly fleet: readonly FleetPart[];
  readonly policy: LabPolicy;
  /** True: the oracle picks in the policy's place (`oracle.ts`). */
  readonly isOracle?: boolean;
  readonly objective: GoodputObjective;
  readonly seed: number;
  /** Multiplies the workload's rate, or the speed of a trace. More than 0. */
  readonly load: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  /** How long answers under way go on after the last request. */
  readonly drainMs: number;
  readonly delays: LabDelays;
  readonly events: readonly JobEvent[];
  readonly maxOpenRequests: number;
  /** Interval of the time series. */
  readonly sampleMs: number;
}

/** Number of endpoints of a fleet. */
export function replicasOf(fleet: readonly FleetPart[]): number {
  return fleet.reduce((sum, { replicas }) => sum + replicas, 0);
}

/**
 * Open requests at which a fleet counts as saturated: four full batches on each endpoint, one of
 * them running. What waits behind three batches has missed every objective that people set.
 */
export function openRequestsBound(fleet: readonly FleetPart[]): number {
  const sequences = fleet.reduce((sum, { profile, replicas, overrides }) => {
    return sum + replicas * (overrides.maxNumSeqs ?? profile.maxNumSeqs);
  }, 0);
  return Math.max(1000, 4 * sequences);
}

/** Finds workloads and reads traces; keeps the last trace, as jobs of one run share it. */
export class WorkloadShelf {
  #key = '';
  #workload: Promise<Workload> | null = null;

  /** The workload of a job. Rejects when a trace cannot be read; an unknown name is a defect. */
  async find(traffic: JobTraffic): Promise<Workload> {
    if (traffic.kind === 'workload') {
      const workload = must(findWorkload(traffic.name), `a workload named ${traffic.name}`);
      const { arrivals } = traffic;
      return arrivals === undefined ? workload : workload.withArrivals(arrivals);
    }
    const key = JSON.stringify(traffic);
    if (this.#workload === null || key !== this.#key) {
      this.#key = key;
      this.#workload = readTrace(traffic.path, traffic.options).then(createTraceWorkload);
    }
    return this.#workload;
  }
}

/** A job with its workload as a world takes it. */
export function createLabOptions(job: LabJob, workload: Workload): LabOptions {
  const { seed, load, durationMs, policy, objective, delays, warmUpMs, drainMs, sampleMs } = job;
  assert(Number.isFinite(load) && load > 0, 'the load is more than 0');
  return {
    endpoints: createEndpoints(job),
    policy,
    traffic: workload.createTraffic({ seed, load, durationMs }),
    objective,
    adapters: workload.adapters,
    delays,
    warmUpMs,
    durationMs,
    drainMs,
    maxOpenRequests: job.maxOpenRequests,
    seed,
    sampleMs,
  };
}

function createEndpoints({ fleet, events }: LabJob): readonly LabEndpoint[] {
  const endpoints: LabEndpoint[] = [];
  for (const { profile, replicas, overrides } of fleet) {
    for (let replica = 0; replica < replicas; replica += 1) {
      const own = events.filter(({ endpoint }) => endpoint === endpoints.length);
      endpoints.push({
        profile: profile.name,
        engine: engineOptionsOf(profile, overrides),
        labels: { profile: profile.name },
        accelerators: profile.accelerators,
        readyAtMs: Math.max(
          0,
          ...own.map(({ event }) => (event.kind === 'start' ? event.readyAtMs : 0)),
        ),
        events: own.flatMap(({ event }) => (event.kind === 'start' ? [] : [event])),
      });
    }
  }
  return endpoints;
}

/** What a job is run with. */
export interface JobHooks extends DriveHooks {
  readonly shelf: WorkloadShelf;
  /** A plugin of the policy threw or gave NaN; its part was left out of one pick. */
  readonly onPluginFault: (plugin: string, cause: unknown) => void;
}

/** Runs one job in this thread, giving way to other work now and then. */
export async function runJob(job: LabJob, hooks: JobHooks): Promise<RunResult> {
  const workload = await hooks.shelf.find(job.traffic);
  const { onPluginFault } = hooks;
  const options = { ...createLabOptions(job, workload), onPluginFault };
  const world = job.isOracle === true ? createOracleWorld(options) : new LabWorld(options);
  return driveWorld(world, hooks);
}
