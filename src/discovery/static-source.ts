import type { EndpointSpec } from '../pool/endpoint.ts';
import type { EndpointsChanged, EndpointSource } from './sources.ts';

/** A list that never changes; it is handed out within `start`. */
export function createStaticSource(specs: readonly EndpointSpec[]): EndpointSource {
  return {
    start: (onChange: EndpointsChanged): void => {
      onChange(specs);
    },
    close: () => Promise.resolve(),
  };
}
