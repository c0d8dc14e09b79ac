import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { Clock, TimerHandle } from '../core/clock.ts';
import { spawn } from '../core/spawn.ts';
import type { EndpointSpec } from '../pool/endpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EndpointDefaults, EndpointsChanged, EndpointSource } from './sources.ts';

/** How the endpoints of a name are found. */
export interface DnsSourceOptions {
  readonly name: string;
  /** `SRV` gives host and port of each endpoint, `A` and `AAAA` its address. */
  readonly recordType: 'A' | 'AAAA' | 'SRV';
  /** Port of every endpoint; null only for SRV. */
  readonly port: number | null;
  readonly scheme: 'http' | 'https';
  /** An answer is used at least and at most this long, whatever its own time to live says. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Name server to ask; null: the system's. */
  readonly resolver: { readonly host: string; readonly port: number } | null;
  readonly defaults: EndpointDefaults;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Time for one question to one name server, and how often it is asked. */
const QUESTION_TIMEOUT_MS = 2000;
const TRIES = 2;

/** Endpoints of one name at most; the rest of a longer answer is left out. */
const MAX_ADDRESSES = 4096;

/** The system's own look-up tells no time to live. */
const UNKNOWN_TTL_MS = 30_000;

/**
 * The endpoints that a DNS name stands for, asked again as answers expire. A failure keeps the last
 * answer, also when the name server says that the name is gone: health finds out about servers that
 * really are.
 */
export function createDnsSource(options: DnsSourceOptions): EndpointSource {
  return new DnsSource(options);
}

interface Answer {
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly ttlMs: number;
}

class DnsSource implements EndpointSource {
  readonly #options: DnsSourceOptions;
  readonly #resolver: Resolver;
  #onChange: EndpointsChanged | null = null;
  #timer: TimerHandle | null = null;
  #question: Promise<void> | null = null;
  readonly #closed = Promise.withResolvers<readonly { readonly address: string }[]>();
  #isClosed = false;
  #failures = 0;
  /** The list that was last told, as text; null before the first. */
  #told: string | null = null;

  constructor(options: DnsSourceOptions) {
    this.#options = options;
    this.#resolver = new Resolver({ timeout: QUESTION_TIMEOUT_MS, tries: TRIES });
    if (options.resolver !== null) {
      const { host, port } = options.resolver;
      this.#resolver.setServers([isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`]);
    }
  }

  start(onChange: EndpointsChanged): void {
    this.#onChange = onChange;
    this.#ask();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#closed.resolve([]);
    this.#resolver.cancel();
    await this.#question?.catch(() => undefined);
  }

  #ask(): void {
    if (this.#isClosed) return;
    const question = this.#resolve();
    this.#question = question;
    spawn('resolve endpoints', question, (work, cause) => {
      this.#options.log.error({ work, err: cause }, 'background work failed');
    });
  }

  async #resolve(): Promise<void> {
    const { minTtlMs, maxTtlMs, clock } = this.#options;
    let waitMs: number;
    try {
      const answer = await this.#answer();
      this.#failures = 0;
      waitMs = answer.ttlMs;
      this.#tell(answer);
    } catch (cause) {
      this.#complain(cause);
      waitMs = minTtlMs * 2 ** Math.min(this.#failures, 16);
      this.#failures += 1;
    }
    if (this.#isClosed) return;
    this.#timer = clock.setTimer(Math.min(maxTtlMs, Math.max(minTtlMs, waitMs)), () => {
      this.#timer = null;
      this.#ask();
    });
  }

  #answer(): Promise<Answer> {
    return this.#options.recordType === 'SRV' ? this.#askServices() : this.#askAddresses();
  }

  async #askServices(): Promise<Answer> {
    const records = await this.#resolver.resolveSrv(this.#options.name);
    const hosts = records
      .filter((record) => record.name !== '' && record.name !== '.' && record.port > 0)
      .map((record) => ({ host: record.name.replace(/\.$/, ''), port: record.port }));
    return { hosts, ttlMs: await this.#ttlOf(hosts[0]?.host) };
  }

  /**
   * Node hides the time to live of SRV records. That of the first target's address stands in: name
   * servers for services give both the same.
   */
  async #ttlOf(host: string | undefined): Promise<number> {
    if (host === undefined) return UNKNOWN_TTL_MS;
    try {
      const records = await this.#resolver.resolve4(host, { ttl: true });
      return shortestMs(records);
    } catch {
      return UNKNOWN_TTL_MS;
    }
  }

  async #askAddresses(): Promise<Answer> {
    const { name, recordType } = this.#options;
    const port = this.#options.port ?? (this.#options.scheme === 'https' ? 443 : 80);
    try {
      const records = await (recordType === 'A'
        ? this.#resolver.resolve4(name, { ttl: true })
        : this.#resolver.resolve6(name, { ttl: true }));
      const hosts = records.map(({ address }) => ({ host: address, port }));
      return { hosts, ttlMs: shortestMs(records) };
    } catch (cause) {
      if (this.#options.resolver !== null || this.#isClosed) throw cause;
      return this.#askSystem(port);
    }
  }

  /**
   * The system's look-up also knows the hosts file and search domains, which name servers do not.
   */
  async #askSystem(port: number): Promise<Answer> {
    const family = this.#options.recordType === 'A' ? 4 : 6;
    // It cannot be cancelled, and closing does not wait for it.
    const found = await Promise.race([
      lookup(this.#options.name, { all: true, family }),
      this.#closed.promise,
    ]);
    return { hosts: found.map(({ address }) => ({ host: address, port })), ttlMs: UNKNOWN_TTL_MS };
  }

  /**
   * The order of an answer means nothing, so that the list is sorted and told only if it differs.
   */
  #tell(answer: Answer): void {
    if (this.#isClosed) return;
    const { name, scheme, log } = this.#options;
    const urls = answer.hosts.map(({ host, port }) => {
      const shown = host.includes(':') ? `[${host}]` : host;
      return new URL(`${scheme}://${shown}:${port}`).origin;
    });
    const list = [...new Set(urls)].toSorted().slice(0, MAX_ADDRESSES);
    const text = list.join(' ');
    if (text === this.#told) return;
    this.#told = text;
    log.info({ name, endpoints: list.length }, 'endpoints resolved');
    this.#onChange?.(list.map((url) => this.#specOf(url)));
  }

  #specOf(url: string): EndpointSpec {
    return { url, ...this.#options.defaults };
  }

  /** Logged once in a row of failures. */
  #complain(cause: unknown): void {
    if (this.#isClosed || this.#failures > 0) return;
    const { name, recordType, log } = this.#options;
    log.warn(
      { name, recordType, reason: String(cause) },
      'endpoints cannot be resolved; the last answer stays',
    );
  }
}

function shortestMs(records: readonly { readonly ttl: number }[]): number {
  return 1000 * Math.min(...records.map(({ ttl }) => ttl));
}
