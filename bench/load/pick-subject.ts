// A process that makes picks with one policy, and times them.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRng, pickIndex, type Rng } from '../../src/core/rng.ts';
import { BUILTIN_PLUGINS } from '../../src/scheduler/framework/builtins.ts';
import { createRegistry } from '../../src/scheduler/framework/registry.ts';
import type { LoadTable } from '../../src/scheduler/ports.ts';
import { PRESETS, type PresetName } from '../../src/scheduler/presets.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { NO_OBJECTIVE, type PickInput } from '../../src/scheduler/types.ts';
import { serveCommands } from '../lib/worker.ts';
import { appendPart, createPrompt, type Prompt } from './prompt-chains.ts';

/** What to measure. */
export interface PickPlan {
  readonly preset: PresetName;
  readonly endpoints: number;
  /** Distinct prompt blocks in the prefix index. */
  readonly blocks: number;
  readonly samples: number;
}

/** What a pick took. */
export interface PickResult {
  readonly p50Us: number;
  readonly p99Us: number;
  /** Bytes of the heap that one pick allocates. */
  readonly allocatedBytes: number;
  /** Distinct endpoints that were chosen first: that the picks were real ones. */
  readonly chosenEndpoints: number;
}

/** What this process can be asked. */
export type PickSubjectCommands = {
  pick: { readonly params: PickPlan; readonly result: PickResult };
};

const PROMPT_BLOCKS = 512;
const BLOCK_BYTES = 256;
const BYTES_PER_TOKEN = 4;
const PROMPT_TOKENS = (PROMPT_BLOCKS * BLOCK_BYTES) / BYTES_PER_TOKEN;
const OUTPUT_TOKENS = 200;
/** Requests under way at once, per endpoint. */
const IN_FLIGHT_PER_ENDPOINT = 8;
const MAX_INDEX_BYTES = 2 ** 28;
/**
 * Picks whose garbage fits into the young generation, so that none of it is collected meanwhile.
 */
const ALLOCATION_PICKS = 500;
/** Times that the same picks are made. */
const PASSES = 2;
const ALLOCATION_ROUNDS = 11;

/** A fleet under load, and prompts that its engines hold in part. */
class PickWorld {
  readonly #rng: Rng = createRng(11);
  readonly #scheduler: Scheduler;
  readonly #load: LoadTable;
  readonly #members: Int32Array;
  readonly #residency: Uint8Array;
  readonly #prompts: readonly Prompt[];
  /** Slots of the requests under way, oldest first from `#oldest` on. */
  readonly #inFlight: Int32Array;
  #oldest = 0;
  #nowMs = 0;

