import { assert } from '../../core/assert.ts';

/** What a regression fits. Parameter 0 is the intercept: callers give it the feature 1. */
export interface RegressionOptions {
  /** Parameters that hold before any sample; one per feature. */
  readonly start: readonly number[];
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  /** Below this, a prior counts as this large when its stiffness is worked out; one per feature. */
  readonly stiffnessFloor: readonly number[];
  /** Index of the parameter whose present value is the prior, or -1 for a prior of its own. */
  readonly follows: readonly number[];
}

/** A sample's weight halves every 44 further samples (decay 1 - 1/64 each). */
const SAMPLE_DECAY = 1 - 1 / 64;
/** Without new samples, what was learned fades toward the prior with this time constant. */
const FADE_MS = 120_000;
/** The quick correction, which rests on five samples, fades faster. */
const GAIN_FADE_MS = 20_000;
/**
 * Weight of the prior: a parameter off by its own size, or the prior's where that is larger, costs
 * as much as one sample off by 22 %.
 */
const PRIOR_WEIGHT = 0.05;
/** Cut-off of Tukey's biweight in standard deviations, for 95 % efficiency on normal errors. */
const BIWEIGHT_CUT = 4.685;
/** Until the typical error is known, a sample pulls no harder than one that is off by so much. */
const EARLY_PULL_MAX = 1;
/** Samples after which outliers are known as such. */
const EARLY_SAMPLES = 8;
/** Standard deviation (of the logarithm of a ratio) before any sample, and its bounds. */
const SCALE_START = 0.3;
const SCALE_MIN = 0.03;
const SCALE_MAX = 1;
/** The standard deviation of normal errors by their median size. */
const SCALE_OF_MEDIAN = 1.4826;
/** The median error moves by 8 % per sample, up or down. */
const SCALE_STEP = 1.08;
/** Each unit of log gain divides the weight of older samples by e^0.7 per new sample. */
const REGIME_FORGETTING = 0.7;
/** A slower slot without samples is taken to be like the others again with this time constant. */
const RETRY_MS = 30_000;
/** A slot is taken to differ from its like from so many standard errors on. */
const SIGNIFICANT_ERRORS = 2;
/** Projected Gauss-Seidel sweeps per sample; the last solution is the start of the next. */
const SWEEPS = 4;
/** The gain is within e^-6 and e^6: a factor of 400 either way. */
const LOG_GAIN_MAX = 6;
const RING = 5;

/**
 * Online linear regression for many slots at once, y ≈ gain × Σ parameter × feature:
 *
 * - least squares of the relative error with exponential forgetting by samples and by time, solved
 *   within bounds (projected Gauss-Seidel on the normal equations, which converges for symmetric
 *   positive definite systems) and drawn weakly to a prior (ridge), so that it starts sane,
 *   cannot wind up, and returns to the prior when samples stay out;
 * - Tukey's biweight: samples beyond 4.7 standard deviations do not count, the deviation taken from
 *   the median error, so that up to half of the samples may be outliers;
 * - a quick gain: the median of the last five log ratios, less the typical one. Three samples
 *   in a row that agree on a change move it, one or two outliers do not. While it is away from 1,
 *   older samples are forgotten faster, so that the parameters follow and the gain returns to 1.
 *
 * Struct of arrays; a sample allocates nothing. Hot: below 1 us a sample.
 */
export class OnlineRegression {
  /** Features of the sample to observe; written by the caller before `observe`. */
  readonly features: Float64Array;
  /** Features per slot. */
  readonly width: number;
  /** Parameters of all slots that predictions use, `width` per slot. */
  parameters: Float64Array = new Float64Array(0);
  /** Mean features of each slot's samples, `width` per slot; 0 before any. */
  means: Float64Array = new Float64Array(0);
  /** Factor on the prediction of each slot. */
  gains: Float64Array = new Float64Array(0);
  readonly #options: RegressionOptions;
  /** What each slot's own samples say; `parameters` is between this and the prior. */
  #learned = new Float64Array(0);
  #priors = new Float64Array(0);
  /** 1 where the prior is what others learned. */
  #hasPrior = new Uint8Array(0);
  #normal = new Float64Array(0);
  #moments = new Float64Array(0);
  #ratios = new Float64Array(0);
  #weights = new Float64Array(0);
  #scales = new Float64Array(0);
  #samples = new Uint32Array(0);
  #fadedAtMs = new Float64Array(0);
  #sampledAtMs = new Float64Array(0);
  readonly #sorted = new Float64Array(RING);
  readonly #stiffness: Float64Array;

