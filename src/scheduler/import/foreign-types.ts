/** What becomes of a plugin type of llm-d's endpoint picker that is no plugin of Penstock. */
export type ForeignType =
  /** What it does is always done here; its parameters are known, and mean nothing. */
  | {
      readonly kind: 'built-in';
      readonly parameters: readonly string[];
      /** Why its parameters mean nothing; empty when it has none. */
      readonly instead: string;
    }
  /** Another name of one of our types. */
  | { readonly kind: 'alias'; readonly type: string }
  /** It cannot be honoured. */
  | { readonly kind: 'missing'; readonly reason: string; readonly nearest: string };

function builtIn(parameters: readonly string[] = [], instead = ''): ForeignType {
  return { kind: 'built-in', parameters, instead };
}

function missing(reason: string, nearest: string): ForeignType {
  return { kind: 'missing', reason, nearest };
}

const ONE_PROFILE = 'prefill and decode on separate endpoints are not supported';
const ONE_PROFILE_NEAREST = 'a single profile with "decode-filter"';
const MANY_CLUSTERS = 'endpoints of other clusters are declared as endpoints of a pool';
const NO_FLOW_CONTROL = 'requests are neither queued nor shed by the gateway';
const NO_QUEUE_NEAREST = '"utilization-filter", which spares endpoints that are full';
const ENGINE_METRICS = 'metrics are read as the engines are known to report them';
const OWN_DISCOVERY = 'endpoints come from the pools of the configuration';
const NO_TOPOLOGY = 'no topology is known beside labels';

/**
 * Plugin types of llm-d's endpoint picker and its predecessors, except those that are ours by the
 * same name. Facts of llm-d-router at v0.10.
 */
