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

export function endpointId(text: string): EndpointId {
  return text as EndpointId;
}

export function poolId(text: string): PoolId {
  return text as PoolId;
}

export function modelName(text: string): ModelName {
  return text as ModelName;
}

export function requestId(text: string): RequestId {
  return text as RequestId;
}
