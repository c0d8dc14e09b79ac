import type { Calibration } from '../engine/step-time.ts';
import type { ProfileOptions } from '../hardware/create-profile.ts';
import type { LabPolicy } from '../lab/types.ts';
import type { Tolerance } from './row.ts';
import type { LoadStage } from './staged-traffic.ts';

/** inference-perf's `shared_prefix` data, all sizes in tokens. */
export interface SharedPrompts {
  readonly groups: number;
  readonly promptsPerGroup: number;
  readonly systemTokens: number;
  readonly questionTokens: number;
  readonly outputTokens: number;
}

/** How requests come. */
export type PublishedLoad =
  | {
      readonly kind: 'ladder';
      /** The first seats the prompts in caches and counts for nothing. */
      readonly stages: readonly LoadStage[];
      readonly pauseMs: number;
    }
  | { readonly kind: 'crowd'; readonly requests: number; readonly concurrency: number };

/** What ran. */
export interface PublishedMachine {
  readonly model: string;
  readonly accelerator: string;
  readonly options: ProfileOptions;
  readonly replicas: number;
  /** KV cache of a replica in tokens as the source states it; null for the profile's. */
  readonly kvTokens: number | null;
}

/** What is measured of a stage, or of a crowd. */
export type Measure =
  | 'outputTokensPerSecond'
  | 'ttftMeanSeconds'
  | 'ttftP50Seconds'
  | 'ttftP90Seconds'
  | 'tpotMeanMs'
  | 'spanSeconds';

/** One published number. */
export interface PublishedFigure {
  readonly measure: Measure;
  /** Rate of the stage; null for the mean over all stages, or for the crowd. */
  readonly stage: number | null;
  readonly value: number;
  readonly tolerance: Tolerance | null;
  /** Where the gap comes from. */
  readonly cause: string;
}

/** One policy on a setup. */
export interface PublishedRun {
  /** What the source calls it; null for a policy that was not measured there. */
  readonly there: string | null;
  readonly policy: LabPolicy;
  /** Null for the profile as it is shipped. */
  readonly calibration: Calibration | null;
  /** What ours is put beside; of another policy where the source has none of this one. */
  readonly figures: readonly PublishedFigure[];
}

/** A published measurement as the lab runs it again. */
export interface PublishedSetup {
  readonly title: string;
  readonly sources: readonly string[];
  /** What the source says of the setup. */
  readonly stated: string;
  /** What it does not say, and what is taken instead. */
  readonly assumed: string;
  /** What one sees in the numbers. */
  readonly finding: string;
  readonly machine: PublishedMachine;
  readonly prompts: SharedPrompts;
  readonly load: PublishedLoad;
  readonly runs: readonly PublishedRun[];
}
