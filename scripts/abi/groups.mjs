// Kinds of groups of constants: what each is checked for, and what it becomes on the other side.
import { camel } from "./names.mjs";
import { constantsBetween, constantsOf } from "./sources.mjs";

/**
 * Names of numbers that count from 0, from `first` up to (not including) `count`, which must be how many there are. With
 * `step` they are offsets `step` bytes apart, from wherever the first is; then `count` is where they end. With `interface`
 * they are counters, and there is a type that has them all.
 */
export const list = (target, file, first, count, options = {}) => between("list", target, file, first, count, options);

/** Values by name, from `first` to `last`: codes, bits. */
export const values = (target, file, first, last, options = {}) =>
  between("values", target, file, first, last, options);

/**
 * Fields of a structure, from `first` up to (not including) `end`, which is where the last one ends; each ends where the next
 * begins. `size` is the constant that says how far apart structures are, if that is not `end`.
 */
export const structure = (target, file, first, end, options = {}) =>
  between("structure", target, file, first, end, options);

/** Constants one by one. */
export const single = (file, names, options = {}) => ({
  kind: "single",
  file,
  constants: names,
  comments: new Map(constantsOf(file).map(({ name, comment }) => [name, comment])),
  options,
});

function between(kind, target, file, first, last, options) {
  const found = constantsBetween(file, first, last);
  const constants = found.map(({ name }) => name);
  if (options.size && !constants.includes(options.size)) constants.push(options.size);
  return {
    kind,
    target,
    file,
    constants,
    comments: new Map(found.map(({ name, comment }) => [name, comment])),
    options,
  };
}

/** The TypeScript of a group. @throws Error naming the constant, its value and what was expected */
export function groupText(group, known) {
  const at = (name) => known.get(`${group.file}:${name}`);
  const fail = (name, expected) => {
    throw new Error(`assembly/${group.file}.ts: ${name} is ${at(name)}; expected ${expected}`);
  };
  return { list: listText, values: valuesText, structure: structureText, single: singleText }[group.kind](
    group,
    at,
    fail,
  );
}

/** What a group tells, one by one: a name, how hosts spell it, its value (of a list, its number), and of a field how long it is. */
export function fieldsOf(group, at) {
  const { kind, constants, options } = group;
  const last = kind === "structure" ? endOf(group) : constants.length - (kind === "list" ? 1 : 0);
  return constants.slice(0, last).map((name, i) => ({
    name,
    spelled: spell(name, options),
    value: kind === "list" ? i : at(name),
    bytes: kind === "structure" ? at(constants[i + 1]) - at(name) : 0,
  }));
}

/** The constant that says how far apart structures of a group are. */
export const sizeOf = (group) => group.options.size ?? group.constants[endOf(group)];

/** Which constant is where the last field ends. */
const endOf = ({ constants, options }) =>
  constants.findIndex((name) => name === options.end || /_(END|SIZE)$/.test(name));

/** What a constant is called on the other side. */
function spell(name, { prefix = "", suffix = "", spelling = camel }) {
  if (!name.startsWith(prefix)) throw new Error(`${name} does not begin with ${prefix}`);
  const bare = name.slice(prefix.length);
  return spelling(bare.endsWith(suffix) ? bare.slice(0, bare.length - suffix.length) : bare);
}

const doc = (text, indent = "") => {
  if (text === "") return "";
  const lines = text.split("\n");
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
};
const from = ({ file, options }) => doc(`${options.about ?? "Constants"} (assembly/${file}.ts).`);
/** The TypeScript of a predicate: the numbers for which it holds, as keys. */
export function callText({ target, file, name }, known) {
  const members = known.get(`${file}:${name}`).map((n) => `  ${n}: true,\n`);
  if (members.length === 0) throw new Error(`assembly/${file}.ts: ${name} holds for nothing; expected something`);
  const comment = doc(`Those for which ${name} holds (assembly/${file}.ts).`);
  return `${comment}export const ${target}: Readonly<Record<number, true>> = {\n${members.join("")}};\n`;
}

const literal = (value) => (typeof value === "bigint" ? `0x${value.toString(16)}n` : String(value));

function listText(group, at, fail) {
  const { options, target } = group;
  const names = group.constants.slice(0, -1);
  const count = group.constants.at(-1);
  const step = options.step ?? 1;
  const base = options.step ? at(names[0]) : 0;
  names.forEach((name, i) => {
    if (at(name) !== base + i * step) fail(name, `${base + i * step}, since it is number ${i} of its list`);
  });
  if (at(count) !== base + names.length * step) {
    fail(count, `${base + names.length * step}: ${names.length} are listed, from ${names[0]} to ${names.at(-1)}`);
  }
  const spelled = names.map((name) => spell(name, options));
  const text = `${from(group)}export const ${target} = [\n${spelled.map((name) => `  "${name}",\n`).join("")}] as const;\n`;
  if (!options.interface) return text;
  const members = names.map((name, i) => {
    const comment = group.comments.get(name);
    if (!comment) fail(name, "a comment above it: the type of the counters carries it");
    return `${doc(comment, "  ")}  ${spelled[i]}: number;\n`;
  });
  return `${text}\n${from(group)}export interface ${options.interface} {\n${members.join("")}}\n`;
}

function valuesText(group, at) {
  const members = group.constants.map(
    (name) =>
      `${doc(group.comments.get(name) ?? "", "  ")}  ${spell(name, group.options)}: ${literal(group.options.number ? Number(at(name)) : at(name))},\n`,
  );
  return `${from(group)}export const ${group.target} = {\n${members.join("")}} as const;\n`;
}

function structureText(group, at, fail) {
  const { options } = group;
  const end = endOf(group);
  const size = sizeOf(group);
  if (at(size) < at(group.constants[end]))
    fail(size, `at least ${at(group.constants[end])}, where the last field ends`);
  const fields = group.constants.slice(0, end).map((name, i) => {
    const bytes = at(group.constants[i + 1]) - at(name);
    if (![1, 2, 4, 8].includes(bytes)) fail(name, `1, 2, 4 or 8 bytes before ${group.constants[i + 1]}, not ${bytes}`);
    if (at(name) % bytes !== 0) fail(name, `a multiple of its ${bytes} bytes`);
    return `  ${spell(name, options)}: { at: ${at(name)}, bytes: ${bytes} },\n`;
  });
  const text = `${from(group)}export const ${group.target} = {\n${fields.join("")}} as const;\n`;
  return `${text}\n${doc(`Bytes from one of them to the next.`)}export const ${group.target}Size = ${at(size)};\n`;
}

function singleText(group, at) {
  const { options } = group;
  return group.constants
    .map((name) => {
      const value = options.number ? Number(at(name)) : at(name);
      const comment = group.comments.get(name);
      return `${doc(comment ?? "")}export const ${camel(options.prefix ? `${options.prefix}_${name}` : name)} = ${literal(value)};\n`;
    })
    .join("\n");
}
