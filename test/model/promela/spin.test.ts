// One site in Promela, explored by SPIN: the same verdicts as of our proofs. Another language, another explorer, another reader of the
// rules; operations interleave freely there, where ours nest. Needs `spin` and a C compiler, and says so where they are not.
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Policy, type PolicyName, policies } from "../../../src/index.js";
import type { VerdictsOptions } from "../../../src/verdicts/index.js";
import { amount } from "../../support/effort.js";
import { collect } from "../../verdicts/collect.js";

const MODEL = fileURLToPath(new URL("pmd_free_pte_page.pml", import.meta.url));
const run = promisify(execFile);

const missing = ["spin", "cc"].filter((name) => {
  try {
    execFileSync("which", [name], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
});
const without =
  missing.length === 0 ? "" : ` (skipped: no ${missing.join(", no ")} here; Debian: apt install spin gcc)`;

/** What the model is told of a policy, and of what invalidations wait for. */
function definitions({ hooks, timing, free, worker, root }: Policy, drain: "all" | "none"): string[] {
  const set = (name: string, on: boolean): string => `-D${name}=${on ? 1 : 0}`;
  return [
    set("HOOK", hooks.kernelRange),
    set("ASYNC", timing === "work"),
    set("DEFER", free === "deferred"),
    set("INVALIDATE_FIRST", worker === "invalidates-first"),
    set("ROOT", root === "shared"),
    set("DRAIN", drain === "all"),
  ];
}

describe.skipIf(missing.length > 0)(`pmd_free_pte_page() in Promela${without}`, () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-spin-"));
    cpSync(MODEL, join(folder, "model.pml"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Whether there is a hazard, and how many states SPIN has stored. Its verifier stands in the current folder. */
  async function explored(policy: Policy, drain: "all" | "none"): Promise<{ hazard: boolean; states: number }> {
    await run("spin", [...definitions(policy, drain), "-a", "model.pml"], { cwd: folder });
    // What it explores is small: more time goes to compilers.
    await run("cc", ["-O0", "-w", "-DSAFETY", "-o", "verifier", "pan.c"], { cwd: folder });
    const { stdout } = await run(join(folder, "verifier"), [], { cwd: folder });
    const errors = /errors: (\d+)/.exec(stdout)?.[1];
    const states = /(\d+) states, stored/.exec(stdout)?.[1];
    if (errors === undefined || states === undefined) throw new Error(`the verifier says:\n${stdout}`);
    expect(stdout, "the whole of it was explored").not.toMatch(/max search depth too small|out of memory/);
    if (errors !== "0") expect(stdout).toMatch(/assertion violated +!\(freed\[r\]\)/);
    return { hazard: errors !== "0", states: Number(states) };
  }

  const PRESETS = [
    "none",
    "flush-range",
    "flush-async",
    "deferred-free",
    "deferred-free-unlocked",
    "user-root",
  ] as const;
  const names = amount<readonly PolicyName[]>({
    quick: ["flush-range"],
    full: PRESETS,
    nightly: Object.keys(policies) as PolicyName[],
  });
  const drains = amount<readonly ("all" | "none")[]>({ quick: ["all"], full: ["all"], nightly: ["all", "none"] });
  const cells = [
    ...names.flatMap((name) => drains.map((drain) => ({ policy: policies[name] as Policy, drain }))),
    ...(drains.length === 1 ? [{ policy: policies["flush-range"] as Policy, drain: "none" as const }] : []),
  ];

  it("has the verdict of a proof, of every policy, with waits for walks and without", { timeout: 0 }, async () => {
    const options = { prove: true, scenarios: ["pmd_free_pte_page"], agents: ["iommu"], hardware: "usual" } as const;
    const seen: Record<string, [spin: boolean, own: boolean]> = {};
    for (const { policy, drain } of cells) {
      const [record] = await collect({ ...options, policies: [policy.name], drain } as VerdictsOptions);
      // Where nothing nests, a race is a hazard like any other.
      const own = record?.says === "hazard" || Boolean(record?.race);
      expect(own || (record?.proof?.closed && (record.raceProof?.closed ?? true)), policy.name).toBe(true);
      const { hazard, states } = await explored(policy, drain);
      expect(states, policy.name).toBeGreaterThan(10);
      seen[`${policy.name}, ${drain}`] = [hazard, own];
    }
    expect(Object.entries(seen).filter(([, [spin, own]]) => spin !== own)).toEqual([]);
    const hazards = Object.keys(seen).filter((cell) => seen[cell]?.[0]);
    expect(hazards).toHaveLength(amount({ quick: 1, full: 4, nightly: 9 }));
    expect(Object.keys(seen)).toHaveLength(amount({ quick: 2, full: 7, nightly: 16 }));
  });
});
