import { MOST_USERS, type ArrivalSpec } from './arrival-spec.ts';
import { assertTrafficOptions } from './check-options.ts';
import { WorkloadError } from './errors.ts';
import { valuesOf, type Setting, type WorkloadSheet } from './sheet.ts';
import type { TrafficOptions, TrafficSource, Workload } from './types.ts';

/** What a workload has of its own beside its sheet. */
export interface WorkloadParts<T> {
  readonly adapters: (values: T) => readonly string[];
  /** What a load of 1 is, in words. */
  readonly loadUnit: (values: T, arrivals: ArrivalSpec | null) => string;
  /**
   * What it makes of a closed loop: it has a number of users of its own, it must be told one, or
   * it would not be itself in one, for that reason.
   */
  readonly closed: 'own_users' | 'given_users' | { readonly refusal: string };
  /** Is given options and arrivals that have been checked. */
  readonly createTraffic: (
    values: T,
    options: TrafficOptions,
    arrivals: ArrivalSpec | null,
  ) => TrafficSource;
}

/** A workload with the name, times and objective of its sheet. */
export function createSheetWorkload<T extends Setting>(
  sheet: WorkloadSheet<T>,
  parts: WorkloadParts<T>,
): Workload {
  return createWith(sheet, parts, null);
}

function createWith<T extends Setting>(
  sheet: WorkloadSheet<T>,
  parts: WorkloadParts<T>,
  arrivals: ArrivalSpec | null,
): Workload {
  const values = valuesOf(sheet);
  return {
    name: sheet.name,
    summary: sheet.summary,
    objective: values.objective,
    adapters: parts.adapters(values),
    defaults: values,
    loadUnit: parts.loadUnit(values, arrivals),
    arrivals,
    withArrivals: (spec) => {
      assertFits(spec, sheet.name, parts.closed);
      return createWith(sheet, parts, spec);
    },
    createTraffic: (options) => {
      assertTrafficOptions(options);
      if (arrivals?.kind === 'closed') assertUsers(arrivals.users, options.load);
      return parts.createTraffic(values, options, arrivals);
    },
  };
}

function assertFits(
  spec: ArrivalSpec,
  name: string,
  closed: WorkloadParts<unknown>['closed'],
): void {
  if (spec.kind !== 'closed') return;
  if (typeof closed === 'object') {
    const message = `${name} has no closed loop: ${closed.refusal}`;
    throw new WorkloadError('arrivals_invalid', message);
  }
  if (closed === 'given_users' && spec.users === null) {
    const message = `${name} has no number of users of its own: write closed:users=50`;
    throw new WorkloadError('arrivals_invalid', message);
  }
}

function assertUsers(users: number | null, load: number): void {
  if (users === null || users * load <= MOST_USERS) return;
  const largest = Number((MOST_USERS / users).toPrecision(2));
  const message =
    `a load of ${load} is ${Math.round(users * load)} users, and ${MOST_USERS} are the most: ` +
    `ask for a load of about ${largest}`;
  throw new WorkloadError('load_invalid', message);
}

/** For workloads that name no adapter. */
export function noAdapters(): readonly string[] {
  return [];
}
