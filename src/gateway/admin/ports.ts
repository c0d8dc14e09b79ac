import type { Result } from '../../core/result.ts';
import type { DecisionLog, DecisionRecord } from '../../telemetry/decision-log.ts';

/** Whether this replica should be sent traffic. */
export interface Readiness {
  readonly isReady: boolean;
  /** Why not, one sentence each; empty when ready. */
  readonly reasons: readonly string[];
}

/** One thing that is wrong with a configuration. */
export interface ReloadProblem {
  /** Where in the configuration, for example `pools[0].name`; empty for the whole. */
  readonly path: string;
  /** Line in the file, from 1; null when not known. */
  readonly line: number | null;
  readonly message: string;
}

/** How a reload ended. */
export interface ReloadResult {
  /** False: the configuration before is still in effect. */
  readonly ok: boolean;
  readonly problems: readonly ReloadProblem[];
}

/** Load of one endpoint, as booked by this gateway. */
export interface InFlightState {
  readonly requests: number;
  /** Prompt tokens not yet prefilled plus expected output tokens. */
  readonly tokens: number;
  /** Of those, prompt tokens whose first output token has not come. */
  readonly prefillTokens: number;
}

/** What an engine last reported; null where it does not say. */
export interface ReportState {
  readonly ageMs: number;
  readonly waiting: number | null;
  readonly running: number | null;
  /** Share of KV-cache blocks in use, 0 to 1. */
  readonly kvCacheUsage: number | null;
}

/** One model server. */
export interface EndpointState {
  /** `host:port`, plus the path when there is one. */
  readonly id: string;
  readonly url: string;
  readonly pool: string | null;
  /** Recognised or configured engine; null before the first answer. */
  readonly engine: string | null;
  readonly version: string | null;
  /** `ready`, `probing`, `unreachable`, `ejected`, `draining` or `removed`. */
  readonly state: string;
  /** Why it is not ready; null when it is. */
  readonly reason: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Models and adapters it says it serves. */
  readonly models: readonly string[];
  readonly inFlight: InFlightState;
  /** Null before the first report. */
  readonly report: ReportState | null;
}

/** One pool with its members. */
export interface PoolState {
  readonly id: string;
  /** Null when the members have several base models or none is known yet. */
  readonly baseModel: string | null;
  /** Ids of its endpoints. */
  readonly endpoints: readonly string[];
}

/** One place to which a model name leads. */
export interface RouteTargetState {
  readonly pool: string;
  /** Name sent upstream. */
  readonly model: string;
  readonly weight: number;
  /** Endpoints that serve it. */
  readonly endpointCount: number;
  /** Of those, the ones that may be picked now. */
  readonly availableCount: number;
}

/** One model name that clients may use. */
export interface RouteState {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly targets: readonly RouteTargetState[];
}

/** Configuration in effect and what became of the last try to change it. */
export interface ConfigState {
  /** 1 at the start, plus 1 for every reload that took effect. */
  readonly generation: number;
  /** Path of the file; null without one. */
  readonly file: string | null;
  /** When the configuration in effect was loaded, Unix milliseconds. */
  readonly loadedAtMs: number;
  /** Problems of the last reload, when it failed; null when the last one took effect. */
  readonly lastReloadError: {
    readonly atMs: number;
    readonly problems: readonly ReloadProblem[];
  } | null;
}

/** The answer of `GET /api/state`; documented in docs/reference/admin-api.md. */
export interface AdminState {
  readonly build: { readonly version: string; readonly node: string };
  /** Start of the process, Unix milliseconds. */
  readonly startedAtMs: number;
  readonly uptimeSeconds: number;
  readonly readiness: Readiness;
  readonly config: ConfigState;
  /** Requests whose answer has not ended. */
  readonly openRequests: number;
  readonly pools: readonly PoolState[];
  readonly endpoints: readonly EndpointState[];
  readonly routes: readonly RouteState[];
}

/** What the admin server shows and does; the composition wires it to the running gateway. */
export interface AdminSources {
  /** Prometheus text of all metrics. */
  renderMetrics(): string;
  readiness(): Readiness;
  state(): AdminState;
  readonly decisions: DecisionLog;
  /** Starts or ends the draining of an endpoint; false when there is no such endpoint. */
  setDraining(endpointId: string, isDraining: boolean): boolean;
  /** Where a request with this JSON body would go now; the error says why nowhere. */
  explain(request: {
    readonly path: string;
    readonly body: Buffer;
  }): Result<DecisionRecord, string>;
  /** The effective configuration; credentials are taken out before it is shown. */
  config(): unknown;
  /** Reads the configuration again; never rejects for a bad configuration. */
  reload(): Promise<ReloadResult>;
}
