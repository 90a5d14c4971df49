// Codecs of invalidation queues: round trips, words worked out by hand from the manuals, words that a real driver wrote, and
// the engine's own encoding compiled from its source.
import { readFileSync } from "node:fs";
import { main as asc } from "assemblyscript/asc";
import { beforeAll, describe, expect, it } from "vitest";
import { InvalidOptionError } from "../../src/index.js";
import {
  type AmdCommand,
  DescriptorError,
  decodeAmd,
  decodeVtd,
  encodeAmd,
  encodeVtd,
  QueueCounter,
  type VtdDescriptor,
  vtdAddressMask,
  vtdTypes,
} from "../../src/queue/index.js";
import fc from "../support/fast-check.js";

const bits = (n: number) => fc.integer({ min: 0, max: 2 ** n - 1 });
const address = fc.bigInt({ min: 0n, max: (1n << 52n) - 1n }).map((page) => page << 12n);
const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const names = <T extends string>(...all: T[]) => fc.constantFrom(...all);

const vtd: fc.Arbitrary<VtdDescriptor> = fc.oneof(
  fc.record({
    type: names("context-cache"),
    granularity: names("global", "domain", "device"),
    domain: bits(16),
    sourceId: bits(16),
    functionMask: bits(2),
  }),
  fc.record({
    type: names("iotlb"),
    granularity: names("global", "domain", "page"),
    drainWrites: fc.boolean(),
    drainReads: fc.boolean(),
    domain: bits(16),
    addressMask: bits(6),
    leavesOnly: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("device-tlb"),
    physicalFunction: bits(16),
    queueDepth: bits(5),
    sourceId: bits(16),
    sized: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("interrupt-entry"),
    granularity: names("global", "index"),
    indexMask: bits(5),
    index: bits(16),
  }),
  fc.record({
    type: names("wait"),
    interrupt: fc.boolean(),
    statusWrite: fc.boolean(),
    fence: fc.boolean(),
    pageRequestDrain: fc.boolean(),
    statusData: bits(32),
    statusAddress: fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }).map((n) => n << 2n),
  }),
  fc.record({
    type: names("pasid-iotlb"),
    granularity: names("pasid", "page"),
    domain: bits(16),
    pasid: bits(20),
    addressMask: bits(6),
    leavesOnly: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("pasid-cache"),
    granularity: names("domain", "pasid", "global"),
    domain: bits(16),
    pasid: bits(20),
  }),
  fc.record({
    type: names("pasid-device-tlb"),
    queueDepth: bits(5),
    physicalFunction: bits(16),
    sourceId: bits(16),
    pasid: bits(20),
    global: fc.boolean(),
    sized: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("page-group-response"),
    pasidPresent: fc.boolean(),
    privateDataPresent: fc.boolean(),
    responseCode: bits(4),
    requesterId: bits(16),
    pasid: bits(20),
    lastPage: fc.boolean(),
    groupIndex: bits(9),
    privateData0: word,
    privateData1: word,
  }),
  fc.record({
    type: names("hpt-cache"),
    granularity: names("global", "domain", "page"),
    domain: bits(16),
    addressMask: bits(6),
    levelsAbove: bits(2),
    address,
  }),
);

