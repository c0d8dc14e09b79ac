import type { CandidateSet, PickInput } from '../types.ts';

/** Share of the KV cache that engines keep free for sequences that grow. */
const KV_RESERVE = 0.02;
/** A wait for KV blocks is worked out as if at least this share of the cache were in use. */
const KV_HELD_MIN = 0.1;
/** Slope that makes the logistic function like the distribution function of a normal one. */
const NORMAL_SLOPE = 1.702;
/** Deviations of room in the cache beyond which it is not full. */
const ROOM_DEVIATIONS = 3;
/**
 * Requests that are delayed by what is taken of a full cache, per request that waits on an endpoint
 * of the pool: those that wait, and those that come before there is room again. Values from 3 to
 * 10 did about the same in the lab.
 */
const ROOM_FOLLOWERS = 6;

/** What the KV caches are read with. */
export interface MemoryInput {
  readonly input: PickInput;
  readonly candidates: CandidateSet;
  /** Prompt tokens that are cached, by index into the candidates. */
  readonly cachedTokens: Float64Array;
  /** Requests that run at once, by slot. */
  readonly seats: Float64Array;
}

/**
 * What KV caches and seats that are all taken cost a request and others, in lifetimes of a request.
 * Columns are by index into the candidates of the last pick, and are reused.
 */
export class MemoryTurns {
  /** Lifetimes until there is room for the request. */
  turns: Float64Array = new Float64Array(16);
  /** Lifetimes that others wait for the room that the request takes, all of them together. */
  inflicted: Float64Array = new Float64Array(16);

  grow(size: number): void {
    this.turns = new Float64Array(size);
    this.inflicted = new Float64Array(size);
  }

  /**
   * Works out both columns. Cached blocks are shared with those who use them: as much of the cache
   * as is in use, as much of what is found in it.
   */
  measure({ input, candidates, cachedTokens, seats }: MemoryInput): void {
    const { load, members, promptTokens, outputTokens } = input;
    const { positions, count } = candidates;
    const { kvCacheUsage, kvBlockCount, kvBlockTokens, reportedWaiting } = load;
    const { requestsInFlight, foreignRequests, prefillTokensInFlight } = load;
    const { turns, inflicted } = this;
    const delayed = delayedByRoom(input, candidates);
    for (let i = 0; i < count; i += 1) {
      const slot = members[positions[i] as number] as number;
      const others = (requestsInFlight[slot] as number) + (foreignRequests[slot] as number);
      const usage = kvCacheUsage[slot] as number;
      const capacity = (kvBlockCount[slot] as number) * (kvBlockTokens[slot] as number);
      const seatTurns = turnsForSeat(others, seats[slot] as number);
      turns[i] = seatTurns;
      inflicted[i] = 0;
      // Not a number where the engine does not report.
      if (!(usage * capacity >= 0)) continue;
      const ahead = prefillTokensInFlight[slot] as number;
      const tokens = promptTokens - usage * (cachedTokens[i] as number) + outputTokens;
      const chance = chanceOfFull(usage + ahead / capacity, others);
      const growthTurns = (chance * ((reportedWaiting[slot] as number) + 1)) / (others + 1);
      const kvTurns = turnsForBlocks(usage, ahead + tokens, capacity) + growthTurns;
      if (kvTurns > seatTurns) turns[i] = kvTurns;
      inflicted[i] = (delayed * chance * tokens) / capacity;
    }
  }
}

/**
 * Requests that are delayed by a lifetime if all of a full cache is taken. It is the pool's mean
 * and no endpoint's own: where all caches are full, a prompt that evades a queue takes room from
 * those it joins, and more of it, as nobody there uses its beginning.
 */
function delayedByRoom({ members, load }: PickInput, { positions, count }: CandidateSet): number {
  const { kvCacheUsage, reportedWaiting } = load;
  let waiting = 0;
  let usage = 0;
  let known = 0;
  for (let i = 0; i < count; i += 1) {
    const slot = members[positions[i] as number] as number;
    waiting += reportedWaiting[slot] as number;
    const used = kvCacheUsage[slot] as number;
    if (!(used >= 0)) continue;
    usage += used;
    known += 1;
  }
  const held = usage > KV_HELD_MIN * known ? usage / known : KV_HELD_MIN;
  return (1 + (ROOM_FOLLOWERS * waiting) / count) / held;
}

/**
 * How many lifetimes pass before the KV cache has room for `tokens` more: the excess over what
 * those there hold, who end evenly over one lifetime.
 */
function turnsForBlocks(usage: number, tokens: number, capacity: number): number {
  const excess = (usage + KV_RESERVE - 1) * capacity + tokens;
  if (excess <= 0) return 0;
  return excess / ((usage > KV_HELD_MIN ? usage : KV_HELD_MIN) * capacity);
}

/**
 * Chance that the cache is full by now, as sequences grow and reports are old: `used` of it is
 * taken by `others`, whose sizes vary as exponential ones do.
 */
function chanceOfFull(used: number, others: number): number {
  const room = 1 - KV_RESERVE - used;
  if (room >= 0 && room * room * (others + 1) >= ROOM_DEVIATIONS ** 2 * used * used) return 0;
  const deviations = (room * Math.sqrt(others + 1)) / used;
  return 1 / (1 + Math.exp(NORMAL_SLOPE * deviations));
}

/** The same as `turnsForBlocks` for a seat in the batch. */
function turnsForSeat(others: number, seats: number): number {
  return others >= seats ? (others - seats + 1) / seats : 0;
}
