import type { ErrorCode } from '../../core/errors.ts';
import type { AttemptFailure } from '../../director/types.ts';

/**
 * Why no answer, or no whole answer, came. `stale`: the endpoint had closed an idle connection just
 * before the request was written to it, so it never saw the request.
 */
export interface UpstreamFailure {
  readonly kind: Exclude<AttemptFailure, 'status'> | 'stale';
  /** For the log. */
  readonly message: string;
  /** The system's error; null when there is none. */
  readonly cause: Error | null;
}

/** The error a client gets when an attempt of this kind was the last. */
export function errorCodeOf(kind: UpstreamFailure['kind']): ErrorCode {
  switch (kind) {
    case 'connect':
      return 'upstream_connect_failed';
    case 'timeout':
      return 'upstream_timeout';
    case 'invalid':
      return 'upstream_invalid';
    case 'reset':
    case 'stale':
      return 'upstream_reset';
  }
}
