import type { GapShape } from './arrival-spec.ts';
import { createRequestTraffic, describeRequestLoad, type RequestPlan } from './request-traffic.ts';
import { createSheetWorkload } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import type { Workload } from './types.ts';

/** Parameters of independent requests at a rate. */
export interface RequestSetting extends Setting {
  /** What a load of 1 is. */
  readonly requestsPerSecond: number;
}

/** What a workload of independent requests has of its own beside its sheet. */
export interface RequestWorkloadParts<T> {
  readonly adapters: (values: T) => readonly string[];
  readonly gaps: (values: T) => GapShape;
  /** What makes the requests of one run. */
  readonly createRequests: (values: T, seed: number) => RequestPlan['create'];
}

/** A workload of independent requests, in an open loop or of users who wait. */
export function createRequestWorkload<T extends RequestSetting>(
  sheet: WorkloadSheet<T>,
  { adapters, gaps, createRequests }: RequestWorkloadParts<T>,
): Workload {
  return createSheetWorkload(sheet, {
    adapters,
    loadUnit: ({ requestsPerSecond }, arrivals) => describeRequestLoad(requestsPerSecond, arrivals),
    closed: 'given_users',
    createTraffic: (values, options, spec) => {
      const create = createRequests(values, options.seed);
      const plan = { gaps: gaps(values), perSecond: values.requestsPerSecond, create };
      return createRequestTraffic(plan, options, spec);
    },
  });
}
