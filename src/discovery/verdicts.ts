import type { Result } from '../core/result.ts';
import type { ProbeAnswer } from '../protocol/engines/evidence.ts';
import type { HttpFailure } from './http-failure.ts';

/** `hard`: nobody serves there, or it says so itself. `slow`: it only took too long. */
export type Gravity = 'none' | 'hard' | 'slow';

/** How bad a result is for the health of a server. Any answer below 500 is a sign of life. */
export function gravityOf(result: Result<ProbeAnswer, HttpFailure>): Gravity {
  if (result.ok) return result.value.status >= 500 && result.value.status !== 501 ? 'hard' : 'none';
  if (result.error.kind === 'timeout') return 'slow';
  return result.error.kind === 'too-large' ? 'none' : 'hard';
}

/** Two in a row: one may be an accident of the connection. */
const HARD_LIMIT = 2;

/** An engine under full load answers late while it works well, so that time-outs weigh less. */
const SLOW_LIMIT = 5;

/** Failures in a row of one endpoint. */
export class Verdicts {
  #hard = 0;
  #slow = 0;

  /** Counts a failure; true when the endpoint is to be taken for unreachable. */
  addFailure(gravity: 'hard' | 'slow'): boolean {
    if (gravity === 'hard') this.#hard += 1;
    else this.#slow += 1;
    return this.#hard >= HARD_LIMIT || this.#hard + this.#slow >= SLOW_LIMIT;
  }

  /** A sign of life. */
  clear(): void {
    this.#hard = 0;
    this.#slow = 0;
  }
}
