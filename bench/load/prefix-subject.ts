// A process that fills and asks a prefix index, or the plain reference, and times both.
import type { CandidateSet } from '../../src/scheduler/types.ts';
import { PrefixIndex } from '../../src/scheduler/prefix/prefix-index.ts';
import { serveCommands } from '../lib/worker.ts';
import { MapOfSets } from '../reference/map-of-sets.ts';
import {
  appendPart,
  createPrompt,
  PromptStream,
  type Prompt,
  type Traffic,
} from './prompt-chains.ts';

/** Which of the two is asked. */
export type IndexKind = 'index' | 'map of sets';

/** What to fill. */
export interface FillPlan {
  readonly kind: IndexKind;
  readonly traffic: Traffic;
  readonly endpoints: number;
  readonly entries: number;
  readonly maxBytes: number;
}

/** What filling and then looking prompts up took. */
export interface FillResult {
  readonly entries: number;
  /** Bytes of the index by its own account; NaN for the reference, which has none. */
  readonly bytesPerEntry: number;
  /** Growth of the process's resident memory. */
  readonly residentBytesPerEntry: number;
  readonly insertUsPerBlock: number;
  readonly insertP99Us: number;
  /** The longest insertion; of the work itself, as far as that can be told. */
  readonly insertMaxUs: number;
  /** Time of a match of all endpoints, per block of the prompt. */
  readonly lookUpUsPerBlock: number;
}

/** What to match. */
export interface MatchPlan {
  readonly kind: IndexKind;
  readonly endpoints: number;
  /** Distinct blocks in the index. */
  readonly blocks: number;
  /** What is in common: half of each prompt, or all of it with a branch at every block. */
  readonly shape: 'half shared' | 'branches';
  readonly samples: number;
}

