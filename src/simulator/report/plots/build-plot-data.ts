import type { RunResult, TenantResult } from '../../lab/results.ts';
import type { SweepResult } from '../../lab/sweep.ts';
import { LATENCIES, type Latency, type Outcome } from '../outcome.ts';
import type { LatencyPlot, PlotData, PlotLine, SweepCurve } from './plot-data.ts';
import type { SweepPlot, TenantPlot } from './plot-data.ts';
import { createHeats, createTimeline, sampleCount, timelineMaxima } from './series-data.ts';

const COLORS = 8;
const DASHES = ['solid', 'dashed', 'dotted'] as const;
/** One per colour, so that neither colour nor shape is needed alone. */
const SYMBOLS = [
  'circle',
  'rect',
  'triangle',
  'diamond',
  'roundRect',
  'arrow',
  'pin',
  'emptyCircle',
];
/** Tenants in a plot: those with the most requests. */
const MOST_TENANTS = 16;

/** Everything that the page draws. `outcomes` are the runs first, then measured ones. */
export function buildPlotData(
  outcomes: readonly Outcome[],
  sweeps: readonly SweepResult[],
): PlotData {
  const names = lineNames(outcomes, sweeps);
  const measured = new Set(outcomes.flatMap((o) => (o.kind === 'measured' ? [o.name] : [])));
  const lineOf = (name: string): number => names.indexOf(name);
  const sources = outcomes.flatMap(({ name, run }) =>
    run === null || sampleCount(run) === 0 ? [] : [{ line: lineOf(name), run }],
  );
  const timelines = sources.map(createTimeline);
  return {
    lines: names.map((name, index) => createLine(name, index, measured.has(name))),
    latencies: latencyPlots(outcomes),
    timelines,
    timelineMax: timelineMaxima(timelines),
    ...createHeats(sources),
    sweeps: sweepPlots(sweeps, lineOf),
    tenants: tenantPlot(outcomes),
  };
}

/** Names of sweeps that run the same policy twice on one workload, in order of the sweeps. */
function sweepName(sweeps: readonly SweepResult[], index: number): string {
  const sweep = sweeps[index];
  if (sweep === undefined) return '';
  const isSame = (other: SweepResult): boolean =>
    other.policy === sweep.policy && other.workload === sweep.workload;
  const before = sweeps.slice(0, index).filter(isSame).length;
  return before === 0 ? sweep.policy : `${sweep.policy} (${before + 1})`;
}

/** Outcomes come first: their index is that of their line. */
function lineNames(
  outcomes: readonly Outcome[],
  sweeps: readonly SweepResult[],
): readonly string[] {
  const own = outcomes.map(({ name }) => name);
  return [...new Set([...own, ...sweeps.map((_, index) => sweepName(sweeps, index))])];
}

function createLine(name: string, index: number, isMeasured: boolean): PlotLine {
  const color = index % COLORS;
  return {
    name,
    color,
    dash: DASHES[Math.floor(index / COLORS) % DASHES.length] ?? 'solid',
    symbol: SYMBOLS[color] ?? 'circle',
    isMeasured,
  };
}

function latencyPlots(outcomes: readonly Outcome[]): readonly LatencyPlot[] {
  return LATENCIES.flatMap((latency) => {
    const curves = outcomes.flatMap(({ latencies }, line) => {
      const { curve } = latencies[latency];
      return curve.length < 2 ? [] : [{ line, points: curve }];
    });
    return curves.length === 0
      ? []
      : [{ latency, objectiveMs: objectiveOf(outcomes, latency), curves }];
  });
}

/** What the runs were asked for; the first that was asked for anything speaks for all. */
function objectiveOf(outcomes: readonly Outcome[], latency: Latency): number | null {
  if (latency === 'itl') return null;
  const key = `${latency}Ms` as const;
  for (const { run } of outcomes) {
    const value = run?.goodput.objective[key] ?? null;
    if (value !== null && Number.isFinite(value)) return value;
  }
  return null;
}

function sweepPlots(
  sweeps: readonly SweepResult[],
  lineOf: (name: string) => number,
): readonly SweepPlot[] {
  const workloads = [...new Set(sweeps.map(({ workload }) => workload))];
  return workloads.flatMap((workload) => {
    const curves = sweeps.flatMap((sweep, index) =>
      sweep.workload === workload && sweep.points.length > 0
        ? [sweepCurve(sweep, lineOf(sweepName(sweeps, index)))]
        : [],
    );
    return curves.length === 0 ? [] : [{ workload, curves }];
  });
}

function sweepCurve(sweep: SweepResult, line: number): SweepCurve {
  const points = sweep.points.map(({ requestsPerSecond, result }) => {
    const { throughput, goodput, ttftMs } = result;
    const ttft = ttftMs.count > 0 && Number.isFinite(ttftMs.p90) ? round(ttftMs.p90) : null;
    return [
      round(requestsPerSecond),
      round(throughput.requestsPerSecond),
      round(goodput.requestsPerSecond),
      ttft,
    ] as const;
  });
  return { line, points, kneeIndex: sweep.kneeIndex };
}

/** Null unless a run had several tenants. */
function tenantPlot(outcomes: readonly Outcome[]): TenantPlot | null {
  const runs = outcomes.flatMap(({ run }, line) => (run === null ? [] : [{ line, run }]));
  const tenants = busiestTenants(runs.map(({ run }) => run));
  if (tenants.length < 2) return null;
  return {
    tenants,
    runs: runs.map(({ line, run }) => {
      const byName = new Map(run.fairness.tenants.map((tenant) => [tenant.tenant, tenant]));
      const read = (pick: (tenant: TenantResult) => number): (number | null)[] =>
        tenants.map((name) => {
          const tenant = byName.get(name);
          const value = tenant === undefined || tenant.requests === 0 ? NaN : pick(tenant);
          return Number.isFinite(value) ? round(value) : null;
        });
      return {
        line,
        good: read(({ goodShare }) => goodShare * 100),
        ttftP90Ms: read(({ ttftP90Ms }) => ttftP90Ms),
      };
    }),
  };
}

function busiestTenants(runs: readonly RunResult[]): readonly string[] {
  const requests = new Map<string, number>();
  for (const { fairness } of runs) {
    for (const tenant of fairness.tenants) {
      requests.set(tenant.tenant, (requests.get(tenant.tenant) ?? 0) + tenant.requests);
    }
  }
  const sorted = [...requests].sort(([left, l], [right, r]) => r - l || (left < right ? -1 : 1));
  return sorted.slice(0, MOST_TENANTS).map(([name]) => name);
}

function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : 0;
}
