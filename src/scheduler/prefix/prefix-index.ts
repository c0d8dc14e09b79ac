import type { CandidateSet, PromptBlocks } from '../types.ts';
import { CellTable } from './cell-table.ts';
import { Cells } from './cells.ts';
import { Corrections } from './corrections.ts';
import { Coverage } from './coverage.ts';
import { Holders } from './holders.ts';
import { Holdings } from './holdings.ts';
import { Lanes } from './lanes.ts';
import { planMemory, type MemoryPlan } from './memory-plan.ts';
import { Predictions } from './predictions.ts';
import { PromptPath } from './prompt-path.ts';
import { PromptsInFlight } from './prompts-in-flight.ts';
import { MAX_RUN_CELLS, MAX_RUN_LENGTH, Runs } from './runs.ts';

/** Records of a cleared lane that one insertion forgets along the way. */
const SWEPT_PER_INSERT = 64;
/** Records that are forgotten before the largest lane is looked for again. */
const RECLAIMED_PER_LOOK = 16;
/** Cells that are reclaimed beyond the need of the moment, so that it is not done every time. */
const RECLAIMED_AHEAD = 256;

/** Epochs after which a prompt under way is used again: a sixteenth of the cache has come anew. */
const RENEWED_EPOCHS = 2;
/** Prompts under way that one insertion uses again at most. */
const RENEWED_PER_INSERT = 4;

/** Settings of a prefix index. */
export interface PrefixIndexOptions {
  /**
   * Bytes the index may take in all, 256 KiB to 4 GiB. The memory is reserved at once; what was
   * never needed is not backed by the operating system.
   */
  readonly maxBytes: number;
  /** Blocks an endpoint is taken to hold until its capacity is set. */
  readonly defaultBlocksPerEndpoint: number;
}

/** What the engine said of a prompt's cached part. */
export interface CachedShare {
  /** Prompt tokens that were cached when the engine began with the prompt, 0 to 1 of all. */
  readonly cachedShare: number;
}

/**
 * Which endpoint holds which blocks of which prompts, as far as can be told from what was sent
 * there. Approximate in that it sees no evictions: it assumes that an endpoint keeps what it used
 * last, up to its capacity, and is corrected by what the engine reports. Endpoints are slots, 0 to
 * 65,535. Deterministic: the same calls give the same answers. See README.md for the layout. Hot:
 * `npm run bench -- prefix-index`.
 */
export class PrefixIndex {
  readonly #plan: MemoryPlan;
  readonly #cells: Cells;
  readonly #runs: Runs;
  readonly #lanes: Lanes;
  readonly #holders: Holders;
  readonly #holdings: Holdings;
  readonly #path: PromptPath;
  readonly #coverage: Coverage;
  readonly #predictions: Predictions;
  readonly #corrections: Corrections;
  readonly #inFlight: PromptsInFlight;

  constructor(options: PrefixIndexOptions) {
    const plan = planMemory(options.maxBytes);
    const cells = new Cells(plan.cellCount);
    const table = new CellTable(cells, plan.bucketCount);
    const runs = new Runs(cells);
    const lanes = new Lanes(cells, plan.laneCount, options.defaultBlocksPerEndpoint);
    const holders = new Holders(cells, table);
    this.#plan = plan;
    this.#cells = cells;
    this.#runs = runs;
    this.#lanes = lanes;
    this.#holders = holders;
    this.#holdings = new Holdings({ cells, table, runs, holders, lanes }, plan.laneCount);
    this.#path = new PromptPath(table, runs, plan.maxBlocks);
    this.#coverage = new Coverage(cells, holders, lanes);
    this.#predictions = new Predictions(plan.predictionCount);
    this.#corrections = new Corrections(lanes, this.#predictions);
    this.#inFlight = new PromptsInFlight(plan.laneCount);
  }

  /** Pairs of a block and an endpoint that holds it. */
  get entryCount(): number {
    return this.#lanes.heldByAll;
  }

  /** Bytes in use, of which memory that was needed once is part; never above `maxBytes`. */
  get sizeBytes(): number {
    return this.#plan.fixedBytes + this.#cells.touchedBytes;
  }

  /** Blocks that `slot` holds. */
  blocksOf(slot: number): number {
    return this.#lanes.held[this.#lanes.find(slot)] as number;
  }

  /**
   * Writes to `out[position]`, for each candidate's position in `members`, how many leading blocks
   * of the prompt its slot is expected to have cached: what is known to have been sent there, times
   * the share of it that the engine lately turned out to have. Other elements of `out` keep their
   * values. Allocates nothing.
   */
  match(
    blocks: PromptBlocks,
    members: Int32Array,
    candidates: CandidateSet,
    out: Int32Array,
  ): void {
    this.#path.follow(blocks, Math.min(blocks.count, this.#plan.maxBlocks));
    this.#coverage.measure(this.#path);
    const { depths } = this.#coverage;
    const { positions, count } = candidates;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const lane = this.#lanes.find(members[position] as number);
      const depth = depths[lane] as number;
      out[position] = depth === 0 ? 0 : Math.round(depth * this.#lanes.trustOf(lane));
    }
  }

