import type { ErrorCode } from '../../core/errors.ts';
import type { ApiDefinition } from '../../protocol/api-table.ts';
import { BodyEditor, type BodyEdits } from '../../protocol/request/body-editor.ts';
import type { BodyReader } from '../../protocol/request/body-reader.ts';
import { createBodyReader } from '../../protocol/request/create-body-reader.ts';
import type { PromptBlocks } from '../../scheduler/types.ts';
import type { PromptKey } from '../../protocol/wasm/prompt-key.ts';
import type { ClientStream } from '../server/client-stream.ts';
import { RequestBody } from '../upstream/request-body.ts';

/** What is wrong with a request, for its client. */
export interface IntakeFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
}

/** Hears of a request body as it arrives. */
export interface IntakeOwner {
  /** Enough is known to choose an endpoint. */
  onModelKnown(): void;
  /** The body cannot be accepted; the rest of it is read and ignored. */
  onIntakeFailure(failure: IntakeFailure): void;
}

/** Bounds of a request body. */
export interface IntakeOptions {
  readonly bodyBytesMax: number;
  readonly replayBytes: number;
  /** Seeds the hashes of prompt blocks. */
  readonly promptKey: PromptKey;
}

/**
 * A body at least this long is sent on while it arrives; a shorter one is nearly always here in one
 * read, and sending it whole is cheaper.
 */
const STREAM_FROM_BYTES = 64 * 1024;

/** How far past the limit a body is read and ignored, so that its connection stays usable. */
const DISCARD_FACTOR = 2;

/**
 * Reads one request body: finds what the choice needs while the bytes arrive, then passes them,
 * edited, to the body that endpoints get. Hot: `npm run bench -- proxy`, `long-prompt`.
 */
export class Intake {
  readonly reader: BodyReader;
  /** What endpoints get; filled once `send` was called. */
  readonly body: RequestBody;
  /** Length by Content-Length; null when the body is chunked. */
  readonly contentLength: number | null;
  readonly #owner: IntakeOwner;
  readonly #stream: ClientStream;
  readonly #options: IntakeOptions;
  #pending: Buffer[] = [];
  #receivedBytes = 0;
  #progressBytes = 0;
  #editor: BodyEditor | null = null;
  #isModelAnnounced = false;
  #blocks: PromptBlocks | null = null;
  #blocksSalt = '';
  #state: 'reading' | 'ended' | 'failed' = 'reading';

  constructor(
    owner: IntakeOwner,
    source: { readonly stream: ClientStream; readonly api: ApiDefinition },
    options: IntakeOptions,
  ) {
    const { stream, api } = source;
    const { head } = stream;
    this.#owner = owner;
    this.#stream = stream;
    this.#options = options;
    this.reader = createBodyReader(api, head.contentType, options.promptKey);
    this.body = new RequestBody(stream, { replayBytes: options.replayBytes });
    this.contentLength = head.contentLength;
  }

