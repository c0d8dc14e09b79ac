/** A point that was tried, and what it is worth; less is better. */
export interface TriedPoint {
  readonly point: readonly number[];
  readonly value: number;
}

/** Bounds of a search. */
export interface SearchOptions {
  readonly start: readonly number[];
  /** Size of the first simplex in every direction. */
  readonly step: number;
  /** Calls of the function at most; at least one more than there are dimensions. */
  readonly maxEvaluations: number;
  /** The search ends when the simplex is smaller than this in every direction. */
  readonly tolerance: number;
  /** Asked before every call; true ends the search with the best point so far. */
  readonly shouldStop: () => boolean;
}

// Reflection, expansion, contraction and shrinking as in Nelder and Mead, "A simplex method for
// function minimization", The Computer Journal 7 (1965).
const REFLECT = 1;
const EXPAND = 2;
const CONTRACT = 0.5;
const SHRINK = 0.5;

/**
 * Looks for the smallest value of `evaluate` by the simplex method of Nelder and Mead. Equal
 * functions give equal searches. Resolves to the best point that was tried.
 */
export async function minimize(
  evaluate: (point: readonly number[]) => Promise<number>,
  options: SearchOptions,
): Promise<TriedPoint> {
  const search = new SimplexSearch(evaluate, options);
  return search.run();
}

class SimplexSearch {
  readonly #evaluate: (point: readonly number[]) => Promise<number>;
  readonly #options: SearchOptions;
  #simplex: TriedPoint[] = [];
  #evaluations = 0;

  constructor(evaluate: (point: readonly number[]) => Promise<number>, options: SearchOptions) {
    this.#evaluate = evaluate;
    this.#options = options;
  }

  async run(): Promise<TriedPoint> {
    const { start, step } = this.#options;
    this.#simplex = [await this.#try(start)];
    for (let axis = 0; axis < start.length && !this.#isOver(); axis += 1) {
      const corner = start.map((value, index) => (index === axis ? value + step : value));
      this.#simplex.push(await this.#try(corner));
    }
    this.#sort();
    while (!this.#isOver() && !this.#isSmall()) {
      await this.#move();
      this.#sort();
    }
    return this.#best;
  }

  get #best(): TriedPoint {
    return this.#simplex[0] as TriedPoint;
  }

  get #worst(): TriedPoint {
    return this.#simplex.at(-1) as TriedPoint;
  }

  #isOver(): boolean {
    return this.#evaluations >= this.#options.maxEvaluations || this.#options.shouldStop();
  }

  #isSmall(): boolean {
    const best = this.#best.point;
    return this.#simplex.every(({ point }) =>
      point.every(
        (value, axis) => Math.abs(value - (best[axis] as number)) < this.#options.tolerance,
      ),
    );
  }

  async #try(point: readonly number[]): Promise<TriedPoint> {
    this.#evaluations += 1;
    const value = await this.#evaluate(point);
    // A point that cannot be judged is the worst there is.
    return { point, value: Number.isNaN(value) ? Number.POSITIVE_INFINITY : value };
  }

  /** Replaces the worst corner, or draws all corners towards the best. */
  async #move(): Promise<void> {
    const reflected = await this.#tryFromWorst(REFLECT);
    const secondWorst = this.#simplex.at(-2) as TriedPoint;
    if (reflected.value < this.#best.value) {
      const expanded = this.#isOver() ? reflected : await this.#tryFromWorst(EXPAND);
      this.#replaceWorst(expanded.value < reflected.value ? expanded : reflected);
      return;
    }
    if (reflected.value < secondWorst.value) {
      this.#replaceWorst(reflected);
      return;
    }
    if (this.#isOver()) return;
    const isOutside = reflected.value < this.#worst.value;
    const contracted = await this.#tryFromWorst(isOutside ? CONTRACT : -CONTRACT);
    if (contracted.value < Math.min(reflected.value, this.#worst.value)) {
      this.#replaceWorst(contracted);
      return;
    }
    await this.#shrink();
  }

  /** The point on the line from the worst corner through the centre of the others. */
  #tryFromWorst(distance: number): Promise<TriedPoint> {
    const others = this.#simplex.slice(0, -1);
    const worst = this.#worst.point;
    const point = worst.map((value, axis) => {
      const sum = others.reduce((total, other) => total + (other.point[axis] as number), 0);
      const centre = sum / others.length;
      return centre + distance * (centre - value);
    });
    return this.#try(point);
  }

  async #shrink(): Promise<void> {
    const best = this.#best.point;
    const shrunk = [this.#best];
    for (const { point, value } of this.#simplex.slice(1)) {
      if (this.#isOver()) {
        shrunk.push({ point, value });
        continue;
      }
      shrunk.push(
        await this.#try(
          point.map((each, axis) => {
            const centre = best[axis] as number;
            return centre + SHRINK * (each - centre);
          }),
        ),
      );
    }
    this.#simplex = shrunk;
  }

  #replaceWorst(point: TriedPoint): void {
    this.#simplex[this.#simplex.length - 1] = point;
  }

  /** Stable, so that equal values do not change places. */
  #sort(): void {
    this.#simplex.sort((left, right) => left.value - right.value);
  }
}
