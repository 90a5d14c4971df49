// A transform of the AssemblyScript compiler for release builds: takes every assert() out of the program before it is compiled.
// The compiler's own --noAssert keeps the condition and drops only the trap, so that each load in it would stay in the module.
import { NodeKind } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

const isAssertion = (node) => node?.kind === NodeKind.Call && node.expression.text === "assert";

/** Takes assertions out of every list of statements below a node. */
function drop(node) {
  if (Array.isArray(node)) {
    for (const it of node) drop(it);
    return;
  }
  if (node === null || typeof node !== "object") return;
  if (isAssertion(node)) {
    const { source, start } = node.range;
    throw new Error(`${source.normalizedPath}(${source.lineAt(start)}): an assertion must be a statement of its own`);
  }
  if (Array.isArray(node.statements)) {
    node.statements = node.statements.filter((it) => !(it.kind === NodeKind.Expression && isAssertion(it.expression)));
  }
  for (const [field, value] of Object.entries(node)) if (field !== "range") drop(value);
}

export default class DropAssertions extends Transform {
  afterParse(parser) {
    for (const source of parser.sources) if (!source.isLibrary) drop(source.statements);
  }
}
