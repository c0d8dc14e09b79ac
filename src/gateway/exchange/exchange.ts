import type { ErrorCode, Outcome } from '../../core/errors.ts';
import { ERRORS } from '../../core/errors.ts';
import type { EndpointId, RequestId } from '../../core/ids.ts';
import type { Flight } from '../../director/flight.ts';
import type { FlightReceiver } from '../../director/director.ts';
import type { AttemptFailure, Refusal } from '../../director/types.ts';
import type { ApiDefinition } from '../../protocol/api-table.ts';
import { encodeStreamError } from '../../protocol/error-body.ts';
import type { TokenUsage } from '../../protocol/token-usage.ts';
import type { LatencyObjective } from '../../scheduler/types.ts';
import { encodeUpstreamFields } from '../headers.ts';
import type { RelayOptions } from '../options.ts';
import type { ClientStream, StreamHandler } from '../server/client-stream.ts';
import { findField } from '../server/request-head.ts';
import type { AnswerHead } from '../upstream/answer-head.ts';
import type { AttemptOwner } from '../upstream/attempt.ts';
import { Attempt } from '../upstream/attempt.ts';
import type { UpstreamFailure } from '../upstream/upstream-failure.ts';
import { errorCodeOf } from '../upstream/upstream-failure.ts';
import { Answer } from './answer.ts';
import type { IntakeFailure } from './intake.ts';
import { Intake } from './intake.ts';
import type { OpenExchange } from './open-list.ts';
import { sendError } from './reply.ts';
import type { ExchangeServices } from './services.ts';

/** One request of a client, as the router hands it over. */
export interface ClientRequest {
  readonly stream: ClientStream;
  readonly api: ApiDefinition;
  readonly requestId: RequestId;
  /** Longest time for the whole request in milliseconds; null is unlimited. */
  readonly totalTimeoutMs: number | null;
  readonly pinnedEndpoint: EndpointId | null;
  readonly objective: LatencyObjective;
  /** Whether the answer shall say why its endpoint was chosen. */
  readonly wantsWhy: boolean;
}

/**
 * One proxied request from its first byte to its answer's last:
 *
 *     reading ──model known──► director ──flight──► attempt ──head──► answering ──► ended
 *        │                        │                  │  ▲                │
 *        └─ bad body              └─ refused         └──┘ retry          └─ interrupted
 *
 * At every point the client may go away (`onClosed`) or a deadline pass (`expire`).
 */
export class Exchange implements FlightReceiver, AttemptOwner, OpenExchange, StreamHandler {
  openIndex = -1;
  readonly #services: ExchangeServices;
  readonly #options: RelayOptions;
  readonly #client: ClientRequest;
  readonly #intake: Intake;
  readonly #startedAtMs: number;
  #flight: Flight | null = null;
  #attempt: Attempt | null = null;
  #answer: Answer | null = null;
  /** The endpoint answered 502 to 504 and no other could be tried: its answer is passed on. */
  #isFailedAnswer = false;
  #isEnded = false;
  #lastBodyAtMs: number;

