import { setFlagsFromString } from 'node:v8';

/** First Node whose V8 knows the flags; an older one would print a warning about them. */
const FIRST_NODE_MAJOR = 26;

/**
 * Lets V8 weigh the buffers of sockets against all memory and not against a small limit of their
 * own. Each 220 KB body brings four buffers of 64 KB; under the separate limit they caused a full
 * collection every few hundred requests (measured on the `long-prompt` bench: 870 us of CPU per
 * request without the flag, 492 with it, and no more memory).
 */
const SHARED_MEMORY_LIMIT = '--external-memory-accounted-in-global-limit';

/**
 * Keeps the young generation at its first size. Grown to 16 MB it is collected seldom, but then
 * for several milliseconds, which every open stream feels (measured on the `stream` bench: added
 * delay p99 1.3 to 5.5 ms without the flag, 0.5 to 0.8 with it, CPU the same; on `streams`: 26 KB
 * per stream and not 32).
 */
const SHORT_PAUSES = '--semi-space-growth-factor=1';

/** Sets what V8 can still be told when the program has started; call before anything else. */
export function setRuntimeFlags(): void {
  const [major = '0'] = process.versions.node.split('.');
  if (Number(major) < FIRST_NODE_MAJOR) return;
  setFlagsFromString(SHARED_MEMORY_LIMIT);
  setFlagsFromString(SHORT_PAUSES);
}
