// Mutation of JSON by its structure: values replaced by others of every type, members left out, renamed, added, moved.
import type { Random } from "./mutate.js";

const VALUES: readonly unknown[] = [
  ...[null, true, false, "", "x", "none", "range", "constructor", "__proto__", "\u001b[2J", [], {}, [[]], { a: 1 }],
  ...[0, 1, -1, 0.5, 4, 64, 1e6, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, "0x10", "1"],
];

/** JSON of a seed with one to three changes. */
export function mutateJson(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const parse = (): unknown => JSON.parse(new TextDecoder().decode(random.of(seeds)));
  let value = parse();
  for (let left = 1 + random.below(3); left > 0; left--) value = change(value, random, parse());
  return new TextEncoder().encode(JSON.stringify(value));
}

function change(value: unknown, random: Random, other: unknown): unknown {
  if (typeof value !== "object" || value === null || random.below(8) === 0) return random.of(VALUES);
  const members = Object.entries(value as Record<string, unknown>);
  if (members.length === 0)
    return random.below(2) === 0 ? { ...value, [random.of(["name", "x", "ns"])]: random.of(VALUES) } : value;
  const at = random.below(members.length);
  const [key, inner] = members[at]!;
  switch (random.below(8)) {
    case 0:
      members.splice(at, 1);
      break;
    case 1:
      members[at] = [`${key}${random.of(["s", "_", ""])}`.slice(random.below(2)), inner];
      break;
    case 2:
      members.push([key, random.of(VALUES)]);
      break;
    case 3:
      members[at] = [key, random.of(Object.values(other as object).concat(0))];
      break;
    case 4:
      members[at] = [key, random.of(VALUES)];
      break;
    default:
      members[at] = [key, change(inner, random, other)];
  }
  return Array.isArray(value) ? members.map(([, it]) => it) : Object.fromEntries(members);
}
