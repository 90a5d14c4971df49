// What a policy is: which flushes and frees lead to which IOMMU invalidation, and when a freed table may be used again
// (docs/rules.md section 11). One table says of every field what it may be, what the engine is told of it, and whether CPUs
// can notice it; checks, defaults, bits and the key of what CPUs notice are made of it.

import { InvalidOptionError } from "../base/errors.js";
import {
  anyText,
  boolean,
  fileObject,
  isObject,
  list,
  object,
  omissible,
  oneOf,
  parse,
  type Schema,
  text,
} from "../base/schema.js";
import { type Site, sites } from "../program/sites.js";

/** A policy, as data. */
export interface Policy {
  /** For output. */
  name: string;
  /** What it is or was, in a sentence; with its source. */
  about?: string;
  /** Flushes that invalidate the IOMMU when they have flushed the CPUs: `flush_tlb_kernel_range()`, `flush_tlb_all()`. */
  hooks: { readonly kernelRange: boolean; readonly flushAll: boolean };
  /** A hooked flush invalidates only if it is the flush of a table that is being freed. */
  onlyTableFrees: boolean;
  /** What a hooked ranged flush invalidates: the aligned range, all of every bound PASID, or whole IOMMUs. */
  scope: "range" | "pasid" | "all";
  /** In the flush itself, or by work that is scheduled. */
  timing: "synchronous" | "work";
  /** Tables given back at once, or put on a list whose worker invalidates the kernel half and then frees. */
  free: "immediate" | "deferred";
  /** What the worker does first; only with `free: "deferred"`. */
  worker: "takes-list-first" | "invalidates-first";
  /** Sites whose tables are deferred although the kernel never marked them (`ptdesc_set_kernel`); those of `user` and `zap_pte_range` never are. */
  deferUnmarkedOf: readonly Site[];
  /** The root that IOMMUs get: the mm's own, one without the kernel half, or none (SVA is refused). */
  root: "shared" | "user-only" | "none";
  /** Whether user unmaps reach the IOMMU (mmu notifier); every real kernel does. */
  notifyUser: boolean;
}

/** Keeps what is only like a checked policy, a changed copy for instance, from passing for one. */
declare class Checked {
  private readonly checked: true;
}

/** A policy that has been checked: complete, frozen, and not checked again wherever it goes. */
export type CheckedPolicy = Readonly<Policy> & Checked;

/** The fields that say what a policy does. */
export type PolicyField = Exclude<keyof Policy, "name" | "about">;

/** When CPUs can notice a field: `always` unless it says otherwise. Only frees concern them, so it may be for deferred ones. */
export type NoticedByCpus = "always" | "if deferred" | "never";

/** What there is to say of a field. */
interface Field<Value> {
  readonly default: Value;
  /** What it may be, as a user gives it. */
  readonly schema: Schema<unknown>;
  /** A value that may be, complete and frozen. */
  readonly complete?: (value: Value) => Value;
  /** What it may be, if that is one of a few words. */
  readonly values?: readonly string[];
  /** Bits of the engine's word, lowest first, by their names in assembly/kernel/policy.ts, and whether a value sets them. */
  readonly bits: readonly (readonly [name: string, isSet: (value: Value) => boolean])[];
  readonly cpus?: NoticedByCpus;
}

function flag(bit: string, byDefault: boolean, cpus?: NoticedByCpus): Field<boolean> {
  return { default: byDefault, schema: boolean(), bits: [[bit, (value) => value]], ...(cpus && { cpus }) };
}

/** One of a few words, the first by default; a word may have a bit. */
function choice<Word extends string>(
  values: readonly [Word, ...Word[]],
  bits: Partial<Record<Word, string>>,
  cpus?: NoticedByCpus,
): Field<Word> {
  return {
    default: values[0],
    schema: oneOf(values),
    values,
    bits: values.flatMap((word) => (bits[word] ? [[bits[word], (value: Word) => value === word] as const] : [])),
    ...(cpus && { cpus }),
  };
}

const hooks: Field<Policy["hooks"]> = {
  default: Object.freeze({ kernelRange: false, flushAll: false }),
  schema: object(
    { kernelRange: omissible(boolean()), flushAll: omissible(boolean()) },
    "an object with kernelRange and flushAll",
  ),
  complete: (given) => Object.freeze({ ...hooks.default, ...given }),
  bits: [
    ["HOOK_KERNEL_RANGE", ({ kernelRange }) => kernelRange],
    ["HOOK_FLUSH_ALL", ({ flushAll }) => flushAll],
  ],
  cpus: "never",
};

