import { parseLabels } from './labels.ts';
import { MetricSamples } from './metric-samples.ts';
import type { MetricSample } from './metric-samples.ts';

/** Bounds and choice for one parse. */
export interface ParseOptions {
  /** Metric names to keep; lines of other metrics are skipped unread. Absent: keep all. */
  readonly wanted?: ReadonlySet<string>;
  /** Characters read at most; a longer text is cut at its last whole line. Default 8 Mi. */
  readonly maxChars?: number;
  /** Samples kept at most. Default 50,000. */
  readonly maxSamples?: number;
}

const DEFAULT_MAX_CHARS = 8 * 1024 * 1024;
const DEFAULT_MAX_SAMPLES = 50_000;

const NO_LABELS: ReadonlyMap<string, string> = new Map<string, string>();

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const HASH = 35;
const OPEN_BRACE = 123;

/**
 * Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0 (exemplars are ignored, nothing after
 * `# EOF` is read). Broken lines are skipped and counted, so that one odd line of an engine does
 * not cost its whole report. Never throws.
 */
export function parsePrometheus(text: string, options: ParseOptions = {}): MetricSamples {
  const maxChars = options.maxChars ?? DEFAULT_MAX_CHARS;
  const parser = new Parser(
    text,
    options.wanted ?? null,
    options.maxSamples ?? DEFAULT_MAX_SAMPLES,
  );
  return parser.run(
    text.length > maxChars ? text.lastIndexOf('\n', maxChars - 1) + 1 : text.length,
  );
}

class Parser {
  readonly #text: string;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #maxSamples: number;
  readonly #byName = new Map<string, MetricSample[]>();
  #count = 0;
  #brokenLines = 0;
  /**
   * The name of the line before and where its samples go (null: not wanted). Series of one metric
   * stand together, so most lines are settled by one comparison and no substring is made.
   */
  #lastName = '';
  #lastSamples: MetricSample[] | null = null;

  constructor(text: string, wanted: ReadonlySet<string> | null, maxSamples: number) {
    this.#text = text;
    this.#wanted = wanted;
    this.#maxSamples = maxSamples;
  }

  run(limit: number): MetricSamples {
    const text = this.#text;
    let isTruncated = limit < text.length;
    let start = 0;
    while (start < limit) {
      let end = text.indexOf('\n', start);
      if (end < 0 || end > limit) end = limit;
      const first = skipBlanks(text, start, end);
      const code = first < end ? text.charCodeAt(first) : HASH;
      if (code === HASH) {
        if (text.startsWith('# EOF', first) && first + 5 >= trimEnd(text, first, end)) break;
      } else if (this.#count >= this.#maxSamples) {
        isTruncated = true;
        break;
      } else if (!this.#readLine(first, trimEnd(text, first, end))) {
        this.#brokenLines += 1;
      }
      start = end + 1;
    }
    const tally = { count: this.#count, brokenLines: this.#brokenLines, isTruncated };
    return new MetricSamples(this.#withoutEmpty(), tally);
  }

  #readLine(start: number, end: number): boolean {
    const text = this.#text;
    const nameEnd = this.#readName(start, end);
    if (nameEnd < 0) return false;
    const samples = this.#lastSamples;
    if (samples === null) return true;
    let at = skipBlanks(text, nameEnd, end);
    let labels = NO_LABELS;
    if (at < end && text.charCodeAt(at) === OPEN_BRACE) {
      const parsed = parseLabels(text, at + 1, end);
      if (parsed === null) return false;
      labels = parsed.labels;
      at = skipBlanks(text, parsed.end, end);
    } else if (at === nameEnd) {
      return false;
    }
    const valueEnd = findBlank(text, at, end);
    const value = parseNumber(text, at, valueEnd);
    if (value === undefined) return false;
    const timestamp = readTimestamp(text, skipBlanks(text, valueEnd, end), end);
    if (timestamp === undefined) return false;
    samples.push({ labels, value, timestamp });
    this.#count += 1;
    return true;
  }

  /**
   * Returns the end of the name, with `#lastSamples` set for it; -1 when there is no valid name.
   */
  #readName(start: number, end: number): number {
    const text = this.#text;
    const repeated = start + this.#lastName.length;
    if (
      this.#lastName !== '' &&
      text.startsWith(this.#lastName, start) &&
      repeated < end &&
      !isNameChar(text.charCodeAt(repeated))
    ) {
      return repeated;
    }
    let at = start;
    while (at < end && isNameChar(text.charCodeAt(at))) at += 1;
    if (at === start || isDigit(text.charCodeAt(start))) return -1;
    const name = text.slice(start, at);
    this.#lastName = name;
    this.#lastSamples = this.#samplesFor(name);
    return at;
  }

  #samplesFor(name: string): MetricSample[] | null {
    if (this.#wanted !== null && !this.#wanted.has(name)) return null;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const samples: MetricSample[] = [];
    this.#byName.set(name, samples);
    return samples;
  }

  #withoutEmpty(): Map<string, MetricSample[]> {
    for (const [name, samples] of this.#byName) {
      if (samples.length === 0) this.#byName.delete(name);
    }
    return this.#byName;
  }
}

/**
 * The timestamp at `at`; null when the line ends or an exemplar begins there, undefined when
 * broken.
 */
function readTimestamp(text: string, at: number, end: number): number | null | undefined {
  if (at >= end || text.charCodeAt(at) === HASH) return null;
  const stampEnd = findBlank(text, at, end);
  const next = skipBlanks(text, stampEnd, end);
  if (next < end && text.charCodeAt(next) !== HASH) return undefined;
  return parseNumber(text, at, stampEnd);
}

function parseNumber(text: string, start: number, end: number): number | undefined {
  if (start >= end) return undefined;
  const token = text.slice(start, end);
  const value = Number(token);
  if (!Number.isNaN(value)) return value;
  return specialNumber(token);
}

function specialNumber(token: string): number | undefined {
  switch (token) {
    case 'NaN':
      return Number.NaN;
    case '+Inf':
    case 'Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** `[a-zA-Z0-9_:]`, by the data model of Prometheus. */
function isNameChar(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    code === 95 ||
    (code >= 48 && code <= 58) ||
    (code >= 65 && code <= 90)
  );
}

function skipBlanks(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function findBlank(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && !isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isLineSpace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isLineSpace(code: number): boolean {
  return isBlank(code) || code === RETURN || code === NEWLINE;
}
