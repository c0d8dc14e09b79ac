import type { Result } from '../core/result.ts';
import type { ProbeAnswer } from '../protocol/engines/evidence.ts';
import type { HttpFailure } from './http-failure.ts';
import { HttpProbe } from './http-probe.ts';
import type { HttpProbeOptions, HttpTarget } from './http-probe.ts';

/** Questions to one server, on its own port and, for metrics, on others of the same host. */
export class ServerClient {
  readonly #target: HttpTarget;
  readonly #options: HttpProbeOptions;
  readonly #own: HttpProbe;
  readonly #others = new Map<number, HttpProbe>();
  #closing: Promise<void> | null = null;

  constructor(target: HttpTarget, options: HttpProbeOptions) {
    this.#target = target;
    this.#options = options;
    this.#own = new HttpProbe(target, options);
  }

  /** The answer at `path` below the server's base path. Never rejects. */
  get(path: string): Promise<Result<ProbeAnswer, HttpFailure>> {
    return this.#own.get(path);
  }

  /** The answer at `path` on another port, where the base path does not apply. Never rejects. */
  getAtPort(port: number, path: string): Promise<Result<ProbeAnswer, HttpFailure>> {
    if (this.#closing !== null) return this.#own.get(path);
    let probe = this.#others.get(port);
    if (probe === undefined) {
      const url = new URL(this.#target.origin);
      url.port = String(port);
      probe = new HttpProbe(
        { origin: url.origin, basePath: '', tls: this.#target.tls },
        this.#options,
      );
      this.#others.set(port, probe);
    }
    return probe.get(path);
  }

  /** Ends all connections; requests under way fail with `closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const probes = [this.#own, ...this.#others.values()];
    await Promise.all(probes.map((probe) => probe.close()));
  }
}
