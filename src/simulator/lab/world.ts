import { assert, must } from '../../core/assert.ts';
import { createRng } from '../../core/rng.ts';
import type { EndpointSpec } from '../../pool/endpoint.ts';
import { DEFAULT_SCRAPE_POLICY } from '../../pool/scrape-interval.ts';
import { createLabBrain, type LabBrain } from './brain.ts';
import { Collector } from './collector.ts';
import { EVENT_KINDS, EventQueue, LabClock } from './event-queue.ts';
import { LabMonitor } from './monitor.ts';
import { PromptBook } from './prompts.ts';
import { QueueGauge } from './queue-gauge.ts';
import { type PlacedReplica, Replica } from './replica.ts';
import type { RunResult } from './results.ts';
import { createRunResult, type RunEnd } from './run-result.ts';
import { StepSchedule } from './step-schedule.ts';
import { TimeSeries } from './time-series.ts';
import { Trip, type TripServices } from './trip.ts';
import type { EndpointEvent, LabOptions } from './types.ts';

/** Memory for prompts that later ones may begin with. */
const PROMPT_MEMO_BYTES = 64 * 1024 * 1024;
/** Keeps the numbers that scrapes draw apart from those that policies draw. */
const MONITOR_SEED = 0x5eed;

/**
 * A fleet of simulated engines behind the shipped director, scheduler and pool, in virtual time. Of
 * all that is due at one time arrivals come first, then events by kind (`EVENT_KINDS`), then engine
 * steps by engine: equal options give equal runs.
 */
export class LabWorld {
  readonly #options: LabOptions;
  readonly #queue: EventQueue = new EventQueue();
  readonly #clock: LabClock = new LabClock(this.#queue);
  readonly #gauge: QueueGauge = new QueueGauge();
  readonly #steps: StepSchedule;
  readonly #collector: Collector;
  readonly #series: TimeSeries;
  readonly #replicas: readonly Replica[];
  readonly #brain: LabBrain;
  readonly #placed: readonly PlacedReplica[];
  readonly #bySlot: readonly Replica[];
  readonly #services: TripServices;
  #arrivalAtMs = 0;
  #taken = 0;
  #ended = 0;
  #end: RunEnd | null = null;

  constructor(options: LabOptions) {
    const { endpoints, sampleMs, seed } = options;
    assert(endpoints.length > 0, 'a fleet has endpoints');
    assert(sampleMs > 0, 'the interval of samples is above 0');
    this.#options = options;
    this.#steps = new StepSchedule(endpoints.length);
    this.#collector = new Collector(options);
    this.#series = new TimeSeries(endpoints.length, sampleMs);
    this.#replicas = endpoints.map(
      (spec, index) => new Replica({ index, spec, adapters: options.adapters, queue: this.#gauge }),
    );
    this.#brain = createLabBrain(this.#replicas.map(specOf), {
      policy: options.policy,
      clock: this.#clock,
      rng: createRng(seed),
      onPluginFault: options.onPluginFault ?? ((): void => undefined),
    });
    this.#placed = this.#place();
    const bySlot: Replica[] = [];
    for (const { replica, endpoint } of this.#placed) bySlot[endpoint.slot] = replica;
    this.#bySlot = bySlot;
    this.#services = this.#createServices();
    this.#planEvents();
    this.#createMonitor().start();
    this.#planSample();
    this.#seeArrival();
  }

