import type { Fleet } from '../pool/fleet.ts';
import type { Route, RouteTable } from './routes.ts';
import { targetsOf } from './routes.ts';
import type { Refusal } from './types.ts';

/** Said when nothing is known of when an endpoint will be back. */
const RETRY_AFTER_UNKNOWN_MS = 1000;

/** Nobody knows the model; a server that has not answered yet may still turn out to. */
export function refuseUnknownModel(model: string, routes: RouteTable): Refusal {
  const silent = routes.silentServerCount;
  if (silent > 0) {
    const known = `No server that has answered so far serves "${model}"`;
    return {
      code: 'no_endpoint',
      message: `${known}; servers that have not answered yet: ${silent}.`,
      retryAfterMs: RETRY_AFTER_UNKNOWN_MS,
    };
  }
  const nearest = routes.nearest(model);
  const hint =
    nearest === null ? 'GET /v1/models lists the known ones.' : `Did you mean "${nearest}"?`;
  return {
    code: 'model_not_found',
    message: `The model "${model}" does not exist here. ${hint}`,
    retryAfterMs: null,
  };
}

/** The model is known, but none of its endpoints can be picked now. */
export function refuseNoEndpoint(model: string, route: Route, fleet: Fleet): Refusal {
  let retryAfterMs = Number.POSITIVE_INFINITY;
  let members = 0;
  for (const { served } of targetsOf(route)) {
    members += served.members.length;
    retryAfterMs = Math.min(retryAfterMs, fleet.retryAfterMs(served.members));
  }
  return {
    code: 'no_endpoint',
    message: `No endpoint can take a request for "${model}" now (${members} known, none available).`,
    retryAfterMs: Number.isFinite(retryAfterMs) ? retryAfterMs : RETRY_AFTER_UNKNOWN_MS,
  };
}
