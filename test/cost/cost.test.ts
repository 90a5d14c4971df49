// The cost model: bills add up, every default has a source, wrong files are named field by field.
import { describe, expect, it } from "vitest";
import { checkCostModel, cost, costKinds, defaultCostModel } from "../../src/cost/index.js";
import { Access, createMachineSync, InvalidOptionError, type KernelCounters } from "../../src/index.js";

function counters(): KernelCounters {
  const machine = createMachineSync({ cpus: [{}, {}], iommus: [{ pasids: [5] }], kernel: { policy: "flush-range" } });
  const kernel = machine.kernel!;
  const requester = machine.iommus[0]!.requester(5);
  kernel.run((p) => p.mmCreate(0).svaBind(requester, 0).vmalloc(0xffffc90000000000n, 40));
  machine.iommus[0]!.request(5, 0xffffc90000000000n, Access.userRead);
  kernel.run((p) => p.flushTlbKernelRange(0xffffc90000000000n, 0xffffc90000003000n).flushTlbAll().localFlushTlbAll(1));
  return kernel.counters;
}

describe("cost", () => {
  it("is counters times figures, each once", () => {
    const kernel = counters();
    const bill = cost({ kernel, iommuEntryReads: 7, cpuEntryReads: 3 });
    // By hand: 3 pages on 2 CPUs; one full flush on both and one on CPU 1; two broadcasts with one receiver each. The bind
    // sends a PASID-cache and a PASID-selective descriptor in one batch, the hooked flush one descriptor.
    expect(bill.byKind.cpuPageInvalidation).toEqual({ count: 6, unitNs: 100, ns: 600 });
    expect(bill.byKind.cpuFullFlush.count).toBe(3);
    expect(bill.byKind.ipiBroadcast.count).toBe(2);
    expect(bill.byKind.ipiReceiver.ns).toBe(400);
    expect(bill.byKind.pasidCacheInvalidation.count).toBe(1);
    expect(bill.byKind.iotlbPasidInvalidation.count).toBe(1);
    expect(bill.byKind.iotlbPageInvalidation.count).toBe(1);
    expect(bill.byKind.queueWait).toEqual({ count: 2, unitNs: 500, ns: 1000 });
    expect(bill.byKind.iommuEntryRead.ns).toBe(7 * 83);
    expect(bill.byKind.cpuEntryRead.ns).toBe(150);
    expect(bill.totalNs).toBe(Object.values(bill.byKind).reduce((sum, line) => sum + line.ns, 0));
    expect(bill.iommuNs).toBe(3 * 200 + 1000 + 7 * 83);
  });

  it("has a source for every default", () => {
    for (const kind of costKinds) {
      const { ns, source, confidence } = defaultCostModel.figures[kind];
      expect(ns, kind).toBeGreaterThan(0);
      expect(source.length, kind).toBeGreaterThan(20);
      expect(["verified", "reported", "assumed"]).toContain(confidence);
    }
  });

  it("takes the user's figures and keeps the others", () => {
    const model = checkCostModel({ name: "mine", figures: { queueWait: 900, workRun: { ns: 0, source: "measured" } } });
    expect(model.figures.queueWait).toEqual({ ns: 900, source: "mine", confidence: "reported" });
    expect(model.figures.workRun).toEqual({ ns: 0, source: "measured", confidence: "reported" });
    expect(model.figures.ipiReceiver).toBe(defaultCostModel.figures.ipiReceiver);
    expect(cost({ kernel: counters() }, model).byKind.queueWait.ns).toBe(1800);
  });

  it.each([
    [[], "cost"],
    [{ figure: {} }, "cost.figure"],
    [{ name: "" }, "cost.name"],
    [{ figures: 3 }, "cost.figures"],
    [{ figures: { ipi: 3 } }, "cost.figures.ipi"],
    [{ figures: { queueWait: -1 } }, "cost.figures.queueWait"],
    [{ figures: { queueWait: Number.NaN } }, "cost.figures.queueWait"],
    [{ figures: { queueWait: {} } }, "cost.figures.queueWait.ns"],
    [{ figures: { queueWait: { ns: 1, sauce: "" } } }, "cost.figures.queueWait.sauce"],
    [{ figures: { queueWait: { ns: 1, source: 1 } } }, "cost.figures.queueWait.source"],
    [{ figures: { queueWait: { ns: 1, confidence: "sure" } } }, "cost.figures.queueWait.confidence"],
  ])("names what is wrong in %j", (file, field) => {
    expect(() => checkCostModel(file)).toThrowError(expect.objectContaining({ field }) as Error);
    expect(() => checkCostModel(file)).toThrowError(InvalidOptionError);
  });
});
