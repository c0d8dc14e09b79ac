import { must } from '../../core/assert.ts';
import { PRESETS, type PresetName } from '../../scheduler/presets.ts';
import { findProfile } from '../hardware/profiles.ts';
import {
  createLabOptions,
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
} from '../lab/jobs.ts';
import type { Distribution, RunResult } from '../lab/results.ts';
import { LabWorld } from '../lab/world.ts';
import type { MeasuredDistribution, MeasuredReport } from '../load/measured-report.ts';
import { createSharedPrefixWorkload } from '../workloads/prefix-groups.ts';
import type { Workload } from '../workloads/types.ts';
import type { ValidationRow } from './row.ts';

/** What real engine processes and the lab are both given. */
export interface RealScene {
  readonly policy: PresetName;
  readonly seed: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** A slow machine: its steps take 35 ms and more, of which the process that imitates it needs 1. */
export const REAL_PROFILE = 'a10g-qwen2.5-7b';
/** Engines behind the gateway. */
export const REAL_REPLICAS = 3;

/** Half of what three such machines can do, and half of the prompt shared by a few others. */
export const REAL_WORKLOAD: Workload = createSharedPrefixWorkload({
  name: 'validation',
  summary: 'Short questions to a few system prompts, at half of what the fleet can take.',
  parameters: {
    profile: { value: REAL_PROFILE, reason: 'Slow enough that this machine is no factor.' },
    replicas: { value: REAL_REPLICAS, reason: 'The smallest fleet with a choice.' },
    durationMs: { value: 45_000, reason: 'Two hundred requests.' },
    warmUpMs: { value: 5000, reason: 'Twice an answer.' },
    objective: { value: { ttftMs: null, tpotMs: null, e2eMs: null }, reason: 'Not judged.' },
    requestsPerSecond: { value: 5, reason: 'Half of what the fleet can take.' },
    groups: { value: 12, reason: 'More than one engine will have seen by chance.' },
    promptsPerGroup: { value: 20, reason: 'No question comes twice in a run.' },
    systemTokens: { value: 400, reason: 'A hit saves half of the prompt.' },
    questionTokens: { value: 300, reason: 'A fraction of a second to read.' },
    outputTokens: { value: 48, reason: 'Two seconds of decoding.' },
  },
});

/** The same traffic through the same policy in virtual time. */
export function simulateScene(scene: RealScene): RunResult {
  const profile = must(findProfile(REAL_PROFILE), 'the profile');
  const fleet = [{ profile, replicas: REAL_REPLICAS, overrides: {} }];
  const { policy, seed, durationMs, warmUpMs } = scene;
  const options = createLabOptions(
    {
      traffic: { kind: 'workload', name: REAL_WORKLOAD.name },
      fleet,
      policy: { name: policy, profile: PRESETS[policy], plugins: [] },
      objective: REAL_WORKLOAD.objective,
      seed,
      load: 1,
      durationMs,
      warmUpMs,
      drainMs: DEFAULT_DRAIN_MS,
      delays: DEFAULT_DELAYS,
      events: [],
      maxOpenRequests: openRequestsBound(fleet),
      sampleMs: 1000,
    },
    REAL_WORKLOAD,
  );
  const world = new LabWorld(options);
  while (!world.advance(100_000));
  return world.result();
}

/** Medians must agree within this share. */
export const REAL_TOLERANCE = 0.1;

/** Measured against simulated; the medians of times have a tolerance. */
export function compareScene(
  { policy }: RealScene,
  { successes }: MeasuredReport,
  result: RunResult,
): readonly ValidationRow[] {
  const { latency, throughput } = successes;
  const ttft = must(latency.time_to_first_token, 'answers that were streamed');
  const tpot = must(latency.time_per_output_token, 'answers of several tokens');
  const setup = `\`${policy}\`, ${successes.count} requests`;
  const tolerance = { share: REAL_TOLERANCE };
  const timesOf = (
    name: string,
    measured: MeasuredDistribution,
    simulated: Distribution,
  ): readonly ValidationRow[] => {
    const ms = { setup, unit: 'ms', digits: 1, cause: 'timers and events of four processes' };
    const p50 = must(measured.median ?? null, 'a median') * 1000;
    const p90 = must(measured.p90 ?? null, 'a percentile') * 1000;
    return [
      { ...ms, quantity: `${name} p50`, reference: p50, ours: simulated.p50, tolerance },
      { ...ms, quantity: `${name} p90`, reference: p90, ours: simulated.p90, tolerance: null },
    ];
  };
  return [
    ...timesOf('TTFT', ttft, result.ttftMs),
    ...timesOf('TPOT', tpot, result.tpotMs),
    {
      setup,
      quantity: 'output tokens/s',
      reference: throughput.output_tokens_per_sec,
      ours: result.throughput.outputTokensPerSecond,
      unit: 'tokens/s',
      digits: 0,
      tolerance: null,
      cause: 'when the last answer ended',
    },
  ];
}
