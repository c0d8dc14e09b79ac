import type { MetricsRegistry } from './registry.ts';

/** What the process knows of itself; rank 4 reads it from the runtime. */
export interface ProcessStats {
  /** User plus system CPU time since the start, in seconds. */
  cpuSeconds(): number;
  /** Resident memory in bytes. */
  residentBytes(): number;
  /** Start of the process, Unix seconds. */
  startTimeSeconds(): number;
  /** 99th percentile of the event loop's delay in seconds; NaN when not measured. */
  eventLoopDelaySeconds(): number;
}

/** Refreshes the `process_*`, event loop and build metrics at every exposition. */
export function registerProcessMetrics(
  registry: MetricsRegistry,
  stats: ProcessStats,
  version: string,
): () => void {
  const cpu = registry.counter('process_cpu_seconds_total');
  const memory = registry.gauge('process_resident_memory_bytes');
  const delay = registry.gauge('penstock_event_loop_delay_seconds');
  registry.gauge('process_start_time_seconds').set(stats.startTimeSeconds());
  registry.gauge('penstock_build_info', [version]).set(1);
  return registry.onCollect(() => {
    cpu.raiseTo(stats.cpuSeconds());
    memory.set(stats.residentBytes());
    delay.set(stats.eventLoopDelaySeconds());
  });
}