  constructor(options: RegressionOptions) {
    this.#options = options;
    this.width = options.start.length;
    this.features = new Float64Array(this.width);
    this.#stiffness = new Float64Array(this.width);
  }

  /** Makes room for `slots` slots; those that are there keep what they learned. */
  reserve(slots: number): void {
    const before = this.gains.length;
    if (slots <= before) return;
    const { width } = this;
    this.parameters = widen(this.parameters, slots * width);
    this.#learned = widen(this.#learned, slots * width);
    this.#priors = widen(this.#priors, slots * width);
    this.means = widen(this.means, slots * width);
    this.#normal = widen(this.#normal, slots * width * width);
    this.#moments = widen(this.#moments, slots * width);
    this.#ratios = widen(this.#ratios, slots * RING);
    this.gains = widen(this.gains, slots);
    this.#weights = widen(this.#weights, slots);
    this.#scales = widen(this.#scales, slots);
    this.#fadedAtMs = widen(this.#fadedAtMs, slots);
    this.#sampledAtMs = widen(this.#sampledAtMs, slots);
    const hasPrior = new Uint8Array(slots);
    hasPrior.set(this.#hasPrior);
    this.#hasPrior = hasPrior;
    const samples = new Uint32Array(slots);
    samples.set(this.#samples);
    this.#samples = samples;
    for (let slot = before; slot < slots; slot += 1) this.reset(slot);
  }

  /** Forgets all about a slot. */
  reset(slot: number): void {
    const { width } = this;
    const from = slot * width;
    for (let index = 0; index < width; index += 1) {
      const start = this.#options.start[index] as number;
      this.parameters[from + index] = start;
      this.#learned[from + index] = start;
      this.#priors[from + index] = start;
      this.means[from + index] = 0;
    }
    this.#hasPrior[slot] = 0;
    this.#normal.fill(0, from * width, (from + width) * width);
    this.#moments.fill(0, from, from + width);
    this.#weights[slot] = 0;
    this.#scales[slot] = SCALE_START;
    this.#samples[slot] = 0;
    this.gains[slot] = 1;
  }

  /** Samples that what is known of the slot rests on, after forgetting. */
  weightOf(slot: number): number {
    return this.#weights[slot] as number;
  }

  /** Standard deviation of the slot's predictions, as the logarithm of observed by predicted. */
  errorOf(slot: number): number {
    return this.#scales[slot] as number;
  }

  /** Milliseconds since the slot's last sample; infinite before any. */
  silenceMs(slot: number, nowMs: number): number {
    if (this.#samples[slot] === 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, nowMs - (this.#sampledAtMs[slot] as number));
  }

  /** What a slot's own samples say of a parameter. */
  learnedOf(slot: number, index: number): number {
    return this.#learned[slot * this.width + index] as number;
  }

  /** Takes the parameters that are usual among the slot's like as its prior. */
  setPrior(slot: number, values: Float64Array): void {
    this.#hasPrior[slot] = 1;
    for (let index = 0; index < this.width; index += 1) {
      this.#priors[slot * this.width + index] = values[index] as number;
    }
  }

  /** The prediction for `features`. */
  predict(slot: number): number {
    return this.#fit(slot) * (this.gains[slot] as number);
  }

  /**
   * Learns that `features` gave `value` (positive), with a weight of 0 to 1; others are ignored.
   */
  observe(slot: number, value: number, sample: { weight: number; nowMs: number }): void {
    if (!(value > 0) || value === Number.POSITIVE_INFINITY) return;
    this.fade(slot, sample.nowMs);
    this.#sampledAtMs[slot] = sample.nowMs;
    const fitted = Math.max(this.#fit(slot), Number.MIN_VALUE);
    const count = this.#pushRatio(slot, Math.log(value / fitted));
    const logGain = count < 3 ? 0 : this.#logGain(slot, Math.min(count, RING));
    this.#scaleEvidence(slot, SAMPLE_DECAY * Math.exp(-REGIME_FORGETTING * Math.abs(logGain)));
    this.#addEvidence(slot, value, { weight: sample.weight, expected: fitted * Math.exp(logGain) });
    this.#noteTypical(slot);
    this.solve(slot, sample.nowMs);
    const moved = Math.log(Math.max(this.#fit(slot), Number.MIN_VALUE) / fitted);
    this.#shiftRatios(slot, moved);
    this.gains[slot] = count < 3 ? 1 : Math.exp(this.#logGain(slot, Math.min(count, RING)));
  }

  /** Lets what was learned fade for the time since the last call, and solves with the priors. */
  fade(slot: number, nowMs: number): void {
    const elapsedMs = nowMs - (this.#fadedAtMs[slot] as number);
    this.#fadedAtMs[slot] = nowMs;
    if ((this.#samples[slot] as number) === 0 || !(elapsedMs > 0)) return;
    this.#scaleEvidence(slot, Math.exp(-elapsedMs / FADE_MS));
    const gain = this.gains[slot] as number;
    if (gain === 1) return;
    this.gains[slot] = gain ** Math.exp(-elapsedMs / GAIN_FADE_MS);
    const silentMs = nowMs - (this.#sampledAtMs[slot] as number);
    // The ring speaks of a time that is over.
    if (silentMs > 3 * GAIN_FADE_MS) this.#samples[slot] = 1;
  }

  /** Moves the parameters to what evidence and priors say now. */
  solve(slot: number, nowMs: number): void {
    this.#solveLearned(slot);
    const share = this.#hasPrior[slot] === 1 ? this.#ownShare(slot, nowMs) : 1;
    const from = slot * this.width;
    for (let index = from; index < from + this.width; index += 1) {
      const prior = this.#priors[index] as number;
      this.parameters[index] = (1 - share) * prior + share * (this.#learned[index] as number);
    }
  }

  #fit(slot: number): number {
    const { width, features, parameters } = this;
    const from = slot * width;
    let sum = 0;
    for (let index = 0; index < width; index += 1) {
      sum += (parameters[from + index] as number) * (features[index] as number);
    }
    return sum;
  }

  /** Samples so far, this one included. */
  #pushRatio(slot: number, ratio: number): number {
    const count = (this.#samples[slot] as number) + 1;
    this.#samples[slot] = count;
    this.#ratios[slot * RING + ((count - 1) % RING)] = ratio;
    const scale = this.#scales[slot] as number;
    const size = Math.abs(ratio - Math.log(this.gains[slot] as number)) * SCALE_OF_MEDIAN;
    const moved = size > scale ? scale * SCALE_STEP : scale / SCALE_STEP;
    this.#scales[slot] = Math.min(SCALE_MAX, Math.max(SCALE_MIN, moved));
    return count;
  }

  #shiftRatios(slot: number, moved: number): void {
    const from = slot * RING;
    for (let index = from; index < from + RING; index += 1) {
      this.#ratios[index] = (this.#ratios[index] as number) - moved;
    }
  }

  /** Median of the last ratios, drawn toward 0 by the typical one. */
  #logGain(slot: number, count: number): number {
    const sorted = this.#sorted;
    const from = slot * RING;
    for (let index = 0; index < count; index += 1) {
      const ratio = this.#ratios[from + index] as number;
      let at = index;
      while (at > 0 && (sorted[at - 1] as number) > ratio) {
        sorted[at] = sorted[at - 1] as number;
        at -= 1;
      }
      sorted[at] = ratio;
    }
    const middle = count >> 1;
    const upper = sorted[middle] as number;
    const median = count % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
    const scale = this.#scales[slot] as number;
    const size = Math.max(0, Math.abs(median) - scale);
    return Math.sign(median) * Math.min(LOG_GAIN_MAX, size);
  }

  #scaleEvidence(slot: number, factor: number): void {
    const { width } = this;
    const normalFrom = slot * width * width;
    for (let index = normalFrom; index < normalFrom + width * width; index += 1) {
      this.#normal[index] = (this.#normal[index] as number) * factor;
    }
    for (let index = slot * width; index < (slot + 1) * width; index += 1) {
      this.#moments[index] = (this.#moments[index] as number) * factor;
    }
    this.#weights[slot] = (this.#weights[slot] as number) * factor;
  }

  /** Weight of a sample by how far it is from what was expected. */
  #trustIn(slot: number, ratio: number): number {
    if ((this.#samples[slot] as number) <= EARLY_SAMPLES) {
      return EARLY_PULL_MAX / Math.max(EARLY_PULL_MAX, Math.abs(ratio - 1));
    }
    const cut = BIWEIGHT_CUT * (this.#scales[slot] as number);
    const share = Math.log(ratio) / cut;
    return Math.abs(share) >= 1 ? 0 : (1 - share * share) ** 2;
  }

  #addEvidence(slot: number, value: number, sample: { weight: number; expected: number }): void {
    const { width, features } = this;
    const { weight, expected } = sample;
    const trust = this.#trustIn(slot, value / expected);
    if (trust === 0) return;
    const pull = (weight * trust) / (expected * expected);
    for (let row = 0; row < width; row += 1) {
      const weighted = pull * (features[row] as number);
      const at = (slot * width + row) * width;
      for (let column = 0; column < width; column += 1) {
        this.#normal[at + column] =
          (this.#normal[at + column] as number) + weighted * (features[column] as number);
      }
      const moment = slot * width + row;
      this.#moments[moment] = (this.#moments[moment] as number) + weighted * value;
    }
    this.#weights[slot] = (this.#weights[slot] as number) + weight * trust;
  }

  #noteTypical(slot: number): void {
    const { width, features } = this;
    const weight = Math.max(1 - SAMPLE_DECAY, 1 / (this.#samples[slot] as number));
    for (let index = 0; index < width; index += 1) {
      const at = slot * width + index;
      const typical = this.means[at] as number;
      this.means[at] = typical + ((features[index] as number) - typical) * weight;
    }
  }

  /**
   * How far the slot's own parameters are trusted against what is usual: 0 while its typical
   * prediction differs by less than the uncertainty of its mean, toward 1 as it differs more. Noise
   * of single slots would otherwise outweigh the real differences in load between equals. What
   * makes a slot slower than usual is doubted while it has no samples, as nobody would go to see.
   */
  #ownShare(slot: number, nowMs: number): number {
    const from = slot * this.width;
    let own = 0;
    let usual = 0;
    for (let index = from; index < from + this.width; index += 1) {
      const typical = this.means[index] as number;
      own += (this.#learned[index] as number) * typical;
      usual += (this.#priors[index] as number) * typical;
    }
    if (!(own > 0) || !(usual > 0)) return 0;
    const difference = Math.abs(Math.log(own / usual));
    const weight = this.#weights[slot] as number;
    const uncertainty = (this.#scales[slot] as number) / Math.sqrt(weight + 1);
    const certainty = 1 - (SIGNIFICANT_ERRORS * uncertainty) / Math.max(difference, 1e-9);
    if (certainty <= 0) return 0;
    return own <= usual ? certainty : certainty * Math.exp(-this.silenceMs(slot, nowMs) / RETRY_MS);
  }

  #solveLearned(slot: number): void {
    const { width } = this;
    const { lowest, highest, follows } = this.#options;
    const learned = this.#learned;
    const normal = this.#normal;
    const stiffness = this.#stiffness;
    const from = slot * width;
    this.#readStiffness(from);
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      for (let row = 0; row < width; row += 1) {
        const at = (from + row) * width;
        const followed = follows[row] as number;
        const prior = followed < 0 ? this.#priors[from + row] : learned[from + followed];
        const stiff = stiffness[row] as number;
        let rest = (this.#moments[from + row] as number) + stiff * (prior as number);
        for (let column = 0; column < width; column += 1) {
          if (column === row) continue;
          rest -= (normal[at + column] as number) * (learned[from + column] as number);
        }
        const solved = rest / ((normal[at + row] as number) + stiff);
        const low = lowest[row] as number;
        const high = highest[row] as number;
        learned[from + row] = solved < low ? low : solved > high ? high : solved;
      }
    }
  }

  /** How hard each parameter is held to its prior: by its size, or the prior's if larger. */
  #readStiffness(from: number): void {
    const { stiffnessFloor } = this.#options;
    for (let row = 0; row < this.width; row += 1) {
      const prior = this.#priors[from + row] as number;
      const size = Math.max(
        prior,
        this.#learned[from + row] as number,
        stiffnessFloor[row] as number,
      );
      this.#stiffness[row] = PRIOR_WEIGHT / (size * size);
    }
  }
}

function widen(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  assert(length >= column.length, 'columns only grow');
  const wider = new Float64Array(length);
  wider.set(column);
  return wider;
}
