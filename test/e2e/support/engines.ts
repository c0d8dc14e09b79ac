import type { TestContext } from 'node:test';
import { createSystemClock } from '../../../src/cli/system-clock.ts';
import { createRng } from '../../../src/core/rng.ts';
import type { EngineServerOptions } from '../../../src/simulator/server/engine-options.ts';
import { createEngineServer, type EngineServer } from '../../../src/simulator/server/server.ts';

/** A simulated model server that is closed with the test. */
export async function startEngine(
  t: TestContext,
  options: EngineServerOptions = {},
): Promise<EngineServer> {
  const rng = createRng(options.seed ?? 1);
  const engine = await createEngineServer({ clock: createSystemClock(), rng, ...options });
  t.after(() => engine.close());
  return engine;
}

/** One for each of these models, with seeds from 0. */
export function startEngines(
  t: TestContext,
  models: readonly string[],
): Promise<readonly EngineServer[]> {
  return Promise.all(models.map(async (model, seed) => startEngine(t, { models: [model], seed })));
}

/** So many that serve the same model. */
export function startReplicas(
  t: TestContext,
  count: number,
  model = 'chat-model',
): Promise<readonly EngineServer[]> {
  return startEngines(
    t,
    Array.from({ length: count }, () => model),
  );
}

/** A line of configuration with these servers. */
export function serversLine(servers: readonly { readonly url: string }[]): string {
  return `servers: [${servers.map(({ url }) => `'${url}'`).join(', ')}]\n`;
}
