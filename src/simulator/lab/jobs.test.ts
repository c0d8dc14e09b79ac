import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { must } from '../../core/assert.ts';
import type { PluginDefinition } from '../../scheduler/framework/plugin.ts';
import { findProfile } from '../hardware/profiles.ts';
import { findWorkload } from '../workloads/workloads.ts';
import { JobPool, runJobs } from './jobs-pool.ts';
import {
  createLabOptions,
  DEFAULT_DELAYS,
  DEFAULT_DRAIN_MS,
  openRequestsBound,
  replicasOf,
  WorkloadShelf,
  type LabJob,
} from './jobs.ts';
import { createOracleWorld, ORACLE_NAME } from './oracle.ts';
import { presetPolicy } from './testing/world-builders.ts';
import { LabWorld } from './world.ts';

const PROFILE = must(findProfile('h100-8b'), 'a profile');
const QUIET = { onProgress: () => undefined, onPluginFault: () => undefined };

function createJob(changes: Partial<LabJob> = {}): LabJob {
  const fleet = [{ profile: PROFILE, replicas: 2, overrides: {} }];
  return {
    traffic: { kind: 'workload', name: 'interactive-chat' },
    fleet,
    policy: presetPolicy('soonest'),
    objective: { ttftMs: 1000, tpotMs: null, e2eMs: null },
    seed: 1,
    load: 0.2,
    durationMs: 10_000,
    warmUpMs: 1000,
    drainMs: DEFAULT_DRAIN_MS,
    delays: DEFAULT_DELAYS,
    events: [],
    maxOpenRequests: openRequestsBound(fleet),
    sampleMs: 1000,
    ...changes,
  };
}

test('an endpoint that starts later takes no request before, and counts as new', () => {
  const workload = must(findWorkload('interactive-chat'), 'interactive-chat');
  const start = { kind: 'start', readyAtMs: 4000 } as const;
  const slow = { kind: 'slow', atMs: 100, factor: 2 } as const;
  const events = [
    { endpoint: 1, event: start },
    { endpoint: 1, event: slow },
  ];
  const options = createLabOptions(createJob({ events }), workload);
  assert.deepEqual(
    options.endpoints.map(({ readyAtMs }) => readyAtMs),
    [0, 4000],
  );
  assert.deepEqual(
    options.endpoints.map((endpoint) => endpoint.events),
    [[], [slow]],
  );
  const world = new LabWorld(options);
  while (!world.advance(10_000));
  const result = world.result();
  const [first, second] = result.endpoints;
  assert.ok((second?.requests ?? 0) > 0);
  assert.ok((first?.requests ?? 0) > (second?.requests ?? 0));
  const samples = 4000 / result.series.intervalMs;
  assert.ok(result.series.picks[1]?.slice(0, samples - 1).every((picks) => picks === 0));
});

test('threads give what this thread gives, in the order of the jobs', async () => {
  const jobs = [
    createJob(),
    createJob({ seed: 2 }),
    createJob({ policy: presetPolicy('round-robin'), durationMs: 2000 }),
    createJob({ load: 0.3 }),
  ];
  const here = await runJobs(jobs, { workers: 1, ...QUIET });
  const there = await runJobs(jobs, { workers: 2, ...QUIET });
  assert.deepEqual(there, here);
  assert.deepEqual(
    here.map(({ policy, seed }) => [policy, seed]),
    [
      ['soonest', 1],
      ['soonest', 2],
      ['round-robin', 1],
      ['soonest', 1],
    ],
  );
  assert.notDeepEqual(here[0]?.ttftMs, here[1]?.ttftMs);
});

test('the oracle picks on a thread as it does here, whatever the policy of its job', async () => {
  const job = createJob({ isOracle: true, durationMs: 4000 });
  const workload = await new WorkloadShelf().find(job.traffic);
  const world = createOracleWorld(createLabOptions(job, workload));
  while (!world.advance(10_000));
  const pool = new JobPool({ workers: 2, ...QUIET });
  const result = await pool.run(job);
  await pool.close();
  assert.equal(result.policy, ORACLE_NAME);
  assert.deepEqual(result, world.result());
});

test('progress goes from nothing to all jobs', async () => {
  const told: number[] = [];
  await runJobs([createJob(), createJob({ seed: 2 })], {
    ...QUIET,
    workers: 2,
    onProgress: ({ doneJobs }) => told.push(doneJobs),
  });
  assert.equal(told.at(-1), 2);
  assert.ok(told.length > 2);
});