  constructor({ preset, endpoints, blocks }: PickPlan) {
    this.#scheduler = new Scheduler({
      profile: PRESETS[preset],
      shadow: null,
      registry: createRegistry(BUILTIN_PLUGINS),
      rng: createRng(5),
      prefix: { maxBytes: MAX_INDEX_BYTES, defaultBlocksPerEndpoint: 2 ** 20 },
      onPluginFault: (name, cause) => {
        throw new TypeError(`plugin ${name} failed`, { cause });
      },
    });
    this.#members = Int32Array.from({ length: endpoints }, (_, slot) => slot);
    this.#residency = Uint8Array.from({ length: endpoints }, () => pickIndex(this.#rng, 3));
    this.#load = this.#createLoad(endpoints);
    this.#prompts = this.#fillIndex(blocks);
    this.#learnLatencies();
    const count = endpoints * IN_FLIGHT_PER_ENDPOINT;
    this.#inFlight = Int32Array.from({ length: count }, () => pickIndex(this.#rng, endpoints));
    for (const slot of this.#inFlight) this.#addLoad(slot, 1);
  }

  /** The input of the next pick: one of the prompts, a little later. */
  nextInput(): PickInput {
    this.#nowMs += 1;
    const blocks = this.#prompts[pickIndex(this.#rng, this.#prompts.length)] as Prompt;
    return {
      load: this.#load,
      members: this.#members,
      residency: this.#residency,
      promptTokens: PROMPT_TOKENS,
      outputTokens: OUTPUT_TOKENS,
      nowMs: this.#nowMs,
      blocks,
      objective: NO_OBJECTIVE,
      traits: { idOf: (slot) => `10.0.0.${slot}:8000`, labelsOf: () => NO_LABELS },
      header: () => null,
    };
  }

  pick(input: PickInput): number {
    return (this.#scheduler.pick(input).ranked[0] as { readonly slot: number }).slot;
  }

  /** Books the request as the director does; the oldest one under way ends. */
  book(slot: number, input: PickInput): void {
    const ended = this.#inFlight[this.#oldest] as number;
    this.#inFlight[this.#oldest] = slot;
    this.#oldest = (this.#oldest + 1) % this.#inFlight.length;
    this.#addLoad(ended, -1);
    this.#addLoad(slot, 1);
    this.#scheduler.noteBooked(slot, input);
  }

  #addLoad(slot: number, requests: number): void {
    const { requestsInFlight, tokensInFlight, prefillTokensInFlight } = this.#load;
    requestsInFlight[slot] = (requestsInFlight[slot] as number) + requests;
    tokensInFlight[slot] = (tokensInFlight[slot] as number) + requests * 900;
    prefillTokensInFlight[slot] = (prefillTokensInFlight[slot] as number) + requests * 700;
  }

  #createLoad(endpoints: number): LoadTable {
    const column = (value: () => number): Float64Array =>
      Float64Array.from({ length: endpoints }, value);
    const upTo = (bound: number) => (): number => pickIndex(this.#rng, bound);
    return {
      isAvailable: new Uint8Array(endpoints).fill(1),
      requestsInFlight: column(() => 0),
      tokensInFlight: column(() => 0),
      prefillTokensInFlight: column(() => 0),
      reportedWaiting: column(upTo(4)),
      foreignRequests: column(upTo(3)),
      kvCacheUsage: column(() => this.#rng.next()),
      lastWaiting: column(upTo(4)),
      lastRunning: column(upTo(20)),
      kvBlockTokens: column(() => 16),
      kvBlockCount: column(() => 30_000),
      adapterSlots: column(() => 8),
      adaptersActive: column(upTo(6)),
      adaptersWaiting: column(upTo(2)),
    };
  }

  /**
   * A system prompt of half of the blocks on all endpoints. The prompts that are asked for follow
   * it to its end, and five endpoints hold the rest of each; others leave it earlier.
   */
  #fillIndex(blocks: number): readonly Prompt[] {
    const { prefixIndex } = this.#scheduler;
    const half = PROMPT_BLOCKS / 2;
    const shared = createPrompt();
    appendPart(shared, 1, half);
    for (const slot of this.#members) prefixIndex.insert(slot, shared);
    const asked: Prompt[] = [];
    for (let filled = half, own = 1000; filled < blocks; own += 1) {
      const prompt = createPrompt();
      const isAsked = asked.length < 512;
      appendPart(prompt, 1, isAsked ? half : 32 * (1 + (own % 8)));
      appendPart(prompt, own, isAsked ? half : 200);
      for (let holder = 0; holder < (isAsked ? 5 : 1); holder += 1) {
        prefixIndex.insert(pickIndex(this.#rng, this.#members.length), prompt);
      }
      if (isAsked) asked.push(prompt);
      filled += isAsked ? half : 200;
    }
    return asked;
  }

  /** Every endpoint has been seen to answer, some twice as fast as others. */
  #learnLatencies(): void {
    for (const slot of this.#members) {
      for (let sample = 1; sample <= 8; sample += 1) {
        const promptTokens = 500 * sample;
        const speed = 1 + (slot % 2);
        this.#scheduler.noteFirstToken(slot, {
          nowMs: 0,
          ttftMs: (30 + promptTokens / 10) / speed,
          promptTokens,
          cachedTokens: 0,
          prefillTokensAhead: 0,
          requestsAhead: sample,
          isAdapterCold: false,
        });
        this.#scheduler.noteFinished(slot, {
          nowMs: 0,
          promptTokens,
          completionTokens: 200,
          cachedTokens: null,
          tpotMs: (20 + sample / 4) / speed,
          batch: sample,
          kvCacheUsage: 0.3,
          blocks: null,
          firstToken: null,
        });
      }
    }
  }
}

const NO_LABELS = Object.freeze({});

interface Pass {
  readonly world: PickWorld;
  readonly timesUs: Float64Array;
  readonly slots: Int32Array;
}

/** Makes the same picks as every other pass of the same plan. */
function runPass(plan: PickPlan): Pass {
  const world = new PickWorld(plan);
  const timesUs = new Float64Array(plan.samples);
  const slots = new Int32Array(plan.samples);
  for (let sample = 0; sample < plan.samples; sample += 1) {
    const input = world.nextInput();
    const startedMs = performance.now();
    const slot = world.pick(input);
    timesUs[sample] = (performance.now() - startedMs) * 1000;
    slots[sample] = slot;
    world.book(slot, input);
  }
  return { world, timesUs, slots };
}

/**
 * Makes the same picks twice and takes the shorter time of each: what else the machine did,
 * and what had yet to be compiled, drops out; so do collections of garbage, which is measured by
 * itself.
 */
function pick(plan: PickPlan): PickResult {
  const passes = Array.from({ length: PASSES }, () => runPass(plan));
  const [first] = passes as [Pass, ...Pass[]];
  for (const { slots } of passes) {
    if (slots.join() !== first.slots.join()) throw new TypeError('passes chose other endpoints');
  }
  const shortest = first.timesUs.map((_, sample) =>
    Math.min(...passes.map(({ timesUs }) => timesUs[sample] as number)),
  );
  const sorted = shortest.toSorted();
  return {
    p50Us: sorted[sorted.length >> 1] ?? Number.NaN,
    p99Us: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    allocatedBytes: measureAllocation(first.world),
    chosenEndpoints: new Set(first.slots).size,
  };
}

/** Growth of the heap over picks alone, with nothing collected; the median of several rounds. */
function measureAllocation(world: PickWorld): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const inputs = Array.from({ length: ALLOCATION_PICKS }, () => world.nextInput());
  const rounds: number[] = [];
  for (let round = 0; round < ALLOCATION_ROUNDS; round += 1) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const input of inputs) world.pick(input);
    rounds.push((process.memoryUsage().heapUsed - before) / ALLOCATION_PICKS);
  }
  return rounds.toSorted((left, right) => left - right)[ALLOCATION_ROUNDS >> 1] ?? Number.NaN;
}

await serveCommands<PickSubjectCommands>({ pick });
