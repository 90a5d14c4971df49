// The rule of `npm run docs`: every exported name of every entry point, and every member of it, has a comment. TypeDoc has
// such a rule (validation.notDocumented); this one differs in a single point: what a constant holds is data. A table such as
// `geometries` or `OPERATIONS` has a comment itself, and its rows and cells need none. The same holds for an object type that
// is written in one line: the name that it belongs to says what its members are.
// And a number says what it counts or measures: its comment has one of the words of UNITS.
// And whatever throws, or checks what it is given, has a @throws that says what.
import { readFileSync } from "node:fs";
import { Application, ReflectionKind } from "typedoc";
import ts from "typescript";

const NEED_COMMENTS =
  ReflectionKind.Enum |
  ReflectionKind.EnumMember |
  ReflectionKind.Variable |
  ReflectionKind.CallSignature |
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.Property |
  ReflectionKind.GetSignature |
  ReflectionKind.SetSignature |
  ReflectionKind.TypeAlias;

/** Whether a name lies inside a constant's value, or inside the type of a parameter, which its function's comment explains. */
function isInsideData({ parent }) {
  if (parent === undefined) return false;
  return parent.kindOf(ReflectionKind.Variable | ReflectionKind.Parameter) || isInsideData(parent);
}

/** Whether a member belongs to an object type whose members all stand in one line. */
function isOneLiner({ parent }) {
  if (!parent?.kindOf(ReflectionKind.TypeLiteral)) return false;
  return new Set(parent.children?.map(({ sources }) => sources?.[0]?.line)).size === 1;
}

/** A call signature without a name of its own: the type of a property or an alias, which has the comment. */
const isAnonymous = (reflection) =>
  reflection.kindOf(ReflectionKind.CallSignature) && reflection.parent?.kindOf(ReflectionKind.TypeLiteral);

/** What numbers of the interface are in, or count, or are. */
const UNITS = new RegExp(
  [
    String.raw`\b(?:ns|ms|µs|s|KiB|MiB|GiB|UTC|LRU|PCIDs?|PASIDs?|ASIDs?|CPUs?|IOMMUs?|TLBs?|AM|IPIs?|PKRU|CR3)\b|timeUnit|2\^|%`,
    "nanosecond|microsecond|millisecond|second|byte|bit|word|page|block|area|entr(?:y|ies)|level|way|set\\b|frame|table|leaf|leaves|root",
    "address|offset|position|line|column|length|width|depth|size|mask|shift|index|number|code|count|tag|generation|rank|point|domain",
    "how (?:many|often|much|long)|times|most|least|share|ratio|rate|per\\b|probab|exponent|percent|thousand|million",
    "access|translation|walk|fault|hit|miss|read|lookup|fill|eviction|invalidat|flush|operation|record|free|hazard|move|step|state|transition",
    "register|MSR|request|runs|job|thread|worker|process|attempt|finding|event|field|descriptor|submission|device|region|cell|program|unit|kind|key|value|seed|time",
  ].join("|"),
  "i",
);
const NUMBER = /^(?:number|bigint)(?: \| undefined)?$/;

const FUNCTIONS = ReflectionKind.CallSignature | ReflectionKind.ConstructorSignature;
/** Functions of ours that throw for what they are given. */
const CHECKS = /^(?:this\.)?check[A-Z]\w*$|\.throwIfAborted$/;
const bodies = new Map();

/** Bodies of the functions of a file, by the line where the name stands. */
function bodiesOf(path) {
  const known = bodies.get(path);
  if (known) return known;
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const byLine = new Map();
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      byLine.set(source.getLineAndCharacterOfPosition((node.name ?? node).getStart()).line + 1, node.body);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  bodies.set(path, byLine);
  return byLine;
}

/** Whether a body throws, or calls what does. What is caught and thrown on is somebody else's. */
function throwsIn(node, caught) {
  if (ts.isThrowStatement(node)) return node.expression.getText() !== caught;
  if (ts.isCallExpression(node) && CHECKS.test(node.expression.getText())) return true;
  const inside = ts.isCatchClause(node) ? node.variableDeclaration?.name.getText() : caught;
  return ts.forEachChild(node, (child) => throwsIn(child, inside) || undefined) ?? false;
}

/** Whether a function that throws does not say so. */
function lacksThrows({ comment, parent, sources: [source] = [] }) {
  const body = source && bodiesOf(source.fullFileName).get(source.line);
  if (!body || !throwsIn(body, undefined)) return false;
  const tags = [...(comment?.blockTags ?? []), ...(parent.comment?.blockTags ?? [])];
  return !tags.some(({ tag }) => tag === "@throws");
}

/** Whether a number does not say what it is of. */
function lacksUnit(reflection) {
  const { comment, type } = reflection;
  if (!comment || !NUMBER.test(type?.toString() ?? "") || isInsideData(reflection)) return false;
  return !UNITS.test(comment.summary.map(({ text }) => text).join(""));
}

export function load(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    const seen = new Set();
    const members = ReflectionKind.Property | ReflectionKind.GetSignature;
    for (const reflection of project.getReflectionsByKind(members).filter(lacksUnit)) {
      const { fileName, line } = reflection.sources?.[0] ?? reflection.parent.sources[0];
      app.logger.validationWarning(
        `${fileName}:${line}: ${reflection.getFriendlyFullName()} does not say what it counts or measures`,
      );
    }
    for (const reflection of project.getReflectionsByKind(FUNCTIONS).filter(lacksThrows)) {
      const { fileName, line } = reflection.sources[0];
      app.logger.validationWarning(
        `${fileName}:${line}: ${reflection.getFriendlyFullName()} throws and has no @throws`,
      );
    }
    for (const reflection of project.getReflectionsByKind(NEED_COMMENTS)) {
      if (reflection.hasComment() || isInsideData(reflection) || isOneLiner(reflection) || isAnonymous(reflection))
        continue;
      const { fileName, line } = reflection.sources?.[0] ??
        reflection.parent?.sources?.[0] ?? { fileName: "?", line: 0 };
      const where = `${fileName}:${line}`;
      if (seen.has(where)) continue;
      seen.add(where);
      app.logger.validationWarning(`${where}: ${reflection.getFriendlyFullName()} has no comment`);
    }
  });
}
