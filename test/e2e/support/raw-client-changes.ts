/** Lets a test wait for what events bring about, without looking again and again. */
export class Changes {
  #waiting: (() => void)[] = [];

  /** Something has happened: everybody who waits looks again. */
  notify(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Resolves once `isTrue` holds; rejects with `what` after `limitMs`. */
  async until(what: string, isTrue: () => boolean, limitMs: number = 20_000): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (!isTrue()) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`gave up waiting: ${what}`);
      await this.#next(leftMs);
    }
  }

  async #next(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    this.#waiting.push(resolve);
    await promise;
    clearTimeout(timer);
  }
}
