import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../core/assert.ts';
import { findPreset } from '../../scheduler/presets.ts';
import { createStepCosts, type Calibration } from '../engine/step-time.ts';
import { findProfile, type EngineProfile } from '../hardware/profiles.ts';
import { toMeasuredReport } from '../load/simulated-report.ts';
import { findWorkload } from '../workloads/workloads.ts';
import { describeTrafficGap } from './traffic-gap.ts';
import { fitProfile } from './fit-profile.ts';
import { meanError, metricErrors, metricsOfReport, metricsOfRun } from './metrics.ts';
import { DIRECT_DELAYS, simulateScene, type MeasuredFleet, type MeasuredScene } from './scene.ts';

const HOOKS = { shouldStop: () => null, onProgress: () => undefined };
const ONES: Calibration = { prefill: 1, decode: 1, overhead: 1 };

function createScene(name: string, durationMs: number, load: number): MeasuredScene {
  const workload = must(findWorkload(name), name);
  return { workload, load, seed: 1, durationMs, warmUpMs: durationMs / 5 };
}

function createFleet(profile: EngineProfile, replicas: number): MeasuredFleet {
  const policy = {
    name: 'soonest',
    profile: must(findPreset('soonest'), 'soonest'),
    plugins: [],
  };
  return { profile, replicas, overrides: {}, policy, delays: DIRECT_DELAYS };
}

/** A machine on which each factor decides about something that can be seen by itself. */
const CLEAR: EngineProfile = {
  ...must(findProfile('demo'), 'demo'),
  costs: createStepCosts({
    baseMs: 10,
    prefillTokenMs: 0.05,
    decodeContextTokenMs: 0.0005,
    prefillContextTokenMs: 0.0005,
  }),
  kvBlocks: 100_000,
};

test('known factors come back within 5 %', async () => {
  const scene = createScene('mixed-sizes', 40_000, 0.05);
  const fleet = createFleet(CLEAR, 1);
  const truth = { prefill: 1.4, decode: 0.7, overhead: 1.2 };
  const run = await simulateScene(scene, fleet, { calibration: truth, hooks: HOOKS });
  assert.ok(run.requests.completed > 20);
  const fit = await fitProfile({
    measured: metricsOfRun(run),
    start: ONES,
    simulate: (calibration) => simulateScene(scene, fleet, { calibration, hooks: HOOKS }),
    maxRuns: 150,
    shouldStop: () => false,
    onRun: () => undefined,
  });
  for (const factor of ['prefill', 'decode', 'overhead'] as const) {
    const error = fit.factors[factor] / truth[factor] - 1;
    assert.ok(Math.abs(error) < 0.05, `${factor} is off by ${(error * 100).toFixed(1)} %`);
  }
  assert.ok(meanError(fit.before) > 0.1);
  assert.ok(meanError(fit.after) < 0.02);
  assert.ok(fit.runs <= 160);
});

test('factors that a run does not show stay where they were, and are said to be loose', async () => {
  // No weights and no KV to read: nothing is left for `decode`.
  const blind = { ...CLEAR, costs: createStepCosts({ baseMs: 10, prefillTokenMs: 0.05 }) };
  const scene = createScene('mixed-sizes', 10_000, 0.05);
  const fleet = createFleet(blind, 1);
  const truth = { prefill: 1.3, decode: 3, overhead: 0.8 };
  const run = await simulateScene(scene, fleet, { calibration: truth, hooks: HOOKS });
  const fit = await fitProfile({
    measured: metricsOfRun(run),
    start: ONES,
    simulate: (calibration) => simulateScene(scene, fleet, { calibration, hooks: HOOKS }),
    maxRuns: 120,
    shouldStop: () => false,
    onRun: () => undefined,
  });
  assert.ok(Math.abs(fit.factors.overhead / truth.overhead - 1) < 0.05);
  assert.ok(Math.abs(fit.factors.decode - 1) < 0.1, `decode is ${fit.factors.decode}`);
  assert.ok((fit.uncertainty?.decode ?? 1) > (fit.uncertainty?.overhead ?? 0) * 10);
});

test('stopping gives the best factors so far', async () => {
  const scene = createScene('mixed-sizes', 5000, 0.05);
  const fleet = createFleet(CLEAR, 1);
  const run = await simulateScene(scene, fleet, {
    calibration: { prefill: 2, decode: 1, overhead: 1 },
    hooks: HOOKS,
  });
  let runs = 0;
  const fit = await fitProfile({
    measured: metricsOfRun(run),
    start: ONES,
    simulate: (calibration) => simulateScene(scene, fleet, { calibration, hooks: HOOKS }),
    maxRuns: 100,
    shouldStop: () => runs >= 5,
    onRun: (count) => {
      runs = count;
    },
  });
  assert.ok(fit.runs <= 7);
  assert.equal(fit.isConverged, false);
  assert.ok(meanError(fit.after) <= meanError(fit.before));
});

test('a simulated run in the form of a measured one compares without an error', async () => {
  const profile = must(findProfile('h100-8b'), 'h100-8b');
  const scene = createScene('interactive-chat', 5000, 0.5);
  const fleet = createFleet(profile, 2);
  const run = await simulateScene(scene, fleet, { calibration: ONES, hooks: HOOKS });
  const report = toMeasuredReport(run, {
    workload: scene.workload.name,
    trace: null,
    arrivals: null,
    load: scene.load,
    durationMs: scene.durationMs,
    warmUpMs: scene.warmUpMs,
    model: profile.model,
  });
  const measured = metricsOfReport(report);
  assert.ok(measured.ok, measured.ok ? '' : measured.error);
  for (const { metric, relativeError } of metricErrors(measured.value, metricsOfRun(run))) {
    assert.ok(Math.abs(relativeError) < 1e-9, `${metric}: ${relativeError}`);
  }
  assert.equal(describeTrafficGap(report, run), null);
  // A workload whose parameters have changed since the measurement has other numbers of requests.
  const count = Math.round(report.load_summary.count * 0.8);
  const older = { ...report, load_summary: { ...report.load_summary, count } };
  assert.match(describeTrafficGap(older, run) ?? '', /not the same traffic/);
});

test('impossible measurements are refused with the metric’s name', async () => {
  const profile = must(findProfile('demo'), 'demo');
  const scene = createScene('mixed-sizes', 3000, 0.2);
  const run = await simulateScene(scene, createFleet(profile, 1), {
    calibration: ONES,
    hooks: HOOKS,
  });
  const report = toMeasuredReport(run, {
    workload: 'mixed-sizes',
    trace: null,
    arrivals: null,
    load: 1,
    durationMs: 3000,
    warmUpMs: 0,
    model: null,
  });
  const { latency } = report.successes;
  const withLatency = (changes: Partial<typeof latency>): typeof report => ({
    ...report,
    successes: { ...report.successes, latency: { ...latency, ...changes } },
  });
  const empty = metricsOfReport(withLatency({ time_to_first_token: null }));
  assert.match(empty.ok ? '' : empty.error, /no ttft.*streamed/);
  const zero = { mean: 0, min: 0, max: 0, median: 0, p90: 0 };
  const none = metricsOfReport(withLatency({ inter_token_latency: zero }));
  assert.match(none.ok ? '' : none.error, /itl mean is 0.*several tokens/);
  const bare = metricsOfReport(withLatency({ time_per_output_token: { mean: 1, min: 1, max: 1 } }));
  assert.match(bare.ok ? '' : bare.error, /no p50 of tpot/);
});
