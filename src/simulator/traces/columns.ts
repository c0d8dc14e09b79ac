/** Numbers that come one by one, in a typed array that grows by doubling. */
export class NumberColumn<T extends Float64Array | Uint32Array | Int32Array> {
  readonly #create: (length: number) => T;
  #values: T;
  #size = 0;

  constructor(create: (length: number) => T) {
    this.#create = create;
    this.#values = create(FIRST_CAPACITY);
  }

  get size(): number {
    return this.#size;
  }

  push(value: number): void {
    if (this.#size === this.#values.length) {
      const grown = this.#create(this.#size * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#size] = value;
    this.#size += 1;
  }

  /** `index` from 0 to `size - 1`. */
  at(index: number): number {
    return this.#values[index] as number;
  }
}

const FIRST_CAPACITY = 1024;

/** Numbers the distinct texts it is given, from 0 in order of their first coming. */
export class TextNumbers {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.length;
    this.#numbers.set(text, number);
    this.texts.push(text);
    return number;
  }
}
