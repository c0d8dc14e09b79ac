import { replicasOf, type FleetPart, type JobEvent } from '../simulator/lab/jobs.ts';
import { describeTerm } from '../simulator/lab/sizing.ts';
import type { ObjectiveTerm } from '../simulator/lab/sizing-objective.ts';
import type { RunResult } from '../simulator/lab/results.ts';
import type { GoodputObjective } from '../simulator/workloads/types.ts';
import type { LabScene } from './lab-plan.ts';

/** Share of failed requests that wants an explanation. */
const MANY_FAILED = 0.1;

/** A time in the unit that reads best: `350 ms`, `1.5 s`, `10 min`. */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return 'unbounded';
  if (ms < 1000) return `${trim(ms)} ms`;
  if (ms < 600_000) return `${trim(ms / 1000)} s`;
  return `${trim(ms / 60_000)} min`;
}

/** Three digits at most, without zeros at the end. */
function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** `4 x l4-8b, 1 x h100-8b`. */
export function describeFleet(fleet: readonly FleetPart[]): string {
  return fleet.map(({ profile, replicas }) => `${replicas} x ${profile.name}`).join(', ');
}

/** `TTFT <= 1 s, TPOT <= 50 ms`, or `any answer`. */
export function describeGood({ ttftMs, tpotMs, e2eMs }: GoodputObjective): string {
  const terms: readonly (readonly [string, number | null])[] = [
    ['TTFT', ttftMs],
    ['TPOT', tpotMs],
    ['e2e', e2eMs],
  ];
  const asked = terms.flatMap(([name, limit]) =>
    limit === null ? [] : [`${name} <= ${formatTime(limit)}`],
  );
  return asked.length === 0 ? 'any answer' : asked.join(', ');
}

/** `1`, or `1 to 3`. */
function describeSeeds(seeds: readonly number[]): string {
  const [first = 0] = seeds;
  const last = seeds.at(-1) ?? first;
  return first === last ? `seed ${first}` : `seeds ${first} to ${last}`;
}

/** What was run, as pairs of a name and a value; for the head of a table and for a report. */
export function describeScene(
  scene: LabScene,
  fleet: readonly FleetPart[] | null,
): readonly (readonly [string, string])[] {
  const { traffic, workload, load, durationMs, warmUpMs, objective, seeds } = scene;
  const source = traffic.kind === 'trace' ? traffic.path : workload.name;
  const what = traffic.kind === 'trace' ? `speed ${load}` : `load ${load}`;
  const times = `${formatTime(durationMs)}, the first ${formatTime(warmUpMs)} not counted`;
  const rows: (readonly [string, string])[] = [
    [traffic.kind, `${source}, ${what} (1 is ${workload.loadUnit})`],
    ['time', times],
  ];
  if (fleet !== null) rows.push(['fleet', describeFleetFully(fleet)]);
  if (scene.events.length > 0) rows.push(['events', scene.events.map(describeEvent).join('; ')]);
  rows.push(['seeds', describeSeeds(seeds)], ['good', describeGood(objective)]);
  return rows;
}

function describeEvent({ endpoint, event }: JobEvent): string {
  switch (event.kind) {
    case 'start':
      return `${endpoint} is new at ${formatTime(event.readyAtMs)}`;
    case 'restart':
      return `${endpoint} is down for ${formatTime(event.downMs)} from ${formatTime(event.atMs)}`;
    case 'slow':
      return `${endpoint} is ${event.factor} times as slow from ${formatTime(event.atMs)}`;
    case 'drain':
      return `${endpoint} drains from ${formatTime(event.atMs)}`;
    case 'sleep':
      return `${endpoint} sleeps (level ${event.level}) from ${formatTime(event.atMs)}`;
    case 'wake':
      return `${endpoint} wakes at ${formatTime(event.atMs)}`;
  }
}

function describeFleetFully(fleet: readonly FleetPart[]): string {
  const accelerators = fleet.reduce(
    (sum, { profile, replicas }) => sum + profile.accelerators * replicas,
    0,
  );
  const { adapters, ...overrides } = fleet[0]?.overrides ?? {};
  const engine = [
    ...Object.entries(overrides).map(([name, value]) => `${name} ${JSON.stringify(value)}`),
    ...(adapters?.slots === undefined ? [] : [`${adapters.slots} adapter slots`]),
    ...(adapters?.cpuSlots === undefined ? [] : [`${adapters.cpuSlots} adapters in host memory`]),
  ];
  const more = accelerators === replicasOf(fleet) ? [] : [`${accelerators} accelerators`];
  return [describeFleet(fleet), ...more, ...engine].join(', ');
}

/**
 * Lines for runs that did not end as they should, one for each policy and reason. `nameOf` says
 * which run of a policy it was; its seed when not given.
 */
export function describeEndings(
  runs: readonly RunResult[],
  nameOf: (run: RunResult) => string = ({ seed }) => `seed ${seed}`,
): readonly string[] {
  const lines = runs.flatMap((run) => {
    const { policy, status, reason } = run;
    if (status === 'finished') return [];
    const what = status === 'saturated' ? 'saturated: ' : '';
    return [`${policy}, ${nameOf(run)}: ${what}${reason ?? status}`];
  });
  return [...new Set(lines)];
}

/** A line for cut runs that the numbers are not made of, and how far they got, if there are any. */
export function describeLeftOut(runs: readonly RunResult[]): readonly string[] {
  if (runs.length === 0) return [];
  const byPolicy = Map.groupBy(runs, ({ policy }) => policy);
  const names = [...byPolicy].map(([policy, own]) => {
    const seeds = own.map(
      ({ seed, simulatedMs }) => `seed ${seed} at ${Math.round(simulatedMs / 1000)} s`,
    );
    return `${policy} (${seeds.join(', ')})`;
  });
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  return [`cut short and not in the table, ${count}: ${names.join('; ')}`];
}

/**
 * Lines for runs in which most requests failed without anything having been disturbed: engines
 * refuse what is longer than their context or their KV cache.
 */
export function describeFailures(
  runs: readonly RunResult[],
  fleet: readonly FleetPart[],
): readonly string[] {
  const shortest = Math.min(...fleet.map(contextTokensOf));
  return runs.flatMap(({ policy, seed, requests: { sent, failed } }) =>
    failed <= sent * MANY_FAILED
      ? []
      : [
          `${policy}, seed ${seed}: ${failed} of ${sent} requests failed; engines refuse prompts and answers of more than ${shortest.toLocaleString('en-US')} tokens here`,
        ],
  );
}

function contextTokensOf({ profile, overrides }: FleetPart): number {
  const blocks = overrides.kvBlocks ?? profile.kvBlocks;
  const longest = overrides.maxModelLenTokens ?? profile.maxModelLenTokens;
  return Math.min(longest, blocks * profile.blockSizeTokens);
}

/** A term with its bound: `ttft-p99 <= 1 s`, `goodput >= 99 %`. */
export function describeTermBound(term: ObjectiveTerm): string {
  const name = describeTerm(term);
  if (term.kind === 'goodput') return `${name} >= ${trim(100 * term.minShare)} %`;
  return `${name} <= ${formatTime(term.limitMs)}`;
}

/** A value that a term bounds, with its unit. */
export function formatTermValue(term: ObjectiveTerm, value: number): string {
  return term.kind === 'goodput' ? `${(100 * value).toFixed(1)} %` : formatTime(value);
}
