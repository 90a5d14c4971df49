// L1, L2: options with a mistyped field, of the wrong kind, or none: each is refused by an InvalidOptionError that names the field.
import { describe, expect, it } from "vitest";
import { imageContext, openCore, readCore } from "../../src/image/index.js";
import { Access, createMachine, createMachineSync, createWalkerSync, InvalidOptionError } from "../../src/index.js";
import { replay, simulate } from "../../src/replay/index.js";
import { renderReport } from "../../src/report/index.js";
import { compileTrace, parseTrace, recordHelp, summarizeTrace } from "../../src/trace/index.js";
import { verdicts } from "../../src/verdicts/index.js";
import { fixture } from "../trace/support.js";

const machine = createMachineSync({ tables: 96, workloadPages: 8, iommus: [{ pasids: [1] }], kernel: { pool: 64 } });
const [cpu] = machine.cpus;
const [iommu] = machine.iommus;
const trace = fixture("hugevmap.trace.txt");
/** What the types refuse. */
const any = <T>(value: unknown): T => value as T;

async function refusal(call: () => unknown): Promise<InvalidOptionError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error("it was taken");
}

describe("L1: a mistyped field or value", () => {
  it.each<[string, () => unknown, string, string]>([
    ["kernel: { polcy }", () => createMachine({ kernel: any({ polcy: "none" }) }), "kernel.polcy", "policy"],
    ["cpus: [name]", () => createMachine({ cpus: any(["skylake"]) }), "cpus[0]", "an object that describes a CPU"],
    ["iommu: []", () => createMachine(any({ iommu: [{}] })), "iommu", "iommus"],
    [
      "l1: [{ pagesizes }]",
      () => createMachine({ cpus: any([{ l1: [{ entries: 8, ways: 2, pagesizes: ["4K"] }] }]) }),
      ...(["cpus[0].l1[0].pagesizes", "pageSizes"] as const),
    ],
    ["maxPhysAddr", () => createMachine(any({ maxPhysAddr: 46 })), "maxPhysAddr", "maxPhyAddr"],
    ["replay(x, { polices })", () => replay(trace, any({ polices: ["none"] })), "polices", "policies"],
    ["simulate({ polices })", () => simulate(any({ polices: ["none"] })), "polices", "policies"],
    ["verdicts({ polices })", () => verdicts(any({ polices: ["none"] })).next(), "polices", "policies"],
    ["parseTrace(x, { maxLine })", () => parseTrace(trace, any({ maxLine: 9 })), "maxLine", "maxLineLength"],
    ["parseTrace(x, { mode })", () => parseTrace(trace, { mode: any("Strict") }), "mode", "strict"],
    ["summarizeTrace(x, { modes })", () => summarizeTrace(trace, any({ modes: 1 })), "modes", "mode"],
    ["compileTrace(x, { maping })", () => compileTrace(trace, any({ maping: {} })), "maping", "mapping"],
    ["recordHelp({ bufferKb })", () => recordHelp(any({ bufferKb: 9 })), "bufferKb", "bufferKiB"],
    ["openCore(x, { maxByte })", () => openCore(new Uint8Array(9), any({ maxByte: 9 })), "maxByte", "maxBytes"],
    ["readCore(x, { files })", () => readCore(new Uint8Array(9), any({ files: "x" })), "files", "file"],
    ["imageContext(x, { roots })", () => imageContext(any({}), any({ roots: 1n })), "roots", "root"],
    ["renderReport(x, { maxFree })", () => renderReport(any({}), any({ maxFree: 1 })), "maxFree", "maxFrees"],
    ["frames.set(5, tabel)", () => machine.frames.set(5, any("tabel")), "state", "table"],
    ["setTable(1, undefined, 9)", () => machine.frames.setTable(1, undefined, 9), "level", "an integer from 0 to 5"],
    ["setTable(1, [])", () => machine.frames.setTable(1, any([])), "entries", "a BigUint64Array"],
    ["constructor", () => replay(trace, any({ constructor: 1 })), "constructor", "policies"],
  ])("%s", async (_, call, field, said) => {
    const error = await refusal(call);
    expect(error.field).toBe(field);
    expect(error.message).toContain(said);
    if (/^[a-z]+$/i.test(said) && field !== "constructor") expect(error.message).toContain(`did you mean ${said}?`);
  });

  it("leaves the frame that was refused as it was", () => {
    expect(machine.frames.has(5)).toBe(false);
  });
});

describe("L2: something else than options", () => {
  it.each<[string, () => unknown, string]>([
    ["createMachine(null)", () => createMachine(any(null)), "options"],
    ["createMachineSync([])", () => createMachineSync(any([])), "options"],
    ["createWalkerSync(null)", () => createWalkerSync(any(null)), "options"],
    ["cpus: 2", () => createMachine({ cpus: any(2) }), "cpus"],
    ["module: {}", () => createMachine({ module: any({}) }), "module"],
    ["kernel.run(() => {})", () => machine.kernel!.run(any(() => {})), "operations"],
    ["translateMany([1n])", () => cpu!.translateMany(any([1n]), Access.userRead), "addresses"],
    [
      "translateMany(x, access, [])",
      () => cpu!.translateMany(new BigUint64Array(1), Access.userRead, any([])),
      "outcomes",
    ],
    ["requestMany(1, [1n])", () => iommu!.requestMany(1, any([1n]), Access.userRead), "addresses"],
    ...[null, [], "x", 3].flatMap((value): [string, () => unknown, string][] => [
      [`replay(x, ${JSON.stringify(value)})`, () => replay(trace, any(value)), "options"],
      [`simulate(${JSON.stringify(value)})`, () => simulate(any(value)), "options"],
      [`verdicts(${JSON.stringify(value)})`, () => verdicts(any(value)).next(), "options"],
      [`parseTrace(x, ${JSON.stringify(value)})`, () => parseTrace(trace, any(value)), "options"],
      [`compileTrace(x, ${JSON.stringify(value)})`, () => compileTrace(trace, any(value)), "options"],
    ]),
  ])("%s", async (_, call, field) => {
    expect((await refusal(call)).field).toBe(field);
  });
});
