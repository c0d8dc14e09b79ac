import { basename } from 'node:path';
import { fail, succeed, type Result } from '../core/result.ts';
import { describeTrafficGap } from '../simulator/calibration/traffic-gap.ts';
import { sceneOfReport } from '../simulator/calibration/measured-scene.ts';
import type { RunResult } from '../simulator/lab/results.ts';
import type { MeasuredConfig } from '../simulator/load/measured-report.ts';
import type { NamedMeasurement } from '../simulator/report/report-input.ts';
import { readWorkload, type LabTraffic } from './lab-plan.ts';
import type { ParsedOptions } from './options.ts';

/** Traffic of `lab run`: `--workload`, or that of the first measured run. */
export async function readRunTraffic(
  options: ParsedOptions,
  measured: readonly NamedMeasurement[],
): Promise<Result<LabTraffic, string>> {
  const [first] = measured;
  const given = options.string('workload');
  const arrivals = options.string('arrivals');
  if (first === undefined) return readWorkload(given, arrivals);
  const config = first.report.penstock?.config ?? null;
  const problem = given === null ? whyNoWorkload(config) : null;
  if (problem !== null) return fail(`${first.name} ${problem}`);
  const measuredName = config?.workload ?? null;
  const traffic = readWorkload(given ?? measuredName, arrivals ?? arrivalsOf(config, given));
  if (!traffic.ok || measuredName !== traffic.value.workload.name) return traffic;
  return withMeasuredScene(traffic.value, first);
}

/** Why a measured run does not say which workload it was; null when it does. */
function whyNoWorkload(config: MeasuredConfig | null): string | null {
  if (config === null) return 'does not say what was run; name it with --workload';
  if (config.trace === null) return null;
  return `was measured with ${config.trace}; use "penstock lab replay"`;
}

/** How the measured run's requests came, for the workload of that name; null: its own way. */
function arrivalsOf(config: MeasuredConfig | null, given: string | null): string | null {
  // Another workload does not come as the measured one did.
  const isSame = config !== null && (given === null || given === config.workload);
  return isSame ? config.arrivals : null;
}

/** Traffic of `lab replay` with the times of the first measured run, when that ran this trace. */
export async function readReplayTraffic(
  traffic: LabTraffic,
  path: string,
  measured: readonly NamedMeasurement[],
): Promise<Result<LabTraffic, string>> {
  const [first] = measured;
  const trace = first?.report.penstock?.config.trace ?? null;
  const isSame = trace !== null && basename(trace) === basename(path);
  return first !== undefined && isSame ? withMeasuredScene(traffic, first) : succeed(traffic);
}

async function withMeasuredScene(
  traffic: LabTraffic,
  { name, report }: NamedMeasurement,
): Promise<Result<LabTraffic, string>> {
  const scene = await sceneOfReport(report, () => Promise.resolve(traffic.workload));
  return scene.ok
    ? succeed({ ...traffic, measured: scene.value })
    : fail(`${name}: ${scene.error}`);
}

/** Why measured runs are not like simulated ones, a line for each that is not. */
export function describeGaps(
  measured: readonly NamedMeasurement[],
  runs: readonly RunResult[],
): readonly string[] {
  const run = runs.find(({ status }) => status === 'finished');
  if (run === undefined) return [];
  return measured.flatMap(({ name, report }) => {
    const gap = describeTrafficGap(report, run);
    return gap === null ? [] : [`${name}: ${gap}`];
  });
}
