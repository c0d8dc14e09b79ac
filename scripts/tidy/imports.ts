import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isMetaProperty,
  isNewExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isNoSubstitutionTemplateLiteral,
  SyntaxKind,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';

/** How one file refers to another: `value` runs it, `type` is erased, `url` names it for later. */
export type ImportKind = 'value' | 'type' | 'url';

/** One reference from a file to a module specifier. */
export interface ImportEdge {
  readonly specifier: string;
  readonly kind: ImportKind;
  /** 1-based. */
  readonly line: number;
  /** `export … from` rather than an import. */
  readonly isReExport: boolean;
}

/**
 * Every specifier a file refers to: static and dynamic imports, `export … from`, `import()` types
 * and `new URL('./x.ts', import.meta.url)`, which is how a worker names its file.
 */
export function importsOf(root: SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = [];
  const walk = (node: Node): void => {
    const found = edgeOf(node);
    if (found !== null) {
      const line = root.getLineAndCharacterOfPosition(node.getStart(root)).line + 1;
      edges.push({ ...found, line });
    }
    node.forEachChild(walk);
  };
  walk(root);
  return edges;
}

type FoundEdge = Omit<ImportEdge, 'line'>;

function edgeOf(node: Node): FoundEdge | null {
  if (isImportDeclaration(node)) {
    const isType = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
    return edge(node.moduleSpecifier, { kind: isType ? 'type' : 'value', isReExport: false });
  }
  if (isExportDeclaration(node)) {
    const kind = node.isTypeOnly ? 'type' : 'value';
    return edge(node.moduleSpecifier, { kind, isReExport: true });
  }
  if (isImportTypeNode(node)) {
    const literal = isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    return edge(literal, { kind: 'type', isReExport: false });
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    return edge(node.arguments[0], { kind: 'value', isReExport: false });
  }
  return isUrlOfThisFile(node)
    ? edge(node.arguments?.[0], { kind: 'url', isReExport: false })
    : null;
}

function edge(
  specifier: Node | undefined,
  rest: { readonly kind: ImportKind; readonly isReExport: boolean },
): FoundEdge | null {
  if (specifier === undefined) return null;
  const isText = isStringLiteral(specifier) || isNoSubstitutionTemplateLiteral(specifier);
  return isText ? { specifier: specifier.text, ...rest } : null;
}

function isUrlOfThisFile(node: Node): node is Node & { readonly arguments?: readonly Node[] } {
  if (!isNewExpression(node) || !isIdentifier(node.expression)) return false;
  const base = node.arguments?.[1];
  return (
    node.expression.text === 'URL' &&
    base !== undefined &&
    isPropertyAccessExpression(base) &&
    isMetaProperty(base.expression)
  );
}
