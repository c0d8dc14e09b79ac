import type { AdapterReport, EngineReport } from '../protocol/engines/dialect.ts';

/**
 * How near an adapter is on one endpoint: 0 must be loaded, 1 resident and idle, 2 serving now.
 */
export type ResidencyLevel = 0 | 1 | 2;

/** An adapter we sent a request for longer ago may have been put out by somebody else's. */
const MEMORY_MS = 300_000;

/** Adapters remembered when the engine does not say how many it holds. */
const DEFAULT_SLOTS = 8;

/** A request this young may not have reached the engine when it wrote its report. */
const REPORT_LAG_MS = 2_000;

/**
 * Which adapters one endpoint holds in memory: what its report says, and what we sent it
 * lately, as many engines name only the adapters that are busy. The memory is a
 * least-recently-used list of as many adapters as the engine holds, which is how engines keep
 * them.
 */
export class AdapterResidency {
  #reported: ReadonlyMap<string, ResidencyLevel> = new Map();
  /** Adapter to the `Clock.now` of our last request; the oldest use comes first. */
  readonly #usedAtMs = new Map<string, number>();
  #slots = DEFAULT_SLOTS;

  levelOf(adapter: string): ResidencyLevel {
    return this.#reported.get(adapter) ?? (this.#usedAtMs.has(adapter) ? 1 : 0);
  }

  /** A request for `adapter` was booked: the engine will load it. */
  noteUse(adapter: string, nowMs: number): void {
    this.#usedAtMs.delete(adapter);
    this.#usedAtMs.set(adapter, nowMs);
    this.#forget(nowMs - MEMORY_MS);
  }

  takeReport(report: EngineReport, nowMs: number): void {
    if (report.adapterSlots !== null && report.adapterSlots > 0) this.#slots = report.adapterSlots;
    const adapters = report.adapters ?? [];
    this.#reported = new Map(adapters.map((adapter) => [adapter.name, levelFromReport(adapter)]));
    // An engine that names idle adapters names all it holds, so that its silence is news too.
    const namesIdle = adapters.some((adapter) => adapter.state === 'loaded');
    this.#forget(nowMs - (namesIdle ? REPORT_LAG_MS : MEMORY_MS));
  }

  /** The engine's process is new: nothing is resident. */
  clear(): void {
    this.#reported = new Map();
    this.#usedAtMs.clear();
  }

  #forget(beforeMs: number): void {
    for (const [adapter, usedAtMs] of this.#usedAtMs) {
      if (usedAtMs >= beforeMs && this.#usedAtMs.size <= this.#slots) break;
      this.#usedAtMs.delete(adapter);
    }
  }
}

function levelFromReport(adapter: AdapterReport): ResidencyLevel {
  return adapter.state === 'active' ? 2 : 1;
}
