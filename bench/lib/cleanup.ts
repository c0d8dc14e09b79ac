/** Something that must be undone when the bench ends, however it ends. */
export type Undo = () => Promise<void> | void;

/** Undoes what a bench started, newest first; every step runs even when another one fails. */
export class Cleanup {
  readonly #steps: Undo[] = [];

  add(step: Undo): void {
    this.#steps.push(step);
  }

  /**
   * Runs and forgets all steps; failures are returned, since there is nobody left to handle them.
   */
  async run(): Promise<readonly unknown[]> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (cause) {
        failures.push(cause);
      }
    }
    return failures;
  }
}
