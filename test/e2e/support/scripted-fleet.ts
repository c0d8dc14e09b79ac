import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { DecisionRecord } from '../../../src/telemetry/decision-log.ts';
import type { TestGateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
import type { ScriptedServer, Visit, VisitHandler } from './scripted-server.ts';
import { chatAnswer, startScriptedServer } from './scripted-server.ts';

/** Model servers of which the test decides every byte, and a gateway in front. */
export interface ScriptedFleet {
  readonly gateway: TestGateway;
  readonly servers: readonly ScriptedServer[];
  /** What the next requests get, whichever server they reach; the last one goes on for ever. */
  readonly script: (...turns: readonly VisitHandler[]) => void;
}

/** Answers a chat completion. */
export const answerWell: VisitHandler = (visit) => {
  visit.reply(200, chatAnswer());
};

/** Starts `count` servers that answer well, and a gateway; `more` is further YAML. */
export async function startScriptedFleet(
  t: TestContext,
  count: number,
  more = '',
): Promise<ScriptedFleet> {
  let turns: VisitHandler[] = [answerWell];
  const handle = (visit: Visit): void | Promise<void> => {
    const turn = turns.length > 1 ? turns.shift()! : turns[0]!;
    return turn(visit);
  };
  const servers = await Promise.all(
    Array.from({ length: count }, () => startScriptedServer(t, { handle })),
  );
  const urls = servers.map(({ url }) => `'${url}'`).join(', ');
  const gateway = await startGateway(t, `servers: [${urls}]\n${more}`);
  return {
    gateway,
    servers,
    script: (...next) => {
      turns = [...next];
    },
  };
}

/** How a chat request is sent. */
export interface AskOptions {
  readonly stream?: boolean;
  /** `x-request-id`; `asked` when not given. */
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a chat request. */
export async function ask(gateway: TestGateway, options: AskOptions = {}): Promise<Response> {
  const { stream = false, id = 'asked', headers = {}, signal } = options;
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
    body: JSON.stringify({
      model: 'scripted',
      stream,
      messages: [{ role: 'user', content: 'Hi' }],
    }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Code of an OpenAI error. */
export async function errorCode(response: Response): Promise<string | null> {
  const body = (await response.json()) as { error: { code: string | null } };
  return body.error.code;
}

/** The decision on a request. */
export async function decision(gateway: TestGateway, id = 'asked'): Promise<DecisionRecord> {
  return (await (await fetch(`${gateway.adminUrl}/api/decisions/${id}`)).json()) as DecisionRecord;
}

/** Results of the attempts, after a look that no endpoint was tried twice. */
export function resultsOf({ attempts }: DecisionRecord): readonly string[] {
  assert.equal(new Set(attempts.map(({ endpoint }) => endpoint)).size, attempts.length);
  return attempts.map(({ result }) => result);
}

/** Requests that reached the servers, probes not counted. */
export function visitCount(servers: readonly ScriptedServer[]): number {
  return servers.reduce((sum, { visits }) => sum + visits.length, 0);
}

/** A metric's value at these labels; 0 when there is no such series. */
export async function metric(gateway: TestGateway, name: string, labels: string): Promise<number> {
  return (await gateway.metric(name)).get(labels) ?? 0;
}
