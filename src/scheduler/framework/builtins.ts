import { ENDPOINT_ATTRIBUTE_FILTER } from '../filters/endpoint-attribute.ts';
import { LABEL_SELECTOR_FILTER } from '../filters/label-selector.ts';
import { PREFIX_CACHE_AFFINITY_FILTER } from '../filters/prefix-cache-affinity.ts';
import { DECODE_FILTER, ENCODE_FILTER, PREFILL_FILTER } from '../filters/role.ts';
import { SESSION_AFFINITY_FILTER } from '../filters/session-affinity.ts';
import { SLO_HEADROOM_TIER_FILTER } from '../filters/slo-headroom-tier.ts';
import { UTILIZATION_FILTER } from '../filters/utilization.ts';
import { MAX_SCORE_PICKER } from '../pickers/max-score.ts';
import { POWER_OF_TWO_PICKER } from '../pickers/power-of-two.ts';
import { RANDOM_PICKER } from '../pickers/random.ts';
import { ROUND_ROBIN_PICKER } from '../pickers/round-robin.ts';
import { WEIGHTED_RANDOM_PICKER } from '../pickers/weighted-random.ts';
import { ACTIVE_REQUEST_SCORER } from '../scorers/active-request.ts';
import { ADAPTER_RESIDENCY_SCORER } from '../scorers/adapter-residency.ts';
import { CONSISTENT_HASH_SCORER } from '../scorers/consistent-hash.ts';
import { CONTEXT_LENGTH_AWARE } from '../scorers/context-length-aware.ts';
import { DYNAMO_KV_SCORER } from '../scorers/dynamo-kv.ts';
import { HEADER_LABEL_AFFINITY_SCORER } from '../scorers/header-label-affinity.ts';
import { KV_CACHE_HEADROOM_SCORER } from '../scorers/kv-cache-headroom.ts';
import { KV_CACHE_UTILIZATION_SCORER } from '../scorers/kv-cache-utilization.ts';
import { LATENCY_SCORER } from '../scorers/latency.ts';
import { LOAD_AWARE_SCORER } from '../scorers/load-aware.ts';
import { LORA_AFFINITY_SCORER } from '../scorers/lora-affinity.ts';
import { NO_HIT_LRU_SCORER } from '../scorers/no-hit-lru.ts';
import { PREDICTED_WORK_SCORER } from '../scorers/predicted-work.ts';
import { PREFIX_CACHE_SCORER } from '../scorers/prefix-cache.ts';
import { PREFIX_HASH_SCORER } from '../scorers/prefix-hash.ts';
import { QUEUE_SCORER } from '../scorers/queue.ts';
import { RUNNING_REQUESTS_SIZE_SCORER } from '../scorers/running-requests-size.ts';
import { SESSION_AFFINITY_SCORER } from '../scorers/session-affinity.ts';
import { SGLANG_CACHE_AWARE_SCORER } from '../scorers/sglang-cache-aware.ts';
import { SOONEST_SCORER } from '../scorers/soonest.ts';
import { TOKEN_LOAD_SCORER } from '../scorers/token-load.ts';
import type { PluginDefinition } from './plugin.ts';

/** Every plugin that Penstock comes with, in the order of the reference page. */
export const BUILTIN_PLUGINS: readonly PluginDefinition[] = Object.freeze([
  LABEL_SELECTOR_FILTER,
  DECODE_FILTER,
  PREFILL_FILTER,
  ENCODE_FILTER,
  PREFIX_CACHE_AFFINITY_FILTER,
  SLO_HEADROOM_TIER_FILTER,
  SESSION_AFFINITY_FILTER,
  UTILIZATION_FILTER,
  ENDPOINT_ATTRIBUTE_FILTER,

  SOONEST_SCORER,
  PREDICTED_WORK_SCORER,
  KV_CACHE_HEADROOM_SCORER,
  ADAPTER_RESIDENCY_SCORER,
  QUEUE_SCORER,
  RUNNING_REQUESTS_SIZE_SCORER,
  KV_CACHE_UTILIZATION_SCORER,
  ACTIVE_REQUEST_SCORER,
  LOAD_AWARE_SCORER,
  TOKEN_LOAD_SCORER,
  LORA_AFFINITY_SCORER,
  PREFIX_CACHE_SCORER,
  NO_HIT_LRU_SCORER,
  CONTEXT_LENGTH_AWARE,
  LATENCY_SCORER,
  SESSION_AFFINITY_SCORER,
  HEADER_LABEL_AFFINITY_SCORER,
  CONSISTENT_HASH_SCORER,
  PREFIX_HASH_SCORER,
  SGLANG_CACHE_AWARE_SCORER,
  DYNAMO_KV_SCORER,

  MAX_SCORE_PICKER,
  RANDOM_PICKER,
  WEIGHTED_RANDOM_PICKER,
  POWER_OF_TWO_PICKER,
  ROUND_ROBIN_PICKER,
]);