  constructor(services: ExchangeServices, client: ClientRequest) {
    this.#services = services;
    this.#options = services.options();
    this.#client = client;
    this.#startedAtMs = services.clock.now();
    this.#lastBodyAtMs = this.#startedAtMs;
    this.#intake = new Intake(this, client, {
      bodyBytesMax: this.#options.limits.bodyBytes,
      replayBytes: this.#options.replayBytes,
      promptKey: services.promptKey,
    });
  }

  start(): void {
    this.#services.open.add(this);
    this.#client.stream.handler = this;
    this.#intake.start();
  }

  onBody(chunk: Buffer): void {
    this.#intake.receive(chunk);
  }

  onBodyEnd(): void {
    this.#intake.end();
  }

  onDrain(): void {
    this.#attempt?.resume();
  }

  onClosed(): void {
    if (this.#isEnded) return;
    this.#cancelAttempt();
    const status = this.#answer !== null && this.#answer.hasStarted ? this.#answer.status : 0;
    this.#end('client_closed', status, null);
  }

  expire(nowMs: number): void {
    const { totalTimeoutMs } = this.#client;
    if (totalTimeoutMs !== null && nowMs - this.#startedAtMs >= totalTimeoutMs) {
      this.#expireTotal();
    } else if (this.#isBodyLate(nowMs)) {
      this.onIntakeFailure({
        code: 'request_timeout',
        message: `No body bytes arrived for ${this.#options.limits.bodyMs} ms.`,
        param: null,
      });
    }
  }

  destroy(): void {
    if (this.#isEnded) return;
    this.#cancelAttempt();
    if (this.#answer !== null && this.#answer.hasStarted) {
      this.#interrupt({ code: 'draining', message: 'The gateway is shutting down.' });
    } else {
      this.#replyError({ code: 'draining', message: 'The gateway is shutting down.' });
    }
  }

  onModelKnown(): void {
    const { reader } = this.#intake;
    const { api, stream, requestId, pinnedEndpoint, objective } = this.#client;
    this.#services.director.begin(
      {
        requestId,
        api,
        model: reader.model ?? '',
        isStream: reader.stream,
        promptBytes: this.#intake.promptBytes,
        maxTokens: reader.maxTokens,
        pinnedEndpoint,
        objective,
        credential: this.#services.credentials.find(stream.head),
        header: (name) => findField(stream.head, name),
        promptBlocks: (salt) => this.#intake.promptBlocks(salt),
      },
      this,
    );
  }

  onIntakeFailure(failure: IntakeFailure): void {
    if (this.#isEnded) return;
    this.#cancelAttempt();
    if (this.#answer !== null && this.#answer.hasStarted) this.#interrupt(failure);
    else this.#replyError(failure);
  }

  onRefused(refusal: Refusal): void {
    if (this.#isEnded) return;
    this.#replyError({ ...refusal, param: refusal.code === 'model_not_found' ? 'model' : null });
  }

  onFlight(flight: Flight): void {
    this.#flight = flight;
    if (this.#isEnded) {
      // The client left while the request was waiting to be admitted.
      flight.finish({
        outcome: 'client_closed',
        status: 0,
        errorCode: null,
        failure: null,
        usage: null,
      });
      return;
    }
    const { upstreamModel } = flight;
    this.#intake.send({
      model: upstreamModel === flight.head.model ? null : upstreamModel,
      includeUsage: this.#options.captureUsage,
    });
    this.#dispatch(flight);
  }

  onAnswerHead(head: AnswerHead): void {
    const { status } = head;
    const flight = this.#flight;
    if (flight === null) return;
    if (status >= 502 && status <= 504) {
      const mayRetry = this.#intake.body.isReplayable;
      if (flight.failAttempt('status', { mayRetry }) === 'retry') {
        this.#attempt?.abandon();
        this.#dispatch(flight);
        return;
      }
      this.#isFailedAnswer = true;
    }
    this.#answer = new Answer(this.#client.stream, {
      head,
      edits: {
        api: this.#client.api,
        format: formatOf(head),
        modelForClient: flight.upstreamModel === flight.head.model ? null : flight.head.model,
        stripUsageFrame: this.#intake.isUsageInjected,
      },
      own: {
        requestId: this.#client.requestId,
        endpoint: this.#options.showEndpoint ? flight.endpoint.id : null,
        asked: flight.answerHeaders,
        why: this.#client.wantsWhy ? flight.why : null,
        family: this.#client.api.family,
      },
    });
  }

  onAnswerData(chunk: Buffer): boolean {
    const answer = this.#answer;
    if (answer === null) return true;
    if (!answer.hasStarted) {
      this.#flight?.noteFirstByte(answer.status);
      this.#intake.body.release();
    }
    return answer.write(chunk);
  }

  onAnswerEnd(): void {
    const answer = this.#answer;
    if (answer === null) return;
    if (answer.endsInDoubt) {
      const message = 'The endpoint closed the connection before the end of its answer.';
      if (answer.hasStarted) this.#interrupt({ code: 'upstream_interrupted', message }, 'reset');
      else this.onAttemptFailure({ kind: 'reset', message, cause: null });
      return;
    }
    answer.end();
    const outcome = this.#isFailedAnswer ? 'upstream_error' : 'completed';
    this.#end(outcome, answer.status, null);
  }

  onAttemptFailure(failure: UpstreamFailure): void {
    const flight = this.#flight;
    if (flight === null || this.#isEnded) return;
    const kind = failure.kind === 'stale' ? 'reset' : failure.kind;
    if (this.#answer !== null && this.#answer.hasStarted) {
      this.#logFailure(failure, 'endpoint failed in the middle of its answer');
      const message = `The endpoint failed in the middle of its answer (${kind}).`;
      this.#interrupt({ code: 'upstream_interrupted', message }, kind);
      return;
    }
    this.#answer = null;
    if (this.#isFailedAnswer) {
      this.#replyUpstreamError(failure);
      return;
    }
    const { isReplayable } = this.#intake.body;
    if (failure.kind === 'stale' && isReplayable) {
      // The endpoint has not seen the request: it gets it again, on a new connection.
      this.#dispatch(flight, { isFresh: true });
      return;
    }
    // A slow endpoint is not tried elsewhere: that would double the load that made it slow.
    const mayRetry = failure.kind !== 'timeout' && isReplayable;
    const step = flight.failAttempt(kind, { mayRetry });
    this.#logFailure(
      failure,
      step === 'retry' ? 'attempt failed; trying another' : 'attempt failed',
    );
    if (step === 'retry') this.#dispatch(flight);
    else this.#replyUpstreamError(failure);
  }

  #dispatch(flight: Flight, { isFresh } = { isFresh: false }): void {
    const { stream, requestId } = this.#client;
    const { line, forwarded } = stream.head;
    const { connections } = this.#services;
    const { endpoint } = flight;
    const contentLength = this.#intake.editedLength;
    this.#answer = null;
    this.#attempt = new Attempt(this);
    this.#attempt.send(connections.take(endpoint, { isFresh }), {
      method: line.method,
      path: endpoint.basePath + line.target,
      fields: encodeUpstreamFields(forwarded, {
        host: endpoint.origin.slice(endpoint.origin.indexOf('//') + 2),
        requestId,
        contentLength,
      }),
      body: this.#intake.body,
      isChunked: contentLength === null,
    });
  }

  #expireTotal(): void {
    if (this.#isEnded) return;
    this.#cancelAttempt();
    const message = `The request took longer than ${this.#client.totalTimeoutMs} ms.`;
    const error = { code: 'upstream_timeout', message } as const;
    if (this.#answer !== null && this.#answer.hasStarted) this.#interrupt(error);
    else this.#replyError(error);
  }

  #isBodyLate(nowMs: number): boolean {
    if (this.#isEnded || this.#intake.isEnded || this.#client.stream.isPaused) return false;
    if (this.#intake.takeProgress()) this.#lastBodyAtMs = nowMs;
    return nowMs - this.#lastBodyAtMs >= this.#options.limits.bodyMs;
  }

  #cancelAttempt(): void {
    this.#attempt?.abandon();
    this.#intake.body.destroy();
  }

  #replyUpstreamError(failure: UpstreamFailure): void {
    const code = errorCodeOf(failure.kind);
    this.#replyError({ code, message: ERRORS[code].summary });
  }

  /** Answers with an error of our own; nothing has been sent to the client yet. */
  #replyError(error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly param?: string | null;
    readonly retryAfterMs?: number | null;
  }): void {
    const { stream, requestId, api } = this.#client;
    const { code, message, param = null, retryAfterMs = null } = error;
    const { status } = ERRORS[code];
    this.#intake.stop();
    if (code === 'request_timeout') stream.setLast();
    sendError(stream, api.family, { code, message, requestId, param, retryAfterMs, fields: '' });
    this.#end(status < 500 || this.#flight === null ? 'rejected' : 'upstream_error', status, code);
  }

  /** Ends a started answer so that no client takes it for complete. */
  #interrupt(
    { code, message }: { readonly code: ErrorCode; readonly message: string },
    failure: AttemptFailure | null = null,
  ): void {
    const { api, requestId } = this.#client;
    const answer = this.#answer;
    if (answer === null) return;
    answer.breakOff(encodeStreamError(api, { code, message, param: null, requestId }));
    this.#end('interrupted', answer.status, code, failure);
  }

  /** `failure`: how the endpoint failed; null when it did not. */
  #end(
    outcome: Outcome,
    status: number,
    errorCode: ErrorCode | null,
    failure: AttemptFailure | null = null,
  ): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#services.open.remove(this);
    // An endpoint may answer before it has the whole body; the rest must not block the connection.
    if (!this.#intake.isEnded) this.#intake.stop();
    this.#flight?.finish({ outcome, status, errorCode, failure, usage: this.#usage() });
    this.#services.journal.record({
      client: this.#client,
      flight: this.#flight,
      model: this.#intake.reader.model,
      outcome,
      status,
      errorCode,
      durationMs: this.#services.clock.now() - this.#startedAtMs,
      usage: this.#usage(),
    });
  }

  #usage(): TokenUsage | null {
    return this.#answer === null ? null : this.#answer.usage;
  }

  #logFailure({ kind, message, cause }: UpstreamFailure, event: string): void {
    const { requestId } = this.#client;
    const endpoint = this.#flight === null ? null : this.#flight.endpoint.id;
    this.#services.log.warn({ requestId, endpoint, kind, reason: message, err: cause }, event);
  }
}

function formatOf({ contentType, contentEncoding }: AnswerHead): 'sse' | 'json' | 'opaque' {
  if (contentEncoding !== '' && contentEncoding !== 'identity') return 'opaque';
  if (contentType.startsWith('text/event-stream')) return 'sse';
  return contentType.startsWith('application/json') ? 'json' : 'opaque';
}
