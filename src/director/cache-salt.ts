import type { Served } from '../pool/fleet.ts';

/** Names what shares a prefix cache: one model or adapter in one pool. */
export function cacheSaltOf({ pool, model }: Served): string {
  return `${pool}\0${model}`;
}
