import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { AdminState } from '../../../src/gateway/admin/ports.ts';
import { readMetric, waitUntil } from './gateway.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = join(ROOT, 'src/cli/main.ts');

/** How a process ended. */
export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process of a test. */
export interface TestProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  /** How it ended; null while it runs. */
  readonly end: ProcessEnd | null;
  /** Standard output so far. */
  readonly output: string;
  /** Standard error so far. */
  readonly errors: string;
  /** Waits until standard output has this; fails when the process ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
}

/** Starts a program; it is killed when the test ends and it has not ended by then. */
export function startProcess(
  t: TestContext,
  command: string,
  args: readonly string[],
): TestProcess {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.errors += text));
  let end: ProcessEnd | null = null;
  const ended = new Promise<ProcessEnd>((resolve) => {
    // `close` and not `exit`: all of the output has been read by then.
    child.on('close', (code, signal) => {
      end = { code, signal };
      resolve(end);
    });
  });
  child.on('error', (error) => (texts.errors += String(error)));
  t.after(async () => {
    if (end === null) child.kill('SIGKILL');
    await ended;
  });
  const running: TestProcess = {
    pid: child.pid ?? 0,
    ended,
    get end() {
      return end;
    },
    get output() {
      return texts.output;
    },
    get errors() {
      return texts.errors;
    },
    waitFor: async (pattern) => {
      await waitUntil(
        `${String(pattern)} in the output of ${args.join(' ')}`,
        () => pattern.test(texts.output) || end !== null,
        30_000,
      );
      const found = pattern.exec(texts.output);
      if (found !== null) return found;
      throw new Error(`ended without ${String(pattern)}:\n${texts.output}\n${texts.errors}`);
    },
    signal: (name) => {
      child.kill(name);
    },
  };
  return running;
}

/** Starts `penstock` with these arguments, from the sources, on the Node that runs the tests. */
export function startPenstock(t: TestContext, args: readonly string[]): TestProcess {
  return startProcess(t, process.execPath, [MAIN, ...args]);
}

/** A `penstock engine` of its own process. */
export interface EngineProcess {
  readonly process: TestProcess;
  readonly url: string;
  readonly port: number;
  /** Id of its endpoint in the gateway. */
  readonly id: string;
}

/** Starts a simulated model server on a free port, or on `port`. */
export async function startEngineProcess(
  t: TestContext,
  args: readonly string[] = [],
  port = 0,
): Promise<EngineProcess> {
  const engine = startPenstock(t, ['engine', '--listen', `127.0.0.1:${port}`, ...args]);
  const [, url = ''] = await engine.waitFor(/server on (\S+)/);
  return { process: engine, url, port: Number(new URL(url).port), id: new URL(url).host };
}

/** A `penstock up` of its own process. */
export interface GatewayProcess {
  readonly process: TestProcess;
  readonly url: string;
  readonly adminUrl: string;
  /** Lines of its log so far. */
  logLines(): readonly Readonly<Record<string, unknown>>[];
  state(): Promise<AdminState>;
  /** One metric's samples: label text to value. */
  metric(name: string): Promise<ReadonlyMap<string, number>>;
}

/**
 * Starts a gateway; unless `args` say otherwise its admin port is a free one, and so is its first
 * listener unless the file is to say where that is.
 */
export async function startGatewayProcess(
  t: TestContext,
  args: readonly string[],
  options: { readonly listensByFile?: boolean } = {},
): Promise<GatewayProcess> {
  const listen = options.listensByFile === true ? [] : ['--listen', '127.0.0.1:0'];
  const admin = args.includes('--admin') ? [] : ['--admin', '127.0.0.1:0'];
  const up = startPenstock(t, ['up', ...listen, ...admin, ...args]);
  const [line] = await up.waitFor(/^.*"msg":"serving".*$/m);
  const serving = JSON.parse(line) as { listeners: string[]; admin: string };
  return {
    process: up,
    url: serving.listeners[0]!,
    adminUrl: serving.admin,
    logLines: () =>
      up.output
        .split('\n')
        .filter((text) => text.startsWith('{') && text.endsWith('}'))
        .map((text) => JSON.parse(text) as Record<string, unknown>),
    state: async () => (await (await fetch(`${serving.admin}/api/state`)).json()) as AdminState,
    metric: async (name) =>
      readMetric(await (await fetch(`${serving.admin}/metrics`)).text(), name),
  };
}

/** A folder of the test's own, removed when it ends. */
export async function createFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Below those that systems give to connections, any of which another test may open meanwhile. */
const PORTS_FROM = 20_000;
const PORTS_TO = 32_000;

/** A port of the loopback that nobody listens on now. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS_FROM, PORTS_TO);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(true);
    });
  });
  if (isFree) await new Promise((resolve) => server.close(resolve));
  return isFree;
}