const deferUnmarkedOf: Field<Policy["deferUnmarkedOf"]> = {
  default: Object.freeze([]),
  schema: list(oneOf(sites), "a list of sites"),
  complete: (given) => Object.freeze([...given]),
  bits: [],
  cpus: "if deferred",
};

/**
 * Every field, in the order of the engine's bits: a new one goes to the end. Whoever adds one need not know about CPUs, who
 * are taken to notice it. @internal
 */
export const policyFields: { readonly [Name in PolicyField]: Field<Policy[Name]> } = {
  hooks,
  onlyTableFrees: flag("ONLY_TABLE_FREES", false, "never"),
  scope: choice(["range", "pasid", "all"], {}, "never"),
  timing: choice(["synchronous", "work"], { work: "ASYNC" }, "never"),
  free: choice(["immediate", "deferred"], { deferred: "DEFER_FREE" }),
  worker: choice(["takes-list-first", "invalidates-first"], { "invalidates-first": "INVALIDATE_FIRST" }, "if deferred"),
  deferUnmarkedOf,
  root: choice(["shared", "user-only", "none"], { "user-only": "USER_ONLY_ROOT", none: "NO_SHARED_TABLES" }, "never"),
  notifyUser: flag("NOTIFY_USER", true, "never"),
};

const fieldNames = Object.keys(policyFields) as PolicyField[];
const fieldOf = (name: PolicyField): Field<unknown> => policyFields[name] as Field<unknown>;

/** A policy, as a file has it. @internal */
export const policySchema = fileObject({
  name: omissible(text("a name")),
  ...Object.fromEntries(fieldNames.map((name) => [name, omissible(fieldOf(name).schema)])),
  about: omissible(anyText()),
});

/** One that stands beside others, which it has a name for. @internal */
export const namedPolicySchema = object({ ...policySchema.entries, name: text("a name") });

const known = new WeakSet<object>();

/** Whether a value is a policy that has been checked. @internal */
export function isChecked(value: unknown): value is CheckedPolicy {
  return typeof value === "object" && value !== null && known.has(value);
}

/** Checks a policy and fills in what is not given; what has been checked stays what it is. @internal @throws InvalidOptionError */
export function completePolicy(value: unknown, at: string, expected: string): CheckedPolicy {
  if (isChecked(value)) return value;
  if (!isObject(value)) throw new InvalidOptionError(at, value, expected);
  const given: Partial<Record<keyof Policy, unknown>> = parse(policySchema, value, at);
  const { name = "none", about } = given;
  const fields = fieldNames.map((field) => {
    const { complete, default: byDefault } = fieldOf(field);
    if (!(field in given)) return [field, byDefault];
    return [field, complete ? complete(given[field]) : given[field]];
  });
  const policy = Object.freeze({ name, ...Object.fromEntries(fields), ...(about !== undefined && { about }) });
  known.add(policy);
  return policy as CheckedPolicy;
}

/**
 * Policies that stand side by side need names of their own, or nobody can tell whose results are whose. @internal
 * @throws InvalidOptionError naming both
 */
export function checkNames(policies: readonly CheckedPolicy[], at: string): readonly CheckedPolicy[] {
  for (const [i, { name }] of policies.entries()) {
    const first = policies.findIndex((other) => other.name === name);
    if (first !== i) {
      throw new InvalidOptionError(`${at}[${i}].name`, name, `a name of its own (${at}[${first}] has this one)`);
    }
  }
  return policies;
}

/** A policy as the engine takes it. @internal */
export function policyBits(policy: CheckedPolicy): { bits: number; scope: number; deferSites: number } {
  const flags = fieldNames.flatMap((field) => fieldOf(field).bits.map(([, isSet]) => isSet(policy[field])));
  return {
    bits: flags.reduce((bits, flag, i) => bits | (flag ? 1 << i : 0), 0),
    scope: (policyFields.scope.values as readonly string[]).indexOf(policy.scope),
    deferSites: policy.deferUnmarkedOf.reduce((bits, site) => bits | (1 << sites.indexOf(site)), 0),
  };
}

/** What CPUs can notice of a policy: the same for policies whose walks by CPUs need not be looked at twice. @internal */
export function noticedByCpus(policy: CheckedPolicy): string {
  const deferred = policy.free === "deferred";
  const noticed = fieldNames.filter((field) => {
    const { cpus = "always" } = fieldOf(field);
    return cpus === "always" || (cpus === "if deferred" && deferred);
  });
  return JSON.stringify(noticed.map((field) => [field, policy[field]]));
}
