import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchFailure } from './failure.ts';

/**
 * Below the kernel's ephemeral range (32768 and up), so that no outgoing connection of the load can
 * be sitting on a port that a server is about to take.
 */
const FIRST_PORT = 21_000;
const PORT_SPAN = 9_000;
const PORT_ATTEMPTS = 50;

/** A port on 127.0.0.1 that nobody listens on now. */
export async function pickFreePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_SPAN);
    if (await canListen(port)) return port;
  }
  throw new BenchFailure(`no free port found in ${FIRST_PORT}-${FIRST_PORT + PORT_SPAN}`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks `isReady` every 25 ms until it says yes; fails with `what` after `timeoutMs`. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await isReady())) {
    if (performance.now() > deadlineMs) {
      throw new BenchFailure(`${what} was not ready after ${timeoutMs} ms`);
    }
    await sleep(25);
  }
}

/** Whether something accepts connections on `port`. */
export function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000);
    const settle = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}
