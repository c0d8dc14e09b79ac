/**
 * One way of following a response while its bytes pass; `ResponseEditor` has one for each format.
 */
export interface ResponseBody {
  /**
   * Returns the bytes to forward now: the same buffer when untouched, null when there are none yet.
   */
  push(chunk: Buffer): Buffer | null;
  /** The upstream has ended: the rest, or null. */
  finish(): Buffer | null;
  readonly sawEnd: boolean;
  readonly atFrameBoundary: boolean;
}
