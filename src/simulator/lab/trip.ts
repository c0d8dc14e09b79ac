import { must } from '../../core/assert.ts';
import type { LogHistogram } from '../../core/log-histogram.ts';
import { requestId } from '../../core/ids.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Director, FlightReceiver } from '../../director/director.ts';
import type { Flight } from '../../director/flight.ts';
import type { AttemptFailure, FlightResult, Refusal, RequestHead } from '../../director/types.ts';
import { NO_CREDENTIAL } from '../../director/types.ts';
import { type ApiDefinition, findApi } from '../../protocol/api-table.ts';
import type { Refusal as EngineRefusal } from '../engine/engine-model.ts';
import type { EngineRequest, OutputPlan, Sequence, SequenceListener } from '../engine/sequence.ts';
import type { LabRequest, PromptSegment } from '../workloads/types.ts';
import { EVENT_KINDS, type EventQueue, type LabClock } from './event-queue.ts';
import { BYTES_PER_TOKEN, type LabPrompt, type PromptBook, tokenIdOf } from './prompts.ts';
import { type EngineTenant, LAB_MODEL, type Replica } from './replica.ts';
import type { LabDelays } from './types.ts';

/** How a request ended: answered in full, refused without trying an endpoint, or neither. */
export type TripOutcome = 'completed' | 'refused' | 'failed';

/** What all trips share. */
export interface TripServices {
  readonly director: Director;
  readonly clock: LabClock;
  readonly queue: EventQueue;
  readonly delays: LabDelays;
  readonly prompts: PromptBook;
  /** The replica that stands in for the endpoint of a slot. */
  readonly replicaAt: (slot: number) => Replica;
  readonly onPicked: (replica: Replica) => void;
  /** The engine has taken a request or refused it: its next step may be another. */
  readonly onDelivered: (replica: Replica) => void;
  /** Takes the gaps in milliseconds between tokens of the answers that count. */
  readonly gapsMs: LogHistogram;
  readonly onEnded: (trip: Trip) => void;
  readonly trace: ((line: string) => void) | null;
}

/** What of a trip the measures need to know beforehand. */
export interface TripPlan {
  readonly number: number;
  readonly request: LabRequest;
  /** False during the warm-up. */
  readonly counts: boolean;
}

/** The tokens of an answer: ids follow from the segment that they make. */
class SegmentOutput implements OutputPlan {
  readonly length: number;
  readonly endReason: 'stop' | 'length';
  readonly #firstId: number;

  constructor({ id, tokens }: PromptSegment, maxTokens: number | null) {
    const isCut = maxTokens !== null && maxTokens <= tokens;
    this.length = isCut ? maxTokens : tokens;
    this.endReason = isCut ? 'length' : 'stop';
    this.#firstId = tokenIdOf(id, 0);
  }

  idAt(index: number): number {
    return this.#firstId + index;
  }
}

function chatApi(): ApiDefinition {
  return must(findApi('/v1/chat/completions'), 'the chat API');
}

const CHAT: ApiDefinition = chatApi();

/**
 * One request from the client to its end, through the shipped director, as the gateway relays it:
 *
 *     client ─gatewayMs─► director ─► flight ─networkMs─► engine
 *                                       ▲                    │
 *                                       └─────networkMs──────┘  refusal, first token, end, reset
 *
 * Tokens between the first and the last cost the gateway nothing and are not followed one by one.
 */
export class Trip implements FlightReceiver, SequenceListener, EngineTenant {
  readonly plan: TripPlan;
  /** Null until it has ended. */
  outcome: TripOutcome | null = null;
  /** When the first and the last token reached the gateway, in milliseconds; NaN before. */
  firstTokenAtMs: number = Number.NaN;
  endedAtMs: number = Number.NaN;
  outputTokens = 0;
  readonly #services: TripServices;
  readonly #prompt: LabPrompt;
  /** Null during the warm-up. */
  readonly #gapsMs: LogHistogram | null;
  #flight: Flight | null = null;
  #hasFirstByte = false;
  /** Engine time of the newest token; NaN before the first. */
  #tokenAtMs: number = Number.NaN;

  constructor(services: TripServices, plan: TripPlan) {
    const { request } = plan;
    this.plan = plan;
    this.#services = services;
    this.#gapsMs = plan.counts ? services.gapsMs : null;
    this.#prompt = services.prompts.build(request.segments, request.adapter ?? '');
  }

  /** The request has been read: the director takes it. */
  begin(): void {
    this.#services.director.begin(this.#createHead(), this);
  }

  onRefused({ code }: Refusal): void {
    this.#trace(`refused ${code}`);
    this.#end('refused');
  }

  onFlight(flight: Flight): void {
    this.#flight = flight;
    this.#send(flight);
  }

