import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { Fleet, Served } from '../pool/fleet.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { EndpointTraits, PickInput, RankedEndpoint, Ranking } from '../scheduler/types.ts';
import type {
  DecisionLog,
  DecisionRecord,
  RankedEndpoint as RankedRecord,
} from '../telemetry/decision-log.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import type { HistogramSeries } from '../telemetry/series.ts';
import { cacheSaltOf } from './cache-salt.ts';
import type { FlightServices } from './flight.ts';
import { Flight } from './flight.ts';
import type { AdmissionPort, LimitPort, Reservation, TokenEstimate } from './ports.ts';
import { RequestMetrics } from './request-metrics.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Route, RouteTable, RouteTarget } from './routes.ts';
import { drawTarget } from './routes.ts';
import { TokenEstimator } from './token-estimator.ts';
import type { Refusal, RequestHead } from './types.ts';

/** When failed attempts are tried elsewhere. */
export interface RetryOptions {
  /** Attempts per request, the first included; at least 1. */
  readonly attempts: number;
  /** Retries as a share of all requests, 0 to 1. */
  readonly budgetShare: number;
}

/** What a director is made of. */
export interface DirectorOptions {
  readonly fleet: Fleet;
  readonly routes: RouteTable;
  readonly scheduler: Scheduler;
  readonly limits: LimitPort;
  readonly admission: AdmissionPort;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly metrics: MetricsRegistry;
  readonly decisions: DecisionLog;
  readonly retry: RetryOptions;
}

/** Gets the director's answer to a request, exactly one call, during `begin` or later. */
export interface FlightReceiver {
  /** An endpoint is chosen and booked: send the request, and report to the flight. */
  onFlight(flight: Flight): void;
  /** No endpoint is to be tried: answer with the refusal. */
  onRefused(refusal: Refusal): void;
}

/** Where a request may go, before an endpoint is chosen. */
interface Resolved {
  readonly head: RequestHead;
  readonly route: Route;
  readonly targetIndex: number;
  readonly estimate: TokenEstimate;
  readonly startedAtMs: number;
}

/** Said when nothing is known of when an endpoint will be back. */
const RETRY_AFTER_UNKNOWN_MS = 1000;

/** `penstock_pick_duration_seconds` takes one of this many. */
const PICKS_PER_MEASUREMENT = 16;

/**
 * The life of a request, and the only place where its order is written:
 * resolve -> limit -> admit -> schedule -> (transport dispatches, flight observes and settles).
 */
export class Director {
  readonly #options: DirectorOptions;
  readonly #requestMetrics: RequestMetrics;
  readonly #estimator: TokenEstimator;
  #flightServices: FlightServices;
  readonly #pickSeconds: HistogramSeries;
  #pickCount = 0;
  readonly #traits: EndpointTraits;

