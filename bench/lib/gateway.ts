import { startRawProxy } from '../reference/reference.ts';
import { Child } from './child.ts';
import { BenchFailure } from './failure.ts';
import type { Lab } from './lab.ts';
import { pickFreePort, waitUntil } from './ports.ts';
import type { Target } from './target.ts';

const START_TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 1_000;

/** Starts what is measured in front of one upstream, and waits until it is ready to serve. */
export async function startSubject(lab: Lab, upstreamPort: number): Promise<Target> {
  return lab.subject === 'raw-proxy'
    ? startRawProxy(lab, upstreamPort)
    : startGateway(lab, [upstreamPort]);
}

/** How a gateway differs from one as most people start it. */
export interface GatewayVariant {
  /** For tables. */
  readonly name: string;
  /** Further arguments of `penstock up`. */
  readonly args: readonly string[];
}

const PLAIN: GatewayVariant = { name: 'penstock', args: [] };

/**
 * Starts the gateway as its users do, with one `--server` per upstream port, on the proxy's core;
 * waits until the admin port reports it ready.
 */
export async function startGateway(
  lab: Lab,
  upstreamPorts: readonly number[],
  variant: GatewayVariant = PLAIN,
): Promise<Target> {
  const port = await pickFreePort();
  const adminPort = await pickFreePort();
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const servers = upstreamPorts.flatMap((upstream) => ['--server', `http://127.0.0.1:${upstream}`]);
  const listeners = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${adminPort}`];
  const profile = lab.profileDir === null ? [] : ['--cpu-prof', '--cpu-prof-dir', lab.profileDir];
  const command = [
    process.execPath,
    ...profile,
    main,
    'up',
    ...servers,
    ...listeners,
    '--log-level',
    'warn',
    ...variant.args,
  ];
  const child = new Child(command, {
    name: 'penstock',
    cpu: lab.cpus.proxyCpu,
    cleanup: lab.cleanup,
    channel: 'none',
  });
  try {
    await waitUntil('penstock', START_TIMEOUT_MS, () => {
      child.assertRunning();
      return answersOk(`http://127.0.0.1:${adminPort}/readyz`);
    });
  } catch (cause) {
    throw new BenchFailure(`penstock did not start:\n${child.logTail}`, { cause });
  }
  return { name: variant.name, port, pid: child.pid, stop: () => child.stop() };
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
