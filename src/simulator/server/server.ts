import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import { spawn } from '../../core/spawn.ts';
import { EngineModel } from '../engine/engine-model.ts';
import { DIALECTS } from './dialects/dialects.ts';
import { EngineDriver } from './driver.ts';
import {
  resolveEngineOptions,
  type EngineServerOptions,
  type ResolvedEngineOptions,
} from './engine-options.ts';
import { Exchange } from './exchange.ts';
import { FaultInjector, type FaultSettings } from './faults.ts';
import { sendOpenAiError, unavailable, type EngineHost } from './host.ts';
import { RouteTable, type FoundRoute } from './routes.ts';
import { ServedModels } from './served-models.ts';

/** What a server needs from its surroundings. */
export interface EngineServerPorts {
  readonly clock: Clock;
  /** Decides which requests suffer injected failures. */
  readonly rng: Rng;
}

/** A running simulated model server. */
export interface EngineServer {
  /** `http://host:port`. */
  readonly url: string;
  readonly port: number;
  readonly model: EngineModel;
  /** Changes injected failures, as `POST /admin/failures` does. */
  injectFaults(changes: Partial<FaultSettings>): void;
  /** Stops listening, ends every connection and resolves when all is closed. Idempotent. */
  close(): Promise<void>;
}

/** Starts a simulated model server; rejects when the address cannot be bound. */
export async function createEngineServer(
  options: EngineServerOptions & EngineServerPorts,
): Promise<EngineServer> {
  const shell = new EngineShell(resolveEngineOptions(options), options);
  await shell.listen();
  return shell;
}

class EngineShell implements EngineServer {
  readonly model: EngineModel;
  readonly #options: ResolvedEngineOptions;
  readonly #clock: Clock;
  readonly #driver: EngineDriver;
  readonly #faults: FaultInjector;
  readonly #host: EngineHost;
  readonly #routes: RouteTable;
  readonly #server: Server;
  #port = 0;
  #engineId = '';
  #startingUntilMs = 0;
  #reopenTimer: TimerHandle | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ResolvedEngineOptions, ports: EngineServerPorts) {
    this.#options = options;
    this.#clock = ports.clock;
    this.#faults = new FaultInjector(options.faults, ports.rng);
    this.#startingUntilMs = ports.clock.now() + options.faults.slowStartMs;
    this.model = new EngineModel(options.engine);
    this.#driver = new EngineDriver(this.model, ports.clock, { speed: options.speed });
    this.#host = this.#createHost();
    this.#routes = new RouteTable(options.dialect);
    this.#server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
      this.#serve(request, response);
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  async listen(): Promise<void> {
    await this.#bind(this.#options.port);
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#engineId = this.#options.engineId ?? `${this.#options.host}:${this.#port}`;
    if (this.#options.faults.refuseMs > 0) this.#refuse(this.#options.faults.refuseMs);
  }

  injectFaults(changes: Partial<FaultSettings>): void {
    this.#faults.change(changes);
    if (changes.slowStartMs !== undefined) {
      this.#startingUntilMs = this.#clock.now() + changes.slowStartMs;
    }
    if (changes.refuseMs !== undefined) this.#refuse(changes.refuseMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  #createHost(): EngineHost {
    const options = this.#options;
    const createdSeconds = Math.floor(this.#clock.wallMs() / 1000);
    const served = new ServedModels(options.models, {
      createdSeconds,
      contextTokens: this.model.contextTokens,
      ownedBy: DIALECTS[options.dialect].ownedBy,
    });
    for (const adapter of options.adapters) {
      this.model.adapters.register(adapter.name);
      served.addAdapter({ ...adapter, path: `/adapters/${adapter.name}` });
    }
    let ids = 0;
    return {
      model: this.model,
      driver: this.#driver,
      served,
      options,
      startedSeconds: this.#clock.wallMs() / 1000,
      nowSeconds: () => Math.floor(this.#clock.wallMs() / 1000),
      newId: (prefix) => {
        ids += 1;
        return `${prefix}-${createdSeconds.toString(16)}${ids.toString(16).padStart(8, '0')}`;
      },
      faults: () => this.#faults.settings,
      injectFaults: (changes) => {
        this.injectFaults(changes);
      },
    };
  }

  async #bind(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, this.#options.host, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
  }

  /** Closes the listening socket, so that connecting is refused, and opens it again later. */
  #refuse(durationMs: number): void {
    if (this.#reopenTimer !== null) this.#clock.clearTimer(this.#reopenTimer);
    this.#reopenTimer = null;
    if (this.#closing !== null) return;
    if (durationMs === 0) {
      this.#reopen();
      return;
    }
    this.#server.close();
    this.#reopenTimer = this.#clock.setTimer(durationMs, () => {
      this.#reopen();
    });
  }

  #reopen(): void {
    this.#reopenTimer = null;
    if (this.#server.listening || this.#closing !== null) return;
    // A port that someone else took meanwhile leaves this server closed, as it would a real one.
    spawn('engine reopen', this.#bind(this.#port), () => undefined);
  }

  async #shutDown(): Promise<void> {
    if (this.#reopenTimer !== null) this.#clock.clearTimer(this.#reopenTimer);
    this.#driver.close();
    await new Promise<void>((resolve) => {
      if (this.#server.listening) {
        this.#server.close(() => {
          resolve();
        });
        this.#server.closeAllConnections();
      } else {
        this.#server.closeAllConnections();
        resolve();
      }
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('x-engine-id', this.#engineId);
    const { serverHeader } = DIALECTS[this.#options.dialect];
    if (serverHeader !== null) response.setHeader('server', serverHeader);
    const path = (request.url ?? '/').split('?', 1)[0] as string;
    const route = this.#routes.find(request.method ?? 'GET', path);
    const isWork = typeof route === 'object' && route.kind === 'work';
    const exchange = new Exchange(request, response, {
      clock: this.#clock,
      fault: isWork ? this.#faults.next() : this.#faults.none(),
    });
    // A response that breaks off is the client's doing; the handlers hear of it by `close`.
    response.on('error', () => undefined);
    spawn('engine request', this.#answer(exchange, route), (_name, cause) => {
      sendOpenAiError(exchange, {
        status: 500,
        type: 'InternalServerError',
        message: String(cause),
        code: null,
        param: null,
      });
    });
  }

  async #answer(exchange: Exchange, route: FoundRoute): Promise<void> {
    if (typeof route === 'number') {
      const detail = route === 404 ? 'Not Found' : 'Method Not Allowed';
      exchange.sendJson(route, { detail });
      return;
    }
    if (route.kind !== 'admin' && this.#clock.now() < this.#startingUntilMs) {
      sendOpenAiError(exchange, unavailable('The engine is starting.'));
      return;
    }
    const { fault } = exchange;
    await exchange.pause(fault.latencyMs);
    if (fault.error !== null) {
      await exchange.readBody();
      sendInjectedError(exchange, fault.error);
      return;
    }
    await route.handle(exchange, this.#host);
  }
}

function sendInjectedError(
  exchange: Exchange,
  error: { readonly status: number; readonly body: string | null },
): void {
  if (error.body !== null) {
    exchange.send(error.status, 'application/json', error.body);
    return;
  }
  sendOpenAiError(exchange, {
    status: error.status,
    type: 'InternalServerError',
    message: 'injected failure',
    code: null,
    param: null,
  });
}
