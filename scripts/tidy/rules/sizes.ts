import {
  isArrowFunction,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isMethodDeclaration,
  isNoSubstitutionTemplateLiteral,
  isRegularExpressionLiteral,
  isSetAccessorDeclaration,
  isStringLiteral,
  isTemplateExpression,
  type Node,
  type ParameterDeclaration,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from '../finding.ts';
import { isTestFile } from '../layers.ts';
import { lineOf, visit, type ParsedFile } from '../project.ts';

const FILE_LINES = { budget: 400, hard: 600, test: 900 } as const;
const FUNCTION_LINES = { budget: 50, hard: 70 } as const;
const PARAMETERS_MAX = 4;
const COLUMNS_MAX = 100;
/** A literal this wide fills a line by itself; the formatter does not break it, it greps whole. */
const UNBREAKABLE_COLUMNS = 70;

/** Lines per file. */
export const fileLines: Rule = {
  name: 'file-lines',
  wayOut: 'split the file by concept or by phase',
  check: (project) =>
    project.files.flatMap((file) => {
      const size = file.text.endsWith('\n') ? file.lines.length - 1 : file.lines.length;
      const isTest = isTestFile(file.path);
      const budget = isTest ? FILE_LINES.test : FILE_LINES.budget;
      if (size <= budget) return [];
      const isHard = isTest || size > FILE_LINES.hard;
      const message = `has ${size} lines, ${budget} are the budget`;
      return [{ file: file.path, line: 1, message, weight: size - budget, isHard }];
    }),
};

/** Lines of code per function, without blank lines and comments; tests may be longer. */
export const functionLines: Rule = {
  name: 'function-lines',
  wayOut: 'keep the control flow and move the steps into functions of their own',
  check: (project) => project.files.filter((file) => !isTestFile(file.path)).flatMap(longFunctions),
};

/** Parameters per function. */
export const parameters: Rule = {
  name: 'parameters',
  wayOut: 'pass an options object from the third argument on',
  check: (project) =>
    project.files.flatMap((file) =>
      functionsOf(file)
        .filter(({ node }) => node.parameters.length > PARAMETERS_MAX)
        .map(({ node, name }) => ({
          file: file.path,
          line: lineOf(file, node),
          message: `${name} has ${node.parameters.length} parameters, ${PARAMETERS_MAX} are allowed`,
        })),
    ),
};

/** Columns per line, where the formatter can break the line. */
export const columns: Rule = {
  name: 'columns',
  wayOut: 'wrap the code; `node scripts/tidy.ts --wrap PATH` wraps comments',
  check: (project) => project.files.flatMap(wideLines),
};

interface FunctionNode extends Node {
  readonly parameters: readonly ParameterDeclaration[];
  readonly body?: Node;
}

function functionsOf(file: ParsedFile): { readonly node: FunctionNode; readonly name: string }[] {
  const found: { readonly node: FunctionNode; readonly name: string }[] = [];
  visit(file.root, (node) => {
    if (isFunctionNode(node)) found.push({ node, name: nameOf(node) });
  });
  return found;
}

function isFunctionNode(node: Node): node is FunctionNode {
  const isFunction =
    isFunctionDeclaration(node) || isFunctionExpression(node) || isArrowFunction(node);
  return (
    isFunction ||
    isMethodDeclaration(node) ||
    isConstructorDeclaration(node) ||
    isGetAccessorDeclaration(node) ||
    isSetAccessorDeclaration(node)
  );
}

function nameOf(node: FunctionNode): string {
  if (isConstructorDeclaration(node)) return 'the constructor';
  const named = 'name' in node ? node : node.parent;
  const name = 'name' in named ? (named.name as Node | undefined) : undefined;
  return name !== undefined && isIdentifier(name) ? name.text : 'a function';
}

function longFunctions(file: ParsedFile): Finding[] {
  const isCode = codeLines(file);
  return functionsOf(file).flatMap(({ node, name }) => {
    const first = lineOf(file, node);
    const last = file.root.getLineAndCharacterOfPosition(node.end).line + 1;
    let size = 0;
    for (let line = first; line <= last; line += 1) size += isCode[line] === true ? 1 : 0;
    if (size <= FUNCTION_LINES.budget) return [];
    const message = `${name} has ${size} lines of code, ${FUNCTION_LINES.budget} are the budget`;
    const weight = size - FUNCTION_LINES.budget;
    return [{ file: file.path, line: first, message, weight, isHard: size > FUNCTION_LINES.hard }];
  });
}

/** Per 1-based line: whether a token of the program starts or ends on it. */
function codeLines(file: ParsedFile): boolean[] {
  const isCode: boolean[] = [];
  let isInBlockComment = false;
  file.lines.forEach((line, index) => {
    const text = line.trim();
    if (!isInBlockComment && text.startsWith('/*')) isInBlockComment = true;
    isCode[index + 1] = text !== '' && !isInBlockComment && !text.startsWith('//');
    if (isInBlockComment && text.includes('*/')) isInBlockComment = false;
  });
  return isCode;
}

function wideLines(file: ParsedFile): Finding[] {
  const wide = file.lines.flatMap((line, index) => (line.length > COLUMNS_MAX ? [index + 1] : []));
  if (wide.length === 0) return [];
  const excused = linesWithWideLiterals(file);
  return wide
    .filter((line) => !excused.has(line) && !/https?:\/\//.test(file.lines[line - 1] ?? ''))
    .map((line) => {
      const width = file.lines[line - 1]?.length ?? 0;
      return {
        file: file.path,
        line,
        message: `is ${width} columns wide, ${COLUMNS_MAX} are allowed`,
      };
    });
}

function linesWithWideLiterals(file: ParsedFile): Set<number> {
  const lines = new Set<number>();
  visit(file.root, (node) => {
    if (!isLiteralText(node)) return;
    const first = lineOf(file, node);
    const last = file.root.getLineAndCharacterOfPosition(node.end).line + 1;
    const isWide = node.end - node.getStart(file.root) >= UNBREAKABLE_COLUMNS;
    if (first === last && !isWide) return;
    for (let line = first; line <= last; line += 1) lines.add(line);
  });
  return lines;
}

function isLiteralText(node: Node): boolean {
  return (
    isStringLiteral(node) ||
    isNoSubstitutionTemplateLiteral(node) ||
    isTemplateExpression(node) ||
    isRegularExpressionLiteral(node)
  );
}
