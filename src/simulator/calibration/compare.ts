import { fail, succeed, type Result } from '../../core/result.ts';
import type { RunResult } from '../lab/results.ts';
import type { DriveHooks } from '../lab/world.ts';
import type { MeasuredReport } from '../load/measured-report.ts';
import { sceneOfReport, type TraceReader } from './measured-scene.ts';
import { metricErrors, metricsOfReport, metricsOfRun, type MetricError } from './metrics.ts';
import { simulateScene, type MeasuredFleet } from './scene.ts';

/** A measured run beside the simulation of the same traffic. */
export interface Comparison {
  readonly errors: readonly MetricError[];
  /** Why the errors may mean nothing, as `describeTrafficGap` says; null when nothing is seen. */
  readonly doubt: string | null;
  readonly result: RunResult;
}

/** What a comparison needs beside the report. */
export interface ComparisonOptions {
  readonly fleet: MeasuredFleet;
  readonly readTrace: TraceReader;
  readonly hooks: DriveHooks;
}

/**
 * Simulates the traffic of a measured run on a fleet, and gives the relative error of every metric.
 * Failure says what the report lacks.
 */
export async function compareMeasuredWithSimulated(
  report: MeasuredReport,
  options: ComparisonOptions,
): Promise<Result<Comparison, string>> {
  const measured = metricsOfReport(report);
  if (!measured.ok) return measured;
  const scene = await sceneOfReport(report, options.readTrace);
  if (!scene.ok) return scene;
  const { fleet, hooks } = options;
  const calibration = fleet.profile.calibration;
  const result = await simulateScene(scene.value, fleet, { calibration, hooks });
  if (result.requests.completed === 0) return fail('no request of the simulation was answered');
  const errors = metricErrors(measured.value, metricsOfRun(result));
  return succeed({ errors, doubt: describeTrafficGap(report, result), result });
}

/** Counts of equal traffic differ by no more than this: a closed loop sends by its answers. */
const USUAL_GAP = 0.05;

/**
 * Says that a simulation sent another number of requests than the measured run did, which is what a
 * workload whose parameters have changed since looks like; null when the numbers are alike. A
 * report knows its workload by name only.
 */
export function describeTrafficGap(report: MeasuredReport, result: RunResult): string | null {
  const measured = report.load_summary.count;
  const simulated = result.requests.sent;
  if (Math.abs(simulated - measured) <= USUAL_GAP * measured) return null;
  return (
    `${measured} requests were measured and ${simulated} simulated: this is not the same traffic; ` +
    'was it measured with another version?'
  );
}
