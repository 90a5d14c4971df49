// Errors of programs and refusals of the kernel (cases L3 and L4): what nobody could play is an error that names the argument
// and what is allowed; what the kernel refuses has its reason with the operation that was refused.

import { describe, expect, it } from "vitest";
import { refusals } from "../../src/engine/abi.js";
import {
  Access,
  createMachineSync,
  createWalkerSync,
  InvalidOptionError,
  type Machine,
  type OperationResult,
  ProgramBuilder,
  refusalOf,
} from "../../src/index.js";

const A = 0xffff_c900_0000_0000n;
const DIRECT = 0xffff_8880_0000_0000n;
const USER = 0x5500_0000_0000n;

function machineOf(kernel: NonNullable<Parameters<typeof createMachineSync>[0]>["kernel"] = {}): Machine {
  return createMachineSync({ workloadPages: 1, cpus: [{}, {}], iommus: [{ pasids: [1], devices: [{}] }], kernel });
}

/** The reason of each operation, or "done". */
const told = (results: OperationResult[]): string[] => results.map(({ refusal }) => refusal ?? "done");

/** The error that a function throws. */
function errorOf(action: () => unknown): InvalidOptionError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error("nothing was thrown");
}

describe("L3: an error of a program names the argument and what is allowed", () => {
  const { kernel } = machineOf();
  const run = (build: (p: ProgramBuilder) => ProgramBuilder) => errorOf(() => kernel!.run(build));

  it.each([
    ["vmalloc.shift", (p: ProgramBuilder) => p.vmalloc(A, 1, 5 as 12), 5, "one of 12, 21, 30"],
    ["vmalloc.pages", (p: ProgramBuilder) => p.vmalloc(A, -1), -1, "an integer from 0 to 4294967295"],
    ["vmalloc.va", (p: ProgramBuilder) => p.vmalloc(5 as unknown as bigint, 1), 5, "a 64-bit address as bigint"],
    ["vmalloc.keepTables", (p: ProgramBuilder) => p.vmalloc(A, 1, 12, 1 as unknown as boolean), 1, "true or false"],
    [
      "vfree.how",
      (p: ProgramBuilder) => p.vfree(A, 1, "lzay" as "lazy"),
      "lzay",
      "one of lazy, flush, unlisted; did you mean lazy?",
    ],
    ["hotAdd.blocks", (p: ProgramBuilder) => p.hotAdd(DIRECT, 1.5), 1.5, "an integer from 0 to 4294967295"],
    [
      "hotAdd.options.smalPages",
      (p: ProgramBuilder) => p.hotAdd(DIRECT, 1, { smalPages: true } as object),
      true,
      "one of bootTables, smallPages, shadow, hugePages, splitVmemmap; did you mean smallPages?",
    ],
    ["mmap.mm", (p: ProgramBuilder) => p.mmap(-1, USER, 1), -1, "an integer from 0 to 65535"],
    [
      "mmap.options.large",
      (p: ProgramBuilder) => p.mmap(0, USER, 1, { large: 1 as unknown as boolean }),
      1,
      "true or false",
    ],
    ["access.access", (p: ProgramBuilder) => p.access(0, USER, 3 as Access), 3, "one of the values of Access"],
    ["invpcid.type", (p: ProgramBuilder) => p.invpcid(0, 4 as 3), 4, "one of 0, 1, 2, 3"],
    ["invpcid.pcid", (p: ProgramBuilder) => p.invpcid(0, 1, 4096), 4096, "an integer from 0 to 4095"],
    ["invalidatePages.am", (p: ProgramBuilder) => p.invalidatePages(2, A, 53), 53, "an integer from 0 to 52"],
    [
      "tableClear.site",
      (p: ProgramBuilder) => p.tableClear("vfree" as "user", A),
      "vfree",
      /^one of pmd_free_pte_page, /,
    ],
    ["tableFree.level", (p: ProgramBuilder) => p.tableFree("user", A, 4 as 3), 4, "an integer from 0 to 3"],
    [
      "flushTlbKernelRange.end",
      (p: ProgramBuilder) => p.flushTlbKernelRange(A, 5 as unknown as bigint),
      5,
      "a 64-bit address as bigint",
    ],
    [
      "flushTlbMmRange.shift",
      (p: ProgramBuilder) => p.flushTlbMmRange(0, USER, USER, 5),
      5,
      "an integer from 12 to 30",
    ],
    ["reuse.contents", (p: ProgramBuilder) => p.reuse({} as "zeroes"), {}, /^"zeroes", \{ userLeaf/],
  ])("%s", (field, build, value, expected) => {
    const error = run(build);
    expect(error).toMatchObject({ code: "invalid-option", field, value });
    if (typeof expected === "string") expect(error.expected).toBe(expected);
    else expect(error.expected).toMatch(expected);
  });

  it("a requester of the wrong kind is named by the operation, with the numbers of this machine", () => {
    expect(run((p) => p.mmCreate(0).svaBind(0, 3)).message).toBe(
      "operation 1: svaBind.requester is 0; expected a requester of an IOMMU, 2: see Iommu.requester()",
    );
    expect(run((p) => p.switchMm(2, 0)).message).toBe(
      "operation 0: switchMm.cpu is 2; expected a CPU of this machine, 0 to 1",
    );
    const bare = createMachineSync({ workloadPages: 1, kernel: {} });
    expect(errorOf(() => bare.kernel!.run((p) => p.svaBind(0, 0))).message).toBe(
      "operation 0: svaBind.requester is 0; expected a requester of an IOMMU: this machine has none",
    );
    const without = createMachineSync({ workloadPages: 1 });
    expect(errorOf(() => without.play(new ProgramBuilder().vmalloc(A, 1).build())).message).toContain(
      "createMachine({ kernel: {} })",
    );
  });

  it("run() wants a function that returns the program", () => {
    expect(run(() => undefined as unknown as ProgramBuilder).field).toBe("operations");
    expect(run(7 as unknown as () => ProgramBuilder)).toMatchObject({ field: "operations", value: 7 });
  });
});

describe("L4: what the kernel refuses has a reason", () => {
  it("each operation of a chain has its own", () => {
    const machine = machineOf({ pool: 8 });
    const results = machine.kernel!.run((p) =>
      p.vmalloc(0n, 4).vmalloc(A, 4).flushTlbKernelRange(A, A).access(0, A, Access.supervisorRead),
    );
    expect(results).toEqual([
      { operation: "vmalloc", done: false, refusal: "not-kernel-half" },
      { operation: "vmalloc", done: true },
      { operation: "flushTlbKernelRange", done: false, refusal: "empty-range" },
      { operation: "access", done: true, outcome: expect.objectContaining({ kind: "ok" }) },
    ]);
    const [taken] = machine.kernel!.run((p) => p.reuse());
    expect(taken).toEqual({ operation: "reuse", done: true, frame: expect.any(Number) });
  });

  it("a start that is not that of a page: refused, not rounded down, and nothing is mapped", () => {
    const { kernel, cpus } = machineOf();
    expect(told(kernel!.run((p) => p.vmalloc(A + 1n, 1)))).toEqual(["not-aligned"]);
    expect(cpus[0]!.probe(A, Access.supervisorRead).kind).not.toBe("ok");
    expect(told(kernel!.run((p) => p.vmalloc(A, 1).vfree(A + 1n, 1)))).toEqual(["done", "not-aligned"]);
    expect(cpus[0]!.probe(A, Access.supervisorRead).kind).toBe("ok");
  });

  it("every reason, by what leads to it", () => {
    const { kernel } = machineOf({ pool: 16, mms: 2 });
    const off = machineOf({ policy: "sva-off" });
    const seen = [
      ...kernel!.run((p) =>
        p
          .vmalloc(A, 0)
          .vfree(USER, 1)
          .mmCreate(0)
          .mmap(0, A, 1)
          .mmap(0, USER + 0x1000n, 512, { large: true }),
      ),
      ...kernel!.run((p) =>
        p
          .writeEntry(0x7_0000_0000n, 1n)
          .vmalloc(A, 512, 21)
          .tableClear("pmd_free_pte_page", A)
          .cpaSplit(A + 0x4000_0000n),
      ),
      ...kernel!.run((p) => p.cpaCollapse(A).switchMm(0, 1).mmCreate(2).mmCreate(0).switchMm(0, 0).mmDestroy(0)),
      ...kernel!.run((p) =>
        p
          .mmCreate(1)
          .svaUnbind(2)
          .svaBind(2, 1)
          .svaBind(2, 0)
          .giveBack()
          .hotAdd(DIRECT, 1)
          .cpaSplit(DIRECT)
          .vfree(DIRECT, 1)
          .cpaCollapse(DIRECT),
      ),
      ...off.kernel!.run((p) => p.mmCreate(0).svaBind(2, 0)),
      ...kernel!.run((p) => {
        for (let frame = 0; frame < 16; frame++) p.reuse();
        return p;
      }),
      ...machineOf({ version: "6.12" }).kernel!.run((p) => p.cpaCollapse(A)),
      ...kernel!.run((p) => p.invpcid(0, 0, 0, 1n << 60n)),
    ].filter(({ done }) => !done);
    expect(
      seen.map(({ operation, refusal }) => `${operation}: ${refusal}`).filter((it, i, all) => all.indexOf(it) === i),
    ).toEqual([
      "vmalloc: empty-range",
      "vfree: not-kernel-half",
      "mmap: not-user-half",
      "mmap: not-aligned",
      "writeEntry: table-absent",
      "tableClear: large-leaf-above",
      "cpaSplit: no-large-leaf",
      "cpaCollapse: no-page-table",
      "switchMm: no-such-mm",
      "mmCreate: no-such-mm",
      "mmCreate: mm-exists",
      "mmDestroy: mm-runs",
      "svaUnbind: not-bound",
      "svaBind: pasid-taken",
      "giveBack: nothing-taken",
      "cpaCollapse: leaves-differ",
      "svaBind: sharing-off",
      "reuse: no-free-frame",
      "cpaCollapse: not-in-this-kernel",
      "invpcid: general-protection",
    ]);
    expect(new Set(seen.map(({ refusal }) => refusal))).toEqual(new Set(refusals.filter((it) => it !== "done")));
  });

  it("an operation that is refused in another leaves no reason behind", () => {
    const { kernel } = machineOf();
    expect(told(kernel!.run((p) => p.vmalloc(0n, 1).purge().mmCreate(0).svaUnbind(2)))).toEqual([
      "not-kernel-half",
      "done",
      "done",
      "not-bound",
    ]);
  });

  it("refusalOf() reads a packed result, and takes no outcome for a refusal", () => {
    const machine = machineOf();
    const program = new ProgramBuilder()
      .vmalloc(0n, 4)
      .access(0, USER, Access.userRead)
      .access(0, 1n << 60n, Access.userRead)
      .vmalloc(A, 1);
    expect([...machine.play(program.build())].map(refusalOf)).toEqual([
      "not-kernel-half",
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([0x1005n, 1n << 60n, 1n << 52n, -0x1000n])("a root at 0x%s is no table's address", (root) => {
    const walker = createWalkerSync({});
    expect(errorOf(() => walker.setRoot(root))).toMatchObject({ field: "root", value: root });
    const machine = machineOf();
    expect(errorOf(() => machine.cpus[0]!.movToCr3(root)).field).toBe("root");
    expect(errorOf(() => machine.kernel!.run((p) => p.movToCr3(0, root)))).toMatchObject({
      field: "movToCr3.root",
      value: root,
    });
  });
});
