import type { Lab } from '../lib/lab.ts';
import { Worker } from '../lib/worker.ts';
import type { AnswerUpstreamCommands } from './answer-upstream.ts';
import type { EndpointFleetCommands } from './endpoint-fleet.ts';
import type { HttpClientCommands } from './http-client.ts';
import type { SseClientCommands } from './sse-client.ts';
import type { SseUpstreamCommands } from './sse-upstream.ts';

/** An upstream that is listening. */
export interface Upstream<Process> {
  readonly port: number;
  readonly process: Process;
}

/** Starts the upstream that reads whole bodies and gives short answers, on the load core. */
export async function startAnswerUpstream(
  lab: Lab,
): Promise<Upstream<Worker<AnswerUpstreamCommands>>> {
  const process = new Worker<AnswerUpstreamCommands>(
    new URL('./answer-upstream.ts', import.meta.url),
    placement(lab, 'upstream'),
  );
  return { process, port: await process.call('listen', null) };
}

/** Starts the streaming upstream on the load core. */
export async function startSseUpstream(lab: Lab): Promise<Upstream<Worker<SseUpstreamCommands>>> {
  const process = new Worker<SseUpstreamCommands>(
    new URL('./sse-upstream.ts', import.meta.url),
    placement(lab, 'streaming upstream'),
  );
  return { process, port: await process.call('listen', null) };
}

/** Starts the streaming client on the load core. */
export function startSseClient(lab: Lab): Worker<SseClientCommands> {
  const file = new URL('./sse-client.ts', import.meta.url);
  return new Worker(file, placement(lab, 'streaming client'));
}

/** Starts the load generator for plain requests on the load core; it posts `bodies` in turn. */
export async function startHttpClient(
  lab: Lab,
  bodies: readonly string[],
): Promise<Worker<HttpClientCommands>> {
  const client = new Worker<HttpClientCommands>(
    new URL('./http-client.ts', import.meta.url),
    placement(lab, 'load'),
  );
  await client.call('setBodies', bodies);
  return client;
}

/** Starts the process that plays many idle model servers, on the load core. */
export function startEndpointFleet(lab: Lab): Worker<EndpointFleetCommands> {
  const file = new URL('./endpoint-fleet.ts', import.meta.url);
  return new Worker(file, placement(lab, 'endpoint fleet'));
}

function placement(lab: Lab, name: string): { name: string; cpu: number; cleanup: Lab['cleanup'] } {
  return { name, cpu: lab.cpus.loadCpu, cleanup: lab.cleanup };
}
