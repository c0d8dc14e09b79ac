import type { Rng } from '../../core/rng.ts';
import { describeGaps, describeUsers, type ArrivalSpec } from './arrival-spec.ts';
import { createArrivals } from './arrivals.ts';
import {
  ConversationTraffic,
  type ConversationPlan,
  type ConversationStart,
  type TurnPlan,
} from './conversation-traffic.ts';
import { createStream } from './random.ts';
import { WorkloadError } from './errors.ts';
import { SegmentMint } from './segments.ts';
import { createSheetWorkload, noAdapters } from './sheet-workload.ts';
import type { Setting, WorkloadSheet } from './sheet.ts';
import { createSizes, size, type SizeSampler, type SizeSpec } from './sizes.ts';
import type { TrafficOptions, TrafficSource, Workload } from './types.ts';
import { createZipf } from './zipf.ts';

/** Parameters of conversations; tokens, milliseconds and counts. */
export interface ConversationSetting extends Setting {
  /** What a load of 1 is: conversations that begin per second, or clients that hold one each. */
  readonly start:
    | { readonly kind: 'arrivals'; readonly perSecond: number }
    | { readonly kind: 'clients'; readonly count: number };
  /** System prompts in use; the one of rank r is used in proportion to 1 / r. */
  readonly applications: number;
  readonly systemTokens: number;
  /** What a conversation's first message has beside the message: a document, a task. */
  readonly openingTokens: SizeSpec;
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
  readonly turns: SizeSpec;
  readonly thinkMs: SizeSpec;
  /** A conversation ends before a prompt that would be longer than this. */
  readonly maxPromptTokens: number;
  /** Time that an answer is taken to last where the start of the run needs to know. */
  readonly answerMs: number;
}

interface Samplers {
  readonly openingTokens: SizeSampler;
  readonly userTokens: SizeSampler;
  readonly outputTokens: SizeSampler;
  readonly turns: SizeSampler;
  readonly thinkMs: SizeSampler;
  readonly application: (rng: Rng) => number;
}

/** A workload of conversations in one or many turns. */
export function createConversationWorkload(sheet: WorkloadSheet<ConversationSetting>): Workload {
  return createSheetWorkload(sheet, {
    adapters: noAdapters,
    loadUnit: describeLoad,
    closed: 'own_users',
    createTraffic: (values, options, arrivals) =>
      createTraffic(withThinking(values, arrivals), options, arrivals),
  });
}

function describeLoad(values: ConversationSetting, spec: ArrivalSpec | null): string {
  const { start } = values;
  if (spec?.kind === 'closed') {
    const { mean } = withThinking(values, spec).thinkMs;
    return `${describeUsers(spec.users ?? usersOf(values), mean)}, in conversations`;
  }
  if (spec !== null) {
    const perSecond = spec.perSecond ?? perSecondOf(values);
    const rounded = Number(perSecond.toPrecision(3));
    return `${rounded} new conversations/s, ${describeGaps(spec.gaps)}`;
  }
  return start.kind === 'clients'
    ? `${start.count} conversations at any time`
    : `${start.perSecond} new conversations/s`;
}

/** Longest and shortest pause over the mean where a workload has none of its own: as in chats. */
const THINK_SPREAD = { max: 4, min: 0.05 };

/** The setting with the pauses that a closed loop asks for, as uneven as its own. */
function withThinking(values: ConversationSetting, spec: ArrivalSpec | null): ConversationSetting {
  if (spec?.kind !== 'closed' || spec.thinkMs === null) return values;
  const { mean, max, min } = values.thinkMs;
  const spread = mean > 0 ? { max: max / mean, min: min / mean } : THINK_SPREAD;
  const thinkMs = size(spec.thinkMs, spec.thinkMs * spread.max, spec.thinkMs * spread.min);
  return { ...values, thinkMs };
}

