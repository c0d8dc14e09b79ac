import type { Bench } from './lib/bench.ts';
import { BenchFailure } from './lib/failure.ts';
import type { Lab } from './lib/lab.ts';
import { checkAtMost, type BenchResult, type Table } from './lib/report.ts';
import { formatSpread, ratiosOf, spreadOf } from './lib/stats.ts';
import { Worker } from './lib/worker.ts';
import type { PickPlan, PickResult, PickSubjectCommands } from './load/pick-subject.ts';

const COMMAND_LIMIT_MS = 60_000;
const SUBJECT = 'soonest';
/** Reads the index that the subject reads; `llm-d-default` has one of its own beside it. */
const REFERENCE = 'llm-d-precise';
/** Picks that all go to a few endpoints would be cheaper than real ones. */
const FEWEST_CHOSEN = 10;

const QUICK = { rounds: 2, samples: 3000 };
const FULL = { rounds: 5, samples: 10_000 };

/** What one decision costs. */
export const pickBench: Bench = {
  name: 'pick',
  question: 'time and allocation of one pick: prefixes, adapters, learned latencies',
  run: runPickBench,
};

interface Rounds {
  readonly endpoints: number;
  readonly ours: readonly PickResult[];
  readonly reference: readonly PickResult[];
}

async function runPickBench(lab: Lab): Promise<BenchResult> {
  const large = await comparePicks(lab, { endpoints: 1000, blocks: 1_000_000 });
  const small = await comparePicks(lab, { endpoints: 100, blocks: 1_000_000 });
  const middle = ({ ours }: Rounds, field: keyof PickResult): number =>
    spreadOf(ours.map((result) => result[field])).middle;
  return {
    reference: `preset ${REFERENCE}`,
    tables: [tableOf(large), tableOf(small)],
    notes: [
      '1,000,000 blocks in the prefix index; prompts of 512 blocks, half of each on all endpoints',
      'every pick is booked before the next; booking is not part of the time',
      'each pick is made twice; its time is the shorter one',
    ],
    checks: [
      checkAtMost('pick p50, 1,000 endpoints', middle(large, 'p50Us'), {
        unit: 'us',
        must: 120,
        aim: 60,
      }),
      checkAtMost('pick p99, 1,000 endpoints', middle(large, 'p99Us'), {
        unit: 'us',
        must: 400,
        aim: 200,
      }),
      checkAtMost('pick p50, 100 endpoints', middle(small, 'p50Us'), {
        unit: 'us',
        must: 25,
        aim: 12.5,
      }),
      checkAtMost('allocation per pick, 1,000 endpoints', middle(large, 'allocatedBytes'), {
        unit: 'bytes',
        must: 4096,
        aim: 2048,
      }),
    ],
  };
}

async function comparePicks(
  lab: Lab,
  size: Pick<PickPlan, 'endpoints' | 'blocks'>,
): Promise<Rounds> {
  const { rounds, samples } = lab.isQuick ? QUICK : FULL;
  const ours: PickResult[] = [];
  const reference: PickResult[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await measure(lab, { ...size, samples, preset: SUBJECT }));
    reference.push(await measure(lab, { ...size, samples, preset: REFERENCE }));
  }
  return { endpoints: size.endpoints, ours, reference };
}

async function measure(lab: Lab, plan: PickPlan): Promise<PickResult> {
  const file = new URL('./load/pick-subject.ts', import.meta.url);
  const { cleanup } = lab;
  const worker = new Worker<PickSubjectCommands>(file, {
    name: plan.preset,
    cpu: lab.cpus.proxyCpu,
    cleanup,
  });
  const result = await worker.call('pick', plan, COMMAND_LIMIT_MS);
  await worker.stop();
  if (result.chosenEndpoints < FEWEST_CHOSEN) {
    throw new BenchFailure(`${plan.preset} chose only ${result.chosenEndpoints} endpoints`);
  }
  return result;
}

function tableOf({ endpoints, ours, reference }: Rounds): Table {
  const row = (name: string, field: keyof PickResult, decimals: number): readonly string[] => {
    const left = ours.map((result) => result[field]);
    const right = reference.map((result) => result[field]);
    return [
      name,
      formatSpread(spreadOf(left), decimals),
      formatSpread(spreadOf(right), decimals),
      formatSpread(spreadOf(ratiosOf(left, right)), 2),
    ];
  };
  return [
    [`${endpoints} endpoints`, SUBJECT, REFERENCE, 'ratio'],
    row('p50 us', 'p50Us', 1),
    row('p99 us', 'p99Us', 1),
    row('bytes allocated', 'allocatedBytes', 0),
    row('endpoints chosen', 'chosenEndpoints', 0),
  ];
}
