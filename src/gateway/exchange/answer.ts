import type { TokenUsage } from '../../protocol/token-usage.ts';
import {
  ResponseEditor,
  type ResponseEditOptions,
} from '../../protocol/response/response-editor.ts';
import type { OwnAnswerFields } from '../headers.ts';
import { encodeAnswerFields } from '../headers.ts';
import type { ClientStream } from '../server/client-stream.ts';
import type { AnswerHead } from '../upstream/answer-head.ts';

/** An endpoint's answer and how its body is to be changed. */
export interface AnswerPlan {
  readonly head: AnswerHead;
  readonly edits: ResponseEditOptions;
  readonly own: OwnAnswerFields;
}

const BLANK_LINE = Buffer.from('\n\n');

/**
 * An endpoint's answer on its way to the client. The head is held back until the first byte of the
 * body, so that an endpoint that fails in between can still be replaced unnoticed.
 *
 *     held ──first byte or end──► started ──end / breakOff──► ended
 */
export class Answer {
  readonly #stream: ClientStream;
  readonly #editor: ResponseEditor;
  readonly #plan: AnswerPlan;
  readonly #isStream: boolean;
  /** Body bytes still to come by the endpoint's Content-Length; -1 when it gave none. */
  #remainingBytes: number;

  constructor(stream: ClientStream, plan: AnswerPlan) {
    this.#stream = stream;
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
    return this.#stream.hasStarted;
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

  /** Forwards a piece of the body; false asks to wait until the client's stream has drained. */
  write(chunk: Buffer): boolean {
    if (this.#remainingBytes >= 0) this.#remainingBytes -= chunk.length;
    const edited = this.#editor.push(chunk);
    if (edited === null) return true;
    const isLast = this.#remainingBytes === 0 && this.#editor.isLengthPreserving;
    this.#start();
    if (!isLast) return this.#stream.write(edited);
    // With the last byte in hand, head and body leave in one write.
    this.#stream.end(edited);
    return true;
  }

  end(): void {
    if (this.#stream.isEnded) return;
    const rest = this.#editor.finish();
    this.#start();
    this.#stream.end(rest);
  }

  /**
   * The endpoint failed in the middle. A stream gets `frame`, an error event that makes SDKs raise;
   * any other body is cut, so that it cannot pass for complete.
   */
  breakOff(frame: Buffer): void {
    if (!this.#isStream) {
      this.#stream.destroy();
      return;
    }
    this.#start();
    if (!this.#editor.atFrameBoundary) this.#stream.write(BLANK_LINE);
    this.#stream.end(frame);
  }

  #start(): void {
    if (this.#stream.hasStarted) return;
    const { head, own } = this.#plan;
    const keepsLength = this.#editor.isLengthPreserving && head.framing === 'length';
    const { text, hasDate } = encodeAnswerFields(head.headers, own);
    this.#stream.start({
      status: head.status,
      fields: text,
      contentLength: keepsLength ? head.contentLength : null,
      hasDate,
    });
  }
}
