import type { Lab } from './lab.ts';
import type { BenchResult } from './report.ts';

/** One question: `run` measures, `bench/run.ts` prints. */
export interface Bench {
  readonly name: string;
  /** One sentence for the help text. */
  readonly question: string;
  /** A full run that takes longer than this, in milliseconds, hangs; as most when not given. */
  readonly limitMs?: number;
  readonly run: (lab: Lab) => Promise<BenchResult>;
}
