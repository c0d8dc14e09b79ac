import type { TestContext } from 'node:test';
import type { TestGateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
import type { ScriptedServer, VisitHandler } from './scripted-server.ts';
import { configFor, startScriptedServer } from './scripted-server.ts';

/** A model server of which the test decides every byte, and a gateway in front. */
export interface ScriptedWorld {
  readonly server: ScriptedServer;
  readonly gateway: TestGateway;
}

/** Starts both; `more` is further YAML. */
export async function startScriptedWorld(
  t: TestContext,
  handle: VisitHandler,
  more = '',
): Promise<ScriptedWorld> {
  const server = await startScriptedServer(t, { handle });
  return { server, gateway: await startGateway(t, configFor(server, more)) };
}
