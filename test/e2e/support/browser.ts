import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { accessSync, constants } from 'node:fs';
import type { TestContext } from 'node:test';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** A message of the DevTools protocol: an answer to a call, or an event. */
interface ProtocolMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A page in a real browser without a window. */
export interface BrowserPage {
  /** Errors and warnings that the page or the browser reported, in words. */
  readonly complaints: readonly string[];
  /** Addresses that the page asked for, itself included. */
  readonly requested: readonly string[];
  /** Calls a method of the DevTools protocol. */
  call(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Evaluates an expression in the page; what it gives must be plain data. */
  evaluate<T>(expression: string): Promise<T>;
  /** Goes to an address and waits until it has loaded. */
  open(url: string): Promise<void>;
}

/** The browser's program on the PATH; null when there is none. */
export function findBrowser(): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const files = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return files.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts the browser with a profile of its own and one page. It is driven through two pipes, so
 * that no port is opened, and ends with the test.
 */
export async function openBrowser(t: TestContext, program: string): Promise<BrowserPage> {
  const profile = await mkdtemp(path.join(tmpdir(), 'penstock-browser-'));
  const flags = ['--headless', '--disable-gpu', '--no-first-run', '--hide-scrollbars'];
  // The sandbox needs rights that containers do not give; the pages are our own.
  const args = [...flags, '--no-sandbox', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
  const child = spawn(program, [...args, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    // It keeps a lock in a temporary folder, which a killed browser leaves there.
    env: { ...process.env, TMPDIR: profile },
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const connection = new Connection(child.stdio[3] as Writable, child.stdio[4] as Readable);
  void ended.then(() => connection.end());
  return attachPage(connection);
}

async function attachPage(connection: Connection): Promise<BrowserPage> {
  const { targetId } = await connection.call('Target.createTarget', { url: 'about:blank' });
  const attached = await connection.call('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = String(attached['sessionId']);
  const call: BrowserPage['call'] = (method, params = {}) =>
    connection.call(method, params, sessionId);
  const complaints: string[] = [];
  const requested: string[] = [];
  connection.listen('Runtime.exceptionThrown', (p) => complaints.push(JSON.stringify(p)));
  connection.listen('Runtime.consoleAPICalled', (p) => complaints.push(JSON.stringify(p)));
  connection.listen('Log.entryAdded', (p) => complaints.push(JSON.stringify(p)));
  connection.listen('Network.requestWillBeSent', ({ request }) => {
    requested.push((request as { url: string }).url);
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
  return {
    complaints,
    requested,
    call,
    evaluate: async <T>(expression: string) => {
      const answer = await call('Runtime.evaluate', {
        expression,
        returnByValue: true,
        awaitPromise: true,
      });
      if ('exceptionDetails' in answer) throw new Error(JSON.stringify(answer));
      return (answer['result'] as { value: T }).value;
    },
    open: async (url) => {
      const loaded = connection.next('Page.loadEventFired');
      await call('Page.navigate', { url });
      await loaded;
    },
  };
}

/** Messages of the DevTools protocol over a pair of pipes: JSON, each ended by a zero byte. */
class Connection {
  readonly #output: Writable;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  readonly #listeners: { method: string; listener: (params: Record<string, unknown>) => void }[] =
    [];
  #lastId = 0;
  #received = '';

  constructor(output: Writable, input: Readable) {
    this.#output = output;
    output.on('error', () => this.end());
    input.setEncoding('utf8').on('data', (text: string) => this.#take(text));
  }

  call(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    this.#lastId += 1;
    const call = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(this.#lastId, call);
    this.#output.write(`${JSON.stringify({ id: this.#lastId, method, params, sessionId })}\0`);
    return call.promise;
  }

  listen(method: string, listener: (params: Record<string, unknown>) => void): void {
    this.#listeners.push({ method, listener });
  }

  next(method: string): Promise<void> {
    return new Promise((resolve) => this.listen(method, () => resolve()));
  }

  /** Calls that wait get no answer any more. */
  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'));
    this.#waiting.clear();
  }

  #take(text: string): void {
    const parts = (this.#received + text).split('\0');
    this.#received = parts.pop() ?? '';
    for (const part of parts) this.#dispatch(JSON.parse(part) as ProtocolMessage);
  }

  #dispatch({ id, method, params = {}, result = {}, error }: ProtocolMessage): void {
    if (id === undefined) {
      for (const entry of this.#listeners) if (entry.method === method) entry.listener(params);
      return;
    }
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error.message));
  }
}