const amd: fc.Arbitrary<AmdCommand> = fc.oneof(
  fc.record({
    type: names("completion-wait"),
    store: fc.boolean(),
    interrupt: fc.boolean(),
    flush: fc.boolean(),
    storeAddress: fc.bigInt({ min: 0n, max: (1n << 49n) - 1n }).map((n) => n << 3n),
    storeData: word,
  }),
  fc.record({ type: names("invalidate-device-entry", "invalidate-interrupt-table"), deviceId: bits(16) }),
  fc.record({
    type: names("invalidate-pages"),
    pasid: bits(20),
    domain: bits(16),
    sized: fc.boolean(),
    tables: fc.boolean(),
    guest: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("invalidate-device-tlb"),
    deviceId: bits(16),
    pasid: bits(20),
    queueDepth: bits(8),
    queueId: bits(16),
    sized: fc.boolean(),
    guest: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("invalidate-device-tlb"),
    deviceId: bits(16),
    pasid: bits(20),
    queueDepth: bits(8),
    queueId: bits(16),
    sized: fc.boolean(),
    guest: fc.boolean(),
    requestType: fc.integer({ min: 1, max: 3 }),
    address,
  }),
  fc.record({
    type: names("prefetch-pages"),
    deviceId: bits(16),
    count: bits(8),
    pasid: bits(20),
    sized: fc.boolean(),
    guest: fc.boolean(),
    invalidateFirst: fc.boolean(),
    address,
  }),
  fc.record({
    type: names("complete-page-request"),
    deviceId: bits(16),
    pasid: bits(20),
    guest: fc.boolean(),
    tag: bits(12),
    status: bits(4),
  }),
  fc.constant<AmdCommand>({ type: "invalidate-all" }),
);

describe("VT-d descriptors", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(vtd, (descriptor) => {
        expect(decodeVtd(...encodeVtd(descriptor))).toEqual(descriptor);
      }),
    );
  });

  it("are decoded or refused with a field, whatever the words", () => {
    fc.assert(
      fc.property(word, word, (qw0, qw1) => {
        try {
          expect(encodeVtd(decodeVtd(qw0, qw1)).slice(0, 2)).toEqual([qw0, qw1]);
        } catch (error) {
          if (!(error instanceof DescriptorError)) throw error;
          expect(error.expected).not.toBe("");
        }
      }),
    );
  });

  it("are those that Linux 6.12 wrote in a recorded trace", () => {
    expect(decodeVtd(0x300f2n, 0xfff80045n)).toEqual({
      type: "iotlb",
      granularity: "page",
      drainWrites: true,
      drainReads: true,
      domain: 3,
      addressMask: 5,
      leavesOnly: true,
      address: 0xfff80000n,
    });
  });

  it("put each field where the manual has it", () => {
    // qi_flush_piotlb: type 6, granularity 3 << 4, domain 1 << 16, PASID 0x2a << 32; address | IH << 6 | AM 35.
    const kva = { domain: 1, pasid: 0x2a, addressMask: 35, leavesOnly: false, address: 0xffff800000000000n };
    expect(encodeVtd({ type: "pasid-iotlb", granularity: "page", ...kva })).toEqual([
      0x0000002a_00010036n,
      0xffff800000000023n,
      0n,
      0n,
    ]);
    expect(encodeVtd({ type: "pasid-cache", granularity: "pasid", domain: 1, pasid: 5 })[0]).toBe(0x5_00010017n);
    const front = { queueDepth: 3, physicalFunction: 0x123, sourceId: 0x8100, pasid: 7, global: false, sized: true };
    expect(encodeVtd({ type: "pasid-device-tlb", ...front, address: 0x7ffff000n })).toEqual([
      0x0120_0007_8100_3038n,
      0x7ffff800n,
      0n,
      0n,
    ]);
    expect(encodeVtd({ type: "interrupt-entry", granularity: "index", indexMask: 1, index: 0x20 })[0]).toBe(
      0x20_08000014n,
    );
  });

  it("tell the size of a range", () => {
    const at = (sized: boolean, pages: bigint) =>
      vtdAddressMask({
        type: "device-tlb",
        physicalFunction: 0,
        queueDepth: 0,
        sourceId: 0,
        sized,
        address: pages << 12n,
      });
    expect([at(false, 7n), at(true, 0n), at(true, 1n), at(true, 0x1ffn), at(true, (1n << 52n) - 1n)]).toEqual([
      0, 1, 2, 10, 52,
    ]);
  });

  it("are refused with the field that is wrong", () => {
    expect(() => decodeVtd(0xbn, 0n)).toThrowError(expect.objectContaining({ field: "type" }) as Error);
    expect(() => decodeVtd(0x02n, 0n)).toThrowError(expect.objectContaining({ field: "iotlb.granularity" }) as Error);
    expect(() => decodeVtd(0x100_0000_0000_0012n, 0n)).toThrowError(/reserved bits of qw0/);
    expect(() => decodeVtd(0x17n, 0n, 1n)).toThrowError(/reserved bits of qw2/);
    // Type 10 by VT-d 6.5.2.7: granularity 0 is reserved, and so is what a page-stream response had before 4.0.
    expect(() => decodeVtd(0xan, 0n)).toThrowError(/granularity/);
    expect(() => decodeVtd(0x10_001an, 0n)).not.toThrow();
    expect(() => decodeVtd(0x1_0000_001an, 0n)).toThrowError(/reserved bits of qw0/);
    expect(decodeVtd(0x4_003an, 0x5_0000_00c9n)).toEqual({
      ...{ type: "hpt-cache", granularity: "page", domain: 4, addressMask: 9, levelsAbove: 3, address: 0x5_0000_0000n },
    });
    const bad = { type: "pasid-cache", granularity: "pasid", domain: 1, pasid: 1 << 20 } as const;
    expect(() => encodeVtd(bad)).toThrowError(expect.objectContaining({ field: "pasid-cache.pasid" }) as Error);
    expect(() => encodeVtd({ ...bad, pasid: 1, color: 3 } as unknown as VtdDescriptor)).toThrowError(
      InvalidOptionError,
    );
    expect(() => encodeVtd({ type: "tlb" } as unknown as VtdDescriptor)).toThrowError(/type is "tlb"/);
  });
});

