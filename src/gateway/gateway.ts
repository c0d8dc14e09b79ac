import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { FailureSink } from '../core/spawn.ts';
import { spawn } from '../core/spawn.ts';
import type { Director } from '../director/director.ts';
import type { RouteTable } from '../director/routes.ts';
import type { PromptKey } from '../protocol/wasm/prompt-key.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import { Credentials } from './exchange/credentials.ts';
import { RequestJournal } from './exchange/journal.ts';
import type { OpenExchange } from './exchange/open-list.ts';
import { OpenList } from './exchange/open-list.ts';
import { ModelCatalog } from './model-catalog.ts';
import type { ListenerOptions, RelayOptions } from './options.ts';
import { createRequestIdSource } from './request-id.ts';
import { Listener } from './server/listener.ts';
import { Router } from './server/router.ts';
import { ServerTime, TIME_STEP_MS } from './server/server-time.ts';
import { UpstreamConnections } from './upstream/connections.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly director: Director;
  readonly routes: RouteTable;
  readonly relay: RelayOptions;
  /** Seeds the hashes of prompt blocks. */
  readonly promptKey: PromptKey;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Time that clients of broken-off requests have to read why. */
const LAST_WORDS_MS = 500;

/** The HTTP front door: listeners, and the requests under way on them. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #connections: UpstreamConnections;
  readonly #router: Router;
  readonly #journal: RequestJournal;
  readonly #time: ServerTime;
  readonly #open: OpenList<OpenExchange> = new OpenList();
  readonly #onFailure: FailureSink;
  #relay: RelayOptions;
  #listeners: readonly Listener[] = [];
  /** No longer wanted; connections on them are still open. */
  readonly #leaving: Set<Listener> = new Set();
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
    this.#time = new ServerTime(clock.now(), clock.wallMs());
    this.#router = new Router({
      services: {
        director,
        connections: this.#connections,
        clock,
        log,
        journal: this.#journal,
        options: () => this.#relay,
        promptKey: options.promptKey,
        credentials: new Credentials(),
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
    const dropped = [...this.#listeners];
    const opened: Listener[] = [];
    const next = wanted.map((options) => {
      const index = dropped.findIndex((listener) => isSameListener(listener.options, options));
      const [same] = index < 0 ? [] : dropped.splice(index, 1);
      if (same !== undefined) return same;
      const listener = this.#createListener(options);
      opened.push(listener);
      return listener;
    });
    await this.#replace(dropped, opened);
    next.forEach((listener, index) => {
      const options = wanted[index];
      if (options !== undefined) listener.configure(options, limits);
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
    const listeners = [...this.#listeners, ...this.#leaving];
    const closing = Promise.all(listeners.map((listener) => listener.drain()));
    await this.#within(timeoutMs, closing);
    const broken = this.#open.size;
    for (const exchange of this.#open.snapshot()) exchange.destroy();
    // What they were told last must not be overtaken by the end of their connections.
    if (broken > 0) await this.#within(LAST_WORDS_MS, closing);
    for (const listener of listeners) listener.destroy();
    await closing;
    await this.#close();
    return broken;
  }

  /** Waits for `work`, but no longer than `timeoutMs`. */
  async #within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(timeoutMs, resolve);
    await Promise.race([work, promise]);
    this.#options.clock.clearTimer(timer);
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
      time: this.#time,
      onRefused: (code) => {
        this.#journal.countError(code);
      },
      onAcceptFailure: (err) => {
        this.#options.log.error({ err, host: options.host, port: options.port }, 'accept failed');
      },
    });
  }

  /** Opens and drops listeners; rejects, with those before still open, when one cannot be bound. */
  async #replace(dropped: readonly Listener[], opened: readonly Listener[]): Promise<void> {
    // An address can be bound once: a dropped listener on it has to let go of it first.
    const inTheWay = dropped.filter(({ options }) =>
      opened.some((listener) => overlaps(listener.options, options)),
    );
    const isFree = ({ options }: Listener): boolean =>
      !inTheWay.some((old) => overlaps(old.options, options));
    const inOrder = [...opened.filter(isFree), ...opened.filter((each) => !isFree(each))];
    const started: Listener[] = [];
    try {
      for (const listener of inOrder) {
        if (!isFree(listener)) for (const old of inTheWay) this.#drop(old);
        await listener.listen();
        started.push(listener);
      }
    } catch (cause) {
      for (const listener of started) this.#drop(listener);
      await this.#reopen(inTheWay);
      throw cause;
    }
    for (const listener of dropped) this.#drop(listener);
  }

  /** Puts listeners of the same kind in the place of those that had let go of their address. */
  async #reopen(listeners: readonly Listener[]): Promise<void> {
    for (const old of listeners) {
      if (!this.#leaving.has(old)) continue;
      const again = this.#createListener(old.options);
      await again.listen();
      this.#listeners = this.#listeners.map((each) => (each === old ? again : each));
    }
  }

  /** Lets a listener go once its connections are closed. */
  #drop(listener: Listener): void {
    this.#leaving.add(listener);
    const drained = listener.drain().finally(() => this.#leaving.delete(listener));
    spawn('drain listener', drained, this.#onFailure);
  }

  #watchDeadlines(): void {
    const { clock } = this.#options;
    this.#deadlineTimer = clock.setTimer(TIME_STEP_MS, () => {
      const nowMs = clock.now();
      this.#time.update(nowMs, clock.wallMs());
      for (const listener of this.#listeners) listener.checkDeadlines(nowMs);
      for (const listener of this.#leaving) listener.checkDeadlines(nowMs);
      for (const exchange of this.#open.snapshot()) exchange.expire(nowMs);
      this.#watchDeadlines();
    });
  }
}

/** Whether one can become the other without closing its socket. */
function isSameListener(a: ListenerOptions, b: ListenerOptions): boolean {
  return a.host === b.host && a.port === b.port && (a.tls === null) === (b.tls === null);
}

/** Whether the system would not bind both at once. */
function overlaps(a: ListenerOptions, b: ListenerOptions): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEverywhere(a.host) || isEverywhere(b.host);
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
