import type { Calibration } from '../engine/step-time.ts';
import { withCalibration } from '../hardware/create-profile.ts';
import type { EngineOverrides, EngineProfile } from '../hardware/profiles.ts';
import { must } from '../../core/assert.ts';
import {
  createLabOptions,
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
} from '../lab/jobs.ts';
import type { RunResult } from '../lab/results.ts';
import type { LabDelays, LabPolicy } from '../lab/types.ts';
import { type DriveHooks, driveWorld, LabWorld } from '../lab/world.ts';
import type { Workload } from '../workloads/types.ts';

/** A measured run as the lab can run it again. Times in milliseconds. */
export interface MeasuredScene {
  readonly workload: Workload;
  readonly load: number;
  readonly seed: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** What was behind the measured address. */
export interface MeasuredFleet {
  readonly profile: EngineProfile;
  readonly replicas: number;
  /** Engine settings in place of the profile's. */
  readonly overrides: EngineOverrides;
  /** How the gateway chose, where there was one. */
  readonly policy: LabPolicy;
  /** Delays between client and engine. */
  readonly delays: LabDelays;
}

/** Delays of a client on the engine's own machine, without a gateway. */
export const DIRECT_DELAYS: LabDelays = Object.freeze({
  gatewayMs: 0,
  networkMs: 0,
  scrapeMs: DEFAULT_DELAYS.scrapeMs,
});

/** The time series of a run is not looked at: one sample a minute. */
const SAMPLE_MS = 60_000;

/** Simulates what was measured, with other factors for the profile or with its own. */
export function simulateScene(
  scene: MeasuredScene,
  fleet: MeasuredFleet,
  { calibration, hooks }: { readonly calibration: Calibration; readonly hooks: DriveHooks },
): Promise<RunResult> {
  const calibrated = withCalibration(fleet.profile, calibration);
  const profile = must(calibrated.ok ? calibrated.value : null, 'factors above 0');
  const { replicas, overrides, policy, delays } = fleet;
  const parts = [{ profile, replicas, overrides }];
  const options = createLabOptions(
    {
      traffic: { kind: 'workload', name: scene.workload.name },
      fleet: parts,
      policy,
      objective: scene.workload.objective,
      seed: scene.seed,
      load: scene.load,
      durationMs: scene.durationMs,
      warmUpMs: scene.warmUpMs,
      drainMs: DEFAULT_DRAIN_MS,
      delays,
      events: [],
      maxOpenRequests: openRequestsBound(parts),
      sampleMs: SAMPLE_MS,
    },
    scene.workload,
  );
  return driveWorld(new LabWorld(options), hooks);
}
