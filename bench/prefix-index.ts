import type { Bench } from './lib/bench.ts';
import type { Lab } from './lib/lab.ts';
import { checkAtMost, type BenchResult, type Check, type Table } from './lib/report.ts';
import { formatSpread, ratiosOf, spreadOf } from './lib/stats.ts';
import { Worker } from './lib/worker.ts';
import type {
  FillPlan,
  FillResult,
  MatchPlan,
  MatchResult,
  PrefixSubjectCommands,
} from './load/prefix-subject.ts';
import { TRAFFIC, type Traffic } from './load/prompt-chains.ts';

const ENDPOINTS = 1_000;
const COMMAND_LIMIT_MS = 120_000;
/** What a gateway might give the index; with 10 million entries about three quarters are used. */
const MAX_BYTES = 256 * 1024 ** 2;
/** Enough for the traffic that takes most memory per entry. */
const MAX_BYTES_SHORT = 512 * 1024 ** 2;

interface PrefixPlan {
  readonly entries: number;
  /** Entries of the traffic whose every prompt adds one: the dearest, and slow to make. */
  readonly shortEntries: number;
  /** Entries in the rounds against the reference, which could not hold many more. */
  readonly comparedEntries: number;
  readonly rounds: number;
  readonly matchSamples: number;
}

const QUICK_PLAN: PrefixPlan = {
  entries: 10_000_000,
  shortEntries: 2_000_000,
  comparedEntries: 250_000,
  rounds: 3,
  matchSamples: 10_000,
};
const FULL_PLAN: PrefixPlan = {
  entries: 10_000_000,
  shortEntries: 10_000_000,
  comparedEntries: 1_000_000,
  rounds: 5,
  matchSamples: 100_000,
};

/** Who holds which prompt blocks: what it costs to remember and to ask. */
export const prefixIndexBench: Bench = {
  name: 'prefix-index',
  question: 'time per prompt block and memory per (block, endpoint) of the prefix index',
  run: runPrefixIndexBench,
};

async function runPrefixIndexBench(lab: Lab): Promise<BenchResult> {
  const plan = lab.isQuick ? QUICK_PLAN : FULL_PLAN;
  const fills: FillResult[] = [];
  for (const traffic of ['chat', 'long', 'short'] as const) {
    const isShort = traffic === 'short';
    fills.push(
      await fill(lab, {
        kind: 'index',
        traffic,
        endpoints: ENDPOINTS,
        entries: isShort ? plan.shortEntries : plan.entries,
        maxBytes: isShort ? (plan.shortEntries / 1e7) * MAX_BYTES_SHORT : MAX_BYTES,
      }),
    );
  }
  const compared = await compareFills(lab, plan);
  const matches = await compareMatches(lab, plan.matchSamples);
  return {
    reference: 'Map<bigint, Set<number>>',
    tables: [fillTable(fills), compareTable(compared), matchTable(matches)],
    notes: [
      ...(['chat', 'long', 'short'] as const).map((each) => `${each}: ${TRAFFIC[each]}`),
      'a look-up matches all 1,000 endpoints; the longest insertion is the longest after taking ' +
        'the shorter time of two equal fillings',
      'the map of sets forgets nothing, keeps no order of use and has no bound',
    ],
    checks: createChecks(fills, matches),
  };
}

interface ComparedFills {
  readonly index: readonly FillResult[];
  readonly reference: readonly FillResult[];
}

async function compareFills(lab: Lab, plan: PrefixPlan): Promise<ComparedFills> {
  const index: FillResult[] = [];
  const reference: FillResult[] = [];
  const options = {
    traffic: 'chat',
    endpoints: ENDPOINTS,
    entries: plan.comparedEntries,
    maxBytes: 32 * plan.comparedEntries,
  } as const;
  for (let round = 0; round < plan.rounds; round += 1) {
    reference.push(await fill(lab, { ...options, kind: 'map of sets' }));
    index.push(await fill(lab, { ...options, kind: 'index' }));
  }
  return { index, reference };
}

interface MatchRow {
  readonly plan: Omit<MatchPlan, 'kind' | 'samples'>;
  readonly ours: MatchResult;
  readonly reference: MatchResult | null;
}

async function compareMatches(lab: Lab, samples: number): Promise<readonly MatchRow[]> {
  const rows: MatchRow[] = [];
  for (const endpoints of [100, 1_000]) {
    const halfShared = { endpoints, blocks: 1_000_000, shape: 'half shared' } as const;
    const branches = { endpoints, blocks: 512, shape: 'branches' } as const;
    rows.push({
      plan: halfShared,
      ours: await match(lab, { ...halfShared, kind: 'index', samples }),
      reference: await match(lab, { ...halfShared, kind: 'map of sets', samples: 500 }),
    });
    rows.push({
      plan: branches,
      ours: await match(lab, { ...branches, kind: 'index', samples: samples / 4 }),
      reference: null,
    });
  }
  return rows;
}