  /**
   * The endpoint is given a prompt of these blocks: it holds all of them from now on, the first
   * ones as its most recently used, and gives up what it used longest ago beyond its capacity. A
   * prompt may be inserted by its beginning first and in full later.
   */
  insert(slot: number, blocks: PromptBlocks): void {
    const lane = this.#lanes.obtain(slot);
    if (lane === 0 || blocks.count === 0) return;
    this.#sweep(SWEPT_PER_INSERT);
    this.#renew(lane);
    this.#predictions.note(lane, blocks, this.#insert(lane, blocks));
  }

  /**
   * As `insert`, and the prompt counts as in use until `end` is called with what this returns: an
   * engine puts out no block of a request that it serves, so it puts out others sooner. `blocks`
   * must not change before.
   */
  begin(slot: number, blocks: PromptBlocks): number {
    this.insert(slot, blocks);
    const lane = this.#lanes.find(slot);
    if (lane === 0 || blocks.count === 0) return 0;
    return this.#inFlight.add(lane, blocks, this.#lanes.epochOf(lane));
  }

  /** The request has ended; 0 is none. Every number that `begin` gave has to come back once. */
  end(ticket: number): void {
    if (ticket !== 0) this.#inFlight.remove(ticket);
  }

  /**
   * The engine has finished a prompt and said how much of it had been cached. It holds all of the
   * prompt now. If the index had promised much more, it expects less of the endpoint from now on,
   * and more again when promises hold. An engine that never has anything cached is taken to hold
   * nothing.
   */
  correct(slot: number, blocks: PromptBlocks, share: CachedShare): void {
    const lane = this.#lanes.obtain(slot);
    if (lane === 0 || blocks.count === 0) return;
    this.#sweep(SWEPT_PER_INSERT);
    const cachedShare = Math.min(1, Math.max(0, share.cachedShare));
    this.#corrections.learn(lane, blocks, Math.floor(cachedShare * blocks.count));
    this.#trim(lane);
    this.#insert(lane, blocks);
  }

  /** Blocks that the endpoint's cache has room for, as the engine reports it. Kept by `clear`. */
  setCapacity(slot: number, blocks: number): void {
    const lane = this.#lanes.obtain(slot);
    if (lane === 0) return;
    this.#lanes.setCapacity(lane, blocks);
    this.#trim(lane);
  }

  /**
   * The endpoint holds nothing any more: its engine was restarted, or it is gone. Takes bounded
   * time: what is left in memory is cleaned up by later insertions.
   */
  clear(slot: number): void {
    const lanes = this.#lanes;
    const lane = lanes.find(slot);
    if (lane === 0) return;
    this.#inFlight.abandon(lane);
    if (!lanes.replace(slot)) {
      this.#holdings.forgetBlocks(lane, lanes.held[lane] as number);
      lanes.resetLearned(lane);
    }
    this.#sweep(SWEPT_PER_INSERT);
  }

  /** Inserts, and returns what the lane held of the prompt before, and how long unused. */
  #insert(lane: number, blocks: PromptBlocks): { blocks: number; age: number } {
    const limit = this.#limitOf(lane);
    const count = Math.min(blocks.count, this.#plan.maxBlocks, limit);
    const matched = this.#makeRoom(lane, blocks, count);
    const before = this.#findRecords(lane);
    const held = this.#lanes.held[lane] as number;
    this.#add(lane, blocks, { matched, count });
    this.#lanes.noteAdded(lane, (this.#lanes.held[lane] as number) - held);
    this.#trim(lane);
    return before;
  }

  /** Uses again what is under way and has not been used for long, so that it is not forgotten. */
  #renew(lane: number): void {
    const inFlight = this.#inFlight;
    for (let count = 0; count < RENEWED_PER_INSERT; count += 1) {
      const place = inFlight.oldest(lane);
      const blocks = inFlight.blocksOf(place);
      if (blocks === null) return;
      if (this.#lanes.epochsSince(lane, inFlight.epochOf(place)) < RENEWED_EPOCHS) return;
      this.#insert(lane, blocks);
      inFlight.renew(place, this.#lanes.epochOf(lane));
    }
  }

  #limitOf(lane: number): number {
    return this.#corrections.isMuted(lane) ? 0 : (this.#lanes.capacity[lane] as number);
  }

