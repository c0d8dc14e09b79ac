import type { RequestId } from '../core/ids.ts';
import { requestId } from '../core/ids.ts';
import type { Rng } from '../core/rng.ts';

/** Longer ids from clients are replaced: they would be copied into every log line. */
const ID_LENGTH_MAX = 128;

/** Letters, digits and the punctuation found in ids; nothing that could break a header or a log. */
const ID_PATTERN = /^[\w.:/+=@~-]+$/;

/** Keeps a client's `x-request-id` when it is safe, or makes a new one. */
export type RequestIdSource = (given: string | null) => RequestId;

/**
 * Ids are a random prefix per process and a counter: unique, cheap and sortable within a process.
 */
export function createRequestIdSource(rng: Rng): RequestIdSource {
  const prefix = Array.from({ length: 12 }, () => Math.floor(rng.next() * 36).toString(36)).join(
    '',
  );
  let count = 0;
  return (given) => {
    if (given !== null && given.length <= ID_LENGTH_MAX && ID_PATTERN.test(given)) {
      return requestId(given);
    }
    count += 1;
    return requestId(`req-${prefix}-${count.toString(36)}`);
  };
}
