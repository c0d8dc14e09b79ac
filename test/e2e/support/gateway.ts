import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { parseConfig } from '../../../src/cli/config/load.ts';
import type { PenstockConfig } from '../../../src/cli/config/config.ts';
import { Service } from '../../../src/cli/service.ts';
import { createSystemClock } from '../../../src/cli/system-clock.ts';
import { createRng } from '../../../src/core/rng.ts';
import { createPromptKey, PROMPT_KEY_BYTES } from '../../../src/protocol/wasm/prompt-key.ts';
import type { AdminState } from '../../../src/gateway/admin/ports.ts';
import type { DecisionRecord } from '../../../src/telemetry/decision-log.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';

/** A gateway in this process, wired as `penstock up` wires it, on free ports. */
export interface TestGateway {
  readonly url: string;
  readonly adminUrl: string;
  readonly service: Service;
  /** Log lines so far, parsed. */
  readonly logLines: () => readonly Record<string, unknown>[];
  /** Replaces the configuration that a reload reads, and reloads. */
  reload(yaml: string): Promise<boolean>;
  state(): Promise<AdminState>;
  decisions(): Promise<readonly DecisionRecord[]>;
  /** One metric's samples: label text to value. */
  metric(name: string): Promise<ReadonlyMap<string, number>>;
  close(): Promise<number>;
}

/** Parses a configuration; its listeners and admin port move to free ports of the loopback. */
export function testConfig(yaml: string): PenstockConfig {
  const parsed = parseConfig(yaml, 'test.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error, null, 2));
  const local = { host: '127.0.0.1', port: 0 };
  return {
    ...parsed.value,
    listeners: parsed.value.listeners.map((listener) => ({ ...listener, address: local })),
    admin: { address: local },
  };
}

/** Starts a gateway; it is drained when the test ends. */
export async function startGateway(t: TestContext, yaml: string): Promise<TestGateway> {
  let current = yaml;
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  const clock = createSystemClock();
  const log = createLogger({ level: 'debug', sampleRequests: 1, destination: output, clock });
  const service = new Service({
    config: testConfig(yaml),
    load: () => Promise.resolve({ ok: true, value: keepPorts(service, testConfig(current)) }),
    clock,
    rng: createRng(1),
    promptKey: createPromptKey(randomBytes(PROMPT_KEY_BYTES)),
    log,
    version: '0.0.0-test',
    onFailure: (name, cause) => {
      throw new Error(`background task ${name} failed`, { cause });
    },
  });
  await service.start();
  let closing: Promise<number> | null = null;
  const close = (): Promise<number> => (closing ??= service.drain());
  t.after(close);
  const getJson = async (path: string): Promise<unknown> =>
    (await fetch(service.adminUrl + path)).json();
  return {
    url: service.urls[0]!,
    adminUrl: service.adminUrl,
    service,
    logLines: () =>
      Buffer.concat(chunks)
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    reload: async (next) => {
      current = next;
      return (await service.reload()).ok;
    },
    state: async () => (await getJson('/api/state')) as AdminState,
    decisions: async () => {
      const answer = (await getJson('/api/decisions?limit=1000')) as {
        decisions: DecisionRecord[];
      };
      return answer.decisions;
    },
    metric: async (name) =>
      readMetric(await (await fetch(`${service.adminUrl}/metrics`)).text(), name),
    close,
  };
}

/** A reload must not move listeners that a test has asked to be on any free port. */
function keepPorts(service: Service, config: PenstockConfig): PenstockConfig {
  return {
    ...config,
    listeners: config.listeners.map((listener, index) => ({
      ...listener,
      address: service.config.listeners[index]?.address ?? listener.address,
    })),
  };
}

/** The samples of one metric in an exposition: label text to value. */
export function readMetric(text: string, name: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\w+)(\{.*\})? (\S+)$/.exec(line);
    if (match !== null && match[1] === name) samples.set(match[2] ?? '', Number(match[3]));
  }
  return samples;
}

/** Waits until `isTrue` holds; fails the test with `what` after `limitMs`. */
export async function waitUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await sleep(10);
  }
}