  #trim(lane: number): void {
    const excess = (this.#lanes.held[lane] as number) - this.#limitOf(lane);
    if (excess > 0) this.#holdings.forgetBlocks(lane, excess);
  }

  /** Follows the prompt, and forgets other things until there are cells for all it needs. */
  #makeRoom(lane: number, blocks: PromptBlocks, count: number): number {
    for (;;) {
      const matched = this.#path.follow(blocks, count);
      const needed = this.#cellsToInsert(lane, matched, count);
      if (this.#cells.freeCount >= needed) return matched;
      this.#reclaim(needed + RECLAIMED_AHEAD);
    }
  }

  /** Cells that inserting takes at most. */
  #cellsToInsert(lane: number, matched: number, count: number): number {
    const path = this.#path;
    const perHold = Holders.cellsToAdd(this.#lanes.highest);
    let needed = (Math.ceil((count - matched) / MAX_RUN_LENGTH) + 1) * MAX_RUN_CELLS;
    for (let index = 0; index < path.length; index += 1) {
      const run = path.runs[index] as number;
      if (this.#holders.find(run, lane) === 0) needed += perHold;
    }
    const last = path.length - 1;
    if (last < 0) return needed;
    const run = path.runs[last] as number;
    if (matched - path.startOf(last) === this.#runs.lengthOf(run)) return needed;
    return needed + MAX_RUN_CELLS + perHold + this.#holdings.countHolders(run);
  }

  /** Looks up the lane's records along the path; returns what it holds of the prompt. */
  #findRecords(lane: number): { blocks: number; age: number } {
    const path = this.#path;
    let blocks = 0;
    let age = 0;
    for (let index = 0; index < path.length; index += 1) {
      const run = path.runs[index] as number;
      const record = this.#holders.find(run, lane);
      path.records[index] = record;
      if (record === 0) continue;
      const start = path.startOf(index);
      const matched = (path.ends[index] as number) - start;
      blocks = start + Math.min(matched, this.#holdings.lengthHeld(lane, run));
      age = this.#lanes.ageOf(lane, record);
    }
    return { blocks, age };
  }

  /**
   * Makes the lane hold the first `count` blocks, of which `matched` are known. Whatever is used
   * last is the newest, so this goes from the end of the prompt to its beginning.
   */
  #add(lane: number, blocks: PromptBlocks, span: { matched: number; count: number }): void {
    const path = this.#path;
    const runs = this.#runs;
    const holdings = this.#holdings;
    const { hashes } = blocks;
    const last = path.length - 1;
    const lastRun = last < 0 ? 0 : (path.runs[last] as number);
    let known = span.matched;
    if (last >= 0) {
      const matchedInRun = known - path.startOf(last);
      if (matchedInRun < runs.lengthOf(lastRun)) holdings.split(lastRun, matchedInRun);
      const rest = span.count - known;
      if (rest > 0 && holdings.isExtendable(lane, lastRun)) {
        known += holdings.extend(lastRun, hashes, known, rest);
      }
      if (known < span.count) runs.setChildren(lastRun, true);
    }
    const newRuns = Math.ceil((span.count - known) / MAX_RUN_LENGTH);
    for (let index = newRuns - 1; index >= 0; index -= 1) {
      const from = known + index * MAX_RUN_LENGTH;
      const length = Math.min(MAX_RUN_LENGTH, span.count - from);
      const run = holdings.create(lane, hashes, from, length);
      if (index < newRuns - 1) runs.setChildren(run, true);
    }
    for (let index = last; index >= 0; index -= 1) {
      const run = path.runs[index] as number;
      const record = path.records[index] as number;
      if (record === 0) holdings.hold(lane, run);
      else holdings.use(lane, run, record);
    }
  }

  /** Forgets what is oldest where most is held, until `cells` are free or all is forgotten. */
  #reclaim(cells: number): void {
    const target = Math.min(cells, this.#cells.capacity);
    while (this.#cells.freeCount < target) {
      if (this.#lanes.retired !== 0) {
        this.#sweep(SWEPT_PER_INSERT);
        continue;
      }
      const lane = this.#lanes.findLargest();
      if (lane === 0) return;
      for (let i = 0; i < RECLAIMED_PER_LOOK && this.#lanes.oldest[lane] !== 0; i += 1) {
        this.#holdings.forgetOldest(lane);
      }
    }
  }

  /** Forgets up to `count` records of lanes that were cleared. */
  #sweep(count: number): void {
    const lanes = this.#lanes;
    for (let i = 0; i < count && lanes.retired !== 0; i += 1) {
      const lane = lanes.retired;
      if (lanes.oldest[lane] === 0) lanes.releaseRetired();
      else this.#holdings.forgetOldest(lane);
    }
  }
}
