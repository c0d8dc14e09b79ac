import { AGENTGATEWAY, KV_CACHE_WINS } from './published-qwen.ts';
import { EKS, EKS_FEW, EKS_MANY, GKE } from './published-small.ts';
import type { PublishedSetup } from './published-types.ts';

/** Every published measurement of routing, in the order of the page. */
export const PUBLISHED_SETUPS: readonly PublishedSetup[] = Object.freeze([
  EKS,
  EKS_FEW,
  EKS_MANY,
  AGENTGATEWAY,
  KV_CACHE_WINS,
  GKE,
]);

/** Those that take a second or two together, for tests. */
export const QUICK_SETUPS: readonly PublishedSetup[] = Object.freeze([EKS, GKE]);
