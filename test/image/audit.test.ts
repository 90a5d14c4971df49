// The audit against the counts recorded with the images, and on tables made to be awkward.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { auditTables, type ImageAudit } from "../../src/image/audit.js";
import { imageContext, imageTables } from "../../src/image/context.js";
import { readCore } from "../../src/image/core.js";
import { ImageError } from "../../src/image/error.js";
import { openCoreFile } from "../../src/image/node.js";
import type { TableGraph } from "../../src/image/tables.js";
import { sharedData } from "../support/shared-data.js";
import { type BuildSegment, buildCore, qemuNote, table } from "./build-core.js";
import { images, recordedImages, recordOf, title } from "./images.js";

async function auditFile(path: string): Promise<ImageAudit> {
  const { image } = await openCoreFile(path);
  return auditTables(image, imageTables(image, imageContext(image)));
}

describe.each(images)("audit of an image", (image) => {
  describe.skipIf(!image.path)(title(image), () => {
    let audit: ImageAudit;
    beforeAll(async () => {
      audit = await auditFile(image.path!);
    });

    it("counts the recorded leaves and levels", () => {
      const record = recordOf(image);
      expect(audit.leaves).toEqual(record["leaves"]);
      expect(audit.levels).toBe(record["levels"]);
      expect(audit.reservedSlots).toBe(0);
      expect(audit.tables).toBe(record["table_pages_from_cr3"] ?? record["table_pages_in_core"]);
    });

    it.runIf(image.recorded)("counts what the recorder counted, entry by entry", () => {
      const record = recordOf(image);
      expect(audit.missingTableSlots).toBe(0);
      expect(audit.nonPresentNonZeroSlots).toBe(record["nonpresent_nonzero_entries"]);
      expect(audit.tablesAtSeveralLevels).toBe(record["tables_at_several_levels"]);
      expect(audit.userReachableKernelLeaves.count).toBe(record["kernel_half_leaves_user_accessible"]);
      const listed = audit.kernelLeavesWithUser.examples.map(
        ({ address, level, entry }) => `${address.toString(16)} L${level} ${entry.toString(16)}`,
      );
      expect(listed).toEqual(record["kernel_half_leaves_us_set"]);
      const stats = Object.fromEntries(
        audit.entries.map((row) => [
          `${row.half} L${row.level} ${row.kind.replace("-", "")}`,
          {
            us_set: row.userSet,
            us_clear: row.userClear,
            nx_set: row.xdSet,
            global_set: row.globalSet,
            rw_set: row.writeSet,
          },
        ]),
      );
      expect(stats).toEqual(record["entry_stats"]);
    });
  });
});

describe.skipIf(!sharedData("README.md"))("U/S in the kernel half, as tabled in the data's README", () => {
  // Rows like "| linux612-4level-pti | 4 | 4 | 1 | 0 | 0 |": non-leaf set, clear, leaf set, clear.
  const text = sharedData("README.md") ? readFileSync(sharedData("README.md")!, "utf8") : "";
  const rows = [...text.matchAll(/^\| (linux\S+) \| (\d) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)];

  it.each(recordedImages)("$name", async ({ name, path }) => {
    const audit = await auditFile(path!);
    const find = (level: number, kind: string) =>
      audit.entries.find((row) => row.half === "kernel" && row.level === level && row.kind === kind);
    const own = rows.filter((row) => row[1] === name);
    expect(own).toHaveLength(audit.levels);
    for (const row of own) {
      const level = Number(row[2]);
      const inner = find(level, "non-leaf");
      const leaf = find(level, "leaf");
      expect(
        [inner?.userSet ?? 0, inner?.userClear ?? 0, leaf?.userSet ?? 0, leaf?.userClear ?? 0],
        `level ${level}`,
      ).toEqual(row.slice(3).map(Number));
    }
  });
});

