// fast-check arbitraries of whole programs on small worlds (worlds.ts). Addresses come from a small pool per program, so that
// they collide in sets and share upper tables; the rest are neighbours, other halves and addresses that are not canonical.

import fc from "../support/fast-check.js";
import { type AddressPick, addressPick, poolAddress, rangeEnd, resolve, settled } from "./addresses.js";
import { descriptor } from "./descriptors.js";
import { entryIndex } from "./entry.js";
import type { MachineConfig, Shootdown } from "./machine.js";
import type { Operation } from "./operations.js";
import {
  ABSENT_FRAME,
  controls,
  DOMAINS,
  entryFromSeed,
  entrySeed,
  framesOf,
  machineConfig,
  PASIDS,
  PCIDS,
  pasidFields,
  pasidRoot,
  roots,
  type Shape,
} from "./worlds.js";

export { type AfterEach, type Operation, playOnModel, step } from "./operations.js";

/** A machine and what happens on it. */
export interface Program {
  config: MachineConfig;
  operations: Operation[];
  /** Played after an operation and taken back by a snapshot: the model knows nothing of them. */
  detours?: readonly { after: number; operations: readonly Operation[] }[];
}

/** An operation whose addresses are still picks out of the program's pool. */
type Draft = (address: (pick: AddressPick) => bigint, config: MachineConfig) => Operation;

/** Access codes, the common ones several times. */
const ACCESSES: readonly number[] = [
  ...[4, 5, 6, 4, 5, 6, 4, 5, 0, 1, 2, 0, 1, 2],
  ...[8, 9, 12, 16, 17, 18, 20, 21, 22, 24, 13, 10],
];
const access = fc.constantFrom(...ACCESSES);
/** Of requests: no fetches, which the library refuses. */
const requestAccess = fc.constantFrom(...ACCESSES.filter((code) => (code & 3) !== 2));
/** log2 of pages: single pages, sizes around large pages, and everything. */
const am = fc.constantFrom(0, 0, 1, 2, 8, 9, 10, 18, 19, 27, 36, 45);
const pasid = fc.constantFrom(...PASIDS);
const domain = fc.constantFrom(...DOMAINS);
const pcid = fc.constantFrom(...PCIDS);
const device = fc.constantFrom(0, 1, 2);
const walk = fc.constantFrom(0, 1);

type ShootdownDraft = (address: (pick: AddressPick) => bigint) => Shootdown;

function shootdown(levels: 4 | 5): fc.Arbitrary<ShootdownDraft> {
  const at = addressPick;
  return fc.oneof(
    at.map(
      (pick): ShootdownDraft =>
        (address) => ({ kind: "invlpg", address: address(pick) }),
    ),
    fc.record({ at, type: fc.constantFrom(0, 1, 2, 3, 0, 1), pcid }).map(
      ({ at, type, pcid }): ShootdownDraft =>
        (address) => ({ kind: "invpcid", type, address: address(at), pcid }),
    ),
    fc.record({ at, length: fc.nat(20 * 4096) }).map(
      ({ at, length }): ShootdownDraft =>
        (address) => {
          const start = address(at);
          return { kind: "flush-range", start, end: rangeEnd(start, length, levels) };
        },
    ),
    fc.record({ at, pages: fc.nat(40) }).map(
      ({ at, pages }): ShootdownDraft =>
        (address) => ({ kind: "range-or-all", start: address(at), pages }),
    ),
  );
}