  /** Looks at what the head says of the body; call once. */
  start(): void {
    const { contentLength } = this;
    const encoding = this.#stream.head.contentEncoding;
    if (encoding !== '' && encoding !== 'identity') {
      this.#fail({
        code: 'unsupported_encoding',
        message: `Content-Encoding "${encoding}" is not supported; send the body uncompressed.`,
        param: null,
      });
    } else if (contentLength !== null && contentLength > this.#options.bodyBytesMax) {
      this.#failTooLarge();
    }
  }

  /** Whether all of the body has arrived. */
  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Whether bytes have arrived since the last call. */
  takeProgress(): boolean {
    const hasMoved = this.#receivedBytes > this.#progressBytes;
    this.#progressBytes = this.#receivedBytes;
    return hasMoved;
  }

  /** Length of the body that endpoints get; null sends it chunked. */
  get editedLength(): number | null {
    return this.#editor === null ? null : this.#editor.contentLength;
  }

  /** Whether the endpoint is asked for usage that the client did not ask for. */
  get isUsageInjected(): boolean {
    return this.#editor !== null && this.#editor.usageInjected;
  }

  /** Bytes of prompt to reckon with: those seen, or all that will come when more will. */
  get promptBytes(): number {
    const { promptBytes } = this.reader;
    if (this.isEnded || this.contentLength === null) return promptBytes;
    return Math.max(promptBytes, this.contentLength);
  }

  /** The prompt's blocks so far. Those of a whole body are worked out once for each salt. */
  promptBlocks(salt: string): PromptBlocks {
    if (this.#blocks !== null && this.#blocksSalt === salt) return this.#blocks;
    const blocks = this.reader.promptBlocks(salt);
    if (this.isEnded) {
      this.#blocks = blocks;
      this.#blocksSalt = salt;
    }
    return blocks;
  }

  /** Lets the bytes go to `body`, with these changes. */
  send(edits: BodyEdits): void {
    this.#editor = new BodyEditor(this.reader, edits, { contentLength: this.contentLength });
    for (const chunk of this.#pending) this.#forward(this.#editor, chunk);
    this.#pending = [];
    if (this.isEnded) this.#finishBody(this.#editor);
  }

  /** Stops passing bytes on; what still arrives is read and ignored. */
  stop(): void {
    if (this.#state !== 'failed') this.#state = 'failed';
    this.#pending = [];
    this.#stream.resume();
  }

  /** A piece of the body has come. */
  receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#state === 'failed') {
      const discardMax = this.#options.bodyBytesMax * DISCARD_FACTOR;
      if (this.#receivedBytes > discardMax) this.#stream.destroy();
      return;
    }
    if (this.#receivedBytes > this.#options.bodyBytesMax) {
      this.#failTooLarge();
      return;
    }
    this.reader.push(chunk);
    if (this.#checkReader()) return;
    if (this.#editor === null) this.#pending.push(chunk);
    else this.#forward(this.#editor, chunk);
    if (this.#receivedBytes === this.contentLength) this.end();
    else if (this.#isWorthStreaming()) this.#announceModel();
  }

  /** When little is left to come, waiting for it lets the choice see the whole request. */
  #isWorthStreaming(): boolean {
    if (this.#receivedBytes < STREAM_FROM_BYTES) return false;
    const { contentLength } = this;
    return contentLength === null || contentLength - this.#receivedBytes > STREAM_FROM_BYTES;
  }

  /** The body is complete; may be told twice. */
  end(): void {
    if (this.#state !== 'reading') return;
    this.reader.finish();
    if (this.#checkReader()) return;
    this.#state = 'ended';
    if (this.#editor === null) this.#announceModel();
    else this.#finishBody(this.#editor);
  }

  #announceModel(): void {
    if (this.#isModelAnnounced || this.reader.model === null) return;
    this.#isModelAnnounced = true;
    this.#owner.onModelKnown();
  }

  #forward(editor: BodyEditor, chunk: Buffer): void {
    if (editor.isIdentity) {
      this.body.push(chunk);
      return;
    }
    for (const edited of editor.edit(chunk)) this.body.push(edited);
  }

  #finishBody(editor: BodyEditor): void {
    for (const edited of editor.finish()) this.body.push(edited);
    this.body.end();
  }

  #checkReader(): boolean {
    const { failure } = this.reader;
    if (failure === null) return false;
    const { code, message } = failure;
    this.#fail({ code, message, param: code === 'model_missing' ? 'model' : null });
    return true;
  }

  #failTooLarge(): void {
    const { bodyBytesMax } = this.#options;
    const message = `The request body is larger than the limit of ${bodyBytesMax} bytes.`;
    this.#fail({ code: 'body_too_large', message, param: null });
  }

  #fail(failure: IntakeFailure): void {
    this.stop();
    this.#owner.onIntakeFailure(failure);
  }
}