  /** Virtual time in milliseconds. */
  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** How much of the run is done, 0 to 1: requests where their number is known, else time. */
  get progress(): number {
    if (this.#end !== null) return 1;
    const { traffic, durationMs } = this.#options;
    const { expectedCount } = traffic;
    if (expectedCount !== null && expectedCount > 0)
      return Math.min(1, this.#ended / expectedCount);
    return durationMs > 0 ? Math.min(1, this.nowMs / durationMs) : 0;
  }

  /** The parts that decide, for a look at what they know. */
  get brain(): LabBrain {
    return this.#brain;
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  /** Tokens generated so far, by all engines. */
  get outputTokens(): number {
    return this.#replicas.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  }

  /** Requests under way. */
  get openRequests(): number {
    return this.#taken - this.#ended;
  }

  /** Runs up to `maxEvents` events, engine steps included; true when the run is over. */
  advance(maxEvents: number): boolean {
    for (let left = maxEvents; left > 0 && this.#end === null; left -= 1) this.#advanceOne();
    return this.#end !== null;
  }

  /** What the run gave; one that is not over counts as broken off for the reason given. */
  result(status: 'interrupted' | 'out_of_time' = 'interrupted'): RunResult {
    const end = this.#end ?? this.#breakOff(status);
    return createRunResult(this.#options, end, {
      collector: this.#collector,
      replicas: this.#replicas,
      queue: this.#gauge,
      series: this.#series,
    });
  }

  #advanceOne(): void {
    const arrivalAtMs = this.#arrivalAtMs;
    if (arrivalAtMs === Number.POSITIVE_INFINITY && this.#taken === this.#ended) {
      this.#end = { status: 'finished', reason: null, nowMs: this.nowMs };
      return;
    }
    const stepAtMs = this.#steps.nextAtMs;
    const eventAtMs = this.#queue.nextAtMs;
    const nextAtMs = Math.min(arrivalAtMs, stepAtMs, eventAtMs);
    const { durationMs, drainMs } = this.#options;
    if (nextAtMs > durationMs + drainMs) {
      this.#clock.nowMs = durationMs + drainMs;
      this.#giveUp(`${this.openRequests} of ${this.#taken} requests were unanswered at its end`);
      return;
    }
    this.#clock.nowMs = nextAtMs;
    if (arrivalAtMs === nextAtMs) {
      this.#takeRequest();
    } else if (eventAtMs === nextAtMs) {
      this.#queue.runNext();
    } else {
      const engine = this.#steps.next;
      const replica = this.#replicas[engine] as Replica;
      replica.step(nextAtMs);
      this.#steps.set(engine, replica.nextStepAtMs);
    }
  }

  #takeRequest(): void {
    const { traffic, delays, maxOpenRequests } = this.#options;
    const request = traffic.take();
    const counts = this.#collector.counts(request);
    const trip = new Trip(this.#services, { number: this.#taken, request, counts });
    this.#taken += 1;
    if (counts) this.#collector.noteSent(request);
    this.#queue.plan(this.nowMs + delays.gatewayMs, EVENT_KINDS.gateway, () => {
      trip.begin();
    });
    this.#seeArrival();
    if (this.openRequests > maxOpenRequests) {
      this.#giveUp(`${this.openRequests} requests were under way at once`);
    }
  }

  /** A source may only now know what comes next. */
  #seeArrival(): void {
    const { traffic, durationMs } = this.#options;
    const atMs = traffic.nextAtMs();
    this.#arrivalAtMs = atMs <= durationMs ? Math.max(atMs, this.nowMs) : Number.POSITIVE_INFINITY;
  }