describe("AMD commands", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(amd, (command) => {
        expect(decodeAmd(...encodeAmd(command))).toEqual(command);
      }),
    );
  });

  it("put each field where the manual has it", () => {
    const all = { sized: true, tables: true, guest: true, address: 0x7ffffffffffff000n };
    expect(encodeAmd({ type: "invalidate-pages", pasid: 9, domain: 4, ...all })).toEqual([
      0x3000_0004_0000_0009n,
      0x7ffffffffffff007n,
    ]);
    // build_inv_iotlb_pages: devid | (pasid >> 8) << 16 | qdep << 24; devid | (pasid & 0xff) << 16 in the upper half.
    const front = { deviceId: 0x310, pasid: 0x1234, queueDepth: 0x20, queueId: 0x310, sized: false, guest: true };
    expect(encodeAmd({ type: "invalidate-device-tlb", ...front, address: 0x5000n })).toEqual([
      0x4034_0310_2012_0310n,
      0x5004n,
    ]);
  });

  it("are refused with the field that is wrong", () => {
    expect(() => decodeAmd(0n, 0n)).toThrowError(expect.objectContaining({ field: "opcode" }) as Error);
    expect(() => decodeAmd(0x8000_0000_0000_0001n, 0n)).toThrowError(/reserved bits of qw0/);
    const odd = { type: "completion-wait", store: true, interrupt: false, flush: false, storeData: 0n } as const;
    expect(() => encodeAmd({ ...odd, storeAddress: 4n })).toThrowError(/completion-wait.storeAddress/);
  });
});

describe("a queue's summary", () => {
  it("counts by type and keeps what is malformed apart", () => {
    const counter = new QueueCounter();
    counter.add(0x300f2n, 0xfff80045n, 0n, 0n, 1);
    counter.add(0x300f2n, 0xfff60044n, 0n, 0n, 3);
    counter.add(0x20_0800_0014n, 0n, 0n, 0n, 1);
    expect(counter.add(0xfn, 0n, 0n, 0n, 1)).toBeUndefined();
    expect(counter.summary).toMatchObject({
      descriptors: 4,
      untold: 2,
      waits: 4,
      pages: 32 + 16,
      byType: { iotlb: 2, "interrupt-entry": 1 },
      byGranularity: { "iotlb page": 2, "interrupt-entry index": 1 },
    });
    expect(Object.values(counter.summary.malformed)).toEqual([1]);
  });

  it("stays small whatever it is fed", () => {
    const counter = new QueueCounter();
    for (let i = 0n; i < 1000n; i++) counter.add((i << 32n) | 0x12n, 0n, 0n, 0n, 1);
    expect(Object.keys(counter.summary.malformed).length).toBeLessThanOrEqual(101);
    expect(Object.values(counter.summary.malformed).reduce((a, b) => a + b, 0)).toBe(999);
    expect(vtdTypes).toHaveLength(10);
  });
});