  onToken(sequence: Sequence, atMs: number): void {
    // Its first token makes this NaN, which is no gap.
    const gapMs = atMs - this.#tokenAtMs;
    this.#tokenAtMs = atMs;
    if (sequence.outputTokens > 1) {
      if (this.#gapsMs !== null) this.#gapsMs.record(gapMs);
      return;
    }
    this.#toGateway(() => {
      this.#noteFirstToken();
    });
  }

  onEnd(sequence: Sequence): void {
    const flight = this.#airborne();
    this.#services.replicaAt(flight.endpoint.slot).noteEnded(sequence.request);
    this.#toGateway(() => {
      this.#complete(sequence);
    });
  }

  onLost(): void {
    this.#toGateway(() => {
      this.#failAttempt('reset');
    });
  }

  #createHead(): RequestHead {
    const { request, number } = this.plan;
    const { headers } = request;
    const prompt = this.#prompt;
    return {
      requestId: requestId(`lab-${number}`),
      api: CHAT,
      model: request.adapter ?? LAB_MODEL,
      isStream: true,
      promptBytes: prompt.tokens * BYTES_PER_TOKEN,
      maxTokens: request.maxTokens,
      pinnedEndpoint: null,
      objective: request.objective,
      credential: NO_CREDENTIAL,
      header: (name) => (headers === null ? null : (headers[name] ?? null)),
      // The lab has one pool, and the chain of hashes begins with the adapter's name.
      promptBlocks: () => prompt.blocks,
    };
  }

  #send(flight: Flight): void {
    const { clock, queue, delays, replicaAt, onPicked } = this.#services;
    const replica = replicaAt(flight.endpoint.slot);
    onPicked(replica);
    this.#trace(`picked ${replica.name}`);
    queue.plan(clock.nowMs + delays.networkMs, EVENT_KINDS.delivery, () => {
      this.#deliver(replica);
    });
  }

  #deliver(replica: Replica): void {
    const { clock, onDelivered } = this.#services;
    const { request } = this.plan;
    const engineRequest: EngineRequest = {
      prompt: this.#prompt.digest(replica.spec.engine.blockSizeTokens),
      output: new SegmentOutput(request.output, request.maxTokens),
      adapter: request.adapter,
      listener: this,
    };
    const submission = replica.submit(engineRequest, this, clock.nowMs);
    onDelivered(replica);
    if (submission === null) {
      this.#toGateway(() => {
        this.#failAttempt('connect');
      });
    } else if (!submission.ok) {
      const { reason } = submission;
      this.#toGateway(() => {
        this.#takeRefusal(reason);
      });
    }
  }

  /** Statuses 502 to 504 are tried elsewhere; others are the client's to see (gateway/exchange). */
  #takeRefusal(reason: EngineRefusal): void {
    if (reason === 'queue_full' || reason === 'asleep') {
      this.#failAttempt('status');
      return;
    }
    const status = reason === 'adapter_unknown' ? 404 : 400;
    this.#trace(`answered ${status} ${reason}`);
    this.#airborne().noteFirstByte(status);
    this.#finish({ outcome: 'completed', status, errorCode: null });
    this.#end('failed');
  }

  /** The endpoint failed: another gets the request unless its answer has begun. */
  #failAttempt(failure: AttemptFailure): void {
    const flight = this.#airborne();
    this.#trace(`lost ${failure}`);
    if (this.#hasFirstByte) {
      this.#finish(
        { outcome: 'interrupted', status: 200, errorCode: 'upstream_interrupted' },
        failure,
      );
      this.#end('failed');
      return;
    }
    this.#tokenAtMs = Number.NaN;
    if (flight.failAttempt(failure, { mayRetry: true }) === 'retry') {
      this.#send(flight);
      return;
    }
    const errorCode = errorCodeOf(failure);
    const status = errorCode === null ? 503 : 502;
    this.#finish({ outcome: 'upstream_error', status, errorCode });
    this.#end('failed');
  }

  #noteFirstToken(): void {
    this.#hasFirstByte = true;
    this.firstTokenAtMs = this.#services.clock.nowMs;
    this.#trace('first token');
    this.#airborne().noteFirstByte(200);
  }

  #complete(sequence: Sequence): void {
    this.outputTokens = sequence.outputTokens;
    this.#airborne().finish({
      outcome: 'completed',
      status: 200,
      errorCode: null,
      failure: null,
      usage: {
        promptTokens: this.#prompt.tokens,
        completionTokens: sequence.outputTokens,
        cachedTokens: sequence.cachedTokens,
      },
    });
    this.#trace(`end ${sequence.outputTokens} tokens, ${sequence.cachedTokens} cached`);
    this.#end('completed');
  }

  #finish(
    result: Pick<FlightResult, 'outcome' | 'status' | 'errorCode'>,
    failure: AttemptFailure | null = null,
  ): void {
    this.#airborne().finish({ ...result, failure, usage: null });
  }

  #end(outcome: TripOutcome): void {
    this.outcome = outcome;
    this.endedAtMs = this.#services.clock.nowMs;
    this.#services.onEnded(this);
  }

  #toGateway(run: () => void): void {
    const { clock, queue, delays } = this.#services;
    queue.plan(clock.nowMs + delays.networkMs, EVENT_KINDS.gateway, run);
  }

  #airborne(): Flight {
    return must(this.#flight, 'a flight under way');
  }

  #trace(text: string): void {
    this.#services.trace?.(`${this.#services.clock.nowMs} ${this.plan.number} ${text}`);
  }
}

/** What the gateway answers after the last failed attempt; null passes the engine's answer on. */
function errorCodeOf(failure: AttemptFailure): ErrorCode | null {
  if (failure === 'connect') return 'upstream_connect_failed';
  return failure === 'status' ? null : 'upstream_reset';
}
