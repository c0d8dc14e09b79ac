import { hasForbidden } from './head-end.ts';
import { TOKEN_SOURCE } from './token.ts';

/** A name, and what follows it. */
const LINE_PATTERN = new RegExp(`^${TOKEN_SOURCE}:`);

/** Fields that frame a message or end its connection; llhttp obeys the latter even here. */
const MISPLACED_PATTERN = /^(?:content-length|transfer-encoding|(?:proxy-)?connection):/i;

/**
 * Whether a line is a field that may stand in a trailer section (RFC 9110 section 6.5.1). What it
 * says is not used.
 */
export function isTrailer(line: string): boolean {
  return LINE_PATTERN.test(line) && !MISPLACED_PATTERN.test(line) && !hasForbidden(line);
}