export const FOREIGN_TYPES: Readonly<Record<string, ForeignType>> = Object.freeze({
  'single-profile-handler': builtIn(),
  'token-producer': builtIn(
    ['backend', 'vllm', 'estimate', 'modelName'],
    'tokens are estimated from bytes, with a ratio learned per model',
  ),
  'approx-prefix-cache-producer': builtIn(
    [
      'autoTune',
      'blockSizeTokens',
      'maxPrefixBlocksToMatch',
      'maxPrefixTokensToMatch',
      'lruCapacityPerServer',
    ],
    'the prefix index has blocks of 256 bytes, sizes itself by the caches engines report, and ' +
      'learns from the cached tokens they report',
  ),
  'inflight-load-producer': builtIn(
    ['addEstimatedOutputTokens', 'outputRatio', 'maxEstimatedOutputTokens'],
    'the ledger books prompt and expected output tokens of every request',
  ),
  'predicted-latency-producer': builtIn(
    [
      'samplingMean',
      'maxDecodeTokenSamplesForPrediction',
      'sloBufferFactor',
      'contextTTL',
      'streamingMode',
      'endpointRoleLabel',
      'predictInProduce',
      'useEncoderCacheFeatures',
    ],
    'the latency model learns online from the gateway’s own observations',
  ),
  'metrics-data-source': builtIn(
    ['scheme', 'path', 'insecureSkipVerify', 'interval'],
    ENGINE_METRICS,
  ),
  'core-metrics-extractor': builtIn(['defaultEngine', 'engineConfigs'], ENGINE_METRICS),
  'models-data-source': builtIn(['scheme', 'path', 'insecureSkipVerify'], ENGINE_METRICS),
  'models-data-extractor': builtIn(),
  'openai-parser': builtIn(),
  'anthropic-parser': builtIn(),
  'passthrough-parser': builtIn(),
  'vllmhttp-parser': builtIn(),
  'utilization-detector': builtIn(
    ['queueDepthThreshold', 'kvCacheUtilThreshold', 'metricsStalenessThreshold', 'headroom'],
    NO_FLOW_CONTROL,
  ),
  'concurrency-detector': builtIn(
    ['concurrencyMode', 'maxConcurrency', 'maxTokenConcurrency', 'headroom'],
    NO_FLOW_CONTROL,
  ),
  'fcfs-ordering-policy': builtIn(),
  'global-strict-fairness-policy': builtIn(),
  'static-usage-limit-policy': builtIn(['threshold'], NO_FLOW_CONTROL),

  'by-label-selector': { kind: 'alias', type: 'label-selector-filter' },

  'topology-affinity-filter': missing(NO_TOPOLOGY, '"label-selector-filter" on a zone label'),
  'topology-affinity-scorer': missing(NO_TOPOLOGY, '"header-label-affinity-scorer"'),
  'topology-extractor': missing(NO_TOPOLOGY, 'labels of the endpoints'),
  'header-based-testing-filter': missing('it is for tests only', '"session-affinity-filter"'),
  'precise-prefix-cache-scorer': missing(
    'engines’ KV events are not subscribed to',
    '"prefix-cache-scorer", whose index is corrected by reported cached tokens',
  ),
  'precise-prefix-cache-producer': missing(
    'engines’ KV events are not subscribed to',
    '"approx-prefix-cache-producer"; the index is corrected by reported cached tokens',
  ),
  'burst-prefix-cache-producer': missing(
    'requests are not held back to be batched',
    '"approx-prefix-cache-producer"; a pick sees what was booked before it at once',
  ),
  'p2p-source-producer': missing(
    'KV blocks are not moved between engines',
    '"prefix-cache-scorer"',
  ),
  'mm-embeddings-cache-scorer': missing(
    'caches of image and sound embeddings are not tracked',
    '"prefix-cache-scorer", as media in the prompt are part of its prefix',
  ),
  'mm-embeddings-cache-producer': missing(
    'caches of image and sound embeddings are not tracked',
    '"approx-prefix-cache-producer"',
  ),
  'endpoint-attribute-scorer': missing(
    'custom metrics of engines are not read',
    '"queue-scorer", "kv-cache-utilization-scorer" or "endpoint-attribute-filter"',
  ),
  'session-id-producer': missing(
    'sessions are not remembered',
    '"consistent-hash" over the session’s header',
  ),
  'agent-identity': missing(
    'sessions are not remembered',
    '"consistent-hash" over the agent’s session header',
  ),
  'disagg-profile-handler': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'pd-profile-handler': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'disagg-headers-handler': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'prefill-header-handler': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'header-profile-handler': missing(
    'a header does not choose the profile',
    'a single profile; "label-selector-filter" narrows it',
  ),
  'data-parallel-profile-handler': missing(
    'ranks are endpoints of their own',
    'an endpoint per port in the pool',
  ),
  'prefix-based-pd-decider': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'always-disagg-pd-decider': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'always-disagg-multimodal-decider': missing(ONE_PROFILE, ONE_PROFILE_NEAREST),
  'disaggregatedset-rollout-screener': missing(
    'rollouts are not watched',
    '"label-selector-filter" on the revision label',
  ),
  'latency-slo-admitter': missing(NO_FLOW_CONTROL, '"slo-headroom-tier-filter"'),
  'probabilistic-admitter': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'round-robin-fairness-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'program-aware-fairness': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'edf-ordering-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'slo-deadline-ordering-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'priority-holdback-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'soft-reflective-ceiling-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'sheddable-eviction-filter': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'priority-then-time-eviction-order-policy': missing(NO_FLOW_CONTROL, NO_QUEUE_NEAREST),
  'multicluster-session-affinity-filter': missing(MANY_CLUSTERS, '"session-affinity-filter"'),
  'multicluster-queue-scorer': missing(MANY_CLUSTERS, '"queue-scorer"'),
  'multicluster-kv-cache-utilization-scorer': missing(
    MANY_CLUSTERS,
    '"kv-cache-utilization-scorer"',
  ),
  'multicluster-prefix-cache-scorer': missing(MANY_CLUSTERS, '"prefix-cache-scorer"'),
  'multicluster-approx-prefix-cache-producer': missing(
    MANY_CLUSTERS,
    '"approx-prefix-cache-producer"',
  ),
  'multicluster-metrics-data-source': missing(MANY_CLUSTERS, '"metrics-data-source"'),
  'multicluster-metrics-extractor': missing(MANY_CLUSTERS, '"core-metrics-extractor"'),
  'multicluster-file-discovery': missing(OWN_DISCOVERY, '"file" of a pool'),
  'file-discovery': missing(OWN_DISCOVERY, '"file" of a pool'),
  'k8s-notification-source': missing(OWN_DISCOVERY, '"dns" or "file" of a pool'),
  'endpoint-notification-source': missing(OWN_DISCOVERY, '"dns" or "file" of a pool'),
  'dcgm-data-source': missing('GPU metrics are not read', '"kv-cache-utilization-scorer"'),
  'dcgm-extractor': missing('GPU metrics are not read', '"kv-cache-utilization-scorer"'),
  'vllmgrpc-parser': missing('requests come over HTTP', '"vllmhttp-parser"'),
  'sglanghttp-parser': missing('SGLang’s own request format is not read', '"openai-parser"'),
  'vertexai-parser': missing('Vertex AI’s request format is not read', '"openai-parser"'),
  'request-attribute-reporter': missing(
    'no attributes are reported to a proxy',
    'token counts in the metrics',
  ),
  'destination-endpoint-served-verifier': missing('it is for tests only', 'no plugin at all'),
  'low-queue-filter': missing('it left the endpoint picker', '"utilization-filter"'),
  'least-queue-filter': missing('it left the endpoint picker', '"queue-scorer"'),
  'least-kv-cache-filter': missing('it left the endpoint picker', '"kv-cache-utilization-scorer"'),
  'lora-affinity-filter': missing('it left the endpoint picker', '"lora-affinity-scorer"'),
  'decision-tree-filter': missing('it left the endpoint picker', 'filters and weighted scorers'),
});

/** Parameters of our types that the original has and that mean nothing here, with the reason. */
export const DROPPED_PARAMETERS: Readonly<Record<string, Readonly<Record<string, string>>>> =
  Object.freeze({
    'active-request-scorer': { requestTimeout: 'requests leave the ledger when they end' },
    'no-hit-lru-scorer': {
      prefixPluginType: 'there is one prefix index',
      prefixPluginName: 'there is one prefix index',
    },
    'prefix-cache-scorer': {
      autoTune: 'the prefix index sizes itself',
      blockSize: 'blocks of the prefix index are 256 bytes',
      blockSizeTokens: 'blocks of the prefix index are 256 bytes',
      hashBlockSize: 'blocks of the prefix index are 256 bytes',
      maxPrefixBlocksToMatch: 'the whole prompt is matched',
      maxPrefixTokensToMatch: 'the whole prompt is matched',
      lruCapacityPerServer: 'the prefix index sizes itself',
      mode: 'the prefix index is approximate, corrected by reported cached tokens',
    },
  });

/** Parameters that name the plugin which makes the data; here there is one of each. */
export const PRODUCER_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({
  prefixMatchInfoProducerName: 'approx-prefix-cache-producer',
  inFlightLoadProducerName: 'inflight-load-producer',
  latencyPredictionInfoProducerName: 'predicted-latency-producer',
});