describe("tables made to be awkward", () => {
  const P = 1n;
  const RW = 2n;
  const US = 4n;
  const PS = 0x80n;
  const XD = 1n << 63n;

  function graphOf(
    tables: Record<number, Record<number, bigint>>,
    options = {},
  ): { audit: ImageAudit; graph: TableGraph } {
    const segments: BuildSegment[] = Object.entries(tables).map(([frame, entries]) => ({
      address: BigInt(frame) << 12n,
      bytes: table(entries),
    }));
    const image = readCore(buildCore({ segments, notes: [qemuNote({ cr3: 0x1000n })] }));
    const graph = imageTables(image, imageContext(image, options));
    return { graph, audit: auditTables(image, graph) };
  }

  it("counts a root that points at itself in a moment, at every level it serves", () => {
    const entries = Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i, 0x1000n | P | RW | US]));
    const { audit } = graphOf({ 1: entries });
    expect(audit.leaves["4K"]).toBe(512 ** 4);
    expect(audit.tables).toBe(1);
    expect(audit.tablesAtSeveralLevels).toBe(1);
    expect(audit.writableExecutable.kernel.count).toBe(512 ** 4 / 2);
    expect(audit.sharedTables).toEqual([
      { frame: 1, levels: [4, 3, 2, 1], slots: 512, visits: 512 + 512 ** 2 + 512 ** 3 },
    ]);
  });

  it("ANDs U/S over the levels before it calls a kernel leaf reachable", () => {
    const { audit } = graphOf({
      1: { 511: 0x2000n | P | RW | US },
      2: { 0: 0x3000n | P | RW, 1: 0x3000n | P | US },
      3: { 5: 0x40000000n | P | RW | US | PS, 6: 0x40200000n | P | RW | PS },
    });
    const leaf = { level: 2, entry: 0x40000087n, visits: 1 };
    expect(audit.kernelLeavesWithUser.count).toBe(2);
    expect(audit.userReachableKernelLeaves).toEqual({
      count: 1,
      examples: [{ address: 0xffffff8040a00000n, ...leaf }],
    });
    // Under entry 1 R/W is clear, so only the two leaves under entry 0 are writable, and both are executable.
    expect(audit.writableExecutable.kernel.count).toBe(2);
  });

  it("ORs XD over the levels before it calls a page executable", () => {
    const { audit } = graphOf({
      1: { 0: 0x2000n | P | RW | XD, 1: 0x2000n | P | RW },
      2: { 0: 0x40000000n | P | RW | PS },
    });
    expect(audit.writableExecutable.user).toMatchObject({ count: 1, examples: [{ address: 0x8000000000n, level: 3 }] });
  });

  it("does not go through entries that fault, nor into frames the core lacks", () => {
    const { audit, graph } = graphOf(
      { 1: { 0: 0x2000n | P | PS, 1: 0x2000n | P | (1n << 45n), 2: 0x9000n | P, 3: 0xdead0000n } },
      { maxPhyAddr: 40 },
    );
    expect(audit).toMatchObject({ tables: 1, reservedSlots: 2, missingTableSlots: 1, nonPresentNonZeroSlots: 1 });
    expect(graph.missing).toEqual([{ frame: 9, level: 3, parent: 1, index: 2 }]);
  });

  it("takes no frame below a leaf for a table", () => {
    const { audit } = graphOf({
      1: { 0: 0x2000n | P },
      2: { 0: 0x3000n | P },
      3: { 0: 0x4000n | P, 1: 0n | P | PS },
      4: { 0: 0x5000n | P, 1: 0x1000n | P },
      5: { 0: 0x1000n | P },
    });
    expect(audit.tables).toBe(4);
    expect(audit.leaves).toEqual({ "4K": 2, "2M": 1, "1G": 0 });
  });
});

describe("the choice of CPU and root", () => {
  const segments = [{ address: 0x1000n, bytes: table({}) }];
  const core = (...notes: ReturnType<typeof qemuNote>[]) => readCore(buildCore({ segments, notes }), { file: "c" });

  it("is the first CPU whose root is in the core", () => {
    const image = core(qemuNote({ cr3: 0x9000n }), qemuNote({ cr3: 0x1abcn, cr4: 0x1020n }));
    expect(imageContext(image)).toMatchObject({ cpu: { index: 1 }, root: 0x1000n, rules: { levels: 5 } });
  });

  it("reads the controls from CR0, CR4, RFLAGS and EFER", () => {
    const image = core(qemuNote({ cr0: 0x80010000n, cr3: 0x1000n, cr4: 0x7200a0n, rflags: 0x40000n }));
    const on = { wp: true, smep: true, smap: true, pke: true, pge: true, pcide: true, nxe: true, ac: true, pkru: 0 };
    expect(imageContext(image).controls).toEqual(on);
    expect(imageContext(image, { efer: 0x500n }).controls).toEqual({ ...on, nxe: false });
    expect(imageContext(image, { controls: { pkru: 12, wp: false } }).controls).toEqual({ ...on, pkru: 12, wp: false });
    const off = core(qemuNote({ cr0: 0x80000000n, cr3: 0x1000n, cr4: 0x20n }));
    expect(Object.values(imageContext(off).controls).filter((value) => value === true)).toEqual([true]);
  });

  it("fails with the reason if there is none", () => {
    const failure =
      (image: ReturnType<typeof core>, options = {}) =>
      () =>
        imageTables(image, imageContext(image, options));
    expect(failure(core(qemuNote({ cr3: 0x9000n })))).toThrow(
      "c: the core holds none of the CPUs' root tables (CR3: 0x9000)",
    );
    expect(failure(core(qemuNote({ cr3: 0x1000n })), { cpu: 1 })).toThrow(
      "c: no CPU 1: the core has 1 QEMU CPU note(s)",
    );
    expect(failure(core(qemuNote({ cr3: 0x9000n })), { cpu: 0 })).toThrow("does not hold the root table at 0x9000");
    expect(failure(core())).toThrow("no QEMU CPU note: give the root table and the number of levels");
    expect(failure(core(), { root: 0x1000n, levels: 4 })).not.toThrow();
    expect(failure(core(qemuNote({ cr3: 0x1000n, cr4: 0n })))).toThrow(ImageError);
  });
});
