import { must } from '../../core/assert.ts';
import type { Rng } from '../../core/rng.ts';
import { createPoissonArrivals } from '../workloads/arrivals.ts';
import { createStream } from '../workloads/random.ts';
import type { LabRequest, TrafficSource } from '../workloads/types.ts';

/** One stage of a ladder, as inference-perf has them. */
export interface LoadStage {
  readonly requestsPerSecond: number;
  readonly durationSeconds: number;
}

/** How a ladder is climbed. */
export interface StagedTrafficOptions {
  readonly seed: number;
  readonly stages: readonly LoadStage[];
  /** Between the last answer of a stage and the next stage. */
  readonly pauseMs: number;
  /** Makes the request that arrives then; `number` counts from 0 within the stage. */
  readonly create: (atMs: number, number: number) => LabRequest;
}

/**
 * Stages after each other, each begun when everything before is answered: rate times duration
 * requests that arrive independently of each other.
 */
export class StagedTraffic implements TrafficSource {
  readonly expectedCount: number;
  readonly #options: StagedTrafficOptions;
  readonly #stageOf = new Map<LabRequest, number>();
  #stage = -1;
  #times: readonly number[] = [];
  #taken = 0;
  #open = 0;

  constructor(options: StagedTrafficOptions) {
    this.#options = options;
    this.expectedCount = options.stages.reduce((sum, stage) => sum + countOf(stage), 0);
    this.#begin(0);
  }

  nextAtMs(): number {
    return this.#times[this.#taken] ?? Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const request = this.#options.create(this.nextAtMs(), this.#taken);
    this.#stageOf.set(request, this.#stage);
    this.#taken += 1;
    this.#open += 1;
    return request;
  }

  noteEnded(request: LabRequest, atMs: number): void {
    this.#stageOf.delete(request);
    this.#open -= 1;
    if (this.#open > 0 || this.#taken < this.#times.length) return;
    this.#begin(atMs + this.#options.pauseMs);
  }

  /** Index of the stage of a request under way. */
  stageOf(request: LabRequest): number {
    return must(this.#stageOf.get(request), 'a request under way');
  }

  #begin(atMs: number): void {
    this.#stage += 1;
    this.#taken = 0;
    const stage = this.#options.stages[this.#stage];
    const rng = createStream(this.#options.seed, this.#stage);
    this.#times = stage === undefined ? [] : timesOf(stage, atMs, rng);
  }
}

/** Every request is there at the start, and so many are sent that `concurrency` are open. */
export class CrowdTraffic implements TrafficSource {
  readonly expectedCount: number;
  readonly #concurrency: number;
  readonly #create: (atMs: number, number: number) => LabRequest;
  #taken = 0;
  #open = 0;
  #nowMs = 0;

  constructor(options: {
    readonly requests: number;
    readonly concurrency: number;
    readonly create: (atMs: number, number: number) => LabRequest;
  }) {
    this.expectedCount = options.requests;
    this.#concurrency = options.concurrency;
    this.#create = options.create;
  }

  nextAtMs(): number {
    const mayGo = this.#taken < this.expectedCount && this.#open < this.#concurrency;
    return mayGo ? this.#nowMs : Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const request = this.#create(this.#nowMs, this.#taken);
    this.#taken += 1;
    this.#open += 1;
    return request;
  }

  noteEnded(_request: LabRequest, atMs: number): void {
    this.#open -= 1;
    this.#nowMs = atMs;
  }
}

function countOf({ requestsPerSecond, durationSeconds }: LoadStage): number {
  return Math.round(requestsPerSecond * durationSeconds);
}

function timesOf(stage: LoadStage, atMs: number, rng: Rng): readonly number[] {
  const arrivals = createPoissonArrivals(rng, stage.requestsPerSecond);
  return Array.from({ length: countOf(stage) }, () => atMs + arrivals.next());
}
