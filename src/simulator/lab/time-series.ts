import type { Replica } from './replica.ts';
import type { RunSeries } from './results.ts';

/** Samples kept per endpoint; beyond this two become one and the interval doubles. */
const SAMPLES_MAX = 600;

interface Track {
  readonly waiting: number[];
  readonly running: number[];
  readonly kvUsage: number[];
  readonly picks: number[];
}

interface EngineLoad {
  readonly waiting: number;
  readonly running: number;
  readonly kvUsage: number;
}

const NO_LOAD: EngineLoad = Object.freeze({ waiting: 0, running: 0, kvUsage: 0 });

/** An engine that is down has nothing in it. */
function loadOf({ model }: Replica): EngineLoad {
  return model ?? NO_LOAD;
}

/** How queues, batches and caches of the endpoints went over time, in bounded memory. */
export class TimeSeries {
  readonly #tracks: readonly Track[];
  readonly #picks: Float64Array;
  #intervalMs: number;
  #count = 0;

  constructor(endpoints: number, intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#picks = new Float64Array(endpoints);
    this.#tracks = Array.from({ length: endpoints }, () => ({
      waiting: [],
      running: [],
      kvUsage: [],
      picks: [],
    }));
  }

  /** Time to the next sample in milliseconds; may double after a sample. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** A request is sent to this endpoint. */
  notePick(endpoint: number): void {
    this.#picks[endpoint] = (this.#picks[endpoint] as number) + 1;
  }

  /** Takes a sample; to be called every `intervalMs`. */
  sample(replicas: readonly Replica[]): void {
    for (const [index, track] of this.#tracks.entries()) {
      const load = loadOf(replicas[index] as Replica);
      track.waiting.push(load.waiting);
      track.running.push(load.running);
      track.kvUsage.push(load.kvUsage);
      track.picks.push(this.#picks[index] as number);
    }
    this.#picks.fill(0);
    this.#count += 1;
    if (this.#count === SAMPLES_MAX) this.#halve();
  }

  /** All samples so far. */
  result(): RunSeries {
    const copy = (name: keyof Track): readonly (readonly number[])[] =>
      this.#tracks.map((track) => [...track[name]]);
    return {
      intervalMs: this.#intervalMs,
      waiting: copy('waiting'),
      running: copy('running'),
      kvUsage: copy('kvUsage'),
      picks: copy('picks'),
    };
  }

  /** Of two samples the later stays, as the one at the end of its interval; picks add up. */
  #halve(): void {
    this.#intervalMs *= 2;
    this.#count = SAMPLES_MAX / 2;
    for (const { waiting, running, kvUsage, picks } of this.#tracks) {
      for (let index = 0; index < this.#count; index += 1) {
        const later = 2 * index + 1;
        waiting[index] = waiting[later] as number;
        running[index] = running[later] as number;
        kvUsage[index] = kvUsage[later] as number;
        picks[index] = (picks[later - 1] as number) + (picks[later] as number);
      }
      for (const list of [waiting, running, kvUsage, picks]) list.length = this.#count;
    }
  }
}
