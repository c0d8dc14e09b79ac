import type { RunResult } from '../lab/results.ts';
import type { SizingResult } from '../lab/sizing.ts';
import type { SweepResult } from '../lab/sweep.ts';
import type { MeasuredReport } from '../load/measured-report.ts';

/** A measured run under the name that the page gives it, such as its file's. */
export interface NamedMeasurement {
  readonly name: string;
  readonly report: MeasuredReport;
}

/** What a report page shows. Parts that are empty are left out of the page. */
export interface ReportInput {
  readonly title: string;
  readonly subtitle: string;
  /** What was run, as pairs of a name and a value in words. */
  readonly settings: readonly (readonly [string, string])[];
  /** Runs that are compared with each other: policies on the same traffic. */
  readonly runs: readonly RunResult[];
  readonly sweeps: readonly SweepResult[];
  /** What each of several profiles needs to meet one objective. */
  readonly sizes: readonly SizingResult[];
  readonly measured: readonly NamedMeasurement[];
}
