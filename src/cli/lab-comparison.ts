import { succeed, type Result } from '../core/result.ts';
import type { FleetPart } from '../simulator/lab/jobs.ts';
import type { LabPolicy } from '../simulator/lab/types.ts';
import { readEvents } from './lab-events.ts';
import { readFleet } from './lab-fleet.ts';
import { readOutput, type LabOutput } from './lab-output.ts';
import { readScene, type LabScene, type LabTraffic } from './lab-plan.ts';
import { readPolicies } from './lab-policies.ts';
import { splitList } from './lab-values.ts';
import type { ParsedOptions } from './options.ts';

/** Policies that are to be compared on one fleet: a checked command line. */
export interface Comparison {
  readonly scene: LabScene;
  readonly fleet: readonly FleetPart[];
  readonly policies: readonly LabPolicy[];
  readonly output: LabOutput;
}

/** Reads what `lab run`, `lab replay` and `lab sweep` share; `load` is what `load` 1 becomes. */
export async function readComparison(
  options: ParsedOptions,
  traffic: LabTraffic,
  load: number,
): Promise<Result<Comparison, string>> {
  const scene = readScene(options, traffic, load);
  if (!scene.ok) return scene;
  const fleet = await readFleet(options, traffic.workload);
  if (!fleet.ok) return fleet;
  const events = readEvents(options, fleet.value);
  if (!events.ok) return events;
  const policies = await readPolicies(splitList(options.list('policy')));
  if (!policies.ok) return policies;
  const output = await readOutput(options);
  if (!output.ok) return output;
  return succeed({
    scene: { ...scene.value, events: events.value },
    fleet: fleet.value,
    policies: policies.value,
    output: output.value,
  });
}
