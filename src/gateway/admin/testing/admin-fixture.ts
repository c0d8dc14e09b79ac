import { request as sendRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

import type { Clock } from '../../../core/clock.ts';
import type { Result } from '../../../core/result.ts';
import { fail, succeed } from '../../../core/result.ts';
import type { DecisionRecord } from '../../../telemetry/decision-log.ts';
import { DecisionLog } from '../../../telemetry/decision-log.ts';
import { renderPrometheus } from '../../../telemetry/exposition.ts';
import { SILENT_LOGGER } from '../../../telemetry/logger.ts';
import { MetricsRegistry } from '../../../telemetry/registry.ts';
import { createDecisionRecord } from '../../../telemetry/testing/decision-records.ts';
import type { AdminSources, AdminState, Readiness, ReloadResult } from '../ports.ts';
import { createAdminServer } from '../server.ts';
import type { AdminServer, AdminServerOptions } from '../server.ts';

/** A state in which every field that can hold something does. */
export const SAMPLE_STATE: AdminState = {
  build: { version: '0.1.0', node: 'v26.0.0' },
  startedAtMs: 1_700_000_000_000,
  uptimeSeconds: 12.5,
  readiness: { isReady: true, reasons: ['none'] },
  config: {
    generation: 2,
    file: '/etc/penstock.yaml',
    loadedAtMs: 1_700_000_001_000,
    lastReloadError: {
      atMs: 1_700_000_002_000,
      problems: [{ path: 'pools[0].name', line: 3, message: 'must be a string' }],
    },
  },
  openRequests: 1,
  pools: [{ id: 'llama', baseModel: 'llama-3-8b', endpoints: ['10.0.0.1:8000'] }],
  endpoints: [
    {
      id: '10.0.0.1:8000',
      url: 'http://10.0.0.1:8000',
      pool: 'llama',
      engine: 'vllm',
      version: '0.11.0',
      state: 'ready',
      reason: null,
      labels: { zone: 'a' },
      models: ['llama-3-8b'],
      inFlight: { requests: 1, tokens: 200, prefillTokens: 120 },
      report: { ageMs: 90, waiting: 0, running: 1, kvCacheUsage: 0.25 },
    },
  ],
  routes: [
    {
      name: 'chat',
      aliases: ['gpt-4o'],
      targets: [
        { pool: 'llama', model: 'llama-3-8b', weight: 1, endpointCount: 1, availableCount: 1 },
      ],
    },
  ],
};

/** Sources whose answers a test may change, and what was asked of them. */
export class FakeSources implements AdminSources {
  readonly decisions: DecisionLog = new DecisionLog(100);
  readonly metrics: MetricsRegistry = new MetricsRegistry();
  readonly drains: string[] = [];
  readinessNow: Readiness = { isReady: true, reasons: [] };
  stateNow: AdminState = SAMPLE_STATE;
  configNow: unknown = { admin: { address: '127.0.0.1:9090' } };
  reloadNow: () => Promise<ReloadResult> = () => Promise.resolve({ ok: true, problems: [] });
  reloads = 0;

  renderMetrics(): string {
    return renderPrometheus(this.metrics);
  }

  readiness(): Readiness {
    return this.readinessNow;
  }

  state(): AdminState {
    return this.stateNow;
  }

  setDraining(endpointId: string, isDraining: boolean): boolean {
    this.drains.push(`${endpointId} ${isDraining ? 'drain' : 'undrain'}`);
    return endpointId === '10.0.0.1:8000' || endpointId === 'models.internal:80/base';
  }

  explain({ path }: { readonly path: string }): Result<DecisionRecord, string> {
    return path === '/v1/chat/completions'
      ? succeed(createDecisionRecord({ requestId: 'dry-run' }))
      : fail(`There is no ${path} here.`);
  }

  config(): unknown {
    return this.configNow;
  }

  reload(): Promise<ReloadResult> {
    this.reloads += 1;
    return this.reloadNow();
  }
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

/** An admin server on a free loopback port with its sources. */
export interface AdminFixture {
  readonly sources: FakeSources;
  readonly server: AdminServer;
  readonly port: number;
  /** Sends one request on its own connection and reads the whole answer. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly headers?: Record<string, string>; readonly body?: string },
  ) => Promise<Answer>;
}

/** Starts a server; the test closes it. */
export async function startAdmin(
  clock: Clock,
  options: Partial<AdminServerOptions> = {},
): Promise<AdminFixture> {
  const sources = new FakeSources();
  const server = await createAdminServer({
    address: { host: '127.0.0.1', port: 0 },
    sources,
    clock,
    log: SILENT_LOGGER,
    metrics: sources.metrics,
    ...options,
  });
  const { port } = server.address;
  return {
    sources,
    server,
    port,
    call: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const request = sendRequest(
          { host: '127.0.0.1', port, method, path, headers, agent: false },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString();
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                text,
                json: () => JSON.parse(text) as Record<string, unknown>,
              });
            });
          },
        );
        request.on('error', reject);
        request.end(body);
      }),
  };
}
