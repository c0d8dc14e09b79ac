import type { EndpointSpec, EndpointTls } from '../pool/endpoint.ts';
import type { EngineName } from '../protocol/engines/dialect.ts';

/** Receives the whole list, each time that it has changed. */
export type EndpointsChanged = (specs: readonly EndpointSpec[]) => void;

/** Where a pool's endpoints come from. */
export interface EndpointSource {
  /** Begins to watch. `onChange` gets every list, the first one as soon as it is known. */
  start(onChange: EndpointsChanged): void;
  /** Stops watching; `onChange` is not called again. Idempotent. */
  close(): Promise<void>;
}

/** What a pool sets for every endpoint that a source finds. */
export interface EndpointDefaults {
  readonly labels: Readonly<Record<string, string>>;
  readonly engine: EngineName | null;
  readonly models: readonly string[] | null;
  readonly tls: EndpointTls | null;
}

/** Nothing set: engine and models are found out by probing. */
export const NO_DEFAULTS: EndpointDefaults = Object.freeze({
  labels: Object.freeze({}),
  engine: null,
  models: null,
  tls: null,
});
