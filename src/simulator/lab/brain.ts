import type { Clock } from '../../core/clock.ts';
import { poolId } from '../../core/ids.ts';
import type { Rng } from '../../core/rng.ts';
import { type Brain, createBrain } from '../../director/brain.ts';
import { DEFAULT_RETRY_OPTIONS } from '../../director/director.ts';
import type { EndpointSpec } from '../../pool/endpoint.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../../pool/health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../../pool/report.ts';
import { BUILTIN_PLUGINS } from '../../scheduler/framework/builtins.ts';
import { createRegistry } from '../../scheduler/framework/registry.ts';
import { DecisionLog } from '../../telemetry/decision-log.ts';
import { MetricsRegistry } from '../../telemetry/registry.ts';
import type { LabPolicy } from './types.ts';

/** What a lab's brain is made from. */
export interface LabBrainOptions {
  readonly policy: LabPolicy;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly onPluginFault: (name: string, cause: unknown) => void;
}

/** What decides in a lab run, and the log of its decisions. */
export interface LabBrain extends Brain {
  readonly decisions: DecisionLog;
}

/** Name of the one pool of a lab. */
const LAB_POOL = 'lab';

/** The shipped brain as it is when nothing is configured, over `servers` not yet looked at. */
export function createLabBrain(
  servers: readonly EndpointSpec[],
  options: LabBrainOptions,
): LabBrain {
  const decisions = new DecisionLog();
  const { policy, clock, rng, onPluginFault } = options;
  const registry = createRegistry([...BUILTIN_PLUGINS, ...policy.plugins]);
  const brain = createBrain({
    policy: { profile: policy.profile, shadow: null, registry },
    retry: DEFAULT_RETRY_OPTIONS,
    health: DEFAULT_HEALTH_OPTIONS,
    report: DEFAULT_REPORT_OPTIONS,
    clock,
    rng,
    metrics: new MetricsRegistry(),
    decisions,
    onPluginFault,
  });
  brain.fleet.setPool(poolId(LAB_POOL), servers);
  return { ...brain, decisions };
}
