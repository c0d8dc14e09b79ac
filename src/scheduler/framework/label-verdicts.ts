import type { EndpointTraits } from '../types.ts';

/**
 * What a plugin concludes from the labels of each endpoint, kept per slot until the labels are
 * others, so that a pick over a thousand endpoints reads no label at all.
 */
export class LabelVerdicts<T> {
  readonly #judge: (labels: Readonly<Record<string, string>>) => T;
  readonly #labels: Readonly<Record<string, string>>[] = [];
  readonly #verdicts: T[] = [];

  constructor(judge: (labels: Readonly<Record<string, string>>) => T) {
    this.#judge = judge;
  }

  /** The verdict on the labels that the endpoint in `slot` has now. */
  of(traits: EndpointTraits, slot: number): T {
    const labels = traits.labelsOf(slot);
    if (this.#labels[slot] === labels) return this.#verdicts[slot] as T;
    const verdict = this.#judge(labels);
    this.#labels[slot] = labels;
    this.#verdicts[slot] = verdict;
    return verdict;
  }
}
