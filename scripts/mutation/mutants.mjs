// Mutants of a file of the engine: one statement removed, or one expression altered. All mutants of a file are written into it
// at once, each behind a comparison with one number, so that one build serves for all of them; that number decides which lives.
//
// Left alone: declarations, top-level code, assertions (the shipped build has none), constant offsets of loads and stores.
import ts from "typescript";

/** Operators, and what takes their places. */
const SWAPS = new Map([
  ["==", "!="],
  ["!=", "=="],
  ["<", "<="],
  ["<=", "<"],
  [">", ">="],
  [">=", ">"],
  ["+", "-"],
  ["-", "+"],
  ["&&", "||"],
  ["||", "&&"],
  ["&", "|"],
  ["|", "&"],
]);

/** How many arguments of a call are no constants; of all others any number. */
const VARIABLE_ARGUMENTS = new Map([
  ["load", 1],
  ["store", 2],
  ["memory.data", 0],
  ["assert", 0],
  ["ERROR", 0],
]);

/** What stands at the head of a changed file: the number of the mutant that lives, and a bound for loops that do not end. */
const head = (path) => {
  const up = "../".repeat(path.split("/").length - 2);
  return `import { MUTANT, spend } from "${up === "" ? "./" : up}base/mutant"; `;
};

/** The file that a build with mutants has beside the engine's. `placeholder` stands once in the module, and is overwritten. */
export const switchFile = (placeholder) => `export let MUTANT: i32 = ${placeholder};
let spent: u32 = 0;
/** Called in every turn of every loop. A loop that a mutant keeps alive ends here. */
export function spend(): void {
  if (++spent > 30_000_000) unreachable();
}
`;

const calls = (node, names) => ts.isCallExpression(node) && names.has(node.expression.getText());

/** A condition: of an if, of a loop, of a choice between two values. */
const isCondition = ({ parent }, node) =>
  (ts.isIfStatement(parent) && parent.expression === node) ||
  (ts.isWhileStatement(parent) && parent.expression === node) ||
  (ts.isForStatement(parent) && parent.condition === node) ||
  (ts.isConditionalExpression(parent) && parent.condition === node);

/** Whether an if does one thing only, which is itself removed by another mutant: never doing it would be the same. */
const doesOneThing = (node) => {
  if (!ts.isIfStatement(node) || node.elseStatement) return false;
  const { thenStatement: body } = node;
  const [only, ...more] = ts.isBlock(body) ? body.statements : [body];
  return only !== undefined && more.length === 0 && isRemovable(only);
};

const isRemovable = (node) =>
  ts.isExpressionStatement(node)
    ? !calls(node.expression, new Set(["assert", "ERROR"]))
    : ts.isBreakStatement(node) || ts.isContinueStatement(node) || (ts.isReturnStatement(node) && !node.expression);

/** Whether an assignment is part of the expression. */
const assigns = (node) =>
  (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) ||
  ts.forEachChild(node, (child) => assigns(child) || undefined) === true;

const isLoop = (node) => ts.isWhileStatement(node) || ts.isForStatement(node) || ts.isDoStatement(node);

/**
 * Finds the mutants of a file and writes them into its text. `skip` says of a number whether the mutant is to be left out (one
 * that does not compile); numbers count on from `first`.
 */
export function mutate(path, text, first, skip = () => false) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const mutants = [];
  let next = first;

  /** One more mutant here: the text with it, behind its number. */
  const add = (node, what, write, now) => {
    const number = next++;
    const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
    const source = text.slice(node.getStart(file), node.end).replace(/\s+/g, " ");
    const { line: end } = file.getLineAndCharacterOfPosition(node.end);
    mutants.push({ number, path, line: line + 1, end: end + 1, column: character + 1, what, source });
    return skip(number) ? now : write(number, now);
  };

  /** Text of one line, for the other branch; undefined if a comment in it forbids that. */
  const oneLine = (node) => {
    const source = text.slice(node.getStart(file), node.end);
    return source.includes("//") ? undefined : source.replace(/\s*\n\s*/g, " ");
  };
  const instead = (other) => (number, now) => `(MUTANT == ${number} ? ${other} : ${now})`;

  const mutantsOf = (node, now) => {
    let out = now;
    // Whoever assigns in a condition has it assigned on every path.
    if (ts.isExpression(node) && assigns(node)) return out;
    // Nothing stands behind a loop without an end, not even what a function owes its caller: without the loop it would not compile.
    if (node.kind === ts.SyntaxKind.TrueKeyword && isCondition({ parent: node.parent }, node) && isLoop(node.parent))
      return out;
    if (isRemovable(node)) {
      out = add(node, "removed", (number, it) => `{ if (MUTANT != ${number}) { ${it} } }`, out);
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      const other = node.kind === ts.SyntaxKind.TrueKeyword ? "false" : "true";
      if (!ts.isLiteralTypeNode(node.parent)) out = add(node, other, instead(other), out);
    } else if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.getText(file);
      const swap = SWAPS.get(operator);
      const [left, right] = [oneLine(node.left), oneLine(node.right)];
      if (swap !== undefined && left !== undefined && right !== undefined) {
        out = add(node, `${operator} -> ${swap}`, instead(`(${left}) ${swap} (${right})`), out);
      }
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      const operand = oneLine(node.operand);
      if (operand !== undefined) out = add(node, "! dropped", instead(`!!(${operand})`), out);
    }
    if (isCondition({ parent: node.parent }, node)) {
      if (!doesOneThing(node.parent))
        out = add(node, "never", (number, it) => `(MUTANT == ${number} ? false : !!(${it}))`, out);
      // A loop that never ends says nothing.
      if (!isLoop(node.parent))
        out = add(node, "always", (number, it) => `(MUTANT == ${number} ? true : !!(${it}))`, out);
    }
    return out;
  };

  /** The text of a node with all mutants below and at it. */
  const emit = (node, inside) => {
    const fixed = ts.isCallExpression(node)
      ? (VARIABLE_ARGUMENTS.get(node.expression.getText(file)) ?? Infinity)
      : Infinity;
    let out = "";
    let at = node.getStart(file);
    ts.forEachChild(node, (child) => {
      out += text.slice(at, child.getStart(file));
      const constant = ts.isCallExpression(node) && node.arguments.indexOf(child) >= fixed;
      const isBody =
        (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node)) &&
        child === node.body;
      let written = emit(child, constant ? false : inside || isBody);
      if (isLoop(node) && child === node.statement) written = `{ spend(); ${written} }`;
      out += written;
      at = child.end;
    });
    out += text.slice(at, node.end);
    return inside ? mutantsOf(node, out) : out;
  };

  const start = file.getStart(file);
  return { text: head(path) + text.slice(0, start) + emit(file, false), mutants };
}

/** A file whose loops are bounded, without mutants. */
export const bounded = (path, text) => mutate(path, text, 0, () => true).text;
