import { must } from '../../core/assert.ts';
import type { PluginDefinition, ProfileSpec } from '../../scheduler/framework/plugin.ts';
import type { CandidateSet, PickInput, Scorer } from '../../scheduler/types.ts';
import type { EngineModel } from '../engine/engine-model.ts';
import type { PromptDigest } from '../engine/prompt-digest.ts';
import type { Sequence } from '../engine/sequence.ts';
import { createStepShape, stepDurationMs } from '../engine/step-time.ts';
import type { LabRequest, TrafficSource } from '../workloads/types.ts';
import { PromptBook } from './prompts.ts';
import type { LabOptions } from './types.ts';
import { LabWorld } from './world.ts';

/** Name of the policy in results. */
export const ORACLE_NAME = 'oracle';

/** Memory for prompts that later ones may begin with. */
const PROMPT_MEMO_BYTES = 64 * 1024 * 1024;
/** How many milliseconds of streaming one before the first token weighs; tuned by hand. */
const TTFT_WEIGHT = 6;
/** Times that others repeat the work whose blocks are put out of a full cache; tuned by hand. */
const REFILLS = 2;
/** Slope that makes the logistic function like the distribution function of a normal one. */
const NORMAL_SLOPE = 1.702;
/** Arrivals count for so long; tuned by hand. */
const ARRIVALS_MS = 30_000;

/**
 * What is true of one engine as a request comes. Times in milliseconds of the engine's own steps.
 */
interface Outlook {
  readonly waitMs: number;
  readonly workMs: number;
  /** One step of decoding, and what one more sequence adds to it. */
  readonly stepMs: number;
  readonly growthMs: number;
  readonly decoding: number;
  readonly queued: number;
  /** Sum over those there of the tokens they will still generate while this request does. */
  readonly sharedTokens: number;
}

/**
 * A policy that knows what no gateway can: what every engine has cached, how far each sequence is
 * and how long its answer will be, and the length of the request's own answer. It picks the least
 * delay to the request and to all who are there. A reference for policies, not a bound: it knows
 * neither who comes next nor where that one would best go.
 */
class OracleScorer implements Scorer {
  readonly type: string = ORACLE_NAME;
  readonly name: string = ORACLE_NAME;
  readonly #sight: Sight;
  #arrivals = 0;
  #arrivedAtMs = 0;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { request, digestFor } = this.#sight.take();
    const perMs = this.#countArrival(input.nowMs) / candidates.count;
    const costs: number[] = [];
    for (let i = 0; i < candidates.count; i += 1) {
      const slot = input.members[candidates.positions[i] as number] as number;
      const model = this.#sight.modelOf(slot);
      if (model === null) costs.push(Number.POSITIVE_INFINITY);
      else costs.push(costOf(outlookOf(model, request, digestFor(model)), request, perMs));
    }
    const least = Math.min(...costs);
    for (let i = 0; i < candidates.count; i += 1) scores[i] = least / (costs[i] as number);
  }

  /** Requests a millisecond. */
  #countArrival(nowMs: number): number {
    const kept = Math.exp((this.#arrivedAtMs - nowMs) / ARRIVALS_MS);
    this.#arrivals = this.#arrivals * kept + 1;
    this.#arrivedAtMs = nowMs;
    return this.#arrivals / ARRIVALS_MS;
  }
}

function costOf(outlook: Outlook, { output }: LabRequest, arrivalsPerMs: number): number {
  const { waitMs, workMs, stepMs, growthMs, decoding, queued, sharedTokens } = outlook;
  const followers = arrivalsPerMs * (waitMs + workMs / 2);
  const delayed =
    decoding + TTFT_WEIGHT * (queued + followers) + REFILLS * (TTFT_WEIGHT + decoding);
  return (
    TTFT_WEIGHT * (waitMs + workMs) +
    output.tokens * stepMs +
    delayed * workMs +
    growthMs * sharedTokens
  );
}

function outlookOf(model: EngineModel, request: LabRequest, prompt: PromptDigest): Outlook {
  const { costs } = model.options;
  const shape = createStepShape();
  const remaining: number[] = [];
  let backlogMs = 0;
  let queued = 0;
  let sharedTokens = 0;
  model.visitSequences((sequence) => {
    const left = sequence.request.output.length - sequence.outputTokens;
    sharedTokens += Math.min(left, request.output.tokens);
    if (sequence.state === 'decoding') {
      shape.decodeSequences += 1;
      shape.decodeContextTokens += sequence.knownTokens;
      shape.decodeWindowTokens += Math.min(sequence.knownTokens, costs.windowTokens);
      remaining.push(left);
      return;
    }
    queued += 1;
    backlogMs += prefillMs(model, computedOf(model, sequence), sequence.knownTokens);
  });
  const decoding = shape.decodeSequences;
  const alone = stepDurationMs(costs, shape);
  shape.decodeSequences += 1;
  shape.decodeContextTokens += prompt.tokens + request.output.tokens / 2;
  shape.decodeWindowTokens += Math.min(prompt.tokens, costs.windowTokens);
  const stepMs = stepDurationMs(costs, shape);
  const cached = model.cachedTokensOf(prompt);
  const short = Math.ceil((prompt.tokens - cached) / model.options.blockSizeTokens);
  const steps = short > model.freeBlocks ? stepsUntilFree(model, remaining, short) : 0;
  return {
    waitMs: alone / 2 + backlogMs + Math.max(steps, crowdedSteps(model, remaining)) * stepMs,
    workMs: prefillMs(model, cached, prompt.tokens),
    stepMs,
    growthMs: stepMs - alone,
    decoding,
    queued,
    sharedTokens,
  };
}