function cpuDrafts({ levels, cpus }: Shape): { weight: number; arbitrary: fc.Arbitrary<Draft> }[] {
  const cpu = fc.nat(cpus - 1);
  const root = fc.constantFrom(...roots(levels));
  return [
    {
      weight: 50,
      arbitrary: fc.record({ cpu, at: addressPick, access }).map(
        ({ cpu, at, access }): Draft =>
          (address) => ({ kind: "access", cpu, address: address(at), access }),
      ),
    },
    {
      weight: 6,
      arbitrary: fc.record({ cpu, walk, at: addressPick, access }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "begin", ...it, address: address(at) }),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.record({ cpu, at: addressPick, access }).map(
        ({ cpu, at, access }): Draft =>
          (address) => ({ kind: "probe", cpu, address: address(at), access }),
      ),
    },
    {
      weight: 6,
      arbitrary: fc.record({ cpu, draft: shootdown(levels) }).map(
        ({ cpu, draft }): Draft =>
          (address) => ({ cpu, ...draft(address) }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({ mask: fc.nat(2 ** cpus - 1), draft: shootdown(levels) }).map(
        ({ mask, draft }): Draft =>
          (address) => ({ kind: "shootdown", mask, operation: draft(address) }),
      ),
    },
    {
      weight: 5,
      arbitrary: fc.record({ cpu, root, pcid, noFlush: fc.boolean() }).map(
        (it): Draft =>
          () => ({ kind: "mov-cr3", ...it }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({ cpu, controls }).map(
        (it): Draft =>
          () => ({ kind: "controls", ...it }),
      ),
    },
  ];
}

function iommuDrafts({ levels, iommus }: Shape): { weight: number; arbitrary: fc.Arbitrary<Draft> }[] {
  const iommu = fc.nat(iommus - 1);
  const at = addressPick.map(settled);
  const optionalDevice = fc.constantFrom(undefined, 0, 1, 2);
  return [
    {
      weight: 28,
      arbitrary: fc.record({ iommu, device: optionalDevice, pasid, at: addressPick, access: requestAccess }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "request", ...it, address: address(at) }),
      ),
    },
    {
      weight: 7,
      arbitrary: fc.record({ iommu, walk, device: optionalDevice, pasid, at: addressPick, access }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "begin", ...it, address: address(at) }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record({ iommu, pasid, at: addressPick, access: requestAccess }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "request-probe", ...it, address: address(at) }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({ iommu, pasid, root: pasidRoot(levels), fields: pasidFields(levels), domain }).map(
        (it): Draft =>
          () => ({ kind: "bind", ...it }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({ iommu, pasid: fc.constantFrom(undefined, ...PASIDS) }).map(
        (it): Draft =>
          () => ({ kind: "invalidate-pasid-cache", ...it }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record({ iommu, pasid }).map(
        (it): Draft =>
          () => ({ kind: "invalidate-pasid", ...it }),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.record({ iommu, pasid, at, am, ih: fc.boolean() }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "invalidate-pages", ...it, address: address(at) }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record({ iommu }).map(
        (it): Draft =>
          () => ({ kind: "invalidate-all", ...it }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record({ iommu, device, pasid }).map(
        (it): Draft =>
          () => ({ kind: "invalidate-device-pasid", ...it }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({ iommu, device, pasid, at, am }).map(
        ({ at, ...it }): Draft =>
          (address) => ({ kind: "invalidate-device-pages", ...it, address: address(at) }),
      ),
    },
    {
      weight: 14,
      arbitrary: fc.record({ iommu, device: fc.constantFrom(undefined, undefined, 0, 2), at, words: descriptor }).map(
        ({ at, words, ...it }): Draft =>
          (address, { iommus }) => ({
            kind: "submit",
            ...it,
            words: words[iommus[it.iommu]?.dialect ?? "vtd"](address(at)),
          }),
      ),
    },
  ];
}

/** Steps of walks that are under way, and what is left of them. */
const walkDrafts: { weight: number; arbitrary: fc.Arbitrary<Draft> }[] = [
  {
    weight: 26,
    arbitrary: walk.map(
      (walk): Draft =>
        () => ({ kind: "step", walk }),
    ),
  },
  {
    weight: 2,
    arbitrary: walk.map(
      (walk): Draft =>
        () => ({ kind: "finish", walk }),
    ),
  },
];

/** Writes aim at the entries that an address of the pool uses, or at any index in use; some are 64 arbitrary bits. */
function writeDrafts({ levels }: Shape): { weight: number; arbitrary: fc.Arbitrary<Draft> }[] {
  const frames = framesOf(levels);
  const place = fc.record({ row: fc.nat(frames.length - 1), at: addressPick });
  const draft = (row: number, at: AddressPick, entry: (level: 1 | 2 | 3 | 4 | 5) => bigint): Draft => {
    const { frame, level } = frames[row] ?? { frame: 0, level: 1 };
    return (address) => ({ kind: "write-entry", frame, index: entryIndex(address(at), level), entry: entry(level) });
  };
  return [
    {
      weight: 10,
      arbitrary: fc
        .record({ place, seed: entrySeed })
        .map(({ place, seed }) => draft(place.row, place.at, (level) => entryFromSeed(seed, level, levels))),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ place, entry: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) })
        .map(({ place, entry }) => draft(place.row, place.at, () => entry)),
    },
  ];
}

/** Frames that come and go: tables, data, and one that no program begins with. */
function frameDrafts({ levels }: Shape): { weight: number; arbitrary: fc.Arbitrary<Draft> }[] {
  const frame = fc.constantFrom(...framesOf(levels).map((it) => it.frame), ABSENT_FRAME);
  const of = (kind: "delete-frame" | "add-frame"): fc.Arbitrary<Draft> =>
    frame.map(
      (frame): Draft =>
        () => ({ kind, frame }),
    );
  return [
    { weight: 1, arbitrary: of("delete-frame") },
    { weight: 2, arbitrary: of("add-frame") },
  ];
}

function programOf(shape: Shape, maxLength: number, frames: FramesIn): fc.Arbitrary<Program> {
  const passing = [...cpuDrafts(shape), ...iommuDrafts(shape), ...walkDrafts, ...writeDrafts(shape)];
  const drafts = fc.oneof(...passing, ...(frames === "come and go" ? frameDrafts(shape) : []));
  return fc
    .record({
      config: machineConfig(shape),
      pool: fc.array(poolAddress(shape.levels), { minLength: 2, maxLength: 5 }),
      drafts: fc.array(drafts, { minLength: 1, maxLength, size: "max" }),
      detours: fc.array(
        fc.record({
          after: fc.nat(maxLength),
          drafts: fc.array(fc.oneof(...passing), { minLength: 1, maxLength: 12 }),
        }),
        { maxLength: 2 },
      ),
    })
    .map(({ config, pool, drafts, detours }) => {
      const settle = (draft: Draft): Operation => draft((pick) => resolve(pool, shape.levels, pick), config);
      return {
        config,
        operations: drafts.map(settle),
        detours: detours.map(({ after, drafts: inside }) => ({ after, operations: inside.map(settle) })),
      };
    });
}

/** Whether frames are added and deleted, which calls do and no packed program can. */
export type FramesIn = "stay" | "come and go";

const SHAPES: readonly Shape[] = [
  { levels: 4, cpus: 1, iommus: 1 },
  { levels: 4, cpus: 3, iommus: 2 },
  { levels: 5, cpus: 1, iommus: 1 },
  { levels: 5, cpus: 2, iommus: 3 },
];

/**
 * Random programs of 1 to `maxLength` operations, about half of that on average.
 * Every configuration has at least one CPU and one IOMMU with three devices (with or without a device TLB), of either
 * dialect.
 */
export function programs(maxLength: number, frames: FramesIn = "stay"): fc.Arbitrary<Program> {
  return fc.oneof(...SHAPES.map((shape) => programOf(shape, maxLength, frames)));
}
