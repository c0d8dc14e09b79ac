import type { PickInput } from '../types.ts';

/** Requests on an endpoint: ours in flight, and those that only the engine knows of. */
export function requestsOn({ load }: PickInput, slot: number): number {
  return (load.requestsInFlight[slot] as number) + (load.foreignRequests[slot] as number);
}