interface EngineCodec {
  pasidIotlb(pasid: number): bigint;
  pageIotlb(pasid: number): bigint;
  pageIotlbAddress(va: bigint, am: number, leavesOnly: boolean): bigint;
  pasidCache(pasid: number): bigint;
  deviceTlb(sourceId: number, pasid: number): bigint;
  deviceTlbAddress(va: bigint, am: number): bigint;
  deviceTlbMask(qw1: bigint): number;
  globalIotlb(): bigint;
  invalidateAll(): bigint;
  invalidatePages(domain: number, pasid: number): bigint;
  invalidateDevicePages(device: number, pasid: number): bigint;
  pagesAddress(first: bigint, last: bigint, withTables: boolean): bigint;
  pagesMask(w1: bigint): number;
}

describe("the engine's own encoding", () => {
  let engine: EngineCodec;

  beforeAll(async () => {
    const source = (name: string) =>
      readFileSync(new URL(`../../assembly/hardware/queue/${name}.ts`, import.meta.url), "utf8");
    const files: Record<string, string | Uint8Array> = {
      "entry.ts":
        'export { pasidIotlb, pageIotlb, pageIotlbAddress, pasidCache, deviceTlb, deviceTlbAddress, deviceTlbMask, globalIotlb } from "./vtd";\nexport { invalidateAll, invalidateDevicePages, invalidatePages, pagesAddress, pagesMask } from "./amd";',
      "vtd.ts": source("vtd"),
      "amd.ts": source("amd"),
    };
    const { error, stderr } = await asc(["entry.ts", "--runtime", "stub", "--outFile", "out.wasm"], {
      readFile: (name: string) => (files[name] as string | undefined) ?? null,
      writeFile: (name: string, data: string | Uint8Array) => {
        files[name] = data;
      },
      listFiles: () => [],
    });
    if (error) throw new Error(stderr.toString());
    const { instance } = await WebAssembly.instantiate(files["out.wasm"] as Uint8Array<ArrayBuffer>, {
      env: { abort() {} },
    });
    engine = instance.exports as unknown as EngineCodec;
  });

  const unsigned = (value: bigint) => BigInt.asUintN(64, value);

  it("is this one, for VT-d", () => {
    fc.assert(
      fc.property(bits(20), address, fc.integer({ min: 0, max: 51 }), fc.boolean(), (pasid, va, am, leavesOnly) => {
        const sourceId = pasid & 0xffff;
        const [page0, page1] = encodeVtd({
          type: "pasid-iotlb",
          granularity: "page",
          domain: 1,
          pasid,
          addressMask: am,
          leavesOnly,
          address: va,
        });
        expect(unsigned(engine.pageIotlb(pasid))).toBe(page0);
        expect(unsigned(engine.pageIotlbAddress(va, am, leavesOnly))).toBe(page1);
        const decoded = decodeVtd(unsigned(engine.pasidIotlb(pasid)), 0n);
        expect(decoded).toMatchObject({ type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid });
        const cache = decodeVtd(unsigned(engine.pasidCache(pasid)), 0n);
        expect(cache).toEqual({ type: "pasid-cache", granularity: "pasid", domain: 1, pasid });
        const front = decodeVtd(unsigned(engine.deviceTlb(sourceId, pasid)), unsigned(engine.deviceTlbAddress(va, am)));
        expect(front).toMatchObject({ type: "pasid-device-tlb", sourceId, pasid, global: false, sized: am > 0 });
        expect(vtdAddressMask(front)).toBe(am);
        expect(engine.deviceTlbMask(unsigned(engine.deviceTlbAddress(va, am)))).toBe(am);
        // An address within the page names the page.
        expect(unsigned(engine.deviceTlbAddress(va + 0xabcn, 0))).toBe(va);
        expect(unsigned(engine.pageIotlbAddress(va + 0xabcn, 0, false))).toBe(va);
      }),
    );
  });

  it("is this one, for AMD pages", () => {
    fc.assert(
      fc.property(bits(20), address, bits(30), fc.boolean(), (pasid, first, more, tables) => {
        const last = unsigned(first + BigInt(more) * 4096n);
        // No driver names a range that goes on at address 0.
        fc.pre(first <= last);
        const device = pasid % 1024;
        const command = decodeAmd(
          unsigned(engine.invalidatePages(device, pasid)),
          unsigned(engine.pagesAddress(first, last, tables)),
        );
        expect(command).toMatchObject({ type: "invalidate-pages", pasid, domain: device, tables, guest: true });
        const front = decodeAmd(
          unsigned(engine.invalidateDevicePages(device, pasid)),
          unsigned(engine.pagesAddress(first, last, false)),
        );
        expect(front).toMatchObject({ pasid, deviceId: device, guest: true });
      }),
    );
  });

  it("has AMD's sizes as the driver does (build_inv_address), for every range", () => {
    const offset = fc.integer({ min: 0, max: 0xfff }).map(BigInt);
    const shape = (first: bigint, last: bigint): bigint => {
      if (first >> 12n === last >> 12n) return (first >> 12n) << 12n;
      const highest = BigInt((first ^ last).toString(2).length - 1);
      if (highest > 51n) return 0x7fff_ffff_ffff_f001n;
      const same = (first >> (highest + 1n)) << (highest + 1n);
      return same | ((((1n << highest) - 1n) >> 12n) << 12n) | 1n;
    };
    fc.assert(
      fc.property(
        address,
        offset,
        fc.integer({ min: 0, max: 52 }),
        offset,
        fc.boolean(),
        (page, a, size, b, tables) => {
          const first = page + a;
          const last = page + (((1n << BigInt(size)) - 1n) << 12n) + b;
          fc.pre(first <= last && last < 1n << 64n);
          const flags = tables ? 6n : 4n;
          expect(unsigned(engine.pagesAddress(first, last, tables))).toBe(shape(first, last) | flags);
        },
      ),
    );
    // At bit 51 and at bit 52, whatever is drawn.
    for (const highest of [50n, 51n, 52n]) {
      const [first, last] = [(1n << highest) - 0x1000n, 1n << highest];
      expect(unsigned(engine.pagesAddress(first, last, true))).toBe(shape(first, last) | 6n);
    }
  });

  it("is this one, for everything of an IOMMU", () => {
    expect(decodeVtd(unsigned(engine.globalIotlb()), 0n)).toMatchObject({ type: "iotlb", granularity: "global" });
    expect(decodeAmd(unsigned(engine.invalidateAll()), 0n)).toEqual({ type: "invalidate-all" });
  });

  it("I16: reads AMD's sizes as the table of the specification has them, with four levels and with five", () => {
    const of = (first: bigint, last: bigint) => engine.pagesMask(unsigned(engine.pagesAddress(first, last, true)));
    // log2 of pages; 52 = all.
    expect(of(0x5000n, 0x5fffn)).toBe(0);
    expect(of(0x4000n, 0x5fffn)).toBe(1);
    expect(of(0x1ff000n, 0x200fffn)).toBe(10);
    expect(of(0xffff800000000000n, 0xffffffffffffffffn)).toBe(35);
    expect(of(0xff00000000000000n, 0xffffffffffffffffn)).toBe(52);
    // The first clear bit at 50 is 2^51 bytes; at 51 or above it is everything: both addresses that drivers use.
    expect(engine.pagesMask(0x0003_ffff_ffff_f001n)).toBe(39);
    expect(engine.pagesMask(0x0007_ffff_ffff_f001n)).toBe(52);
    expect(engine.pagesMask(0x7fff_ffff_ffff_f001n)).toBe(52);
    expect(engine.pagesMask(0xffff_ffff_ffff_f001n)).toBe(52);
    expect(engine.pagesMask(0x7fff_ffff_ffff_f000n)).toBe(0);
  });
});
