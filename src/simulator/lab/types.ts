import type { ScrapePolicy } from '../../pool/scrape-interval.ts';
import type { ProfileSpec, PluginDefinition } from '../../scheduler/framework/plugin.ts';
import type { EngineModelOptions, SleepLevel } from '../engine/engine-model.ts';
import type { GoodputObjective, LabRequest, TrafficSource } from '../workloads/types.ts';

/** A scheduling policy on trial. */
export interface LabPolicy {
  /** A preset's name, or the file's. */
  readonly name: string;
  readonly profile: ProfileSpec;
  /** Plugins beside the built-in ones that the profile uses. */
  readonly plugins: readonly PluginDefinition[];
}

/** What happens to one endpoint at a time of its own. */
export type EndpointEvent =
  /** The process ends and is new after `downMs`; its requests fail and its caches are lost. */
  | { readonly kind: 'restart'; readonly atMs: number; readonly downMs: number }
  /** Steps take `factor` times as long from now on. */
  | { readonly kind: 'slow'; readonly atMs: number; readonly factor: number }
  | { readonly kind: 'drain'; readonly atMs: number }
  /**
   * It sleeps as vLLM's sleep mode does: the KV cache is gone, requests that it has wait until it
   * is awake and start over, new ones are refused. A process that is down or asleep stays as it is.
   */
  | { readonly kind: 'sleep'; readonly atMs: number; readonly level: SleepLevel }
  /** The sleep ends: steps go on after the engine's wake time. One that is awake stays so. */
  | { readonly kind: 'wake'; readonly atMs: number };

/** One simulated replica. */
export interface LabEndpoint {
  /** Name of the profile it was made from, for reports. */
  readonly profile: string;
  readonly engine: EngineModelOptions;
  readonly labels: Readonly<Record<string, string>>;
  /** Accelerators that it occupies. */
  readonly accelerators: number;
  /** When it can take requests; 0 for one that has been up before the run. */
  readonly readyAtMs: number;
  readonly events: readonly EndpointEvent[];
}

/** Delays outside of engines, each in milliseconds. */
export interface LabDelays {
  /** From a request's arrival to its pick: what the gateway itself takes. */
  readonly gatewayMs: number;
  /** One way between gateway and endpoint. */
  readonly networkMs: number;
  /** From an engine's state to its arrival in the gateway, beside the scrape interval. */
  readonly scrapeMs: number;
}

/** How one request fared. Times in milliseconds from the start of the run. */
export interface RequestEnd {
  readonly request: LabRequest;
  /** Answered in full. */
  readonly isCompleted: boolean;
  /** NaN when none came. */
  readonly firstTokenAtMs: number;
  readonly endedAtMs: number;
  readonly outputTokens: number;
}

/** One run: one policy, one fleet, one traffic. */
export interface LabOptions {
  readonly endpoints: readonly LabEndpoint[];
  readonly policy: LabPolicy;
  readonly traffic: TrafficSource;
  readonly objective: GoodputObjective;
  readonly adapters: readonly string[];
  readonly delays: LabDelays;
  /** Requests sent before this count for nothing but the state they leave. */
  readonly warmUpMs: number;
  /** No request begins later; what is under way goes on until `drainMs` after it. */
  readonly durationMs: number;
  readonly drainMs: number;
  /** Requests under way at once before the run is given up as saturated. */
  readonly maxOpenRequests: number;
  readonly seed: number;
  /** Interval of the time series. */
  readonly sampleMs: number;
  /** How often engines are scraped; as the gateway does when not given. */
  readonly scrape?: ScrapePolicy;
  /**
   * Hears, line by line, of every pick, first token, end, refusal and report, each with its time in
   * milliseconds: equal for equal options, on every machine.
   */
  readonly trace?: (line: string) => void;
  /** Hears of every request that has ended, those of the warm-up included. */
  readonly onRequestEnded?: (end: RequestEnd) => void;
  /** A plugin of the policy threw or gave NaN; its part was left out of one pick. */
  readonly onPluginFault?: (name: string, cause: unknown) => void;
}
