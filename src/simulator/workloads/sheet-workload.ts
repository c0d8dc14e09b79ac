import { assertTrafficOptions } from './check-options.ts';
import { valuesOf, type Setting, type WorkloadSheet } from './sheet.ts';
import type { TrafficOptions, TrafficSource, Workload } from './types.ts';

/** What a workload has of its own beside its sheet. */
export interface WorkloadParts<T> {
  readonly adapters: (values: T) => readonly string[];
  /** What a load of 1 is, in words. */
  readonly loadUnit: (values: T) => string;
  /** Is given options that have been checked. */
  readonly createTraffic: (values: T, options: TrafficOptions) => TrafficSource;
}

/** A workload with the name, times and objective of its sheet. */
export function createSheetWorkload<T extends Setting>(
  sheet: WorkloadSheet<T>,
  { adapters, loadUnit, createTraffic }: WorkloadParts<T>,
): Workload {
  const values = valuesOf(sheet);
  return {
    name: sheet.name,
    summary: sheet.summary,
    objective: values.objective,
    adapters: adapters(values),
    defaults: values,
    loadUnit: loadUnit(values),
    createTraffic: (options) => {
      assertTrafficOptions(options);
      return createTraffic(values, options);
    },
  };
}

/** For workloads that name no adapter. */
export function noAdapters(): readonly string[] {
  return [];
}
