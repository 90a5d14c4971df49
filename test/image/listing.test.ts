// The text of QEMU's monitor: parsing, its errors, and writing the same text again.

import { describe, expect, it } from "vitest";
import { ListingFormatError } from "../../src/image/error.js";
import {
  formatInfoMem,
  formatInfoTlb,
  formatMemRange,
  formatTlbRow,
  type LeafBatch,
  parseInfoMem,
  parseInfoTlb,
  tlbRow,
} from "../../src/image/listing.js";
import { parseInfoRegisters } from "../../src/image/registers.js";
import fc from "../support/fast-check.js";

const US = 4n;
const RW = 2n;

function batchOf(leaves: { address: bigint; entry?: bigint; rights?: bigint; level?: number }[]): LeafBatch[] {
  return [
    {
      count: leaves.length,
      virtualAddress: BigUint64Array.from(leaves.map((leaf) => leaf.address)),
      entry: BigUint64Array.from(leaves.map((leaf) => leaf.entry ?? 1n)),
      rights: BigUint64Array.from(leaves.map((leaf) => leaf.rights ?? 0n)),
      level: Uint8Array.from(leaves.map((leaf) => leaf.level ?? 1)),
    },
  ];
}

describe("info tlb", () => {
  it("gives each letter its bit, in QEMU's order", () => {
    const letters = "XGPDACTUW";
    const bits = [63, 8, 7, 6, 5, 4, 3, 2, 1];
    for (const [i, bit] of bits.entries()) {
      const line = formatTlbRow(tlbRow(0n, (1n << BigInt(bit)) | 1n, 2));
      const flags = [...letters].map((letter, j) => (i === j ? letter : "-")).join("");
      expect(line).toBe(`${"0".repeat(16)}: ${"0".repeat(16)} ${flags}`);
    }
  });

  it("suppresses P for 4 KiB pages and masks the frame by page size", () => {
    const entry = 0x8fff_ffff_ffff_ffffn;
    const lines = formatInfoTlb(batchOf([1, 2, 3].map((level) => ({ address: 0xffff800000000000n, entry, level }))));
    expect(lines.split("\n")).toEqual([
      "ffff800000000000: 0003fffffffff000 XG-DACTUW",
      "ffff800000000000: 0003ffffffe00000 XGPDACTUW",
      "ffff800000000000: 0003ffffc0000000 XGPDACTUW",
      "",
    ]);
  });

  it("is read back as it was written", () => {
    const leaf = fc.record({
      page: fc.bigInt(0n, 2n ** 35n),
      entry: fc.bigInt(0n, 2n ** 64n - 1n),
      level: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(leaf, { selector: ({ page }) => page, maxLength: 20 }), (leaves) => {
        const rows = leaves
          .sort((a, b) => (a.page < b.page ? -1 : 1))
          .map(({ page, entry, level }) => ({
            address: BigInt.asUintN(64, BigInt.asIntN(48, page << 12n)),
            entry,
            level,
          }));
        const text = formatInfoTlb(batchOf(rows));
        const listing = parseInfoTlb(text.replaceAll("\n", "\r\n"));
        expect(listing.count).toBe(rows.length);
        rows.forEach(({ address, entry, level }, i) => {
          const { physical, flags } = tlbRow(address, entry, level);
          expect([listing.address[i], listing.physical[i], listing.flags[i], listing.line[i]]).toEqual([
            address,
            physical,
            flags,
            i + 1,
          ]);
        });
      }),
    );
  });

  it.each([
    ["no colon", "0000000000400000 0000000002ee1000 X---A--U-"],
    ["a short address", "00400000: 0000000002ee1000 X---A--U-"],
    ["flags in another order", "0000000000400000: 0000000002ee1000 GX--A--U-"],
    ["a missing flag", "0000000000400000: 0000000002ee1000 X---A--U"],
    ["something after the flags", "0000000000400000: 0000000002ee1000 X---A--U- x"],
    ["a prompt", "(qemu) info tlb"],
  ])("refuses a line with %s, naming it", (_, line) => {
    const text = `0000000000001000: 0000000002ee1000 X---A--U-\n\n${line}\n`;
    const error = catchListing(() => parseInfoTlb(text, "x.txt"));
    expect(error).toMatchObject({ file: "x.txt", line: 3, value: line });
    expect(error.message).toContain("x.txt: line 3: found");
  });

  it("refuses addresses that do not ascend", () => {
    const line = "0000000000001000: 0000000002ee1000 X---A--U-\n";
    expect(catchListing(() => parseInfoTlb(line + line))).toMatchObject({ line: 2 });
  });
});

