import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../core/assert.ts';
import { PRESETS } from '../../scheduler/presets.ts';
import { findProfile } from '../hardware/profiles.ts';
import { findWorkload } from '../workloads/workloads.ts';
import { createLabOptions, DEFAULT_DELAYS, type LabJob } from './jobs.ts';
import { createOracleWorld, ORACLE_NAME } from './oracle.ts';
import type { RunResult } from './results.ts';
import type { LabOptions } from './types.ts';
import { LabWorld } from './world.ts';

function createOptions(): { readonly options: LabOptions; readonly faults: string[] } {
  const workload = must(findWorkload('shared-prefix'), 'the workload');
  const profile = must(findProfile(workload.defaults.profile), 'its profile');
  const job: LabJob = {
    traffic: { kind: 'workload', name: workload.name },
    fleet: [{ profile, replicas: 4, overrides: {} }],
    policy: { name: 'least-request', profile: PRESETS['least-request'], plugins: [] },
    objective: workload.objective,
    seed: 1,
    load: 0.4,
    durationMs: 60_000,
    warmUpMs: 20_000,
    drainMs: 60_000,
    delays: DEFAULT_DELAYS,
    events: [],
    maxOpenRequests: 1000,
    sampleMs: 10_000,
  };
  const faults: string[] = [];
  const onPluginFault = (name: string): void => {
    faults.push(name);
  };
  return { options: { ...createLabOptions(job, workload), onPluginFault }, faults };
}

function finish(world: LabWorld): RunResult {
  for (let slices = 0; slices < 10_000; slices += 1) if (world.advance(1000)) break;
  return world.result();
}

test('the oracle finds what engines hold, fails in no pick, and picks the same every time', () => {
  const { options, faults } = createOptions();
  const blind = finish(new LabWorld(options));
  const seeing = finish(createOracleWorld(createOptions().options));
  const first = createOptions();
  const again = finish(createOracleWorld(first.options));
  assert.equal(seeing.policy, ORACLE_NAME);
  assert.equal(seeing.status, 'finished');
  assert.equal(seeing.requests.completed, blind.requests.completed);
  assert.ok(seeing.prefixHitShare > blind.prefixHitShare + 0.2);
  assert.ok(seeing.ttftMs.p90 < blind.ttftMs.p90);
  assert.deepEqual(again, seeing);
  assert.deepEqual([...faults, ...first.faults], []);
});
