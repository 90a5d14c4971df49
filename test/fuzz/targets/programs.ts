// Packed programs: whatever the bytes, they are refused or played, and the machine works afterwards. And descriptors of queues:
// what is decoded is encoded to the same words.
import {
  Access,
  createMachineSync,
  InvalidOptionError,
  Operation,
  operationBytes,
  ProgramBuilder,
  refusalOf,
} from "../../../src/index.js";
import { DescriptorError, decodeAmd, decodeVtd, encodeAmd, encodeVtd } from "../../../src/queue/index.js";
import { endingOf, type FuzzTarget } from "../target.js";

const A = 0xffff_c900_0000_0000n;
const DIRECT = 0xffff_8880_0000_0000n;
const HEAP = 0x5500_0000_0000n;
const DONE = 1n;

const machine = createMachineSync({
  tables: 96,
  workloadPages: 1,
  cpus: [{ l1: [{ entries: 8, ways: 4 }] }, {}],
  iommus: [{ pasids: [1, 2], devices: [{}, { deviceTlb: { entries: 4, ways: 4 } }], l1: [{ entries: 8, ways: 8 }] }],
  kernel: { pool: 64, mms: 4, policy: "deferred-free" },
});
const start = machine.snapshot();
const pasid = machine.iommus[0]!.requester(1);

function seeds(): Uint8Array[] {
  const begin = () => new ProgramBuilder().mmCreate(0).switchMm(0, 0).svaBind(pasid, 0).mmap(0, HEAP, 4);
  return [
    begin()
      .vmalloc(A, 4)
      .access(0, A, Access.supervisorRead)
      .access(pasid, A, Access.userRead)
      .vfree(A, 4)
      .purge()
      .vmalloc(A, 512, 21)
      .reuse()
      .runWork(),
    begin()
      .hotAdd(DIRECT, 2)
      .cpaSplit(DIRECT)
      .cpaCollapse(DIRECT)
      .hotRemove(DIRECT, 2)
      .flushTlbAll()
      .flushTlbKernelRange(A, A + 0x3000n),
    begin()
      .munmap(0, HEAP, 4)
      .mprotect(0, HEAP, 2)
      .svaUnbind(pasid)
      .mmDestroy(0)
      .tableClear("user", A)
      .tableFree("user", A)
      .giveBack(),
    begin()
      .invlpg(0, HEAP)
      .invpcid(0, 1, 3)
      .invlpgRangeOrAll(0, A, 40)
      .invalidatePasid(pasid)
      .invalidatePages(pasid, HEAP, 3)
      .writeEntry(0x100_0000n, 7n),
  ].map((program) => program.build());
}

/** Operations that take as long as their argument is great. */
const LONG: readonly number[] = [Operation.invlpgRange, Operation.vfree, Operation.hotRemove];

/** Work is what a program asks for: ranges of 2^32 pages or blocks are cut, so that none takes a minute. */
function bounded(bytes: Uint8Array): Uint8Array {
  const program = bytes.slice(0, Math.min(bytes.length, 64 * operationBytes));
  for (let at = 0; at + operationBytes <= program.length; at += operationBytes) {
    const code = program[at]!;
    if (LONG.includes(code)) program.fill(0, at + 6, at + 8);
  }
  return program;
}

const programTarget: FuzzTarget = {
  name: "program",
  seeds,
  run: (bytes) =>
    endingOf(() => {
      machine.restore(start);
      const program = bounded(bytes);
      const results = machine.play(program);
      for (const [i, result] of results.entries()) {
        const code = program[i * operationBytes]!;
        const told =
          code < Operation.vmalloc ||
          result === DONE ||
          refusalOf(result) !== undefined ||
          code === Operation.reuse ||
          code === Operation.giveBack;
        if (!told) throw new RangeError(`operation ${i} of code ${code} gave 0x${result.toString(16)}`);
      }
      if (machine.cpus[1]!.probe(1n << 60n, Access.userRead).kind !== "non-canonical")
        throw new RangeError("the machine is broken");
    }, [InvalidOptionError]),
};

function words(bytes: Uint8Array, count: number): bigint[] {
  const padded = new Uint8Array(count * 8);
  padded.set(bytes.subarray(0, padded.length));
  return [...new BigUint64Array(padded.buffer)];
}

function descriptorTarget(
  name: string,
  first: () => bigint[][],
  run: (words: bigint[]) => [read: bigint[], written: bigint[]],
): FuzzTarget {
  return {
    name,
    seeds: () => first().map((it) => new Uint8Array(BigUint64Array.from(it).buffer)),
    run: (bytes) =>
      endingOf(() => {
        const [read, written] = run(words(bytes, first()[0]!.length));
        if (read.join() !== written.join())
          throw new RangeError(
            `${read.map((it) => it.toString(16))} written as ${written.map((it) => it.toString(16))}`,
          );
      }, [DescriptorError]),
  };
}

export const programTargets: FuzzTarget[] = [
  programTarget,
  descriptorTarget(
    "VT-d descriptor",
    () => [
      [0x0000_0001_0001_0036n, 0xffff_c900_0000_0000n, 0n, 0n],
      [0x0000_0000_0000_0025n, 0x1000n, 0n, 0n],
      [0x0001_0001_0000_0017n, 0n, 0n, 0n],
    ],
    (all) => {
      const [a = 0n, b = 0n, c = 0n, d = 0n] = all;
      return [all, encodeVtd(decodeVtd(a, b, c, d))];
    },
  ),
  descriptorTarget(
    "AMD command",
    () => [
      [0x3000_0000_0000_0001n, 0x7fff_f003n],
      [0x1000_0000_0000_0001n, 5n],
      [0x8000_0000_0000_0000n, 0n],
    ],
    (all) => {
      const [a = 0n, b = 0n] = all;
      return [all, encodeAmd(decodeAmd(a, b))];
    },
  ),
];
