import { must } from '../../core/assert.ts';
import { assertTrafficOptions } from '../workloads/check-options.ts';
import { WorkloadError } from '../workloads/errors.ts';
import type { LabRequest, TrafficOptions, TrafficSource, Workload } from '../workloads/types.ts';
import type { Trace } from './types.ts';

/** A run of a trace on four replicas of a common machine, when nothing else is said. */
const DEFAULT_PROFILE = 'h100-8b';
const DEFAULT_REPLICAS = 4;
/** Share of a trace that only fills caches, and the most that it may take. */
const WARM_UP_SHARE = 0.1;
const LONGEST_WARM_UP_MS = 60_000;

/**
 * A trace as a workload. A load of 1 is the recorded pace, one of 2 sends everything in half the
 * time; the seed changes nothing, as everything is in the trace. It has no objective of its own.
 */
export function createTraceWorkload(trace: Trace): Workload {
  const { name, format, count, stats } = trace;
  return {
    name,
    summary: `${count} requests of a ${format} trace`,
    objective: { ttftMs: null, tpotMs: null, e2eMs: null },
    adapters: trace.adapters,
    defaults: {
      profile: DEFAULT_PROFILE,
      replicas: DEFAULT_REPLICAS,
      // A millisecond more than the span, so that a trace of one request has a duration.
      durationMs: Math.floor(stats.spanMs) + 1,
      warmUpMs: Math.min(LONGEST_WARM_UP_MS, Math.floor(stats.spanMs * WARM_UP_SHARE)),
    },
    loadUnit: `${stats.requestsPerSecond.toPrecision(3)} requests/s, as recorded`,
    arrivals: null,
    withArrivals: () => {
      const message = 'a trace has times of its own; leave the arrivals away';
      throw new WorkloadError('arrivals_invalid', message);
    },
    createTraffic: (options) => {
      assertTrafficOptions(options);
      return new TraceTraffic(trace, options);
    },
  };
}

class TraceTraffic implements TrafficSource {
  readonly expectedCount: number;
  readonly #trace: Trace;
  readonly #load: number;
  #next = 0;

  constructor(trace: Trace, { load, durationMs }: TrafficOptions) {
    this.#trace = trace;
    this.#load = load;
    this.expectedCount = countUntil(trace, durationMs * load);
  }

  nextAtMs(): number {
    if (this.#next >= this.expectedCount) return Number.POSITIVE_INFINITY;
    return this.#trace.atMsOf(this.#next) / this.#load;
  }

  take(): LabRequest {
    const index = must(this.#next < this.expectedCount ? this.#next : null, 'a request to take');
    this.#next += 1;
    const request = this.#trace.requestAt(index);
    return { ...request, atMs: request.atMs / this.#load };
  }

  noteEnded(): void {
    // A trace goes on as it was recorded, whatever becomes of its requests.
  }
}

/** Requests that are sent up to `untilMs` of the trace's own time, by bisection. */
function countUntil(trace: Trace, untilMs: number): number {
  let low = 0;
  let high = trace.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (trace.atMsOf(middle) > untilMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
