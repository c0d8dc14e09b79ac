/** Markup that is safe to put into a page as it is: only `html` and `trusted` make it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text is escaped, lists are joined, null gives nothing. */
export type HtmlPart = Html | string | number | null | readonly HtmlPart[];

/** Nothing. */
export const EMPTY: Html = new Html('');

/**
 * Template tag: everything that is filled in is escaped, except markup made by this tag. Line ends
 * and the indentation after them, which only serve the source, become one line end.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let text = unindent(strings[0]);
  for (const [index, part] of parts.entries())
    text += markupOf(part) + unindent(strings[index + 1]);
  return new Html(text);
}

/** Takes markup of our own making, such as a plot drawn by the library, as it is. */
export function trusted(text: string): Html {
  return new Html(text);
}

/**
 * An inline script. Not by template: a policy for content knows scripts by a hash of every byte.
 * The text is our own and must not contain the end of a script.
 */
export function scriptOf(text: string): Html {
  return new Html(`<script>${text}</script>`);
}

/**
 * JSON for a data block inside a page: `<` is escaped, so that no content can end the block, and
 * so are the two line ends of Unicode that older parsers of scripts refuse.
 */
export function jsonBlock(value: unknown): Html {
  const text = JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
  return new Html(text);
}

function unindent(text = ''): string {
  return text.replaceAll(/\s*\n\s*/g, '\n');
}

function markupOf(part: HtmlPart): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(markupOf).join('');
}

/** Escapes text for content and for quoted attributes. Also runs inside the page. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
