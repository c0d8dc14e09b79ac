import type { ServerResponse } from 'node:http';
import type { TokenUsage } from '../../protocol/token-usage.ts';
import {
  ResponseEditor,
  type ResponseEditOptions,
} from '../../protocol/response/response-editor.ts';
import type { OwnAnswerFields } from '../headers.ts';
import { buildAnswerHeaders } from '../headers.ts';
import type { AnswerHead } from '../upstream/answer-head.ts';
import type { BodySink } from './body-sink.ts';
import { ChunkedSink, PlainSink } from './body-sink.ts';

/** An endpoint's answer and how its body is to be changed. */
export interface AnswerPlan {
  readonly head: AnswerHead;
  readonly edits: ResponseEditOptions;
  readonly own: Omit<OwnAnswerFields, 'contentLength'>;
}

const BLANK_LINE = Buffer.from('\n\n');

/**
 * An endpoint's answer on its way to the client. The head is held back until the first byte of the
 * body, so that an endpoint that fails in between can still be replaced unnoticed.
 *
 *     held ──first byte or end──► started ──end / breakOff──► ended
 */
export class Answer {
  readonly #response: ServerResponse;
  readonly #editor: ResponseEditor;
  readonly #plan: AnswerPlan;
  readonly #isStream: boolean;
  /** Body bytes still to come by the endpoint's Content-Length; -1 when it gave none. */
  #remainingBytes: number;
  #sink: BodySink | null = null;

  constructor(response: ServerResponse, plan: AnswerPlan) {
    this.#response = response;
    this.#plan = plan;
    this.#isStream = plan.edits.format === 'sse';
    this.#editor = new ResponseEditor(plan.edits);
    const { framing, contentLength } = plan.head;
    this.#remainingBytes = framing === 'length' ? contentLength : -1;
  }

  get status(): number {
    return this.#plan.head.status;
  }

  /** Whether a byte was handed to the client's connection. */
  get hasStarted(): boolean {
    return this.#sink !== null;
  }

  get usage(): TokenUsage | null {
    return this.#editor.usage;
  }

  /**
   * Whether the endpoint's end may be a broken connection that looks like an end: nothing but the
   * closing of the connection marks the end of the body, and the API's own last event has not come.
   */
  get endsInDoubt(): boolean {
    const { head, edits } = this.#plan;
    const endsByClose = head.framing === 'until-close' && this.#isStream;
    return endsByClose && edits.api.streamEnd !== 'none' && !this.#editor.sawEnd;
  }

  /** Forwards a piece of the body; false asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    if (this.#remainingBytes >= 0) this.#remainingBytes -= chunk.length;
    const edited = this.#editor.push(chunk);
    if (edited === null) return true;
    const isLast = this.#remainingBytes === 0 && this.#editor.isLengthPreserving;
    const sink = this.#start();
    if (!isLast) return sink.write(edited);
    // With the last byte in hand, head and body leave in one write.
    sink.end(edited);
    return true;
  }

  /** Calls `resume` once when the client has taken what was written. */
  onDrain(resume: () => void): void {
    this.#sink?.onDrain(resume);
  }

  end(): void {
    if (this.#response.writableEnded) return;
    const rest = this.#editor.finish();
    this.#start().end(rest);
  }

  /**
   * The endpoint failed in the middle. A stream gets `frame`, an error event that makes SDKs raise;
   * any other body is cut, so that it cannot pass for complete.
   */
  breakOff(frame: Buffer): void {
    if (!this.#isStream || this.#response.writableEnded) {
      this.#response.destroy();
      return;
    }
    const sink = this.#start();
    if (!this.#editor.atFrameBoundary) sink.write(BLANK_LINE);
    sink.end(frame);
  }

  #start(): BodySink {
    if (this.#sink !== null) return this.#sink;
    const response = this.#response;
    const { head, own } = this.#plan;
    const keepsLength = this.#editor.isLengthPreserving && head.framing === 'length';
    response.writeHead(
      head.status,
      buildAnswerHeaders(head.headers, {
        ...own,
        contentLength: keepsLength ? head.contentLength : null,
      }),
    );
    this.#sink =
      !keepsLength && mayBeChunked(response) ? new ChunkedSink(response) : new PlainSink(response);
    return this.#sink;
  }
}

/** Whether Node frames this body as chunked, and nothing else is being sent on its connection. */
function mayBeChunked(response: ServerResponse): boolean {
  const { statusCode, req, socket } = response;
  const hasBody = statusCode !== 204 && statusCode !== 304;
  return hasBody && req.httpVersion === '1.1' && socket !== null;
}
