/** Ways in which a workload can be asked for wrongly. */
export type WorkloadErrorCode =
  | 'workload_unknown'
  | 'load_invalid'
  | 'duration_invalid'
  | 'seed_invalid'
  | 'rate_invalid'
  | 'arrivals_invalid'
  | 'size_invalid'
  | 'stages_invalid';

/** A workload that cannot be made as asked; `message` is for the user and names the value. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
  readonly code: WorkloadErrorCode;

  constructor(code: WorkloadErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws with `code` unless `value` is a finite number above 0. */
export function assertPositive(value: number, what: string, code: WorkloadErrorCode): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new WorkloadError(code, `${what} must be a number above 0, not ${value}`);
}
