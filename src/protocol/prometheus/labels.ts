/** Labels of one sample and the index just after their closing brace. */
export interface ParsedLabels {
  readonly labels: ReadonlyMap<string, string>;
  readonly end: number;
}

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;
const CLOSE_BRACE = 125;

/** Labels per sample at most; Prometheus itself warns far below this. */
const MAX_LABELS = 64;

/**
 * Reads `name="value",…}` from `start`, which is just after the opening brace. Values may escape
 * `\\`, `\"` and `\n`; other escapes keep their backslash, as the format's reference parser does.
 * Returns null when the labels are broken, repeated, more than 64, or not closed before `end`.
 */
export function parseLabels(text: string, start: number, end: number): ParsedLabels | null {
  const labels = new Map<string, string>();
  let at = skipSpace(text, start, end);
  while (at < end && text.charCodeAt(at) !== CLOSE_BRACE) {
    const close = readPair(text, at, end, labels);
    if (close < 0) return null;
    at = skipSpace(text, close + 1, end);
    const code = at < end ? text.charCodeAt(at) : 0;
    if (code === COMMA) at = skipSpace(text, at + 1, end);
    else if (code !== CLOSE_BRACE) return null;
  }
  return at < end ? { labels, end: at + 1 } : null;
}

/** Adds the pair at `at` and returns the index of its closing quote, or -1 when it is broken. */
function readPair(text: string, at: number, end: number, labels: Map<string, string>): number {
  const nameEnd = findNameEnd(text, at, end);
  const equals = skipSpace(text, nameEnd, end);
  if (nameEnd === at || equals >= end || text.charCodeAt(equals) !== EQUALS) return -1;
  const open = skipSpace(text, equals + 1, end);
  if (open >= end || text.charCodeAt(open) !== QUOTE) return -1;
  const close = findQuote(text, open + 1, end);
  if (close < 0 || labels.size >= MAX_LABELS) return -1;
  const name = text.slice(at, nameEnd);
  if (labels.has(name)) return -1;
  labels.set(name, unescape(text.slice(open + 1, close)));
  return close;
}

function unescape(raw: string): string {
  if (!raw.includes('\\')) return raw;
  let out = '';
  let from = 0;
  for (;;) {
    const slash = raw.indexOf('\\', from);
    if (slash < 0 || slash === raw.length - 1) return out + raw.slice(from);
    const next = raw.charAt(slash + 1);
    out += raw.slice(from, slash);
    if (next === 'n') out += '\n';
    else if (next === '\\' || next === '"') out += next;
    else out += raw.slice(slash, slash + 2);
    from = slash + 2;
  }
}

/** Index of the quote that ends a value, or -1. */
function findQuote(text: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return -1;
}

function findNameEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    const isName =
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      code === 95 ||
      (code >= 48 && code <= 57 && at > start);
    if (!isName) break;
    at += 1;
  }
  return at;
}

function skipSpace(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB)) at += 1;
  return at;
}
