import type { LoadTable } from '../ports.ts';
import type { CandidateSet, Filter, PickInput, PromptBlocks, Scorer } from '../types.ts';
import { NO_OBJECTIVE } from '../types.ts';

/** A load table for tests: `count` idle endpoints, all available, that have reported nothing. */
export function createTestLoad(count: number): LoadTable {
  return {
    isAvailable: new Uint8Array(count).fill(1),
    requestsInFlight: new Float64Array(count),
    tokensInFlight: new Float64Array(count),
    prefillTokensInFlight: new Float64Array(count),
    reportedWaiting: new Float64Array(count),
    foreignRequests: new Float64Array(count),
    kvCacheUsage: new Float64Array(count).fill(Number.NaN),
    lastWaiting: new Float64Array(count),
    lastRunning: new Float64Array(count),
    kvBlockTokens: new Float64Array(count).fill(Number.NaN),
    kvBlockCount: new Float64Array(count).fill(Number.NaN),
    adapterSlots: new Float64Array(count).fill(Number.NaN),
    adaptersActive: new Float64Array(count),
    adaptersWaiting: new Float64Array(count),
  };
}

/** What a test says of its pick; all else is neutral. */
export interface TestInput extends Partial<Omit<PickInput, 'header'>> {
  readonly labels?: readonly Readonly<Record<string, string>>[];
  readonly headers?: Readonly<Record<string, string>>;
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

/** A pick input over all endpoints of `load`, named `endpoint-0` and so on. */
export function createTestInput(load: LoadTable, test: TestInput = {}): PickInput {
  const { labels, headers, ...given } = test;
  return {
    load,
    members: Int32Array.from(load.isAvailable, (_, slot) => slot),
    residency: null,
    promptTokens: 100,
    outputTokens: 100,
    nowMs: 0,
    blocks: null,
    objective: NO_OBJECTIVE,
    traits: {
      idOf: (slot) => `endpoint-${slot}`,
      labelsOf: (slot) => labels?.[slot] ?? NO_LABELS,
    },
    header: (name) => headers?.[name] ?? null,
    ...given,
  };
}

/** All members as candidates. */
export function allCandidates(input: PickInput): { positions: Int32Array; count: number } {
  const positions = Int32Array.from(input.members, (_, position) => position);
  return { positions, count: positions.length };
}

/** Prompt blocks whose hashes are made from `seeds`; equal seeds are equal blocks. */
export function createTestBlocks(seeds: readonly number[], blockBytes = 64): PromptBlocks {
  const hashes = new Uint32Array(seeds.length * 2);
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (const [index, seed] of seeds.entries()) {
    low = Math.imul(low ^ (seed + 1), 0x01000193) >>> 0;
    high = Math.imul(high ^ low, 0xcc9e2d51) >>> 0;
    hashes[2 * index] = low;
    hashes[2 * index + 1] = high;
  }
  return { blockBytes, count: seeds.length, hashes };
}

/** The scores that a scorer gives to all members. */
export function scoreAll(scorer: Scorer, input: PickInput): number[] {
  const candidates: CandidateSet = allCandidates(input);
  const scores = new Float64Array(candidates.count).fill(Number.NaN);
  scorer.score(input, candidates, scores);
  return [...scores];
}

/** The positions that a filter keeps of all members. */
export function keepAll(filter: Filter, input: PickInput): number[] {
  const candidates = allCandidates(input);
  const count = filter.keep(input, candidates);
  return [...candidates.positions.subarray(0, count)];
}
