import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { Fleet } from '../pool/fleet.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { DecisionLog, DecisionRecord } from '../telemetry/decision-log.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import type { HistogramSeries } from '../telemetry/series.ts';
import { Chooser } from './chooser.ts';
import { createDecisionRecord } from './decision.ts';
import type { FlightServices } from './flight.ts';
import { Flight } from './flight.ts';
import type {
  AdmissionPort,
  LimitPort,
  RequestObserver,
  Reservation,
  TokenEstimate,
} from './ports.ts';
import { RequestMetrics } from './request-metrics.ts';
import { RetryBudget } from './retry-budget.ts';
import { refuseNoEndpoint, refuseUnknownModel } from './refusals.ts';
import type { Route, RouteTable } from './routes.ts';
import { targetsOf } from './routes.ts';
import { TokenEstimator } from './token-estimator.ts';
import type { Refusal, RequestHead } from './types.ts';

/** When failed attempts are tried elsewhere. */
export interface RetryOptions {
  /** Attempts per request, the first included; at least 1. */
  readonly attempts: number;
  /** Retries as a share of all requests, 0 to 1. */
  readonly budgetShare: number;
}

/** What is used when nothing is configured. */
export const DEFAULT_RETRY_OPTIONS: RetryOptions = Object.freeze({
  attempts: 3,
  budgetShare: 0.2,
});

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
  readonly estimate: TokenEstimate;
  readonly startedAtMs: number;
}

/** A request that goes nowhere; its model may be one that nobody knows. */
type Refused = Pick<Resolved, 'head' | 'startedAtMs'> &
  (
    | { readonly route: Route; readonly estimate: TokenEstimate }
    | { readonly route: null; readonly estimate: null }
  );

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
  readonly #chooser: Chooser;

  constructor(options: DirectorOptions) {
    const { clock, fleet, decisions, metrics, retry } = options;
    this.#options = options;
    this.#requestMetrics = new RequestMetrics(metrics);
    this.#estimator = new TokenEstimator(clock);
    this.#pickSeconds = metrics.histogram('penstock_pick_duration_seconds');
    this.#chooser = new Chooser(options);
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
      observer: null,
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

  /** Tells `observer` of the ends of requests that begin from now on; null tells nobody. */
  observe(observer: RequestObserver | null): void {
    this.#flightServices = { ...this.#flightServices, observer };
  }

  /** Takes a request whose model is known; its answer goes to `receiver`. */
  begin(head: RequestHead, receiver: FlightReceiver): void {
    const startedAtMs = this.#options.clock.now();
    const route = this.#options.routes.resolve(head.model);
    if (route === null) {
      const refusal = refuseUnknownModel(head.model, this.#options.routes);
      this.#refuse({ head, route, estimate: null, startedAtMs }, refusal, receiver);
      return;
    }
    const estimate = this.#estimator.estimate(head);
    const resolved: Resolved = { head, route, estimate, startedAtMs };

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

  /**
   * Where a request would go now: the decision that `begin` would make, with nothing booked,
   * counted or kept. Limits and admission are not asked.
   */
  explain(head: RequestHead): DecisionRecord | Refusal {
    const { routes, fleet } = this.#options;
    const route = routes.resolve(head.model);
    if (route === null) return refuseUnknownModel(head.model, routes);
    const estimate = this.#estimator.estimate(head);
    const nowMs = this.#options.clock.now();
    const choice = this.#chooser.choose({ head, route, estimate, nowMs });
    if (choice === null) return refuseNoEndpoint(head.model, route, fleet);
    return createDecisionRecord({ head, estimate }, choice, this.#options);
  }

  #schedule(resolved: Resolved, reservation: Reservation, receiver: FlightReceiver): void {
    const { head, route, estimate, startedAtMs } = resolved;
    const pickStartedAtMs = this.#options.clock.now();
    this.#options.fleet.refresh(pickStartedAtMs);
    const choice = this.#chooser.choose({ head, route, estimate, nowMs: pickStartedAtMs });
    if (choice === null) {
      reservation.settle({ promptTokens: 0, outputTokens: 0 });
      const refusal = refuseNoEndpoint(head.model, route, this.#options.fleet);
      this.#refuse(resolved, refusal, receiver);
      return;
    }
    const { served, ranking, input } = choice;
    this.#flightServices.retryBudget.countRequest();
    const record = createDecisionRecord(resolved, choice, this.#options);
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

  #refuse(refused: Refused, refusal: Refusal, receiver: FlightReceiver): void {
    const { head, route, estimate, startedAtMs } = refused;
    const [target] = route === null ? [] : targetsOf(route);
    const pool = target === undefined ? null : target.served.pool;
    const model = route === null ? null : route.name;
    this.#countRejected(head, model ?? '', pool ?? '');
    this.#flightServices.observer?.onRefused({
      head,
      refusal,
      model,
      pool,
      promptTokens: estimate === null ? null : estimate.promptTokens,
      startedAtMs,
      refusedAtMs: this.#options.clock.now(),
    });
    receiver.onRefused(refusal);
  }

  /** Unknown names are not used as labels (both are empty then): clients could make any number. */
  #countRejected(head: RequestHead, model: string, pool: string): void {
    this.#requestMetrics.find({ api: head.api.id, model, pool }).byOutcome.rejected.add(1);
  }
}
