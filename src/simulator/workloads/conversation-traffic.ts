import { must } from '../../core/assert.ts';
import { Heap } from '../../core/heap.ts';
import type { Rng } from '../../core/rng.ts';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import type { Arrivals } from './arrivals.ts';
import { createStream } from './random.ts';
import { countTokens, type SegmentMint } from './segments.ts';
import type { LabRequest, PromptSegment, TrafficSource } from './types.ts';

/** One turn of a conversation that is yet to be held. */
export interface TurnPlan {
  /** From the end of the answer before it. */
  readonly thinkMs: number;
  /** What the turn adds to the prompt, at least 1. */
  readonly userTokens: number;
  readonly outputTokens: number;
}

/** A whole conversation, drawn before it starts, so that no answer's time changes it. */
export interface ConversationPlan {
  readonly tenant: string;
  /** What the prompt begins with, shared with other conversations. */
  readonly prefix: readonly PromptSegment[];
  /** At least one. */
  readonly turns: readonly TurnPlan[];
  readonly maxTokens: number | null;
}

/**
 * Who begins conversations. `arrivals`: an open loop, each comes when it comes, and `alive` are
 * under way at time 0. `clients`: a closed loop, each client begins the next one when one is over.
 */
export type ConversationStart =
  | { readonly kind: 'arrivals'; readonly arrivals: Arrivals; readonly alive: number }
  | { readonly kind: 'clients'; readonly count: number };

/** How conversations are made. */
export interface ConversationTrafficOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly start: ConversationStart;
  readonly mint: SegmentMint;
  /** A new conversation; draws from `rng` only. */
  readonly plan: (rng: Rng) => ConversationPlan;
  /** Turns of the longest conversation. */
  readonly maxTurns: number;
  /** Mean time from one turn to the next, over which the first turns are spread. */
  readonly cycleMs: number;
}

interface Conversation {
  readonly number: number;
  /** The client of a closed loop; null in an open one. */
  readonly client: number | null;
  readonly plan: ConversationPlan;
  readonly headers: Readonly<Record<string, string>>;
  readonly segments: PromptSegment[];
  promptTokens: number;
  /** Index of the turn that comes next. */
  turn: number;
}

interface DueTurn {
  readonly atMs: number;
  readonly order: number;
  readonly conversation: Conversation;
}

// Purposes of random streams.
const UNDER_WAY = 1;
const ARRIVED = 2;
const OF_CLIENT = 3;
/** Draws until a conversation that is under way is accepted, with at least 1 / maxTurns each. */
const MOST_DRAWS = 10_000;

/**
 * Conversations whose turns follow each other: a turn's prompt is everything said before and a new
 * message, and it comes after the answer and a time to think.
 *
 * At time 0 some are in the middle, as they would be had the run begun long ago: a conversation
 * of n turns is n times as likely to be met (so it is accepted in proportion to n), it is met
 * before any of its turns with equal chance, and that turn comes at any time within one cycle.
 * Their past is in the prompt but in no engine's cache: the warm-up pays for it.
 */
export class ConversationTraffic implements TrafficSource {
  readonly expectedCount: null = null;
  readonly #options: ConversationTrafficOptions;
  readonly #due = new Heap<DueTurn>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  /** Conversations that wait for an answer, by number. */
  readonly #open = new Map<number, Conversation>();
  /** Conversations that each client has begun. */
  readonly #begun: number[] = [];
  #conversations = 0;
  #order = 0;
  #arrivalAtMs: number;

  constructor(options: ConversationTrafficOptions) {
    const { start } = options;
    this.#options = options;
    this.#arrivalAtMs =
      start.kind === 'arrivals' ? start.arrivals.next() : Number.POSITIVE_INFINITY;
    const count = start.kind === 'arrivals' ? start.alive : start.count;
    for (let index = 0; index < count; index += 1) this.#addUnderWay(index);
  }