function createTraffic(
  values: ConversationSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const mint = new SegmentMint();
  const { applications, systemTokens } = values;
  const systems = Array.from({ length: applications }, () => mint.create(systemTokens));
  const samplers: Samplers = {
    openingTokens: createSizes(values.openingTokens),
    userTokens: createSizes(values.userTokens),
    outputTokens: createSizes(values.outputTokens),
    turns: createSizes(values.turns),
    thinkMs: createSizes(values.thinkMs),
    application: createZipf(applications, 1),
  };
  return new ConversationTraffic({
    seed: options.seed,
    durationMs: options.durationMs,
    start: startOf(values, options, spec),
    mint,
    maxTurns: values.turns.max,
    cycleMs: values.thinkMs.mean + values.answerMs,
    plan: (rng): ConversationPlan => {
      const application = samplers.application(rng);
      const system = systems.slice(application, application + 1);
      return {
        tenant: `application-${application + 1}`,
        prefix: system,
        turns: planTurns(values, samplers, rng),
        maxTokens: values.outputTokens.max,
      };
    },
  });
}

/** `0` is no purpose of a stream within `ConversationTraffic`. */
const ARRIVALS = 0;

function startOf(
  values: ConversationSetting,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): ConversationStart {
  const { start } = values;
  if (spec?.kind === 'closed' || (spec === null && start.kind === 'clients')) {
    const users = spec?.users ?? usersOf(values);
    const count = Math.max(1, Math.round(users * options.load));
    assertHoldable(count, options.load);
    return { kind: 'clients', count };
  }
  const perSecond = (spec?.perSecond ?? perSecondOf(values)) * options.load;
  const rng = createStream(options.seed, ARRIVALS);
  const arrivals = createArrivals(rng, perSecond, spec?.gaps ?? { kind: 'poisson' });
  const alive = Math.round((perSecond * lifeMsOf(values)) / 1000);
  assertHoldable(alive, options.load);
  return { kind: 'arrivals', arrivals, alive };
}

/** From a conversation's first message to its last answer, in the mean. */
function lifeMsOf({ turns, thinkMs, answerMs }: ConversationSetting): number {
  return turns.mean * answerMs + (turns.mean - 1) * thinkMs.mean;
}

/** Little's law: conversations under way are those that begin per second times their life. */
function usersOf(values: ConversationSetting): number {
  const { start } = values;
  if (start.kind === 'clients') return start.count;
  return Math.max(1, Math.round((start.perSecond * lifeMsOf(values)) / 1000));
}

/** The same law: as many begin per second as keeps so many clients busy. */
function perSecondOf(values: ConversationSetting): number {
  const { start, thinkMs } = values;
  if (start.kind === 'arrivals') return start.perSecond;
  return (1000 * start.count) / (lifeMsOf(values) + thinkMs.mean);
}

/** All conversations under way at time 0 are in memory: some 300 MB for this many. */
const MOST_UNDER_WAY = 250_000;

function assertHoldable(underWay: number, load: number): void {
  if (underWay <= MOST_UNDER_WAY) return;
  const largest = Number(((load * MOST_UNDER_WAY) / underWay).toPrecision(2));
  throw new WorkloadError(
    'load_invalid',
    `a load of ${load} is ${underWay} conversations at once, and ${MOST_UNDER_WAY} are the most: ` +
      `ask for a load of about ${largest}`,
  );
}

function planTurns(values: ConversationSetting, samplers: Samplers, rng: Rng): TurnPlan[] {
  const count = samplers.turns.draw(rng);
  const turns: TurnPlan[] = [];
  let promptTokens = values.systemTokens + samplers.openingTokens.draw(rng);
  let extraTokens = promptTokens - values.systemTokens;
  for (let turn = 0; turn < count; turn += 1) {
    const thinkMs = samplers.thinkMs.drawReal(rng);
    const userTokens = samplers.userTokens.draw(rng) + extraTokens;
    const outputTokens = samplers.outputTokens.draw(rng);
    promptTokens += userTokens - extraTokens;
    if (promptTokens > values.maxPromptTokens && turn > 0) break;
    turns.push({ thinkMs, userTokens, outputTokens });
    promptTokens += outputTokens;
    extraTokens = 0;
  }
  return turns;
}
