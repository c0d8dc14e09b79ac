import { must } from '../../core/assert.ts';

/** Where an adapter's weights are: on the accelerator, in host memory, or only in storage. */
export type AdapterTier = 'gpu' | 'cpu' | 'disk';

/** Limits and costs of adapters. */
export interface AdapterOptions {
  /** Adapters that fit on the accelerator at once (vLLM `--max-loras`). */
  readonly slots: number;
  /** Adapters kept in host memory, those on the accelerator included (vLLM `--max-cpu-loras`). */
  readonly cpuSlots: number;
  /** Storage to accelerator. */
  readonly loadMs: number;
  /** Host memory to accelerator. */
  readonly activateMs: number;
}

/** What the engine knows of one adapter. */
export interface AdapterView {
  readonly name: string;
  readonly tier: AdapterTier;
  /** Sequences in a running batch that use it. */
  readonly running: number;
  /** Sequences that wait and will use it. */
  readonly waiting: number;
}

interface Adapter {
  readonly name: string;
  tier: AdapterTier;
  running: number;
  waiting: number;
  lastUse: number;
}

/**
 * Which adapters are known and which are resident. An adapter in use never leaves the accelerator;
 * of the idle ones the least recently used goes first, to host memory and from there to storage.
 */
export class AdapterStore {
  readonly options: AdapterOptions;
  readonly #adapters = new Map<string, Adapter>();
  #uses = 0;
  #loads = 0;

  constructor(options: AdapterOptions) {
    this.options = options;
  }

  /** Times an adapter moved to the accelerator. */
  get loads(): number {
    return this.#loads;
  }

  has(name: string): boolean {
    return this.#adapters.has(name);
  }

  views(): readonly AdapterView[] {
    return [...this.#adapters.values()];
  }

  /** Makes a name known, its weights in storage; false when it was known already. */
  register(name: string): boolean {
    if (this.#adapters.has(name)) return false;
    this.#adapters.set(name, { name, tier: 'disk', running: 0, waiting: 0, lastUse: 0 });
    return true;
  }

  /** Forgets a name; refused while sequences use it. */
  unregister(name: string): 'removed' | 'unknown' | 'in_use' {
    const adapter = this.#adapters.get(name);
    if (adapter === undefined) return 'unknown';
    if (adapter.running + adapter.waiting > 0) return 'in_use';
    this.#adapters.delete(name);
    return 'removed';
  }

  addWaiting(name: string, change: 1 | -1): void {
    this.#get(name).waiting += change;
  }

  /**
   * Puts the adapter on the accelerator for one more sequence: its cost in ms, or -1 without a
   * slot.
   */
  acquire(name: string): number {
    const adapter = this.#get(name);
    const costMs = adapter.tier === 'gpu' ? 0 : this.#load(adapter);
    if (costMs < 0) return -1;
    adapter.running += 1;
    this.#uses += 1;
    adapter.lastUse = this.#uses;
    return costMs;
  }

  release(name: string): void {
    this.#get(name).running -= 1;
  }

  /** Loads an idle adapter ahead of use; the cost in ms, or -1 when every slot is in use. */
  preload(name: string): number {
    const costMs = this.acquire(name);
    if (costMs >= 0) this.release(name);
    return costMs;
  }

  /** All weights leave the accelerator and host memory (deep sleep). */
  unloadAll(): void {
    for (const adapter of this.#adapters.values()) adapter.tier = 'disk';
  }

  #get(name: string): Adapter {
    return must(this.#adapters.get(name), `adapter ${name}`);
  }

  #load(adapter: Adapter): number {
    if (this.options.slots === 0) return -1;
    if (this.#countOn('gpu') >= this.options.slots) {
      const victim = this.#leastRecentlyUsed('gpu');
      if (victim === null) return -1;
      victim.tier = 'cpu';
    }
    const costMs = adapter.tier === 'cpu' ? this.options.activateMs : this.options.loadMs;
    adapter.tier = 'gpu';
    this.#loads += 1;
    this.#trimHostMemory();
    return costMs;
  }

  #trimHostMemory(): void {
    const limit = Math.max(this.options.cpuSlots, this.options.slots);
    let resident = this.#countOn('gpu') + this.#countOn('cpu');
    while (resident > limit) {
      const victim = this.#leastRecentlyUsed('cpu');
      if (victim === null) return;
      victim.tier = 'disk';
      resident -= 1;
    }
  }

  #countOn(tier: AdapterTier): number {
    let count = 0;
    for (const adapter of this.#adapters.values()) if (adapter.tier === tier) count += 1;
    return count;
  }

  #leastRecentlyUsed(tier: AdapterTier): Adapter | null {
    let oldest: Adapter | null = null;
    for (const adapter of this.#adapters.values()) {
      if (adapter.tier !== tier || adapter.running > 0) continue;
      if (oldest === null || adapter.lastUse < oldest.lastUse) oldest = adapter;
    }
    return oldest;
  }
}
