import type { PickInput } from '../types.ts';

/** Slots assumed where the engine does not report how many adapters it holds. */
const DEFAULT_SLOTS = 8;
/** Adapters remembered per endpoint at most. */
const SLOTS_MAX = 256;
/** An adapter that was used this long ago is wanted again with a probability of 1/e. */
const WANTED_MS = 60_000;
/** What keeping one more idle copy of an adapter costs, as a share of its load time. */
const IDLE_COPY_SHARE = 0.1;

/**
 * Which adapters fill each endpoint's slots, by what was booked there: tells what loading one more
 * would put out. An adapter is known by its residency array, which is the same object for all of
 * its requests until the set of served models changes.
 */
export class AdapterSlots {
  /** By slot: adapter to the time of its last use, least recently used first. */
  readonly #used: (Map<Uint8Array, number> | undefined)[] = [];

  noteBooked(slot: number, input: PickInput): void {
    const { residency, nowMs, load } = input;
    if (residency === null) return;
    let used = this.#used[slot];
    if (used === undefined) {
      used = new Map();
      this.#used[slot] = used;
    }
    used.delete(residency);
    used.set(residency, nowMs);
    const slots = slotsOf(load.adapterSlots[slot] as number);
    for (const adapter of used.keys()) {
      if (used.size <= slots) break;
      used.delete(adapter);
    }
  }

  /**
   * What using the adapter on an endpoint costs in units of its load time there: 0 where it serves,
   * a little where it is idle, and where it must be loaded 1 plus the chance that the adapter which
   * is put out for it will have to be loaded again.
   */
  loadsFor(input: PickInput, position: number, residency: Uint8Array): number {
    const level = residency[position] as number;
    if (level > 0) return level === 1 ? IDLE_COPY_SHARE : 0;
    return 1 + this.#evictionChance(input.members[position] as number, input);
  }

  #evictionChance(slot: number, { load, nowMs }: PickInput): number {
    const slots = slotsOf(load.adapterSlots[slot] as number);
    const busy = (load.adaptersActive[slot] as number) + (load.adaptersWaiting[slot] as number);
    if (busy >= slots) return 1;
    const used = this.#used[slot];
    if (used === undefined || used.size < slots) return 0;
    for (const usedAtMs of used.values()) return Math.exp((usedAtMs - nowMs) / WANTED_MS);
    return 0;
  }
}

function slotsOf(reported: number): number {
  return reported > 0 ? Math.min(SLOTS_MAX, reported) : DEFAULT_SLOTS;
}
