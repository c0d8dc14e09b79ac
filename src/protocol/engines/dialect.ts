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
  /**
   * `active`: serving requests now; `waiting`: requests wait for it; `loaded`: resident and idle.
   */
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

/**
 * Where one number of an `EngineReport` is found; of several sources the first with a series wins.
 */
export interface MetricSource {
  readonly metric: string;
  /** Keeps only series whose label has this value; a missing label counts as empty. */
  readonly where: { readonly label: string; readonly value: string } | null;
  /** Takes the number from this label instead of from the sample; for `…_info` metrics. */
  readonly fromLabel: string | null;
  /**
   * Series that agree on this label are copies of one number (tensor-parallel ranks) and count
   * once, by their largest value. Null: every series counts.
   */
  readonly distinctBy: string | null;
  /** How the series that are left become one number. */
  readonly combine: 'sum' | 'mean' | 'max';
}

/** Which adapters are resident, as an engine's metrics tell it. */
export interface AdapterSource {
  /**
   * An info metric whose labels are comma lists of names; the series with the largest value (Unix
   * time) holds.
   */
  readonly requestsInfo: {
    readonly metric: string;
    readonly runningLabel: string;
    readonly waitingLabel: string;
  };
  /** A gauge per resident adapter, above 0 while resident; null where the engine has none. */
  readonly loaded: {
    readonly metric: string;
    readonly nameLabel: string;
    /** Only series with this label value are resident on the accelerator. */
    readonly where: { readonly label: string; readonly value: string };
  } | null;
}

/** Numbers of an `EngineReport` that are read from metrics by name alone. */
export type ReportNumber = Exclude<keyof EngineReport, 'adapters'>;

/** How an engine's metrics become an `EngineReport`. */
export interface EngineMetrics {
  /** Paths of the exposition, in the order to try. */
  readonly paths: readonly string[];
  /** Another port of the same host that may serve the exposition when the server's own does not. */
  readonly alternativePort: number | null;
  /**
   * Whether a scrape counts as work for the engine and keeps an idle one from going to sleep. Such
   * an engine is asked for its metrics only while it has traffic, and for its health otherwise.
   */
  readonly wakesEngine: boolean;
  /**
   * Whether the exposition may take `name[]` parameters to leave out all other metrics, as
   * `prometheus_client` does unless several processes share a registry. It spares the engine more
   * than it spares us; an answer without the numbers means that it does not work there.
   */
  readonly filtersByName: boolean;
  readonly sources: Readonly<Record<ReportNumber, readonly MetricSource[]>>;
  readonly adapters: AdapterSource | null;
}

/** A JSON path: object keys and array indexes, outermost first. */
export type JsonPath = readonly (string | number)[];

/** A fact that a JSON answer of the engine holds. */
export interface FactSource {
  readonly fact: 'version' | 'blockSizeTokens' | 'blockCount' | 'maxRunning' | 'contextTokens';
  readonly path: string;
  readonly at: JsonPath;
}

/**
 * One piece of evidence that a server is of an engine, with how much it proves: `weight` is the
 * probability, 0 to 1, that a server with this sign is of the engine.
 */
export type EngineSign =
  /** A model in the OpenAI list has this owner (compared without case). */
  | { readonly kind: 'owner'; readonly owner: string; readonly weight: number }
  /** A metric has a name with this prefix. */
  | { readonly kind: 'metric'; readonly prefix: string; readonly weight: number }
  /** The `server` header contains this text (compared without case). */
  | { readonly kind: 'server'; readonly contains: string; readonly weight: number }
  /** A successful JSON answer at `path` has a value at every one of these places. */
  | {
      readonly kind: 'json';
      readonly path: string;
      readonly has: readonly JsonPath[];
      readonly weight: number;
    }
  /** A successful answer at `path` contains this text. */
  | {
      readonly kind: 'text';
      readonly path: string;
      readonly contains: string;
      readonly weight: number;
    };

/** Which list names the models: OpenAI's `/v1/models`, or Ollama's `/api/tags`. */
export interface ModelListSource {
  readonly path: string;
  readonly format: 'openai' | 'ollama';
}

/** All that is known of one engine, as data. */
export interface EngineDialect {
  readonly engine: EngineName;
  /** The name that people read. */
  readonly title: string;
  readonly signs: readonly EngineSign[];
  readonly modelList: ModelListSource;
  /** Null: the engine reports no metrics; only the ledger counts. */
  readonly metrics: EngineMetrics | null;
  /** Answered with 200 when healthy and, by some engines, 503 while loading. */
  readonly healthPath: string;
  /** Of several sources of one fact the first that has it wins. */
  readonly facts: readonly FactSource[];
  /**
   * Tells by a JSON boolean that the engine sleeps and must not be sent requests; null: never
   * sleeps.
   */
  readonly sleep: { readonly path: string; readonly at: JsonPath } | null;
}
