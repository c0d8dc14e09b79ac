import type { Clock, TimerHandle } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import type { FailureSink } from '../core/spawn.ts';
import { spawn } from '../core/spawn.ts';
import type { Director } from '../director/director.ts';
import type { RouteTable } from '../director/routes.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import { RequestJournal } from './exchange/journal.ts';
import type { OpenExchange } from './exchange/open-list.ts';
import { OpenList } from './exchange/open-list.ts';
import { ModelCatalog } from './model-catalog.ts';
import type { ListenerOptions, RelayOptions } from './options.ts';
import { createRequestIdSource } from './request-id.ts';
import { Listener } from './server/listener.ts';
import { Router } from './server/router.ts';
import { UpstreamConnections } from './upstream/connections.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly director: Director;
  readonly routes: RouteTable;
  readonly relay: RelayOptions;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** How often deadlines of open requests are looked at. */
const DEADLINE_CHECK_MS = 250;

/** The HTTP front door: listeners, and the requests under way on them. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #connections: UpstreamConnections;
  readonly #router: Router;
  readonly #journal: RequestJournal;
  readonly #open: OpenList<OpenExchange> = new OpenList();
  readonly #onFailure: FailureSink;
  #relay: RelayOptions;
  #listeners: Listener[] = [];
  #deadlineTimer: TimerHandle | null = null;
  #isClosed = false;

  constructor(options: GatewayOptions) {
    const { clock, rng, log, metrics, director, routes } = options;
    this.#options = options;
    this.#relay = options.relay;
    this.#onFailure = (name, cause) => {
      log.error({ task: name, err: cause }, 'background task failed');
    };
    this.#connections = new UpstreamConnections(clock, options.relay.timeouts);
    this.#journal = new RequestJournal(log, metrics);
    this.#router = new Router({
      services: {
        director,
        connections: this.#connections,
        clock,
        log,
        journal: this.#journal,
        options: () => this.#relay,
        open: this.#open,
      },
      models: new ModelCatalog(routes, Math.floor(clock.wallMs() / 1000)),
      requestIds: createRequestIdSource(rng),
    });
    const openRequests = metrics.gauge('penstock_open_requests');
    metrics.onCollect(() => {
      openRequests.set(this.#open.size);
    });
    this.#watchDeadlines();
  }

  /** Requests under way. */
  get openRequestCount(): number {
    return this.#open.size;
  }

  /** URLs of the listeners, in the order they were given. */
  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /**
   * Serves on exactly these addresses: new ones are opened first, then the ones no longer wanted
   * are drained in the background. Rejects, with nothing changed, when one cannot be bound.
   */
  async listen(wanted: readonly ListenerOptions[]): Promise<void> {
    const { limits } = this.#relay;
    const kept: Listener[] = [];
    const opened: Listener[] = [];
    const next: Listener[] = [];
    for (const options of wanted) {
      const same = this.#listeners.find(
        (listener) => isSameListener(listener.options, options) && listener.hasLimits(limits),
      );
      const listener = same ?? this.#createListener(options);
      (same === undefined ? opened : kept).push(listener);
      next.push(listener);
    }
    const dropped = this.#listeners.filter((listener) => !kept.includes(listener));
    await this.#openAll(opened, dropped);
    wanted.forEach(({ tls }, index) => {
      if (tls !== null) next[index]?.renewCertificate(tls);
    });
    this.#listeners = next;
  }

  /** Uses other options for requests that begin from now on. */
  configure(relay: RelayOptions): void {
    this.#relay = relay;
    this.#connections.setTimeouts(relay.timeouts);
  }

  /** Closes connections to endpoints that have left the fleet. */
  forgetRemovedEndpoints(): void {
    this.#connections.forgetRemoved();
  }

  /**
   * Stops accepting, lets open requests finish for up to `timeoutMs`, then breaks off what is left.
   * Returns how many requests were broken off.
   */
  async drain(timeoutMs: number): Promise<number> {
    const closing = Promise.all(this.#listeners.map((listener) => listener.drain()));
    const { promise: timedOut, resolve } = Promise.withResolvers<'late'>();
    const timer = this.#options.clock.setTimer(timeoutMs, () => {
      resolve('late');
    });
    await Promise.race([closing, timedOut]);
    this.#options.clock.clearTimer(timer);
    const broken = this.#open.size;
    for (const exchange of this.#open.snapshot()) exchange.destroy();
    for (const listener of this.#listeners) listener.destroy();
    await closing;
    await this.#close();
    return broken;
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#deadlineTimer !== null) this.#options.clock.clearTimer(this.#deadlineTimer);
    this.#connections.close();
  }

  #createListener(options: ListenerOptions): Listener {
    return new Listener(options, {
      router: this.#router,
      limits: this.#relay.limits,
      onError: (code) => {
        this.#journal.countError(code as ErrorCode);
      },
    });
  }

  async #openAll(opened: readonly Listener[], dropped: readonly Listener[]): Promise<void> {
    // An address can be bound once: a dropped listener on the same one must let go of it first.
    const blocking = dropped.filter((old) =>
      opened.some(({ options }) => isSameAddress(options, old.options)),
    );
    for (const listener of blocking) spawn('drain listener', listener.drain(), this.#onFailure);
    const started: Listener[] = [];
    try {
      for (const listener of opened) {
        await listener.listen();
        started.push(listener);
      }
    } catch (cause) {
      for (const listener of started) spawn('close listener', listener.drain(), this.#onFailure);
      throw cause;
    }
    for (const listener of dropped) {
      if (!blocking.includes(listener)) {
        spawn('drain listener', listener.drain(), this.#onFailure);
      }
    }
  }

  #watchDeadlines(): void {
    const { clock } = this.#options;
    this.#deadlineTimer = clock.setTimer(DEADLINE_CHECK_MS, () => {
      const nowMs = clock.now();
      for (const exchange of this.#open.snapshot()) exchange.expire(nowMs);
      this.#watchDeadlines();
    });
  }
}

function isSameAddress(a: ListenerOptions, b: ListenerOptions): boolean {
  return a.host === b.host && a.port === b.port;
}

function isSameListener(a: ListenerOptions, b: ListenerOptions): boolean {
  return (
    isSameAddress(a, b) && a.isInternal === b.isInternal && (a.tls === null) === (b.tls === null)
  );
}
