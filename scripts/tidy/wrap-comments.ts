const COLUMNS_MAX = 100;

/** A line that is nothing but a comment: what stands before its words, and the words. */
interface CommentLine {
  readonly kind: 'docstring' | 'block' | 'line';
  /** White space before the comment. */
  readonly indent: string;
  readonly words: string;
}

/**
 * Breaks comment lines that are wider than 100 columns; what does not fit moves to the front of the
 * next line of the same paragraph. Comments behind code, and lines that are code, stay as they are.
 */
export function wrapComments(text: string): string {
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const comment = line.length > COLUMNS_MAX ? parseComment(line) : null;
    if (comment === null) continue;
    if (comment.kind === 'docstring') {
      const { indent, words } = comment;
      lines.splice(index, 1, `${indent}/**`, `${indent} * ${words}`, `${indent} */`);
      continue;
    }
    breakLine(lines, index, comment);
  }
  return lines.join('\n');
}

function parseComment(line: string): CommentLine | null {
  const match =
    /^(\s*)(\/\*\*) (.*) \*\/$/.exec(line) ??
    /^(\s*) (\*) (\S.*)$/.exec(line) ??
    /^(\s*)(\/\/) (\S.*)$/.exec(line);
  if (match === null) return null;
  const [, indent = '', sign = '', words = ''] = match;
  const kind = sign === '/**' ? 'docstring' : sign === '*' ? 'block' : 'line';
  return { kind, indent, words };
}

function breakLine(lines: string[], index: number, { kind, indent, words }: CommentLine): void {
  const sign = kind === 'block' ? `${indent} * ` : `${indent}// `;
  const cut = words.lastIndexOf(' ', COLUMNS_MAX - sign.length);
  if (cut <= 0) return;
  const hanging = /^(?:[-*]|\d+\.) /.exec(words)?.[0].length ?? 0;
  lines[index] = sign + words.slice(0, cut).trimEnd();
  const rest = words.slice(cut + 1);
  const next = parseComment(lines[index + 1] ?? '');
  const isSameParagraph =
    next !== null && next.kind === kind && next.indent === indent && /^[\w`"'(]/.test(next.words);
  if (isSameParagraph && hanging === 0) lines[index + 1] = `${sign}${rest} ${next.words}`;
  else lines.splice(index + 1, 0, sign + ' '.repeat(hanging) + rest);
}