/** Microseconds per match. */
export interface MatchResult {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** What this process can be asked. */
export type PrefixSubjectCommands = {
  fill: { readonly params: FillPlan; readonly result: FillResult };
  match: { readonly params: MatchPlan; readonly result: MatchResult };
};

interface Subject {
  readonly entryCount: number;
  insert(slot: number, prompt: Prompt): void;
  match(prompt: Prompt, members: Int32Array, out: Int32Array): void;
}

const BATCH = 256;
const LOOK_UP_BATCHES = 40;
const STREAM_SEED = 7;
const MOST_INSERTIONS = 2 ** 24;

function createSubject(kind: IndexKind, maxBytes: number, perEndpoint: number): Subject {
  if (kind === 'map of sets') return new MapOfSets();
  const index = new PrefixIndex({ maxBytes, defaultBlocksPerEndpoint: perEndpoint });
  let candidates: CandidateSet = { positions: new Int32Array(0), count: 0 };
  return {
    get entryCount() {
      return index.entryCount;
    },
    insert: (slot, prompt) => index.insert(slot, prompt),
    match: (prompt, members, out) => {
      if (candidates.count !== members.length) {
        candidates = { positions: members.map((_, i) => i), count: members.length };
      }
      index.match(prompt, members, candidates, out);
    },
    get sizeBytes() {
      return index.sizeBytes;
    },
  } as Subject;
}

/**
 * Fills twice. Memory is taken from the first time, when the process is clean, times from the
 * second, when everything is compiled. Both do exactly the same, so the longest insertion is the
 * longest after taking the shorter of its two times: what else the machine did drops out.
 */
function fill(plan: FillPlan): FillResult {
  const cold = fillOnce(plan, null);
  const warm = fillOnce(plan, cold.timesUs);
  const { subject, timesUs, blocks } = warm;
  const entries = subject.entryCount;
  const sorted = timesUs.toSorted();
  const { shorterUs } = warm;
  return {
    entries,
    bytesPerEntry: 'sizeBytes' in subject ? Number(subject.sizeBytes) / entries : Number.NaN,
    residentBytesPerEntry: cold.residentBytes / entries,
    insertUsPerBlock: sum(timesUs) / blocks,
    insertP99Us: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    insertMaxUs: shorterUs.reduce((most, us) => Math.max(most, us), 0),
    lookUpUsPerBlock: timeLookUps(subject, plan),
  };
}

interface Filling {
  readonly subject: Subject;
  readonly timesUs: Float64Array;
  /** Each time, or that of the earlier filling where it was shorter. */
  readonly shorterUs: Float64Array;
  readonly blocks: number;
  readonly residentBytes: number;
}

function fillOnce(plan: FillPlan, earlierUs: Float64Array | null): Filling {
  const { kind, traffic, endpoints, entries, maxBytes } = plan;
  const stream = new PromptStream(traffic, STREAM_SEED);
  const prompts = Array.from({ length: BATCH }, createPrompt);
  const timesUs = new Float64Array(MOST_INSERTIONS);
  const residentBefore = process.memoryUsage.rss();
  const subject = createSubject(kind, maxBytes, (2 * entries) / endpoints);
  let inserts = 0;
  let blocks = 0;
  while (subject.entryCount < entries && inserts + BATCH <= MOST_INSERTIONS) {
    for (const prompt of prompts) stream.next(prompt);
    for (const prompt of prompts) {
      const slot = stream.nextSlot(endpoints);
      const startedMs = performance.now();
      subject.insert(slot, prompt);
      timesUs[inserts] = (performance.now() - startedMs) * 1_000;
      inserts += 1;
      blocks += prompt.count;
    }
  }
  const residentBytes = process.memoryUsage.rss() - residentBefore - 8 * inserts;
  const taken = timesUs.subarray(0, inserts);
  const shorterUs = taken.map((us, index) => Math.min(us, earlierUs?.[index] ?? us));
  return { subject, timesUs: taken, shorterUs, blocks, residentBytes };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Looks up the prompts of the stream from its start, so that they are known ones, in batches. */
function timeLookUps(subject: Subject, plan: FillPlan): number {
  const stream = new PromptStream(plan.traffic, STREAM_SEED);
  const prompts = Array.from({ length: BATCH }, createPrompt);
  const members = Int32Array.from({ length: plan.endpoints }, (_, slot) => slot);
  const out = new Int32Array(plan.endpoints);
  let totalMs = 0;
  let blocks = 0;
  const batches = plan.kind === 'index' ? LOOK_UP_BATCHES : 1;
  for (let batch = 0; batch < batches; batch += 1) {
    for (const prompt of prompts) {
      stream.next(prompt);
      stream.nextSlot(plan.endpoints);
      blocks += prompt.count;
    }
    const startedMs = performance.now();
    for (const prompt of prompts) subject.match(prompt, members, out);
    totalMs += performance.now() - startedMs;
  }
  return (totalMs * 1_000) / blocks;
}

function match(plan: MatchPlan): MatchResult {
  const subject = createSubject(plan.kind, 2 ** 28, 2 ** 20);
  const prompts = plan.shape === 'branches' ? fillBranches(subject, plan) : fillHalf(subject, plan);
  const members = Int32Array.from({ length: plan.endpoints }, (_, slot) => slot);
  const out = new Int32Array(plan.endpoints);
  const timesUs: number[] = [];
  for (let sample = 0; sample < plan.samples * 1.2; sample += 1) {
    const prompt = prompts[sample % prompts.length] as Prompt;
    const startedMs = performance.now();
    subject.match(prompt, members, out);
    timesUs.push((performance.now() - startedMs) * 1_000);
  }
  const sorted = timesUs.slice(-plan.samples).toSorted((left, right) => left - right);
  return {
    p50Us: sorted[sorted.length >> 1] ?? Number.NaN,
    p99Us: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}

/**
 * A system prompt of 256 blocks on all endpoints, and prompts that leave it at one of eight places;
 * what is matched follows it to its end and goes on for 256 blocks that five endpoints hold.
 */
function fillHalf(subject: Subject, plan: MatchPlan): readonly Prompt[] {
  const stream = new PromptStream('chat', 3);
  const shared = createPrompt();
  appendPart(shared, 1, 256);
  for (let slot = 0; slot < plan.endpoints; slot += 1) subject.insert(slot, shared);
  const asked: Prompt[] = [];
  for (let blocks = 256, own = 1_000; blocks < plan.blocks; own += 1) {
    const prompt = createPrompt();
    const isAsked = asked.length < 512;
    appendPart(prompt, 1, isAsked ? 256 : 32 * (1 + (own % 8)));
    appendPart(prompt, own, isAsked ? 256 : 200);
    const holders = isAsked ? 5 : 1;
    for (let i = 0; i < holders; i += 1) subject.insert(stream.nextSlot(plan.endpoints), prompt);
    if (isAsked) asked.push(prompt);
    blocks += isAsked ? 256 : 200;
  }
  return asked;
}

/** One prompt of 512 blocks on all endpoints, and for each of its blocks another that leaves it. */
function fillBranches(subject: Subject, plan: MatchPlan): readonly Prompt[] {
  const shared = createPrompt();
  appendPart(shared, 1, 512);
  for (let slot = 0; slot < plan.endpoints; slot += 1) subject.insert(slot, shared);
  for (let length = 1; length < 512; length += 1) {
    const prompt = createPrompt();
    appendPart(prompt, 1, length);
    appendPart(prompt, 1_000 + length, 1);
    subject.insert(length % plan.endpoints, prompt);
  }
  return [shared];
}

await serveCommands<PrefixSubjectCommands>({ fill, match });
