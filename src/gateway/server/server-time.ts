/** How often the time is to be updated: it is behind by at most this. */
export const TIME_STEP_MS = 250;

/**
 * The time as answers and deadlines need it: exact enough, and free. Its owner updates it every
 * `TIME_STEP_MS`.
 */
export class ServerTime {
  #nowMs: number;
  #second = -1;
  #date = '';
  #keepAliveMs = 0;
  #keepAliveLines = '';

  constructor(nowMs: number, wallMs: number) {
    this.#nowMs = nowMs;
    this.update(nowMs, wallMs);
  }

  /** Monotonic milliseconds as of the last update. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The Date field of an answer (RFC 9110 section 6.6.1) with its CRLF. */
  get dateLine(): string {
    return this.#date;
  }

  /** Connection and Keep-Alive of an answer whose connection may stay idle for this long. */
  keepAliveLines(keepAliveMs: number): string {
    if (keepAliveMs !== this.#keepAliveMs) {
      this.#keepAliveMs = keepAliveMs;
      const seconds = Math.floor(keepAliveMs / 1000);
      const hint = seconds === 0 ? '' : `keep-alive: timeout=${seconds}\r\n`;
      this.#keepAliveLines = `connection: keep-alive\r\n${hint}`;
    }
    return this.#keepAliveLines;
  }

  update(nowMs: number, wallMs: number): void {
    this.#nowMs = nowMs;
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
}
