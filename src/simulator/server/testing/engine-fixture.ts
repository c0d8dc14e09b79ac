import type { TestContext } from 'node:test';
import { createSystemClock } from '../../../cli/system-clock.ts';
import { createRng } from '../../../core/rng.ts';
import type { EngineServerOptions } from '../engine-options.ts';
import { createEngineServer, type EngineServer } from '../server.ts';

/**
 * A real server on a free port, twenty times faster than the demo profile, closed after the test.
 */
export async function startEngine(
  context: TestContext,
  options: EngineServerOptions = {},
): Promise<EngineServer> {
  const server = await createEngineServer({
    models: ['base-model'],
    speed: 20,
    ...options,
    clock: createSystemClock(),
    rng: createRng(7),
  });
  context.after(() => server.close());
  return server;
}

/** Sends a JSON body and reads the answer as text. */
export async function post(
  server: EngineServer,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A small chat request. */
export function chat(content: string, extra: Readonly<Record<string, unknown>> = {}): object {
  return { model: 'base-model', messages: [{ role: 'user', content }], ...extra };
}

/** Waits until `isTrue`, looking every few milliseconds for at most five seconds. */
export async function eventually(isTrue: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (isTrue()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  throw new Error(`still not true: ${what}`);
}
