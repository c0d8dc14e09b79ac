import { readFileSync } from 'node:fs';
import type { Lab } from './lab.ts';
import { readCpuUs } from './proc-stats.ts';
import { spreadOf } from './stats.ts';
import type { Target } from './target.ts';

/** What the two cores did during one measurement. */
export interface CoreUse {
  /** CPU time of the proxy, in microseconds; 0 for a direct target. */
  readonly proxyUs: number;
  /** Cores the proxy used: 1 means that the proxy was the bottleneck. */
  readonly proxyCores: number;
  /** Share of the proxy's core taken by anything else: the machine was not quiet. */
  readonly foreignCores: number;
  /** Share of the load core in use: near 1 means that load or upstream was the bottleneck. */
  readonly loadCores: number;
}

/**
 * Columns of a `cpuN` line in proc_stat(5) that are not idle time: user, nice, system, irq,
 * softirq, steal.
 */
const BUSY_COLUMNS = [1, 2, 3, 6, 7, 8];
const US_PER_TICK = 10_000;

/** Runs `work` and says how much CPU time it cost. */
export async function watchCores<Result>(
  lab: Lab,
  target: Target,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly use: CoreUse }> {
  const before = readCores(lab, target);
  const result = await work();
  const after = readCores(lab, target);
  const wallUs = after.atUs - before.atUs;
  const proxyUs = after.proxyUs - before.proxyUs;
  const proxyCoreUs = after.proxyCoreUs - before.proxyCoreUs;
  const use: CoreUse = {
    proxyUs,
    proxyCores: proxyUs / wallUs,
    foreignCores: Math.max(0, (proxyCoreUs - proxyUs) / wallUs),
    loadCores: (after.loadCoreUs - before.loadCoreUs) / wallUs,
  };
  return { result, use };
}

/**
 * Sentences about what makes figures worth less than they look: other work on the proxy's core, or
 * a proxy that waited for the load. Medians over the runs decide.
 */
export function describeDisturbances(uses: readonly CoreUse[]): readonly string[] {
  const median = (field: 'proxyCores' | 'foreignCores' | 'loadCores'): number =>
    spreadOf(uses.map((use) => use[field])).middle;
  const foreign = median('foreignCores');
  if (foreign > 0.1) {
    const percent = (foreign * 100).toFixed(0);
    return [`the machine was not quiet: other work took ${percent} % of the proxy's core`];
  }
  const isLoadBound = median('loadCores') > 0.95 && median('proxyCores') < 0.95;
  return isLoadBound ? ['the load core was full: the proxies could have done more'] : [];
}

function readCores(
  lab: Lab,
  target: Target,
): { atUs: number; proxyUs: number; proxyCoreUs: number; loadCoreUs: number } {
  const stat = readFileSync('/proc/stat', 'latin1');
  return {
    atUs: performance.now() * 1000,
    proxyUs: target.pid === null ? 0 : readCpuUs(target.pid),
    proxyCoreUs: busyUs(stat, lab.cpus.proxyCpu),
    loadCoreUs: busyUs(stat, lab.cpus.loadCpu),
  };
}

function busyUs(stat: string, cpu: number): number {
  const line = stat.split('\n').find((text) => text.startsWith(`cpu${cpu} `)) ?? '';
  const columns = line.split(/\s+/);
  const ticks = BUSY_COLUMNS.reduce((sum, column) => sum + Number(columns[column] ?? 0), 0);
  return ticks * US_PER_TICK;
}
