/** A place inside the configuration: keys and list indexes from the top. */
export type ConfigPath = readonly (string | number)[];

/** One thing wrong with a configuration, and where. */
export interface ConfigProblem {
  /** Name of the file as the user gave it; for flags and environment, what they are called. */
  readonly file: string;
  /** For example `pools[0].endpoints`; empty for the file as a whole. */
  readonly path: string;
  /** From 1; null where there is no file. */
  readonly line: number | null;
  /** From 1; null where there is no file. */
  readonly column: number | null;
  readonly message: string;
  /** The way out, to follow the message after a semicolon; null when none is known. */
  readonly suggestion: string | null;
}

/** `pools[0].name` from its parts; a key that is no plain word is quoted. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${quote(part)}]`;
  }
  return text;
}

/** The line that is shown to the user, without a line end. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === null ? '' : `:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  const wayOut = problem.suggestion === null ? '' : `; ${problem.suggestion}`;
  return `${problem.file}${place}${path}: ${problem.message}${wayOut}`;
}

const LONGEST_QUOTE = 80;

/** `text` in double quotes with control characters escaped, cut to 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

/** In the order of the file; those without a place come first. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...problems].sort(
    (left, right) =>
      (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0),
  );
}
