import { worstError, meanError, type MetricError } from '../simulator/calibration/metrics.ts';
import type { ProfileFit } from '../simulator/calibration/fit-profile.ts';
import type { MeasuredReport } from '../simulator/load/measured-report.ts';

const COLUMN_WIDTH = 11;
const NAME_WIDTH = 17;
/** A factor that 1 % of noise moves by more than this is not worth much. */
const LOOSE_SHARE = 0.1;
/** A mean error beyond which the profile does not describe the machine. */
const POOR_ERROR = 0.1;
/** Fewer answers than this make percentiles that chance decides. */
const FEW_ANSWERS = 100;

/** Factors and errors of a fit, as lines. */
export function describeFit(fit: ProfileFit): readonly string[] {
  const { factors, uncertainty, before, after, runs, isConverged } = fit;
  const rows = before.map((error, index) => errorRow(error, after[index] ?? error));
  return [
    ...(['prefill', 'decode', 'overhead'] as const).map((name) => {
      const loose = uncertainty === null ? null : uncertainty[name];
      const known = loose === null ? '' : `   ± ${percent(loose)} for 1 % of noise`;
      const note = loose !== null && loose > LOOSE_SHARE ? ': this run hardly shows it' : '';
      return `${name.padEnd(10)}${factors[name].toFixed(4)}${known}${note}`;
    }),
    '',
    headRow(),
    ...rows,
    '',
    verdict(before, after),
    `${runs} simulated runs${isConverged ? '' : '; the search ended at its limit, not at a minimum'}`,
  ];
}

function headRow(): string {
  const names = ['measured', 'before', 'error', 'after', 'error'];
  return ''.padEnd(NAME_WIDTH) + names.map((name) => name.padStart(COLUMN_WIDTH)).join('');
}

function errorRow(before: MetricError, after: MetricError): string {
  const cells = [
    before.measured.toPrecision(4),
    before.simulated.toPrecision(4),
    signedPercent(before.relativeError),
    after.simulated.toPrecision(4),
    signedPercent(after.relativeError),
  ];
  const unit = before.metric.includes('/') ? '' : ', ms';
  const name = `${before.metric}${unit}`.padEnd(NAME_WIDTH);
  return name + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('');
}

function verdict(before: readonly MetricError[], after: readonly MetricError[]): string {
  const worst = worstError(after);
  const left = meanError(after);
  const poor =
    left > POOR_ERROR ? ': the profile does not describe this machine, do not rely on it' : '';
  return (
    `mean error ${percent(meanError(before))} before, ${percent(left)} after${poor}; ` +
    `the largest left is ${signedPercent(worst.relativeError)} in ${worst.metric}`
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function signedPercent(share: number): string {
  return `${share < 0 ? '-' : '+'}${(Math.abs(share) * 100).toFixed(1)} %`;
}

/** What makes a measured run a poor one to fit to. */
export function describeDoubts({ successes, failures, penstock }: MeasuredReport): string[] {
  const doubts: string[] = [];
  const { count } = successes;
  if (count < FEW_ANSWERS) {
    doubts.push(`only ${count} answers were measured: chance decides their percentiles`);
  }
  if (failures.count > 0) {
    doubts.push(`${failures.count} requests failed; the simulation answers them all`);
  }
  if (penstock !== undefined && penstock.status !== 'finished') {
    doubts.push(`the measured run was ${penstock.status}`);
  }
  return [...doubts, ...(penstock?.client?.warnings ?? [])];
}
