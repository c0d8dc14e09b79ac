import { fail, succeed, type Result } from '../core/result.ts';
import { WorkloadError } from '../simulator/workloads/errors.ts';
import type { GoodputObjective, Workload } from '../simulator/workloads/types.ts';
import { parseDuration } from '../simulator/workloads/duration.ts';
import { parseGoodput } from './lab-values.ts';
import type { ParsedOptions } from './options.ts';

/** Why a workload cannot be had at such a load; null when it can. */
export function findLoadProblem(workload: Workload, load: number): string | null {
  if (!(load > 0)) return `the load must be more than 0, got ${load}`;
  try {
    workload.createTraffic({ seed: 1, load, durationMs: 1 });
    return null;
  } catch (cause) {
    if (cause instanceof WorkloadError) return cause.message;
    throw cause;
  }
}

/** How long a run is, and from when it counts, in milliseconds. */
export interface Times {
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** A workload's own times; a trace at twice the speed takes half of them. */
export function usualTimes({ defaults }: Workload, speed: number): Times {
  return { durationMs: defaults.durationMs / speed, warmUpMs: defaults.warmUpMs / speed };
}

/** `--duration` and `--warm-up`, or the usual times. */
export function readTimes(options: ParsedOptions, defaults: Times): Result<Times, string> {
  const duration = options.string('duration');
  const durationMs = duration === null ? succeed(defaults.durationMs) : parseDuration(duration);
  if (!durationMs.ok) return fail(`--duration: ${durationMs.error}`);
  const warmUp = options.string('warm-up');
  if (warmUp === null) {
    // A shorter run warms up for a shorter time, so that the same share of it counts.
    const share = Math.min(1, durationMs.value / defaults.durationMs);
    return succeed({ durationMs: durationMs.value, warmUpMs: defaults.warmUpMs * share });
  }
  const warmUpMs = parseDuration(warmUp, 0);
  if (!warmUpMs.ok) return fail(`--warm-up: ${warmUpMs.error}`);
  if (warmUpMs.value >= durationMs.value) {
    return fail(
      `--warm-up ${warmUp} leaves nothing of the ${durationMs.value / 1000} s that requests come; make it shorter, or --duration longer`,
    );
  }
  return succeed({ durationMs: durationMs.value, warmUpMs: warmUpMs.value });
}

/** What a good answer is: `--good`, or the workload's objective. */
export function readGood(
  options: ParsedOptions,
  workload: Workload,
): Result<GoodputObjective, string> {
  const good = options.string('good');
  if (good === null) return succeed(workload.objective);
  const parsed = parseGoodput(good);
  return parsed.ok ? parsed : fail(`--good: ${parsed.error}`);
}
