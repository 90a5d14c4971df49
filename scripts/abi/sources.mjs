// Reading the engine's sources: their exported constants and functions, with their comments. Syntax only; values are the
// compiler's business (evaluate.mjs).
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import ts from "typescript";

const files = new Map();

/** A file of assembly/, by its path without extension, parsed. */
function parse(file) {
  let source = files.get(file);
  if (!source) {
    const path = `assembly/${file}.ts`;
    source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    files.set(file, source);
  }
  return source;
}

const isExported = (node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;

/** The text of the `/** … *\/` comment right above a node, one line or several; "" if there is none. */
function commentOf(source, node) {
  const ranges = ts.getLeadingCommentRanges(source.text, node.pos) ?? [];
  const docs = ranges.map(({ pos, end }) => source.text.slice(pos, end)).filter((text) => text.startsWith("/**"));
  const text = docs.at(-1) ?? "";
  return text
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^ *\* ?/gm, "")
    .trim();
}

/** The exported constants of a file in their order: name, type, comment. */
export function constantsOf(file) {
  const source = parse(file);
  return source.statements
    .filter((node) => ts.isVariableStatement(node) && isExported(node))
    .flatMap((node) =>
      node.declarationList.declarations.map((declaration) => {
        if (!declaration.type)
          throw new Error(`${source.fileName}: ${declaration.name.getText()} has no type; expected one`);
        return { name: declaration.name.getText(), type: declaration.type.getText(), comment: commentOf(source, node) };
      }),
    );
}

/** The exported constants of a file from one to another, both included. @throws Error if one of them is not there */
export function constantsBetween(file, first, last) {
  const all = constantsOf(file);
  const at = [first, last].map((name) => all.findIndex((constant) => constant.name === name));
  if (at[0] < 0 || at[1] < at[0]) {
    throw new Error(
      `assembly/${file}.ts: expected exported constants from ${first} to ${last}; it has ${all.map(({ name }) => name).join(", ") || "none"}`,
    );
  }
  return all.slice(at[0], at[1] + 1);
}

/** An exported function or variable of a file. @throws Error if there is none, or a type is missing */
export function exportOf(file, name) {
  const source = parse(file);
  const variable = constantsOf(file).find((constant) => constant.name === name);
  if (variable) return { kind: "variable", ...variable };
  const node = source.statements.find((it) => ts.isFunctionDeclaration(it) && isExported(it) && it.name?.text === name);
  if (!node) {
    // A seam exports all of what stands behind it.
    const [behind] = source.statements.filter((it) => ts.isExportDeclaration(it) && !it.exportClause);
    if (behind) return exportOf(join(dirname(file), behind.moduleSpecifier.text), name);
    throw new Error(`${source.fileName}: exports no function or variable ${name}`);
  }
  const typed = (it, what) => {
    if (!it.type) throw new Error(`${source.fileName}: ${name}: ${what} has no type; expected one`);
    return it.type.getText();
  };
  const parameters = node.parameters.map((it) => ({ name: it.name.getText(), type: typed(it, it.name.getText()) }));
  return { kind: "function", name, parameters, returns: typed(node, "its result"), comment: commentOf(source, node) };
}

/** What assembly/index.ts exports, in order: headings (`// ---- … ----`), and names with the files that define them. */
export function moduleExports() {
  const source = parse("index");
  return source.statements.filter(ts.isExportDeclaration).map((node) => {
    const comments = ts.getLeadingCommentRanges(source.text, node.pos) ?? [];
    const headings = comments.map(({ pos, end }) => /^\/\/ ---- (.*) ----$/.exec(source.text.slice(pos, end))?.[1]);
    if (!node.exportClause || !ts.isNamedExports(node.exportClause) || !node.moduleSpecifier) {
      throw new Error(`${source.fileName}: ${node.getText()}: expected export { names } from a file`);
    }
    return {
      heading: headings.findLast((heading) => heading !== undefined),
      file: node.moduleSpecifier.text.replace(/^\.\//, ""),
      names: node.exportClause.elements.map(({ name, propertyName }) => {
        if (propertyName) throw new Error(`${source.fileName}: ${propertyName.text} is renamed; expected its own name`);
        return name.text;
      }),
    };
  });
}