test('a job that fails in a thread rejects with its reason, and the others go on', async () => {
  const pool = new JobPool({ workers: 2, ...QUIET });
  const trace = { kind: 'trace', path: '/nowhere/trace.jsonl', options: {} } as const;
  const [bad, good] = await Promise.allSettled([
    pool.run(createJob({ traffic: trace })),
    pool.run(createJob()),
  ]);
  assert.equal(good.status, 'fulfilled');
  assert.equal(bad.status, 'rejected');
  assert.match(String(bad.reason), /a simulation failed: .*\/nowhere\/trace\.jsonl/);
  await pool.close();
  await pool.close();
});

for (const workers of [1, 2]) {
  test(`stopped runs on ${workers} threads end with what they have`, async () => {
    const pool = new JobPool({ workers, ...QUIET });
    pool.stop('out_of_time');
    pool.stop('interrupted');
    const long = createJob({ durationMs: 100_000_000 });
    const results = await Promise.all([pool.run(long), pool.run({ ...long, seed: 2 })]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['out_of_time', 'out_of_time'],
    );
    assert.equal(pool.stopReason, 'out_of_time');
    await pool.close();
  });
}

test('closing a pool ends its threads and rejects what was under way', async () => {
  const pool = new JobPool({ workers: 2, ...QUIET });
  const long = createJob({ durationMs: 100_000_000 });
  const runs = [1, 2, 3].map((seed) => pool.run({ ...long, seed }));
  const settled = Promise.allSettled(runs);
  await pool.close();
  for (const { status } of await settled) assert.equal(status, 'rejected');
});

test('plugins of a policy’s own run in this thread, and their faults are told', async () => {
  let calls = 0;
  const faults: string[] = [];
  const failing: PluginDefinition = {
    type: 'failing-scorer',
    kind: 'scorer',
    summary: 'Fails.',
    options: [],
    create: (_options, { name }) => ({
      type: 'failing-scorer',
      name,
      score: () => {
        calls += 1;
        throw new RangeError('out of luck');
      },
    }),
  };
  const instance = { type: 'failing-scorer', name: 'mine', options: {}, weight: 1 };
  const profile = { name: 'own', plugins: [instance], rankedCount: 3 };
  const pool = new JobPool({
    ...QUIET,
    workers: 2,
    onPluginFault: (policy, plugin, message) => faults.push(`${policy} ${plugin} ${message}`),
  });
  const policy = { name: 'own', profile, plugins: [failing] };
  const result = await pool.run(createJob({ policy }));
  await pool.close();
  assert.equal(result.policy, 'own');
  assert.ok(result.requests.completed > 0);
  assert.ok(calls > 0);
  assert.equal(faults[0], 'own mine out of luck');
});

test('a mixed fleet has its endpoints in the order of its parts, each with its own events', async () => {
  const small = must(findProfile('l4-8b'), 'a profile');
  const fleet = [
    { profile: small, replicas: 2, overrides: { maxNumSeqs: 8 } },
    { profile: PROFILE, replicas: 1, overrides: {} },
  ];
  const drain = { kind: 'drain', atMs: 5 } as const;
  const job = createJob({ fleet, events: [{ endpoint: 1, event: drain }] });
  const workload = await new WorkloadShelf().find(job.traffic);
  const { endpoints } = createLabOptions(job, workload);
  assert.equal(replicasOf(fleet), 3);
  assert.deepEqual(
    endpoints.map(({ profile, engine, events }) => [profile, engine.maxNumSeqs, events.length]),
    [
      [small.name, 8, 0],
      [small.name, 8, 1],
      [PROFILE.name, PROFILE.maxNumSeqs, 0],
    ],
  );
  assert.equal(openRequestsBound(fleet), 4 * (16 + PROFILE.maxNumSeqs));
});

test('a trace is read once for jobs that share it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'penstock-jobs-'));
  const file = path.join(folder, 'trace.jsonl');
  const line = { timestamp: 0, input_length: 600, output_length: 5, hash_ids: [1, 2] };
  writeFileSync(file, `${JSON.stringify(line)}\n`);
  try {
    const shelf = new WorkloadShelf();
    const traffic = { kind: 'trace', path: file, options: {} } as const;
    assert.equal(await shelf.find(traffic), await shelf.find({ ...traffic }));
    assert.notEqual(
      await shelf.find({ ...traffic, options: { limit: 1 } }),
      await shelf.find(traffic),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
