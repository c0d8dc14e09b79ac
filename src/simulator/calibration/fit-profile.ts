import type { Calibration } from '../engine/step-time.ts';
import type { RunResult } from '../lab/results.ts';
import { descend, normalMatrix, solve } from './gauss-newton.ts';
import { metricErrors, metricsOfRun, type MetricError, type Metrics } from './metrics.ts';
import { minimize } from './nelder-mead.ts';

/** How to fit. */
export interface FitOptions {
  readonly measured: Metrics;
  /** Factors that the search begins with. */
  readonly start: Calibration;
  /** Simulates the measured run with these factors. */
  readonly simulate: (factors: Calibration) => Promise<RunResult>;
  /** Simulated runs at most, give or take the last few; at least 20. */
  readonly maxRuns: number;
  /** Asked before each run; true ends the search with the best factors so far. */
  readonly shouldStop: () => boolean;
  /** Told after each run how many there were. */
  readonly onRun: (runs: number) => void;
}

/** Factors with what they make of the simulation. */
export interface ProfileFit {
  readonly factors: Calibration;
  /**
   * How far each factor could be off, as a share of it, when every metric were wrong by 1 % by
   * chance: a factor that the run hardly shows has a large one. Null when it was not found out.
   */
  readonly uncertainty: Calibration | null;
  /** With the factors that the search began with. */
  readonly before: readonly MetricError[];
  readonly after: readonly MetricError[];
  readonly runs: number;
  /** False when the search ended at a limit rather than at a minimum. */
  readonly isConverged: boolean;
}

/**
 * Slopes are taken over 16 % of a factor: over less, the chance order of single requests decides,
 * and factors seem better known than they are.
 */
const SLOPE_STEP = 0.15;
/** The search ends at 1 %. */
const SEARCH_TOLERANCE = 0.01;
/** Factors are told apart by a thousandth. */
const TOLERANCE = 0.001;
/** First steps of the searches, 0.3 being to 1.35 times a factor, and their shares of the runs. */
const SEARCHES: readonly (readonly [step: number, share: number])[] = [
  [0.3, 0.4],
  [-0.1, 0.3],
];
/** Runs of one iteration of the descent. */
const ITERATION_RUNS = 4;
/** Factors stay between a twentieth and 20 times: what is outside is another machine. */
const LARGEST_LOG = Math.log(20);
// A factor that a run says nothing about, such as one of memory where compute decides everything,
// stays where it was: halving it costs as much as an error of 0.7 % in one metric.
const PULL_TO_START = 0.01;
/** Chance error of one metric for `uncertainty`. */
const METRIC_NOISE = 0.01;

/**
 * Finds the factors with which a simulation comes closest to a measured run: least squares of the
 * logarithms of simulated by measured over all metrics, by Nelder and Mead's search and then a
 * descent from what it found. Equal input gives equal factors.
 */
export async function fitProfile(options: FitOptions): Promise<ProfileFit> {
  const trials = new FactorTrials(options);
  const evaluate = async (point: readonly number[]): Promise<number> =>
    sumOfSquares(await trials.residuals(point));
  // A simplex can flatten before it is at the minimum: a fresh one, smaller and the other way
  // round, goes on from there.
  for (const [step, share] of SEARCHES) {
    await minimize(evaluate, {
      start: trials.bestPoint,
      step,
      maxEvaluations: Math.max(4, Math.ceil(options.maxRuns * share)),
      tolerance: SEARCH_TOLERANCE,
      shouldStop: options.shouldStop,
    });
  }
  const descent = await descend((point) => trials.residuals(point), {
    start: trials.bestPoint,
    step: SLOPE_STEP,
    tolerance: TOLERANCE,
    maxIterations: Math.max(1, Math.floor((options.maxRuns - trials.runs) / ITERATION_RUNS)),
    shouldStop: options.shouldStop,
  });
  return trials.result({
    isConverged: descent.isConverged,
    uncertainty: descent.slopes === null ? null : uncertaintyOf(descent.slopes),
  });
}

interface Trial {
  readonly point: readonly number[];
  readonly value: number;
  readonly errors: readonly MetricError[];
}

/** Runs simulations and keeps the first and the best. */
class FactorTrials {
  readonly #options: FitOptions;
  readonly #known = new Map<string, Promise<readonly number[]>>();
  #first: Trial | null = null;
  #best: Trial | null = null;
  #runs = 0;

  constructor(options: FitOptions) {
    this.#options = options;
  }

  get runs(): number {
    return this.#runs;
  }

  /** Logarithms of the best factors by those of the start. */
  get bestPoint(): readonly number[] {
    return this.#best?.point ?? [0, 0, 0];
  }

  /** Logarithms of simulated by measured, metric by metric, and the pulls of the factors. */
  residuals(point: readonly number[]): Promise<readonly number[]> {
    const key = point.join();
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#simulate(point);
      this.#known.set(key, known);
    }
    return known;
  }

  result(end: Pick<ProfileFit, 'isConverged' | 'uncertainty'>): ProfileFit {
    return {
      ...end,
      factors: this.#factorsAt(this.bestPoint),
      before: this.#first?.errors ?? [],
      after: this.#best?.errors ?? [],
      runs: this.#runs,
    };
  }

  async #simulate(point: readonly number[]): Promise<readonly number[]> {
    const { measured, simulate, onRun } = this.#options;
    const run = await simulate(this.#factorsAt(point));
    this.#runs += 1;
    onRun(this.#runs);
    const errors = metricErrors(measured, metricsOfRun(run));
    const residuals = [
      ...errors.map(({ relativeError }) => Math.log(1 + relativeError)),
      ...point.map((log) => log * PULL_TO_START),
    ];
    const trial = { point, errors, value: sumOfSquares(residuals) };
    this.#first ??= trial;
    if (this.#best === null || trial.value < this.#best.value) this.#best = trial;
    return residuals;
  }

  #factorsAt(point: readonly number[]): Calibration {
    const { start } = this.#options;
    const factor = (log: number | undefined): number =>
      Math.exp(Math.max(-LARGEST_LOG, Math.min(LARGEST_LOG, log ?? 0)));
    return {
      prefill: start.prefill * factor(point[0]),
      decode: start.decode * factor(point[1]),
      overhead: start.overhead * factor(point[2]),
    };
  }
}

/** Standard errors of the factors from the slopes: the diagonal of the inverted normal matrix. */
function uncertaintyOf(slopes: readonly (readonly number[])[]): Calibration | null {
  const normal = normalMatrix(slopes);
  const errors = normal.map((row, axis) => {
    const unit = row.map((_, column) => (column === axis ? 1 : 0));
    return Math.sqrt(solve(normal, unit)?.[axis] ?? Number.NaN) * METRIC_NOISE;
  });
  const [prefill = Number.NaN, decode = Number.NaN, overhead = Number.NaN] = errors;
  if (errors.some((error) => Number.isNaN(error))) return null;
  return { prefill, decode, overhead };
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
