import { failureLabel, type LoadFailure } from './load-failure.ts';
import type { MeasuredFailureGroup } from './measured-report.ts';

/** Distinct messages kept of one kind of failure. */
const MAX_MESSAGES = 10;

/** Counts failures by kind and keeps the first few messages of each. */
export class FailureGroups {
  readonly #groups = new Map<string, { count: number; readonly messages: Set<string> }>();

  note(failure: LoadFailure): void {
    const label = failureLabel(failure);
    let group = this.#groups.get(label);
    if (group === undefined) {
      group = { count: 0, messages: new Set() };
      this.#groups.set(label, group);
    }
    group.count += 1;
    if (group.messages.size < MAX_MESSAGES) group.messages.add(failure.message);
  }

  /** By label, the most frequent first. */
  toJson(): Readonly<Record<string, MeasuredFailureGroup>> {
    const sorted = [...this.#groups].sort(([, left], [, right]) => right.count - left.count);
    return Object.fromEntries(
      sorted.map(([label, { count, messages }]) => [
        label,
        { count, messages: [...messages].map((message) => ({ message })) },
      ]),
    );
  }
}
