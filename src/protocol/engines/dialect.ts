/** Engines whose servers are recognised; `generic` is any other OpenAI-compatible server. */
export type EngineName =
  | 'vllm'
  | 'sglang'
  | 'trtllm-serve'
  | 'triton-tensorrt-llm'
  | 'tgi'
  | 'llama-cpp'
  | 'ollama'
  | 'lmdeploy'
  | 'generic';

/** One adapter as an engine reports it. */
export interface AdapterReport {
  readonly name: string;
  /** `active`: serving requests now; `waiting`: requests wait for it; `loaded`: resident and idle. */
  readonly state: 'active' | 'waiting' | 'loaded';
}

/** What one scrape of an engine's metrics says; null where the engine does not report it. */
export interface EngineReport {
  /** Requests queued in the engine and not yet scheduled. */
  readonly waiting: number | null;
  /** Requests being prefilled or decoded. */
  readonly running: number | null;
  /** Share of KV-cache blocks in use, 0 to 1. */
  readonly kvCacheUsage: number | null;
  /** Tokens per KV-cache block. */
  readonly blockSizeTokens: number | null;
  /** KV-cache blocks in all. */
  readonly blockCount: number | null;
  /** Adapters with a known state; null when the engine reports none at all. */
  readonly adapters: readonly AdapterReport[] | null;
  /** Adapters that fit at once. */
  readonly adapterSlots: number | null;
  /** Counters that only grow while the process lives; a step back means a restart. */
  readonly promptTokensTotal: number | null;
  readonly generationTokensTotal: number | null;
  readonly prefixCacheQueriesTotal: number | null;
  readonly prefixCacheHitsTotal: number | null;
  /** Unix seconds at which the engine's process started. */
  readonly processStartTimeSeconds: number | null;
}

/** A model or adapter that an endpoint says it serves. */
export interface ServedModelFact {
  readonly id: string;
  /** For an adapter, the model it belongs to; null for a base model. */
  readonly baseModel: string | null;
  /** Longest context in tokens; null when not reported. */
  readonly contextTokens: number | null;
}

/** What probing one server has taught. */
export interface EndpointFacts {
  readonly engine: EngineName;
  readonly version: string | null;
  readonly models: readonly ServedModelFact[];
  readonly blockSizeTokens: number | null;
  readonly blockCount: number | null;
  /** Requests the engine runs at once; null when not reported. */
  readonly maxRunning: number | null;
}
