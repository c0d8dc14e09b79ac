import type { PickerDefinition } from '../framework/plugin.ts';
import type { CandidateSet, Picker, PickInput } from '../types.ts';

/** Models and pools that take turns separately; beyond, the oldest start anew. */
const CURSORS_MAX = 1024;

/** Candidates by turns, whatever their scores; each set of members has turns of its own. */
export const ROUND_ROBIN_PICKER: PickerDefinition = {
  type: 'round-robin',
  kind: 'picker',
  summary: 'Candidates by turns, whatever their scores.',
  options: [],
  create: (_options, { name }): Picker => new RoundRobinPicker(name),
};

class RoundRobinPicker implements Picker {
  readonly type = ROUND_ROBIN_PICKER.type;
  readonly name: string;
  /**
   * Position that had the last turn, by the `members` array: the same object as long as nobody
   * joins or leaves, so that turns are not upset by endpoints that are out for a while.
   */
  readonly #lastByMembers = new Map<Int32Array, number>();

  constructor(name: string) {
    this.name = name;
  }

  order(
    input: PickInput,
    candidates: CandidateSet,
    _totals: Float64Array,
    out: Int32Array,
  ): number {
    const { positions, count } = candidates;
    const last = this.#lastByMembers.get(input.members) ?? -1;
    let first = 0;
    while (first < count && (positions[first] as number) <= last) first += 1;
    const places = Math.min(count, out.length);
    for (let place = 0; place < places; place += 1) out[place] = (first + place) % count;
    this.#remember(input.members, positions[first % count] as number);
    return places;
  }

  #remember(members: Int32Array, position: number): void {
    this.#lastByMembers.delete(members);
    this.#lastByMembers.set(members, position);
    if (this.#lastByMembers.size <= CURSORS_MAX) return;
    for (const oldest of this.#lastByMembers.keys()) {
      this.#lastByMembers.delete(oldest);
      return;
    }
  }
}
