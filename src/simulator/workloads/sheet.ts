import type { GoodputObjective } from './types.ts';

/** One number, or a few that belong together, and why it is what it is. */
export interface Parameter<T> {
  readonly value: T;
  /** A sentence or two for docs/workloads.md. */
  readonly reason: string;
}

/** What every workload has to fix. */
export interface Setting {
  readonly profile: string;
  readonly replicas: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly objective: GoodputObjective;
}

/** The parameters of one workload, each with its reason. */
export interface WorkloadSheet<T extends Setting> {
  readonly name: string;
  /** One sentence for help. */
  readonly summary: string;
  readonly parameters: { readonly [Name in keyof T]: Parameter<T[Name]> };
}

/** Values of a sheet without their reasons. */
export function valuesOf<T extends Setting>(sheet: WorkloadSheet<T>): T {
  const entries = Object.entries<Parameter<unknown>>(sheet.parameters);
  return Object.fromEntries(entries.map(([name, { value }]) => [name, value])) as unknown as T;
}