  constructor(options: DirectorOptions) {
    const { clock, fleet, decisions, metrics, retry } = options;
    this.#options = options;
    this.#requestMetrics = new RequestMetrics(metrics);
    this.#estimator = new TokenEstimator(clock);
    this.#pickSeconds = metrics.histogram('penstock_pick_duration_seconds');
    this.#traits = {
      idOf: (slot) => fleet.endpointAt(slot).id,
      labelsOf: (slot) => fleet.endpointAt(slot).spec.labels,
    };
    this.#flightServices = {
      fleet,
      scheduler: options.scheduler,
      clock,
      estimator: this.#estimator,
      decisions,
      retryBudget: new RetryBudget(clock, retry.budgetShare),
      attemptsMax: retry.attempts,
      retriesDenied: {
        budget: metrics.counter('penstock_retries_denied_total', ['budget']),
        noEndpoint: metrics.counter('penstock_retries_denied_total', ['no_endpoint']),
      },
    };
  }

  /** Uses other retry settings for flights that begin from now on. */
  configureRetry(retry: RetryOptions): void {
    this.#flightServices = {
      ...this.#flightServices,
      attemptsMax: retry.attempts,
      retryBudget: new RetryBudget(this.#options.clock, retry.budgetShare),
    };
  }

  /** Takes a request whose model is known; its answer goes to `receiver`. */
  begin(head: RequestHead, receiver: FlightReceiver): void {
    const startedAtMs = this.#options.clock.now();
    const route = this.#options.routes.resolve(head.model);
    if (route === null) {
      receiver.onRefused(this.#refuseUnknownModel(head));
      return;
    }
    const estimate = this.#estimator.estimate(head);
    const targetIndex = drawTarget(route, this.#options.rng);
    const resolved: Resolved = { head, route, targetIndex, estimate, startedAtMs };

    const reservation = this.#options.limits.reserve(head, estimate);
    if ('code' in reservation) {
      this.#refuse(resolved, reservation, receiver);
      return;
    }
    this.#options.admission.admit(head, (refusal) => {
      if (refusal === null) {
        this.#schedule(resolved, reservation, receiver);
        return;
      }
      reservation.settle({ promptTokens: 0, outputTokens: 0 });
      this.#refuse(resolved, refusal, receiver);
    });
  }

  #schedule(resolved: Resolved, reservation: Reservation, receiver: FlightReceiver): void {
    const { head, route, estimate, startedAtMs } = resolved;
    const pickStartedAtMs = this.#options.clock.now();
    this.#options.fleet.refresh(pickStartedAtMs);
    const choice = this.#choose(resolved);
    if (choice === null) {
      reservation.settle({ promptTokens: 0, outputTokens: 0 });
      this.#refuse(resolved, this.#refuseNoEndpoint(resolved), receiver);
      return;
    }
    const { served, ranking, input } = choice;
    this.#flightServices.retryBudget.countRequest();
    const record = this.#createRecord(resolved, choice);
    this.#options.decisions.add(record);
    const key = { api: head.api.id, model: route.name, pool: served.pool };
    const flight = new Flight(this.#flightServices, {
      head,
      served,
      ranked: ranking.ranked,
      input,
      estimate,
      reservation,
      series: this.#requestMetrics.find(key),
      record,
      startedAtMs,
    });
    this.#measurePick(pickStartedAtMs);
    receiver.onFlight(flight);
  }

  /** A part of the picks shows the same as all of them would. */
  #measurePick(startedAtMs: number): void {
    this.#pickCount += 1;
    if (this.#pickCount % PICKS_PER_MEASUREMENT !== 0) return;
    this.#pickSeconds.observe((this.#options.clock.now() - startedAtMs) / 1000);
  }

  /** Ranks the drawn target's endpoints; the other targets stand in when it has none available. */
  #choose({ head, route, targetIndex, estimate }: Resolved): Choice | null {
    const { targets } = route;
    for (let i = 0; i < targets.length; i += 1) {
      const { served, weight } = targets[(targetIndex + i) % targets.length] as RouteTarget;
      if (i > 0 && weight === 0) continue;
      const input: PickInput = {
        load: this.#options.fleet.load,
        members: this.#membersFor(head, served),
        residency: served.residency,
        promptTokens: estimate.promptTokens,
        outputTokens: estimate.outputTokens,
        nowMs: this.#options.clock.now(),
        blocks: head.promptBlocks(cacheSaltOf(served)),
        objective: head.objective,
        traits: this.#traits,
        header: head.header,
      };
      const ranking = this.#options.scheduler.pick(input);
      if (ranking.ranked.length > 0) return { served, ranking, input };
    }
    return null;
  }

  #membersFor(head: RequestHead, served: Served): Int32Array {
    if (head.pinnedEndpoint === null) return served.members;
    const pinned = this.#options.fleet.endpointById(head.pinnedEndpoint);
    return served.members.filter((slot) => pinned !== null && slot === pinned.slot);
  }

  #createRecord(resolved: Resolved, { served, ranking }: Choice): DecisionRecord {
    const { head, estimate } = resolved;
    return {
      requestId: head.requestId,
      atMs: this.#options.clock.wallMs(),
      api: head.api.id,
      clientModel: head.model,
      model: served.model,
      pool: served.pool,
      adapter: served.baseModel === null ? null : served.model,
      stream: head.isStream,
      promptTokensEstimate: estimate.promptTokens,
      maxTokens: head.maxTokens,
      candidateCount: ranking.candidateCount,
      availableCount: ranking.availableCount,
      ordered: ranking.ranked.map((ranked) => this.#recordRanked(ranked, ranking.scorers)),
      attempts: [],
      outcome: null,
      errorCode: null,
      status: null,
      ttftMs: null,
      durationMs: null,
      promptTokens: null,
      completionTokens: null,
      cachedTokens: null,
    };
  }

  #recordRanked(
    { slot, score, reasons }: RankedEndpoint,
    scorers: readonly string[],
  ): RankedRecord {
    const named: Record<string, number> = {};
    for (let i = 0; i < reasons.length; i += 1) {
      named[scorers[i] as string] = reasons[i] as number;
    }
    return { endpoint: this.#options.fleet.endpointAt(slot).id, score, reasons: named };
  }

  #refuse(resolved: Resolved, refusal: Refusal, receiver: FlightReceiver): void {
    const { head, route, targetIndex } = resolved;
    const target = route.targets[targetIndex];
    const pool = target === undefined ? '' : target.served.pool;
    const key = { api: head.api.id, model: route.name, pool };
    this.#requestMetrics.find(key).byOutcome.rejected.add(1);
    receiver.onRefused(refusal);
  }

  #refuseUnknownModel(head: RequestHead): Refusal {
    // Unknown names are not used as label values: clients could make any number of series.
    const key = { api: head.api.id, model: '', pool: '' };
    this.#requestMetrics.find(key).byOutcome.rejected.add(1);
    const silent = this.#options.routes.silentServerCount;
    if (silent > 0) {
      const known = `No server that has answered so far serves "${head.model}"`;
      return {
        code: 'no_endpoint',
        message: `${known}; servers that have not answered yet: ${silent}.`,
        retryAfterMs: RETRY_AFTER_UNKNOWN_MS,
      };
    }
    const nearest = this.#options.routes.nearest(head.model);
    const hint =
      nearest === null ? 'GET /v1/models lists the known ones.' : `Did you mean "${nearest}"?`;
    return {
      code: 'model_not_found',
      message: `The model "${head.model}" does not exist here. ${hint}`,
      retryAfterMs: null,
    };
  }

  #refuseNoEndpoint({ head, route }: Resolved): Refusal {
    let retryAfterMs = Number.POSITIVE_INFINITY;
    let members = 0;
    for (const { served } of route.targets) {
      members += served.members.length;
      retryAfterMs = Math.min(retryAfterMs, this.#options.fleet.retryAfterMs(served.members));
    }
    return {
      code: 'no_endpoint',
      message: `No endpoint can take a request for "${head.model}" now (${members} known, none available).`,
      retryAfterMs: Number.isFinite(retryAfterMs) ? retryAfterMs : RETRY_AFTER_UNKNOWN_MS,
    };
  }
}

/** The endpoints a request may go to, best first, and what they serve it as. */
interface Choice {
  readonly served: Served;
  readonly ranking: Ranking;
  readonly input: PickInput;
}