describe("info mem", () => {
  it("merges neighbours of equal rights whatever their frames and sizes", () => {
    const text = formatInfoMem(
      batchOf([
        { address: 0x1ff000n, rights: US | RW, entry: 0x5001n },
        { address: 0x200000n, rights: US | RW, entry: 0x9000081n, level: 2 },
        { address: 0x400000n, rights: US, entry: 0x1001n },
        { address: 0x402000n, rights: US, entry: 0x1001n },
        { address: 0xffff800000000000n, rights: RW | (1n << 63n), level: 3 },
      ]),
      4,
    );
    expect(text.split("\n")).toEqual([
      "00000000001ff000-0000000000400000 0000000000201000 urw",
      "0000000000400000-0000000000401000 0000000000001000 ur-",
      "0000000000402000-0000000000403000 0000000000001000 ur-",
      "ffff800000000000-ffff800040000000 0000000040000000 -rw",
      "",
    ]);
  });

  it("ends like QEMU where the address space, or its lower half, ends", () => {
    const last = formatInfoMem(batchOf([{ address: 0xfffffffffffff000n }]), 4);
    expect(last).toBe("fffffffffffff000-0001000000000000 0000000000001000 -r-\n");
    const across = formatInfoMem(batchOf([{ address: 0x7ffffffff000n }, { address: 0xffff800000000000n }]), 4);
    expect(across).toBe("00007ffffffff000-ffff800000001000 0000000000002000 -r-\n");
    const five = formatInfoMem(batchOf([{ address: 0xfffffffffffff000n }]), 5);
    expect(five).toBe("fffffffffffff000-0200000000000000 0000000000001000 -r-\n");
  });

  it("has nothing to say of an empty address space", () => {
    expect(formatInfoMem([], 4)).toBe("");
    expect(parseInfoMem("\n")).toEqual([]);
  });

  it("is read back as it was written", () => {
    const line = "ffff800000000000-ffff800040000000 0000000040000000 -rw";
    const [range] = parseInfoMem(`\n${line}\r\n`);
    expect(range).toEqual({
      line: 2,
      start: 0xffff800000000000n,
      end: 0xffff800040000000n,
      size: 0x40000000n,
      user: false,
      write: true,
    });
    expect(formatMemRange(range!)).toBe(line);
  });

  it("refuses other lines, naming them", () => {
    const error = catchListing(() => parseInfoMem("0000000000000000-0000000000001000 0000000000001000 -w-\n", "m"));
    expect(error).toMatchObject({ file: "m", line: 1 });
  });
});

describe("info registers", () => {
  const cpu =
    "RIP=0 RFL=00000206 [-----P-] CPL=3 II=0\nCR0=80050033 CR2=0 CR3=0000000001b0b000 CR4=00750ef0\nEFER=0d01\n";
  const values = { cr0: 0x80050033n, cr3: 0x1b0b000n, cr4: 0x750ef0n, efer: 0xd01n, cpl: 3 };

  it("reads one CPU without heading and several with", () => {
    expect(parseInfoRegisters(cpu)).toEqual([{ cpu: 0, ...values }]);
    expect(parseInfoRegisters(`\nCPU#0\n${cpu}\nCPU#1\n${cpu}`)).toEqual([
      { cpu: 0, ...values },
      { cpu: 1, ...values },
    ]);
  });

  it("refuses a CPU that lacks a register, and one that shows it twice", () => {
    const error = catchListing(() => parseInfoRegisters(`CPU#0\nCPU#1\n${cpu}`, "r"));
    expect(error).toMatchObject({ file: "r", line: 1, value: "CPU#0", expected: "CPL, CR0, CR3, CR4, EFER for CPU 0" });
    expect(catchListing(() => parseInfoRegisters(`CPU#0\n${cpu}CPU#1\nEFER=1\n`))).toMatchObject({ line: 5 });
    expect(catchListing(() => parseInfoRegisters(`${cpu}EFER=0d01\n`))).toMatchObject({ line: 4 });
    expect(catchListing(() => parseInfoRegisters(""))).toMatchObject({ line: 1 });
  });

  it.each(["4", "10", "20000000000000"])("refuses CPL=%s, which no CPU has", (cpl) => {
    const error = catchListing(() => parseInfoRegisters(cpu.replace("CPL=3", `CPL=${cpl}`)));
    expect(error).toMatchObject({ line: 1, expected: "CPL=0 to CPL=3" });
  });
});

function catchListing(run: () => unknown): ListingFormatError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ListingFormatError);
    return error as ListingFormatError;
  }
  throw new Error("the text was accepted");
}
