import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSystemClock } from '../../src/cli/system-clock.ts';
import { HttpTransport, parseTarget } from '../../src/simulator/load/http-transport.ts';
import type { MeasuredReport } from '../../src/simulator/load/measured-report.ts';
import { startLoad } from '../../src/simulator/load/run-load.ts';
import {
  REAL_PROFILE,
  REAL_REPLICAS,
  REAL_WORKLOAD,
  type RealScene,
} from '../../src/simulator/validation/real-scene.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts');
const MODEL = 'validation-model';
const START_TIMEOUT_MS = 60_000;
/** Of one request: every answer of a fleet at half of its load is long over by then. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Starts real engines behind a real gateway, each a process of its own, sends the scene's load over
 * HTTP and stops them again.
 */
export async function measureScene(scene: RealScene): Promise<MeasuredReport> {
  const folder = await mkdtemp(path.join(tmpdir(), 'penstock-validation-'));
  const children: Child[] = [];
  try {
    const url = await startFleet(scene, { folder, children });
    return await sendLoad(scene, url);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startFleet(
  scene: RealScene,
  { folder, children }: { readonly folder: string; readonly children: Child[] },
): Promise<string> {
  const start = (args: readonly string[]): Child => {
    const child = new Child(args);
    children.push(child);
    return child;
  };
  const engines = Array.from({ length: REAL_REPLICAS }, () =>
    start(['engine', '--listen', '127.0.0.1:0', '--profile', REAL_PROFILE, '--model', MODEL]),
  );
  const urls = await Promise.all(engines.map((engine) => engine.waitFor(/server on (\S+)/)));
  const config = path.join(folder, 'penstock.yaml');
  await writeFile(config, `scheduling:\n  preset: ${scene.policy}\n`);
  const servers = urls.flatMap((url) => ['--server', url]);
  const addresses = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const quiet = ['--log-sample', '0', '--config', config];
  const gateway = start(['up', ...servers, ...addresses, ...quiet]);
  const url = await gateway.waitFor(/"listeners":\["([^"]+)"/);
  const admin = await gateway.waitFor(/"admin":"([^"]+)"/);
  await waitForEndpoints(admin);
  return url;
}

async function waitForEndpoints(adminUrl: string): Promise<void> {
  const endAtMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < endAtMs) {
    const response = await fetch(`${adminUrl}/metrics`);
    const text = await response.text();
    const ready = [...text.matchAll(/^penstock_endpoint_available\{[^}]*\} 1$/gm)];
    if (ready.length >= REAL_REPLICAS) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  throw new Error(`the gateway did not find ${REAL_REPLICAS} engines`);
}

async function sendLoad(scene: RealScene, url: string): Promise<MeasuredReport> {
  const { seed, durationMs, warmUpMs, policy } = scene;
  const target = parseTarget(url);
  if (target === null) throw new Error(`${url} is no address`);
  const transport = new HttpTransport(target, { maxConnections: 200, apiKey: null });
  // The clock's timers do not keep a process alive.
  const alive = setInterval(() => undefined, 1000);
  try {
    const { report } = startLoad({
      traffic: REAL_WORKLOAD.createTraffic({ seed, load: 1, durationMs }),
      transport,
      clock: createSystemClock(),
      // Prompts as they are, without the marks of a chat template.
      requests: { api: 'completions', model: MODEL, salt: seed, ignoresEnd: true, headers: {} },
      objective: REAL_WORKLOAD.objective,
      config: {
        kind: 'bench',
        workload: REAL_WORKLOAD.name,
        trace: null,
        arrivals: null,
        load: 1,
        seed,
        duration_seconds: durationMs / 1000,
        warm_up_seconds: warmUpMs / 1000,
        policy,
        target: url,
        model: MODEL,
      },
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxOpenRequests: 200,
      onEnded: null,
    });
    return await report;
  } finally {
    clearInterval(alive);
    await transport.close();
  }
}

/** A `penstock` process of this run. */
class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';
  #errors = '';
  #hasEnded = false;

  constructor(args: readonly string[]) {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.#process = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, stdio: [...stdio] });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#ended = new Promise((resolve) => {
      this.#process.once('close', () => {
        this.#hasEnded = true;
        resolve();
      });
    });
  }

  /** The first group of the pattern, once standard output has it. */
  async waitFor(pattern: RegExp): Promise<string> {
    const endAtMs = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < endAtMs && !this.#hasEnded) {
      const found = pattern.exec(this.#output)?.[1];
      if (found !== undefined) return found;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    throw new Error(`no ${String(pattern)} in:\n${this.#output}\n${this.#errors}`);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
