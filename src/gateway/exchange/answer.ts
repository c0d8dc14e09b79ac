import type { ServerResponse } from 'node:http';
import type { TokenUsage } from '../../protocol/token-usage.ts';
import {
  ResponseEditor,
  type ResponseEditOptions,
} from '../../protocol/response/response-editor.ts';
import type { AnswerHeaders, OwnAnswerFields } from '../headers.ts';
import { buildAnswerHeaders } from '../headers.ts';

/** The head of an endpoint's answer and how its body is to be changed. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly edits: ResponseEditOptions;
  readonly own: Pick<OwnAnswerFields, 'requestId' | 'endpoint'>;
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
  readonly #head: AnswerHead;
  readonly #isStream: boolean;
  /** Body bytes still to come by the endpoint's Content-Length; -1 when it gave none. */
  #remainingBytes: number;
  #hasStarted = false;

  constructor(response: ServerResponse, head: AnswerHead) {
    this.#response = response;
    this.#head = head;
    this.#isStream = head.edits.format === 'sse';
    this.#editor = new ResponseEditor(head.edits);
    const length = head.headers['content-length'];
    this.#remainingBytes = typeof length === 'string' ? Number(length) : -1;
  }

  get status(): number {
    return this.#head.status;
  }

  /** Whether a byte was handed to the client's connection. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get usage(): TokenUsage | null {
    return this.#editor.usage;
  }

  /**
   * Whether the endpoint's end may be a broken connection that looks like an end: nothing but the
   * closing of the connection marks the end of the body, and the API's own last event has not come.
   */
  get endsInDoubt(): boolean {
    const { headers, edits } = this.#head;
    const isFramed =
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    return !isFramed && this.#isStream && edits.api.streamEnd !== 'none' && !this.#editor.sawEnd;
  }

  /** Forwards a piece of the body; false asks to wait for `drain` on the response. */
  write(chunk: Buffer): boolean {
    if (this.#remainingBytes >= 0) this.#remainingBytes -= chunk.length;
    const edited = this.#editor.push(chunk);
    if (edited === null) return true;
    // With the last byte in hand, `end` sends head and body in one write.
    if (this.#remainingBytes === 0 && this.#editor.isLengthPreserving && !this.#hasStarted) {
      this.#start();
      this.#response.end(edited);
      return true;
    }
    this.#start();
    return this.#response.write(edited);
  }

  end(): void {
    if (this.#response.writableEnded) return;
    const rest = this.#editor.finish();
    this.#start();
    if (rest === null) this.#response.end();
    else this.#response.end(rest);
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
    if (!this.#editor.atFrameBoundary) this.#response.write(BLANK_LINE);
    this.#response.end(frame);
  }

  #start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    const { status, headers, own } = this.#head;
    const length = headers['content-length'];
    const keepsLength = this.#editor.isLengthPreserving && typeof length === 'string';
    this.#response.writeHead(
      status,
      buildAnswerHeaders(headers, { ...own, contentLength: keepsLength ? length : null }),
    );
  }
}
