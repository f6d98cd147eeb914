/** Which types the declarations of the package's entries name, and which of them no entry exports. */

import ts from 'typescript';

/** A type named by a public member, and the place. */
export interface NamedType {
  readonly name: string;
  readonly by: string;
}

const HIDDEN = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;

/** Members that only the class itself, what extends it, or the package's own files (`@internal`) reach. */
function isHidden(node: ts.Node): boolean {
  if (!ts.isClassElement(node) && !ts.isTypeElement(node)) return false;
  const internal = ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'internal');
  return internal || (ts.canHaveModifiers(node) && (ts.getCombinedModifierFlags(node) & HIDDEN) !== 0);
}

/**
 * The types of this package that the declarations of `entries` (files of type declarations) name in public places and
 * that none of the entries exports: members of exported classes and of those that they extend, properties, arguments, results.
 */
export function unnamedTypes(entries: readonly string[], isOwn: (file: string) => boolean): NamedType[] {
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: [] };
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const resolved = (symbol: ts.Symbol): ts.Symbol =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  const exports = entries.flatMap((entry) => {
    const file = program.getSourceFile(entry);
    const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    if (symbol === undefined) throw new Error(`${entry} exports nothing: is it built?`);
    return checker.getExportsOfModule(symbol);
  });
  const exported = new Set(exports.map(resolved));
  const onlyNamed = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.every((declaration) => ts.isTypeOnlyExportDeclaration(declaration)) ?? false;
  /** Classes whose constructor an entry gives away; of others it gives the type alone. */
  const made = new Set(exports.filter((symbol) => !onlyNamed(symbol)).map(resolved));
  const unnamed = new Map<ts.Symbol, string>();
  const walkBase = (clause: ts.HeritageClause, by: string): void => {
    for (const { expression } of clause.types) {
      const base = checker.getSymbolAtLocation(expression);
      const declarations = base === undefined ? [] : (resolved(base).declarations ?? []);
      for (const declaration of declarations)
        if (isOwn(declaration.getSourceFile().fileName)) visitBase(declaration, by);
    }
  };
  const note = (name: ts.EntityName, by: string): void => {
    const found = checker.getSymbolAtLocation(name);
    if (found === undefined) return;
    const symbol = resolved(found);
    const declaration = symbol.declarations?.at(0);
    const isParameter = (symbol.flags & ts.SymbolFlags.TypeParameter) !== 0;
    if (declaration === undefined || isParameter || !isOwn(declaration.getSourceFile().fileName)) return;
    if (!exported.has(symbol)) unnamed.set(symbol, unnamed.get(symbol) ?? by);
  };
  /** All but the constructor, which is nobody's where a class is extended, or exported as a type alone. */
  const visitBase = (declaration: ts.Declaration, by: string): void => {
    ts.forEachChild(declaration, (child) => {
      if (!ts.isConstructorDeclaration(child)) visit(child, by);
    });
  };
  const visit = (node: ts.Node, by: string): void => {
    if (isHidden(node)) return;
    if (ts.isHeritageClause(node)) {
      walkBase(node, by);
      node.types.forEach(({ typeArguments }) =>
        typeArguments?.forEach((type) => {
          visit(type, by);
        }),
      );
      return;
    }
    if (ts.isTypeReferenceNode(node)) note(node.typeName, by);
    if (ts.isImportTypeNode(node) && node.qualifier !== undefined) note(node.qualifier, by);
    ts.forEachChild(node, (child) => {
      visit(child, by);
    });
  };
  for (const symbol of exported) {
    const look = made.has(symbol) ? visit : visitBase;
    for (const declaration of symbol.declarations ?? []) look(declaration, symbol.name);
  }
  return [...unnamed].map(([symbol, by]) => ({ name: symbol.name, by }));
}
