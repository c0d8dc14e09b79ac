import type { ClosedLoopLoad } from '../load/closed-loop.ts';
import { watchCores, type CoreUse } from './core-watch.ts';
import { BenchFailure } from './failure.ts';
import type { Lab } from './lab.ts';
import { formatSpread, ratiosOf, spreadOf, type Spread } from './stats.ts';
import { measureInRounds, type PerTarget, type Target } from './target.ts';

/** How a closed-loop comparison is run. */
export interface ThroughputPlan {
  readonly connections: number;
  readonly warmUpMs: number;
  readonly rounds: number;
  readonly durationMs: number;
}

/** What one target reached, by round. */
export interface Throughput {
  readonly name: string;
  readonly requestsPerSecond: readonly number[];
  readonly cpuUsPerRequest: readonly number[];
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
  readonly uses: readonly CoreUse[];
  readonly failures: number;
}

interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuUsPerRequest: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  readonly use: CoreUse;
}

/** Loads the targets in turn, round after round, each with all of one core's worth of requests. */
export async function compareThroughput<const Targets extends readonly Target[]>(
  lab: Lab,
  load: ClosedLoopLoad,
  targets: Targets,
  plan: ThroughputPlan,
): Promise<PerTarget<Targets, Throughput>> {
  for (const target of targets) {
    const { port } = target;
    await load.runClosedLoop({ port, connections: plan.connections, durationMs: plan.warmUpMs });
  }
  const samples: readonly (readonly Sample[])[] = await measureInRounds(
    targets,
    plan.rounds,
    (target) => measureOnce(lab, load, target, plan),
  );
  const results = targets.map((target, index) => summarise(target.name, samples[index] ?? []));
  return results as unknown as PerTarget<Targets, Throughput>;
}

async function measureOnce(
  lab: Lab,
  load: ClosedLoopLoad,
  target: Target,
  plan: ThroughputPlan,
): Promise<Sample> {
  const { port } = target;
  const { connections, durationMs } = plan;
  const { result, use } = await watchCores(lab, target, () =>
    load.runClosedLoop({ port, connections, durationMs }),
  );
  if (result.requests === 0) throw new BenchFailure(`${target.name} answered no request`);
  return {
    requestsPerSecond: (result.requests * 1000) / result.durationMs,
    cpuUsPerRequest: use.proxyUs / result.requests,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    failures: result.failures,
    use,
  };
}

function summarise(name: string, samples: readonly Sample[]): Throughput {
  return {
    name,
    requestsPerSecond: samples.map((sample) => sample.requestsPerSecond),
    cpuUsPerRequest: samples.map((sample) => sample.cpuUsPerRequest),
    p50Ms: samples.map((sample) => sample.p50Ms),
    p99Ms: samples.map((sample) => sample.p99Ms),
    uses: samples.map((sample) => sample.use),
    failures: samples.reduce((sum, sample) => sum + sample.failures, 0),
  };
}

/** Requests per second of `ours` relative to `theirs`, taken round by round. */
export function throughputRatio(ours: Throughput, theirs: Throughput): Spread {
  return spreadOf(ratiosOf(ours.requestsPerSecond, theirs.requestsPerSecond));
}

/** The comparison as a table; ratios are to the target named `referenceName`. */
export function throughputTable(
  results: readonly Throughput[],
  reference: Throughput,
): readonly (readonly string[])[] {
  const heading = [
    'target',
    'requests/s',
    'ratio',
    'CPU us/request',
    'p50 ms',
    'p99 ms',
    'proxy core',
    'load core',
  ];
  const rows = results.map((result) => [
    result.name,
    formatSpread(spreadOf(result.requestsPerSecond), 0),
    formatSpread(throughputRatio(result, reference), 2),
    formatSpread(spreadOf(result.cpuUsPerRequest), 1),
    formatSpread(spreadOf(result.p50Ms), 2),
    formatSpread(spreadOf(result.p99Ms), 2),
    formatCores(result.uses.map((use) => use.proxyCores)),
    formatCores(result.uses.map((use) => use.loadCores)),
  ]);
  return [heading, ...rows];
}

/** A median share of a core with two decimals. */
export function formatCores(shares: readonly number[]): string {
  return spreadOf(shares).middle.toFixed(2);
}