/** Each filling gets a process of its own, so that its memory starts clean. */
async function fill(lab: Lab, plan: FillPlan): Promise<FillResult> {
  const worker = startSubject(lab, plan.kind);
  const result = await worker.call('fill', plan, COMMAND_LIMIT_MS);
  await worker.stop();
  return result;
}

async function match(lab: Lab, plan: MatchPlan): Promise<MatchResult> {
  const worker = startSubject(lab, plan.kind);
  const result = await worker.call('match', plan, COMMAND_LIMIT_MS);
  await worker.stop();
  return result;
}

function startSubject(lab: Lab, name: string): Worker<PrefixSubjectCommands> {
  const file = new URL('./load/prefix-subject.ts', import.meta.url);
  return new Worker(file, { name, cpu: lab.cpus.proxyCpu, cleanup: lab.cleanup });
}

function fillTable(fills: readonly FillResult[]): Table {
  const heading = [
    'traffic',
    'million entries',
    'B/entry',
    'RSS B/entry',
    'insert us/block',
    'look-up us/block',
    'insertion p99 us',
    'longest us',
  ];
  const names: readonly Traffic[] = ['chat', 'long', 'short'];
  const rows = fills.map((result, index) => [
    names[index] as Traffic,
    (result.entries / 1e6).toFixed(1),
    result.bytesPerEntry.toFixed(1),
    result.residentBytesPerEntry.toFixed(1),
    result.insertUsPerBlock.toFixed(3),
    result.lookUpUsPerBlock.toFixed(3),
    result.insertP99Us.toFixed(1),
    result.insertMaxUs.toFixed(0),
  ]);
  return [heading, ...rows];
}

function compareTable({ index, reference }: ComparedFills): Table {
  const row = (name: string, field: keyof FillResult): readonly string[] => {
    const ours = index.map((result) => result[field]);
    const theirs = reference.map((result) => result[field]);
    return [
      name,
      formatSpread(spreadOf(ours), 3),
      formatSpread(spreadOf(theirs), 3),
      formatSpread(spreadOf(ratiosOf(theirs, ours)), 1),
    ];
  };
  const millions = ((index[0]?.entries ?? 0) / 1e6).toFixed(1);
  return [
    [`chat, ${millions} million entries`, 'index', 'map of sets', 'map of sets / index'],
    row('insert us/block', 'insertUsPerBlock'),
    row('look-up us/block', 'lookUpUsPerBlock'),
    row('RSS B/entry', 'residentBytesPerEntry'),
  ];
}

function matchTable(rows: readonly MatchRow[]): Table {
  const heading = [
    'match of 512 blocks',
    'endpoints',
    'p50 us',
    'p99 us',
    'map of sets p50',
    'ratio',
  ];
  return [
    heading,
    ...rows.map(({ plan, ours, reference }) => [
      plan.shape === 'branches' ? 'a branch per block' : 'half shared by all, 1 million blocks',
      String(plan.endpoints),
      ours.p50Us.toFixed(2),
      ours.p99Us.toFixed(2),
      reference === null ? '-' : reference.p50Us.toFixed(0),
      reference === null ? '-' : (reference.p50Us / ours.p50Us).toFixed(0),
    ]),
  ];
}

function createChecks(fills: readonly FillResult[], matches: readonly MatchRow[]): Check[] {
  const worst = (field: keyof FillResult): number => Math.max(...fills.map((each) => each[field]));
  const perBlock = { unit: 'us', must: 0.5, aim: 0.1 };
  const p50Of = (endpoints: number): number =>
    matches.find((row) => row.plan.endpoints === endpoints)?.ours.p50Us ?? Number.NaN;
  const bytes = { unit: 'bytes', must: 40, aim: 16 };
  return [
    checkAtMost('insert per block, worst traffic', worst('insertUsPerBlock'), perBlock),
    checkAtMost('look-up per block, chat', fills[0]?.lookUpUsPerBlock ?? Number.NaN, perBlock),
    checkAtMost('memory per entry, chat', fills[0]?.bytesPerEntry ?? Number.NaN, bytes),
    checkAtMost('memory per entry, worst traffic', worst('bytesPerEntry'), bytes),
    checkAtMost('match p50, 100 endpoints', p50Of(100), { unit: 'us', must: 10, aim: 5 }),
    checkAtMost('match p50, 1,000 endpoints', p50Of(1_000), { unit: 'us', must: 40, aim: 20 }),
  ];
}
