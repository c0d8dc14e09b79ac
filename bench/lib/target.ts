/** Something on 127.0.0.1 that load can be sent to. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** The process whose CPU time and memory count; null for the upstream reached directly. */
  readonly pid: number | null;
  readonly stop: () => Promise<void>;
}

/** The upstream itself, without a proxy: the floor that delays are compared with. */
export function directTarget(upstreamPort: number): Target {
  return { name: 'direct', port: upstreamPort, pid: null, stop: async () => {} };
}

/** One `Value` for each of the targets, in their order. */
export type PerTarget<Targets extends readonly Target[], Value> = {
  readonly [Index in keyof Targets]: Value;
};

/**
 * Measures every target in turn, `roundCount` times over: target A, B, C, A, B, C, ... so that a
 * slow minute of the machine falls on all of them. Results are by target, in the order of the
 * rounds.
 */
export async function measureInRounds<const Targets extends readonly Target[], Sample>(
  targets: Targets,
  roundCount: number,
  measure: (target: Target) => Promise<Sample>,
): Promise<PerTarget<Targets, readonly Sample[]>> {
  const samples: Sample[][] = targets.map(() => []);
  for (let round = 0; round < roundCount; round += 1) {
    for (const [index, target] of targets.entries()) {
      samples[index]?.push(await measure(target));
    }
  }
  return samples as unknown as PerTarget<Targets, readonly Sample[]>;
}
