import type { ObjectiveTerm } from '../simulator/lab/sizing-objective.ts';
import { describeTerm, type SizingResult } from '../simulator/lab/sizing.ts';
import { alignColumns } from './lab-table.ts';
import { formatTermValue } from './lab-text.ts';

/** One row per profile: what it needs, what that costs, and how the objective came out. */
export function renderSizes(
  sizes: readonly SizingResult[],
  objective: readonly ObjectiveTerm[],
): readonly string[] {
  const cheapest = findCheapest(sizes);
  const head = [
    'profile',
    'replicas',
    'accelerators',
    '$/hour',
    'headroom',
    ...objective.map(describeTerm),
  ];
  const rows = sizes.map((size) => sizeRow(size, size === cheapest));
  const reasons = sizes.flatMap(({ profile, reason }) =>
    reason === null ? [] : [`${profile}: ${reason}`],
  );
  const strange = sizes.flatMap(({ profile, isMonotone, replicas }) =>
    isMonotone || replicas === null
      ? []
      : [
          `${profile}: more replicas did not always do better; ${replicas} is the first count that holds with one more as well`,
        ],
  );
  const mark = cheapest === null || sizes.length < 2 ? [] : ['* the cheapest'];
  return [...alignColumns([head, ...rows], 1), ...mark, ...reasons, ...strange];
}

function sizeRow(size: SizingResult, isCheapest: boolean): readonly string[] {
  const { profile, replicas, accelerators, hourlyUsd, headroom, probes } = size;
  const found = probes.find((probe) => probe.replicas === replicas);
  const values = found?.verdict.terms.map(({ term, worst }) => formatTermValue(term, worst));
  return [
    `${profile}${isCheapest ? ' *' : ''}`,
    replicas === null ? 'none' : String(replicas),
    accelerators === null ? '-' : String(accelerators),
    formatPrice(hourlyUsd, replicas),
    headroom === null ? '-' : `${Math.round(100 * headroom)} %`,
    ...(values ?? size.objective.map(() => '-')),
  ];
}

function formatPrice(hourlyUsd: number | null, replicas: number | null): string {
  if (hourlyUsd !== null) return hourlyUsd.toFixed(2);
  return replicas === null ? '-' : 'unknown';
}

/** Null when nothing was found, or when a fleet that was found has no known price. */
function findCheapest(sizes: readonly SizingResult[]): SizingResult | null {
  let cheapest: SizingResult | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const size of sizes) {
    if (size.replicas === null) continue;
    if (size.hourlyUsd === null) return null;
    if (size.hourlyUsd < least) {
      least = size.hourlyUsd;
      cheapest = size;
    }
  }
  return cheapest;
}

/** What was tried, a line for each profile: counts in their order with the worst missed term. */
export function renderProbes(sizes: readonly SizingResult[]): readonly string[] {
  return sizes.map(({ profile, probes }) => {
    const tried = probes.map(({ replicas, verdict }) => {
      if (verdict.meets) return `${replicas} meets`;
      if (verdict.isSaturated) return `${replicas} saturated`;
      const missed = [...verdict.terms].sort((left, right) => left.headroom - right.headroom)[0];
      if (missed === undefined) return `${replicas} misses`;
      const value = formatTermValue(missed.term, missed.worst);
      return `${replicas} misses (${describeTerm(missed.term)} ${value})`;
    });
    return `tried ${profile}: ${tried.length === 0 ? 'nothing' : tried.join(', ')}`;
  });
}
