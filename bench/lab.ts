import type { Bench } from './lib/bench.ts';
import { BenchFailure } from './lib/failure.ts';
import type { Lab } from './lib/lab.ts';
import { checkAtLeast, checkAtMost, type BenchResult, type Table } from './lib/report.ts';
import { formatSpread, spreadOf } from './lib/stats.ts';
import { Worker } from './lib/worker.ts';
import type { LabSubjectCommands, SimulationPlan, SimulationResult } from './load/lab-subject.ts';

const COMMAND_LIMIT_MS = 200_000;
const HOUR_MS = 3_600_000;

interface LabPlan {
  readonly rounds: number;
  readonly batchMs: number;
  readonly fleetMs: number;
}

const QUICK_PLAN: LabPlan = { rounds: 2, batchMs: 60_000, fleetMs: 600_000 };
const FULL_PLAN: LabPlan = { rounds: 3, batchMs: 300_000, fleetMs: HOUR_MS };

/** Eight engines with batches of about 100: what a token costs where there are many in a step. */
const BATCHES: Omit<SimulationPlan, 'simulatedMs'> = {
  profile: 'h100-8b',
  endpoints: 8,
  requestsPerSecond: 240,
};
/** A hundred engines with batches of one or two: what a step and a pick cost. */
const FLEET: Omit<SimulationPlan, 'simulatedMs'> = {
  profile: 'h100-8b',
  endpoints: 100,
  requestsPerSecond: 50,
};

/** How fast the lab's virtual time goes. */
export const labBench: Bench = {
  name: 'lab',
  question: 'simulated tokens per second of one core, and an hour of 100 endpoints in the lab',
  run: runLabBench,
};

async function runLabBench(lab: Lab): Promise<BenchResult> {
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  const batches: SimulationResult[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    batches.push(await simulate(lab, { ...BATCHES, simulatedMs: plan.batchMs }));
  }
  const fleet = await simulate(lab, { ...FLEET, simulatedMs: plan.fleetMs });
  const hourSeconds = (fleet.wallMs / 1000) * (HOUR_MS / plan.fleetMs);
  const tokensPerSecond = spreadOf(batches.map(tokensPerWallSecond)).middle;
  return {
    reference: 'none',
    tables: [resultTable(batches, fleet)],
    notes: [
      'preset soonest with records and metrics; 1,000 prompt tokens, 800 of them one of 100 shared ' +
        'prefixes, 200 output tokens; tokens are output tokens',
      ...(plan.fleetMs === HOUR_MS
        ? []
        : [`the hour is ${plan.fleetMs / 60_000} minutes, scaled; start-up counts as often`]),
    ],
    checks: [
      checkAtLeast('simulated tokens per wall second', tokensPerSecond, {
        unit: 'tokens/s',
        must: 1_000_000,
        aim: 2_000_000,
      }),
      checkAtMost('100 endpoints x 1 hour x 50 requests/s', hourSeconds, {
        unit: 's',
        must: 60,
        aim: 30,
      }),
    ],
  };
}

/** Each run gets a process of its own, whose start-up and compilation count. */
async function simulate(lab: Lab, plan: SimulationPlan): Promise<SimulationResult> {
  const file = new URL('./load/lab-subject.ts', import.meta.url);
  const worker = new Worker<LabSubjectCommands>(file, {
    name: 'lab',
    cpu: lab.cpus.proxyCpu,
    cleanup: lab.cleanup,
  });
  const result = await worker.call('simulate', plan, COMMAND_LIMIT_MS);
  await worker.stop();
  const { status, requests } = result;
  if (status !== 'finished' || requests === 0) {
    throw new BenchFailure(`a run of the lab was ${status} after ${requests} requests`);
  }
  return result;
}

function tokensPerWallSecond({ outputTokens, wallMs }: SimulationResult): number {
  return (1000 * outputTokens) / wallMs;
}

function resultTable(batches: readonly SimulationResult[], fleet: SimulationResult): Table {
  const row = (
    name: string,
    read: (result: SimulationResult) => number,
    digits = 0,
  ): readonly string[] => [
    name,
    formatSpread(spreadOf(batches.map(read)), digits),
    read(fleet).toFixed(digits),
  ];
  return [
    ['one core', '8 endpoints, 240 requests/s', '100 endpoints, 50 requests/s'],
    row('requests', ({ requests }) => requests),
    row('output tokens', ({ outputTokens }) => outputTokens),
    row('tokens per engine step', (each) => each.outputTokens / each.engineSteps, 1),
    row('wall s', ({ wallMs }) => wallMs / 1000, 2),
    row('CPU s', ({ cpuMs }) => cpuMs / 1000, 2),
    row('output tokens per wall s', tokensPerWallSecond),
    row('output tokens per CPU s', (each) => (1000 * each.outputTokens) / each.cpuMs),
    row('CPU us per request', (each) => (1000 * each.cpuMs) / each.requests),
    row('prefix hits, %', ({ prefixHitShare }) => 100 * prefixHitShare),
    row('p50 TTFT ms, simulated', ({ ttftP50Ms }) => ttftP50Ms, 1),
    row('resident MB', ({ residentBytes }) => residentBytes / 1e6),
  ];
}
