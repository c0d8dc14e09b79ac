declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * Identifies an endpoint in configuration, metrics, the admin API and `x-penstock-endpoint`:
 * `host:port`, plus the path when there is one.
 */
export type EndpointId = Branded<string, 'EndpointId'>;
/** Name of a pool: configured, or derived from the base model its endpoints serve. */
export type PoolId = Branded<string, 'PoolId'>;
/** Name of a model as a client or an engine spells it. */
export type ModelName = Branded<string, 'ModelName'>;
/** Correlates one request in logs, decision records and upstream headers (`x-request-id`). */
export type RequestId = Branded<string, 'RequestId'>;

/** Marks a text as the id of an endpoint; nothing is checked. */
export function endpointId(text: string): EndpointId {
  return text as EndpointId;
}

/** Marks a text as the name of a pool; nothing is checked. */
export function poolId(text: string): PoolId {
  return text as PoolId;
}

/** Marks a text as the name of a model; nothing is checked. */
export function modelName(text: string): ModelName {
  return text as ModelName;
}

/** Marks a text as the id of a request; nothing is checked. */
export function requestId(text: string): RequestId {
  return text as RequestId;
}
