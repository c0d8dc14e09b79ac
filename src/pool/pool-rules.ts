import type { Endpoint } from './endpoint.ts';
import type { PoolView } from './served-index.ts';

/** Wait that is advised when recovery depends on a server's answer, whose time nobody knows. */
const UNKNOWN_WAIT_MS = 1_000;

/** Wait that is advised when no endpoint is about to come back. */
const LONG_WAIT_MS = 10_000;

/**
 * Whether every pool of `endpoint` can spare it: at least half of the members stay in, and one
 * that can take requests now is among them. A pool of one can never spare it. An endpoint on
 * probation counts as out.
 */
export function mayEject(
  endpoint: Endpoint,
  pools: readonly PoolView[],
  slots: readonly Endpoint[],
): boolean {
  if (pools.length === 0) return false;
  return pools.every((pool) => {
    const closedOthers = countClosed(pool, slots) - 1;
    if (2 * closedOthers < pool.members.length) return false;
    return pool.members.some((slot) => slot !== endpoint.slot && slots[slot]?.isAvailable === true);
  });
}

/** Members that are not ejected and not on probation. */
export function countClosed(pool: PoolView, slots: readonly Endpoint[]): number {
  let count = 0;
  for (const slot of pool.members) {
    if (slots[slot]?.health.state === 'closed') count += 1;
  }
  return count;
}

/** The member that is out and would be back first; null when none is out. */
export function endpointToReadmit(pool: PoolView, slots: readonly Endpoint[]): Endpoint | null {
  let earliest: Endpoint | null = null;
  for (const slot of pool.members) {
    const endpoint = slots[slot];
    if (endpoint === undefined || endpoint.health.state === 'closed') continue;
    if (earliest === null || endpoint.health.ejectedUntilMs < earliest.health.ejectedUntilMs) {
      earliest = endpoint;
    }
  }
  return earliest;
}

/** Milliseconds until one of `members` may take a request: 0 when one can. */
export function waitForEndpointMs(
  members: Int32Array,
  slots: readonly Endpoint[],
  nowMs: number,
): number {
  let shortestMs = LONG_WAIT_MS;
  for (const slot of members) {
    const endpoint = slots[slot];
    if (endpoint !== undefined) shortestMs = Math.min(shortestMs, waitMs(endpoint, nowMs));
  }
  return shortestMs;
}

function waitMs(endpoint: Endpoint, nowMs: number): number {
  if (endpoint.isAvailable) return 0;
  if (endpoint.isRemoved || endpoint.isDraining) return LONG_WAIT_MS;
  if (endpoint.health.state !== 'ejected') return UNKNOWN_WAIT_MS;
  const ejectedMs = Math.max(0, endpoint.health.ejectedUntilMs - nowMs);
  return endpoint.reachability === 'unreachable'
    ? Math.max(UNKNOWN_WAIT_MS, ejectedMs)
    : Math.max(1, ejectedMs);
}
