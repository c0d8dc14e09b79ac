import { copyText } from './copy-text.ts';
import { isToken } from './token.ts';

/** The name of a field, in one spelling. */
export interface FieldName {
  /** As it was written, with the colon behind it. */
  readonly start: string;
  /** In lower case. */
  readonly text: string;
}

/** How much is remembered of names. */
export interface FieldNamesOptions {
  /** Spellings at most. */
  readonly knownMax: number;
  /** Lines of a head, counted from its first, of which the last name is kept. */
  readonly expectedMax: number;
}

/**
 * Names of fields as one kind of peer writes them, each spelling checked and folded once. Peers
 * send the same fields in the same order, and to compare is cheaper than to look up: the name that
 * stood in the same place last is tried first. Hot: `npm run bench -- proxy`.
 */
export class FieldNames<Name extends FieldName> {
  readonly #describe: (name: FieldName) => Name;
  readonly #options: FieldNamesOptions;
  readonly #known = new Map<string, Name>();
  readonly #expected: Name[] = [];
  /** `start` of each expected name: names of requests and of answers have different shapes. */
  readonly #expectedStarts: string[] = [];

  /** `describe` says what there is to know of a name; called once for each spelling. */
  constructor(describe: (name: FieldName) => Name, options: FieldNamesOptions) {
    this.#describe = describe;
    this.#options = options;
  }

  /**
   * The name of the line at `start`, the `place`th of its head; null when it is no token, or when
   * there is no colon.
   */
  at(text: string, start: number, place: number): Name | null {
    const expected = this.#expectedStarts[place];
    if (expected !== undefined && text.startsWith(expected, start)) {
      return this.#expected[place] as Name;
    }
    const colon = text.indexOf(':', start);
    if (colon < 0) return null;
    // A line without a colon ends before the colon of a later one: a line end is no token.
    const name = this.find(text.slice(start, colon));
    if (name !== null && place < this.#options.expectedMax) {
      this.#expected[place] = name;
      this.#expectedStarts[place] = name.start;
    }
    return name;
  }

  /** What is known of this spelling; null when it is no token. */
  find(spelling: string): Name | null {
    return this.#known.get(spelling) ?? this.#learn(spelling);
  }

  #learn(name: string): Name | null {
    if (!isToken(name)) return null;
    const spelling = copyText(name);
    const found = this.#describe({ start: `${spelling}:`, text: spelling.toLowerCase() });
    if (this.#known.size < this.#options.knownMax) this.#known.set(spelling, found);
    return found;
  }
}
