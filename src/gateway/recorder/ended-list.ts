import { type Credential, NO_CREDENTIAL } from '../../director/types.ts';
import {
  type LineInput,
  type LineRecord,
  type LineValue,
  NULL_VALUE,
} from '../../protocol/recording/line-input.ts';
import { NO_PROMPT_BLOCKS, type PromptBlocks } from '../../protocol/request/prompt-blocks.ts';

/** Stands where there is none. */
const NO_RECORD: LineRecord = Object.freeze({
  api: '',
  clientModel: null,
  adapter: null,
  pool: null,
  stream: false,
  promptTokensEstimate: 0,
  promptTokens: null,
  maxTokens: null,
  completionTokens: null,
  cachedTokens: null,
  ttftMs: null,
  tpotMs: null,
  durationMs: null,
  outcome: null,
  status: null,
  attempts: [],
});

/** A request from its end until its line is made. */
export class EndedRequest implements LineInput {
  record: LineRecord = NO_RECORD;
  credential: Credential = NO_CREDENTIAL;
  blocks: PromptBlocks = NO_PROMPT_BLOCKS;
  atMs = 0;
  promptBytes = 0;
  /** Found when the line is made. */
  tenant: LineValue = NULL_VALUE;

  get blockCount(): number {
    return this.blocks.count;
  }

  /** Lets go of what it holds. */
  clear(): void {
    this.record = NO_RECORD;
    this.credential = NO_CREDENTIAL;
    this.blocks = NO_PROMPT_BLOCKS;
  }
}

/** Requests that have ended, until lines are made of all of them. */
export class EndedList {
  readonly #places: readonly EndedRequest[];
  #count = 0;

  constructor(capacity: number) {
    this.#places = Array.from({ length: capacity }, () => new EndedRequest());
  }

  get isFull(): boolean {
    return this.#count === this.#places.length;
  }

  /** The next place of a list that is not full, to be filled by the caller. */
  take(): EndedRequest {
    const place = this.#places[this.#count] as EndedRequest;
    this.#count += 1;
    return place;
  }

  /** Hands all of them to `use`, in the order of their ends, and forgets them. */
  drain(use: (ended: EndedRequest) => void): void {
    for (let index = 0; index < this.#count; index += 1) {
      const place = this.#places[index] as EndedRequest;
      use(place);
      place.clear();
    }
    this.#count = 0;
  }
}
