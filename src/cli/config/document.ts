import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
} from 'yaml';

import { formatPath, type ConfigPath, type ConfigProblem } from './problem.ts';

/** Where in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const START: Position = { line: 1, column: 1 };

/**
 * Messages for the syntax errors that people meet most; the parser's own words serve for the rest.
 */
const SYNTAX_HELP: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'put everything above the "---"',
  MISSING_CHAR: 'close the quote or bracket',
  TAG_RESOLVE_FAILED: 'remove the tag',
};

/** A parsed YAML file that knows where each thing in it stands. */
export class ConfigDocument {
  readonly file: string;
  /** Problems of syntax; when there are any, the tree is not to be used. */
  readonly problems: readonly ConfigProblem[];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  /** `file` is the name for messages. */
  constructor(source: string, file: string) {
    this.file = file;
    this.#lines = new LineCounter();
    // Duplicate keys are found by the validator, which can say where the first one is.
    this.#document = parseDocument(source, {
      lineCounter: this.#lines,
      prettyErrors: false,
      keepSourceTokens: true,
      uniqueKeys: false,
      // Nothing is printed at any level; 'silent' would also hide that there is a second document.
      logLevel: 'error',
    });
    this.problems = [...this.#document.errors, ...this.#document.warnings].map((error) =>
      this.#syntaxProblem(error),
    );
  }

  /** The top of the tree; null for a file without content. */
  get root(): Node | null {
    return this.#document.contents;
  }

  /** The node itself, or what an alias stands for. */
  resolve(node: Node): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  /** Where a node begins. */
  positionOf(node: unknown): Position {
    return isNode(node) && node.range ? this.#position(node.range[0]) : START;
  }

  /** Where the value at `path` begins, or the nearest thing above it that is in the file. */
  locate(path: ConfigPath): Position {
    let place: unknown = this.root;
    let found = this.positionOf(place);
    for (const part of path) {
      const child = this.#child(place, part);
      if (child === null) break;
      place = child;
      found = this.positionOf(child);
    }
    return found;
  }

  /** A problem at `path`, placed where the path leads. */
  problemAt(path: ConfigPath, message: string, suggestion: string | null = null): ConfigProblem {
    return { file: this.file, path: formatPath(path), ...this.locate(path), message, suggestion };
  }

  /** A problem at a node of the tree. */
  problemOn(
    node: unknown,
    path: ConfigPath,
    message: string,
    suggestion: string | null,
  ): ConfigProblem {
    const { line, column } = this.positionOf(node);
    return { file: this.file, path: formatPath(path), line, column, message, suggestion };
  }

  #child(parent: unknown, part: string | number): Node | null {
    const node = isNode(parent) ? this.resolve(parent) : null;
    if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part];
      return isNode(item) ? item : null;
    }
    if (!isMap(node)) return null;
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
    return pair === undefined ? null : valueOrKey(pair);
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #syntaxProblem(error: YAMLError): ConfigProblem {
    const { line, column } = this.#position(error.pos[0]);
    const firstSentence = error.message.replace(/; please use .*$/, '');
    const message = `not valid YAML: ${firstSentence}`;
    const suggestion = SYNTAX_HELP[error.code] ?? null;
    return { file: this.file, path: '', line, column, message, suggestion };
  }
}

/** The value of a pair when it takes up any place in the file, else its key. */
function valueOrKey(pair: Pair): Node | null {
  if (isNode(pair.value) && pair.value.range && pair.value.range[1] > pair.value.range[0]) {
    return pair.value;
  }
  return isNode(pair.key) ? pair.key : null;
}
