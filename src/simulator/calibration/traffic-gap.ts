import type { RunResult } from '../lab/results.ts';
import type { MeasuredReport } from '../load/measured-report.ts';

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
