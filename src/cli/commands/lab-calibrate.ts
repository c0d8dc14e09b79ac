import { writeFile } from 'node:fs/promises';
import { must } from '../../core/assert.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import { describeTrafficGap } from '../../simulator/calibration/traffic-gap.ts';
import { fitProfile, type ProfileFit } from '../../simulator/calibration/fit-profile.ts';
import { meanError, metricsOfReport, type Metrics } from '../../simulator/calibration/metrics.ts';
import { sceneOfReport, sceneOfRequests } from '../../simulator/calibration/measured-scene.ts';
import {
  DIRECT_DELAYS,
  simulateScene,
  type MeasuredFleet,
  type MeasuredScene,
} from '../../simulator/calibration/scene.ts';
import type { ProfileBase } from '../../simulator/calibration/profile-override.ts';
import { DEFAULT_DELAYS } from '../../simulator/lab/jobs.ts';
import type { MeasuredReport } from '../../simulator/load/measured-report.ts';
import { readTrace } from '../../simulator/traces/read-trace.ts';
import { createTraceWorkload } from '../../simulator/traces/trace-workload.ts';
import { describeDoubts, describeFit } from '../calibrate-text.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { reasonOf } from '../config/tls-files.ts';
import { readOverrides } from '../lab-fleet.ts';
import { readOneProfile } from '../profile-options.ts';
import { readPolicies } from '../lab-policies.ts';
import { ProgressDisplay } from '../lab-progress.ts';
import { readMeasuredReport } from '../measured-file.ts';
import type { ParsedOptions } from '../options.ts';
import { readJson } from '../profile-file.ts';
import { createSystemClock } from '../system-clock.ts';

/** A checked command line. */
interface CalibratePlan {
  readonly report: MeasuredReport;
  readonly measured: Metrics;
  readonly scene: MeasuredScene;
  readonly fleet: CalibrateFleet;
  readonly maxRuns: number;
}

/** A fleet of one profile, with what a profile file has to say of it. */
interface CalibrateFleet extends MeasuredFleet {
  readonly base: ProfileBase;
}

/** `penstock lab calibrate`: fits a profile's factors to a measured run. */
export async function runLabCalibrate(
  options: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  const planned = await readPlan(options);
  if (!planned.ok) {
    context.writeError(`penstock lab calibrate: ${planned.error}\n`);
    return EXIT_CODES.usage;
  }
  const plan = planned.value;
  for (const doubt of describeDoubts(plan.report)) context.writeError(`warning: ${doubt}\n`);
  const { fit, isInterrupted, gap } = await search(plan, context);
  if (gap !== null) context.writeError(`warning: ${gap}\n`);
  const { profile, base } = plan.fleet;
  context.writeOut(`${[`profile   ${profile.name}`, ...describeFit(fit)].join('\n')}\n`);
  const out = options.string('out');
  if (out !== null) {
    const written = await writeProfile(out, base, fit);
    if (!written.ok) {
      context.writeError(`penstock lab calibrate: ${written.error}\n`);
      return EXIT_CODES.failed;
    }
    context.writeOut(`written to ${out}\n`);
  }
  return isInterrupted ? EXIT_CODES.interrupted : EXIT_CODES.ok;
}

interface SearchOutcome {
  readonly fit: ProfileFit;
  readonly isInterrupted: boolean;
  /** Why the fit may mean nothing; null when nothing is seen. */
  readonly gap: string | null;
}

async function search(
  { report, measured, scene, fleet, maxRuns }: CalibratePlan,
  context: CommandContext,
): Promise<SearchOutcome> {
  let isInterrupted = false;
  let gap: string | null = null;
  const removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    context.onSignal(signal, () => {
      isInterrupted = true;
      for (const remove of removers) remove();
    }),
  );
  const display = new ProgressDisplay(context, createSystemClock());
  const hooks = { shouldStop: () => null, onProgress: () => undefined };
  try {
    const fit = await fitProfile({
      measured,
      start: fleet.profile.calibration,
      simulate: async (calibration) => {
        const run = await simulateScene(scene, fleet, { calibration, hooks });
        gap = describeTrafficGap(report, run);
        return run;
      },
      maxRuns,
      shouldStop: () => isInterrupted,
      onRun: (runs) => {
        display.update(`${runs} of at most ${maxRuns} simulated runs`, runs / maxRuns);
      },
    });
    return { fit, isInterrupted, gap };
  } finally {
    display.clear();
    for (const remove of removers) remove();
  }
}

async function writeProfile(
  path: string,
  base: ProfileBase,
  { factors, after, before }: ProfileFit,
): Promise<Result<null, string>> {
  const content = {
    ...base,
    calibration: factors,
    fit: {
      meanErrorBefore: meanError(before),
      meanErrorAfter: meanError(after),
      metrics: after,
    },
  };
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
    return succeed(null);
  } catch (cause) {
    return fail(`${path} cannot be written: ${reasonOf(cause)}`);
  }
}

async function readPlan(options: ParsedOptions): Promise<Result<CalibratePlan, string>> {
  const path = options.string('measured');
  if (path === null) return fail('--measured is missing: a file of "penstock bench --json"');
  const report = await readMeasuredReport(path);
  if (!report.ok) return report;
  const measured = metricsOfReport(report.value);
  if (!measured.ok) return fail(`${path}: ${measured.error}`);
  const scene = await readScene(options, report.value);
  if (!scene.ok) return scene;
  const fleet = await readFleet(options);
  if (!fleet.ok) return fleet;
  return succeed({
    report: report.value,
    measured: measured.value,
    scene: scene.value,
    fleet: fleet.value,
    maxRuns: must(options.number('runs'), 'a default of --runs'),
  });
}

async function readScene(
  options: ParsedOptions,
  report: MeasuredReport,
): Promise<Result<MeasuredScene, string>> {
  const path = options.string('per-request');
  if (path === null) {
    try {
      return await sceneOfReport(report, async (trace) =>
        createTraceWorkload(await readTrace(trace, {})),
      );
    } catch (cause) {
      return fail(reasonOf(cause));
    }
  }
  if (report.penstock !== undefined) {
    return fail('--per-request is not needed: the report says what was run');
  }
  const json = await readJson(path);
  if (!json.ok) return json;
  const scene = sceneOfRequests(json.value);
  return scene.ok ? scene : fail(`${path}: ${scene.error}`);
}

async function readFleet(options: ParsedOptions): Promise<Result<CalibrateFleet, string>> {
  const based = await readOneProfile(options);
  if (!based.ok) return based;
  if (based.value === null) {
    return fail('--profile is missing; "penstock lab list" shows the profiles');
  }
  const policies = await readPolicies([options.string('policy') ?? '']);
  if (!policies.ok) return fail(`--policy: ${policies.error}`);
  const [policy, ...others] = policies.value;
  if (policy === undefined || others.length > 0) return fail('--policy takes one policy here');
  const replicas = must(options.number('replicas'), 'a default of --replicas');
  return succeed({
    profile: based.value.profile,
    base: based.value.base,
    replicas,
    overrides: readOverrides(options),
    policy,
    delays: replicas === 1 ? DIRECT_DELAYS : DEFAULT_DELAYS,
  });
}
