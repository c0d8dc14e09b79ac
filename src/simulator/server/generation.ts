import type { Sequence, SequenceListener } from '../engine/sequence.ts';
import type { PromptDigest } from '../engine/prompt-digest.ts';
import type { Refusal } from '../engine/engine-model.ts';
import type { EndReason } from '../engine/counters.ts';
import type { EngineDriver } from './driver.ts';
import type { TextOutput } from './output-text.ts';

/** One answer to generate; a request with `n` above 1 has several with one prompt. */
export interface Choice {
  readonly prompt: PromptDigest;
  readonly output: TextOutput;
  readonly adapter: string | null;
}

/** Token counts over all choices; the prompt counts once per distinct prompt of the request. */
export interface GenerationUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
}

/** Hears the progress of a generation. */
export interface GenerationListener {
  /** Text of one more token of choice `index`; may be empty. */
  onText(index: number, text: string): void;
  onChoiceEnd(index: number, reason: EndReason): void;
  /** Every choice has ended. */
  onEnd(): void;
}

/** The sequences of one request. */
export class Generation {
  readonly #driver: EngineDriver;
  readonly #sequences: Sequence[] = [];
  readonly #listener: GenerationListener;
  #open = 0;

  constructor(driver: EngineDriver, listener: GenerationListener) {
    this.#driver = driver;
    this.#listener = listener;
  }

  /** Submits all choices; when one is refused none goes on. */
  start(choices: readonly Choice[]): Refusal | null {
    this.#open = choices.length;
    for (const [index, choice] of choices.entries()) {
      const listener = this.#listen(index, choice.output);
      const submission = this.#driver.submit({ ...choice, listener });
      if (!submission.ok) {
        this.cancel();
        return submission.reason;
      }
      this.#sequences.push(submission.sequence);
    }
    return null;
  }

  cancel(): void {
    for (const sequence of this.#sequences) this.#driver.cancel(sequence);
  }

  /** Counts so far. `prompts` is how many of the choices count their prompt. */
  usage(prompts: 'first' | 'all'): GenerationUsage {
    let promptTokens = 0;
    let completionTokens = 0;
    let cachedTokens = 0;
    for (const [index, sequence] of this.#sequences.entries()) {
      completionTokens += sequence.outputTokens;
      if (index > 0 && prompts === 'first') continue;
      promptTokens += sequence.request.prompt.tokens;
      cachedTokens += sequence.cachedTokens;
    }
    return { promptTokens, completionTokens, cachedTokens };
  }

  #listen(index: number, output: TextOutput): SequenceListener {
    return {
      onToken: (sequence) => {
        this.#listener.onText(index, output.textAt(sequence.outputTokens - 1));
      },
      onEnd: (_sequence, reason) => {
        this.#open -= 1;
        this.#listener.onChoiceEnd(index, reason);
        if (this.#open === 0) this.#listener.onEnd();
      },
    };
  }
}