/** Steps until enough sequences have ended for `blocks` more to be free. */
function stepsUntilFree(model: EngineModel, remaining: number[], blocks: number): number {
  let missing = blocks - model.freeBlocks;
  if (missing <= 0) return 0;
  const perSequence = (model.options.kvBlocks - model.freeBlocks) / Math.max(1, remaining.length);
  for (const left of remaining.toSorted((a, b) => a - b)) {
    missing -= perSequence;
    if (missing <= 0) return left;
  }
  return Math.max(0, ...remaining);
}

/**
 * Steps that are lost to a cache which fills up as sequences grow: the chance that it does, times
 * what passes until as many have left as wait.
 */
function crowdedSteps(model: EngineModel, remaining: readonly number[]): number {
  const used = model.kvUsage;
  const count = remaining.length;
  if (count === 0) return 0;
  const deviations = ((1 - used) * Math.sqrt(count)) / Math.max(used, Number.EPSILON);
  const mean = remaining.reduce((sum, left) => sum + left, 0) / count;
  const life = 2 * mean;
  return ((model.waiting + 1) / count) * (life / (1 + Math.exp(NORMAL_SLOPE * deviations)));
}

function computedOf(model: EngineModel, sequence: Sequence): number {
  if (sequence.state === 'prefilling') return sequence.computedTokens;
  return model.cachedTokensOf(sequence.request.prompt);
}

/** What computing tokens `from` to `to` of a prompt adds to steps. */
function prefillMs(model: EngineModel, from: number, to: number): number {
  const { costs } = model.options;
  const tokens = Math.max(0, to - from);
  const shape = createStepShape();
  shape.prefillTokens = tokens;
  shape.prefillContextPairs = tokens * (from + tokens / 2);
  shape.prefillContextTokens = to;
  const linearMs = costs.prefillTokenMs * tokens;
  const attentionMs = Math.max(
    costs.prefillContextPairMs * shape.prefillContextPairs +
      costs.prefillWindowPairMs * tokens * Math.min(to, costs.windowTokens),
    costs.prefillContextTokenMs * to,
  );
  return linearMs + attentionMs + costs.exchangeTokenMs * tokens;
}

/** A request that is about to be picked for. */
interface Seen {
  readonly request: LabRequest;
  readonly digestFor: (model: EngineModel) => PromptDigest;
}

/** Sees requests as they are sent, and the engines behind slots. Picks come in order of arrival. */
class Sight {
  readonly #prompts: PromptBook;
  readonly #sent: LabRequest[] = [];
  #world: LabWorld | null = null;
  #byUrl: ReadonlyMap<string, LabWorld['replicas'][number]> | null = null;
  readonly #bySlot = new Map<number, LabWorld['replicas'][number]>();

  constructor({ endpoints }: LabOptions) {
    const blockTokens = endpoints.map(({ engine }) => engine.blockSizeTokens);
    this.#prompts = new PromptBook(blockTokens, { maxBytes: PROMPT_MEMO_BYTES });
  }

  open(world: LabWorld): void {
    this.#world = world;
  }

  watch(traffic: TrafficSource): TrafficSource {
    return {
      nextAtMs: () => traffic.nextAtMs(),
      take: () => {
        const request = traffic.take();
        this.#sent.push(request);
        return request;
      },
      noteEnded: (request, atMs) => {
        traffic.noteEnded(request, atMs);
      },
      get expectedCount() {
        return traffic.expectedCount;
      },
    };
  }

  take(): Seen {
    const request = must(this.#sent.shift(), 'a request that was sent');
    const prompt = this.#prompts.build(request.segments, request.adapter ?? '');
    return { request, digestFor: (model) => prompt.digest(model.options.blockSizeTokens) };
  }

  modelOf(slot: number): EngineModel | null {
    const known = this.#bySlot.get(slot);
    if (known !== undefined) return known.model;
    const world = must(this.#world, 'a world');
    this.#byUrl ??= new Map(world.replicas.map((replica) => [replica.url, replica]));
    for (const endpoint of world.brain.fleet.endpoints()) {
      const replica = this.#byUrl.get(endpoint.spec.url);
      if (replica !== undefined) this.#bySlot.set(endpoint.slot, replica);
    }
    return must(this.#bySlot.get(slot), 'a replica of the slot').model;
  }
}

/** A world in which the oracle picks. The options' own policy is not used. */
export function createOracleWorld(options: LabOptions): LabWorld {
  const sight = new Sight(options);
  const plugin: PluginDefinition = {
    kind: 'scorer',
    type: ORACLE_NAME,
    summary: 'Knows what engines hold and how long answers will be.',
    options: [],
    create: () => new OracleScorer(sight),
  };
  const profile: ProfileSpec = {
    name: ORACLE_NAME,
    plugins: [{ type: ORACLE_NAME, name: ORACLE_NAME, options: {}, weight: 1 }],
    rankedCount: 1,
  };
  const world = new LabWorld({
    ...options,
    policy: { name: ORACLE_NAME, profile, plugins: [plugin] },
    traffic: sight.watch(options.traffic),
  });
  sight.open(world);
  return world;
}