  nextAtMs(): number {
    this.#admitArrivals();
    return this.#due.peek()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    this.#admitArrivals();
    const { atMs, conversation } = must(this.#due.pop(), 'a turn that is due');
    const { plan, segments } = conversation;
    const turn = must(plan.turns[conversation.turn], 'the turn that comes next');
    this.#say(conversation, turn.userTokens);
    const output = this.#options.mint.create(turn.outputTokens);
    const request: LabRequest = {
      atMs,
      session: conversation.number,
      tenant: plan.tenant,
      adapter: null,
      segments: segments.slice(),
      promptTokens: conversation.promptTokens,
      output,
      maxTokens: plan.maxTokens,
      objective: NO_OBJECTIVE,
      headers: conversation.headers,
    };
    segments.push(output);
    conversation.promptTokens += output.tokens;
    conversation.turn += 1;
    this.#open.set(conversation.number, conversation);
    return request;
  }

  /** The conversation goes on whether the answer was good or failed. */
  noteEnded(request: LabRequest, atMs: number): void {
    const conversation = must(this.#open.get(request.session), 'the conversation of an answer');
    this.#open.delete(conversation.number);
    const next = conversation.plan.turns[conversation.turn];
    if (next !== undefined) this.#schedule(conversation, atMs + next.thinkMs);
    else if (conversation.client !== null) this.#beginForClient(conversation.client, atMs);
  }

  /** Lets conversations in that begin before the next turn; there are none in a closed loop. */
  #admitArrivals(): void {
    const { start, durationMs, seed, plan } = this.#options;
    while (this.#arrivalAtMs <= Math.min(durationMs, this.#due.peek()?.atMs ?? durationMs)) {
      const rng = createStream(seed, ARRIVED, this.#conversations);
      this.#schedule(this.#create(plan(rng), null), this.#arrivalAtMs);
      if (start.kind === 'arrivals') this.#arrivalAtMs = start.arrivals.next();
    }
  }

  #beginForClient(client: number, endedAtMs: number): void {
    const generation = (this.#begun[client] ?? 0) + 1;
    this.#begun[client] = generation;
    const plan = this.#options.plan(
      createStream(this.#options.seed, OF_CLIENT, client, generation),
    );
    const thinkMs = plan.turns[0]?.thinkMs ?? 0;
    this.#schedule(this.#create(plan, client), endedAtMs + thinkMs);
  }

  #addUnderWay(index: number): void {
    const { start, seed, cycleMs, maxTurns } = this.#options;
    const rng = createStream(seed, UNDER_WAY, index);
    let plan = this.#options.plan(rng);
    for (let draw = 1; draw < MOST_DRAWS; draw += 1) {
      if (rng.next() * maxTurns < plan.turns.length) break;
      plan = this.#options.plan(rng);
    }
    const conversation = this.#create(plan, start.kind === 'clients' ? index : null);
    const held = Math.floor(rng.next() * plan.turns.length);
    for (const { userTokens, outputTokens } of plan.turns.slice(0, held)) {
      this.#say(conversation, userTokens);
      this.#say(conversation, outputTokens);
    }
    conversation.turn = held;
    this.#schedule(conversation, rng.next() * cycleMs);
  }

  #create(plan: ConversationPlan, client: number | null): Conversation {
    const number = this.#conversations;
    this.#conversations += 1;
    return {
      number,
      client,
      plan,
      headers: { 'x-session-id': `conversation-${number}` },
      segments: [...plan.prefix],
      promptTokens: countTokens(plan.prefix),
      turn: 0,
    };
  }

  #say(conversation: Conversation, tokens: number): void {
    conversation.segments.push(this.#options.mint.create(tokens));
    conversation.promptTokens += tokens;
  }

  /** A turn that would come after the end of the run is forgotten, and its conversation with it. */
  #schedule(conversation: Conversation, atMs: number): void {
    if (atMs > this.#options.durationMs) return;
    this.#due.push({ atMs, order: this.#order, conversation });
    this.#order += 1;
  }
}