  #noteEnded(trip: Trip): void {
    this.#ended += 1;
    if (trip.plan.counts) this.#collector.noteEnded(trip);
    const { request } = trip.plan;
    const { firstTokenAtMs, endedAtMs, outputTokens } = trip;
    const isCompleted = trip.outcome === 'completed';
    this.#options.onRequestEnded?.({
      request,
      isCompleted,
      firstTokenAtMs,
      endedAtMs,
      outputTokens,
    });
    this.#options.traffic.noteEnded(request, this.nowMs);
    this.#seeArrival();
  }

  #giveUp(what: string): void {
    const { nowMs } = this;
    const reason = `${what} (${(nowMs / 1000).toFixed(1)} s): more was asked than answered`;
    this.#end = { status: 'saturated', reason, nowMs };
  }

  #breakOff(status: 'interrupted' | 'out_of_time'): RunEnd {
    const at = `${(this.nowMs / 1000).toFixed(1)} s of ${this.#options.durationMs / 1000} s`;
    const why = status === 'interrupted' ? 'interrupted' : 'out of its time';
    return { status, reason: `${why} at ${at} of simulated time`, nowMs: this.nowMs };
  }

  #createServices(): TripServices {
    const options = this.#options;
    return {
      director: this.#brain.director,
      clock: this.#clock,
      queue: this.#queue,
      delays: options.delays,
      prompts: new PromptBook(
        options.endpoints.map(({ engine }) => engine.blockSizeTokens),
        { maxBytes: PROMPT_MEMO_BYTES },
      ),
      replicaAt: (slot) => must(this.#bySlot[slot], 'replica of a slot'),
      onPicked: (replica) => {
        this.#series.notePick(replica.index);
      },
      onDelivered: (replica) => {
        this.#steps.set(replica.index, replica.nextStepAtMs);
      },
      gapsMs: this.#collector.itlMs,
      onEnded: (trip) => {
        this.#noteEnded(trip);
      },
      trace: options.trace ?? null,
    };
  }

  #createMonitor(): LabMonitor {
    const { seed, delays, scrape, trace } = this.#options;
    return new LabMonitor({
      fleet: this.#brain.fleet,
      clock: this.#clock,
      queue: this.#queue,
      rng: createRng(seed ^ MONITOR_SEED),
      replicas: this.#placed,
      policy: scrape ?? DEFAULT_SCRAPE_POLICY,
      scrapeMs: delays.scrapeMs,
      trace: trace ?? null,
    });
  }

  /** Which endpoint of the fleet stands for which replica. */
  #place(): readonly PlacedReplica[] {
    const endpoints = new Map(this.#brain.fleet.endpoints().map((each) => [each.spec.url, each]));
    return this.#replicas.map((replica) => {
      const endpoint = must(endpoints.get(replica.url), 'endpoint of a replica');
      return { replica, endpoint };
    });
  }

  #planEvents(): void {
    for (const placed of this.#placed) {
      const { readyAtMs, events } = placed.replica.spec;
      if (readyAtMs <= 0) this.#start(placed.replica, { isOld: true });
      else this.#planStart(placed.replica, readyAtMs);
      for (const event of events) {
        this.#queue.plan(event.atMs, EVENT_KINDS.endpoint, () => {
          this.#apply(placed, event);
        });
      }
    }
  }

  #planStart(replica: Replica, atMs: number): void {
    const { stops } = replica;
    this.#queue.plan(atMs, EVENT_KINDS.endpoint, () => {
      if (replica.stops === stops) this.#start(replica, { isOld: false });
    });
  }

  #start(replica: Replica, age: { readonly isOld: boolean }): void {
    replica.start(this.nowMs, age, this.#clock.wallMs());
  }

  #apply({ replica, endpoint }: PlacedReplica, event: EndpointEvent): void {
    switch (event.kind) {
      case 'restart':
        replica.stop(this.nowMs);
        this.#steps.set(replica.index, Number.POSITIVE_INFINITY);
        this.#planStart(replica, this.nowMs + event.downMs);
        return;
      case 'slow':
        replica.slowDown(event.factor);
        return;
      case 'drain':
        this.#brain.fleet.drain(endpoint.id, true);
        return;
      case 'sleep':
        replica.sleep(event.level, this.nowMs);
        this.#steps.set(replica.index, replica.nextStepAtMs);
        return;
      case 'wake':
        replica.wake(this.nowMs);
        this.#steps.set(replica.index, replica.nextStepAtMs);
    }
  }

  #planSample(): void {
    this.#queue.plan(this.nowMs + this.#series.intervalMs, EVENT_KINDS.sample, () => {
      this.#series.sample(this.#replicas);
      this.#planSample();
    });
  }
}

function specOf({ url, spec }: Replica): EndpointSpec {
  return { url, labels: spec.labels, engine: 'vllm', models: null, tls: null };
}

/** Who watches a run. */
export interface DriveHooks {
  /** Asked between slices; a status ends the run there. */
  readonly shouldStop: () => 'interrupted' | 'out_of_time' | null;
  /** Told between slices how much is done, 0 to 1. */
  readonly onProgress: (progress: number) => void;
}

/** Events between two looks at the hooks: some ten milliseconds of work. */
const EVENTS_PER_SLICE = 2000;

/** Runs a world to its end, giving way to other work of the process after every slice. */
export async function driveWorld(world: LabWorld, hooks: DriveHooks): Promise<RunResult> {
  while (!world.advance(EVENTS_PER_SLICE)) {
    hooks.onProgress(world.progress);
    const status = hooks.shouldStop();
    if (status !== null) return world.result(status);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  hooks.onProgress(1);
  return world.result();
}
