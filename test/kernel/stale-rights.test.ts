// A page made read-only without a word to the IOMMU (case K17; docs/rules.md rule 12.18): the device's write is a hazard of its own kind.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, geometries, type IommuConfig, type Policy } from "../../src/index.js";

const HEAP = 0x5500_0000_0000n;
const MIB2 = 0x20_0000n;
const SMALL = { entries: 8, ways: 8 };

function made(policy: Partial<Policy>, iommu: Partial<IommuConfig> = {}, detectHazards = true) {
  const machine = createMachineSync({
    iommus: [{ ...geometries.vtd, pasids: [42], ...iommu }],
    kernel: { policy, pool: 32, detectHazards },
  });
  const kernel = machine.kernel!;
  const [device] = machine.iommus;
  kernel.run((p) => p.mmCreate(0).svaBind(device!.requester(42), 0).mmap(0, HEAP, 4));
  return { kernel, device: device!, write: (va = HEAP) => device!.request(42, va, Access.userWrite) };
}

const silent: Partial<Policy> = { name: "silent", notifyUser: false };

describe("K17: mprotect() to read-only, and the device still writes", () => {
  it("is stale-rights without the notifier: once for each write, none for a read", () => {
    const { kernel, device, write } = made(silent);
    write();
    write(HEAP + 0x1000n);
    kernel.run((p) => p.mprotect(0, HEAP, 1));
    expect(device.request(42, HEAP, Access.userRead).kind).toBe("ok");
    expect(kernel.hazardCounts.total).toBe(0);
    expect(write(HEAP + 8n).kind).toBe("ok");
    expect(write().kind).toBe("ok");
    expect(kernel.hazardCounts.byKind).toMatchObject({ "stale-rights": 2, "stale-translation": 0 });
    expect(kernel.hazards()[0]).toMatchObject({
      ...{ kind: "stale-rights", kinds: ["stale-rights"], address: HEAP + 8n, access: Access.userWrite, level: 1 },
      ...{ site: undefined, generations: { cached: 0, now: 0 } },
    });
    // The neighbour keeps its right.
    write(HEAP + 0x1000n);
    expect(kernel.hazardCounts.total).toBe(2);
  });

  it("is refused, and no hazard, with the notifier", () => {
    const { kernel, write } = made({ name: "notified" });
    write();
    kernel.run((p) => p.mprotect(0, HEAP, 1));
    expect(write()).toMatchObject({ kind: "fault", reason: "write" });
    expect(kernel.hazardCounts.total).toBe(0);
  });

  it("is gone with the translation: after an invalidation the write is refused", () => {
    const { kernel, device, write } = made(silent);
    write();
    kernel.run((p) => p.mprotect(0, HEAP, 1));
    device.invalidatePasid(42);
    expect(write()).toMatchObject({ kind: "fault", reason: "write" });
    expect(kernel.hazardCounts.total).toBe(0);
  });

  it("is of large pages too, and of a device's own TLB", () => {
    const { kernel, device } = made(silent, { devices: [{ deviceTlb: SMALL }] });
    const large = HEAP + 4n * MIB2;
    kernel.run((p) => p.mmap(0, large, 512, { large: true }));
    expect(device.request(42, large + 0x5000n, Access.userWrite, 0).kind).toBe("ok");
    kernel.run((p) => p.mprotect(0, large, 512));
    expect(device.request(42, large + 0x6000n, Access.userWrite, 0).kind).toBe("ok");
    expect(kernel.hazards()).toMatchObject([{ kind: "stale-rights", level: 2 }]);
  });

  it("is stale-translation alone once the page is unmapped, and nothing for a page that was read-only before", () => {
    const { kernel, device, write } = made(silent);
    kernel.run((p) => p.mmap(0, HEAP + MIB2, 1, { readOnly: true }));
    device.request(42, HEAP + MIB2, Access.userRead);
    kernel.run((p) => p.mprotect(0, HEAP + MIB2, 1));
    expect(device.request(42, HEAP + MIB2, Access.userWrite)).toMatchObject({ kind: "fault", reason: "write" });
    write();
    kernel.run((p) => p.mprotect(0, HEAP, 1).munmap(0, HEAP, 1));
    write();
    expect(kernel.hazards()).toMatchObject([{ kinds: ["stale-translation"] }]);
  });

  it("changes nothing else: outcomes and counters are those without detection", () => {
    const [on, off] = [true, false].map((detect) => {
      const { kernel, device, write } = made(silent, {}, detect);
      write();
      kernel.run((p) => p.mprotect(0, HEAP, 1));
      const outcomes = [write(), device.request(42, HEAP, Access.userRead), write()];
      return { outcomes, counters: device.counters, caches: device.caches.map((cache) => cache.counters) };
    });
    expect(on).toEqual(off);
  });
});
