// Kernel programs as plain operation objects, and how the model plays them (rules.md sections 10 and 13). The engine's
// adapter plays the same objects.

import { frameOf, PRESENT, USER, WRITABLE } from "../entry.js";
import type { WalkOperation } from "../operations.js";
import type { Outcome } from "../walk.js";
import { mmCreate, mmDestroy, svaBind, svaUnbind, switchMm } from "./address-spaces.js";
import { type AttributesCall, attributesCalls } from "./attributes.js";
import type { Calls } from "./calls.js";
import { type DirectMapCall, directMapCalls } from "./direct-map.js";
import { flushAll, flushKernelRange, flushMmRange, localFlushAll } from "./flush.js";
import { halves } from "./geometry.js";
import { type HandOperation, invalidateByHand } from "./hand.js";
import { enterKernel, enterUser } from "./isolation.js";
import { Kernel, type KernelConfig } from "./kernel.js";
import type { Interleaved } from "./points.js";
import { runWork } from "./policy.js";
import { type ReclaimCall, reclaimCalls } from "./reclaim.js";
import type { Answer, Refusal } from "./refusals.js";
import { type StepCall, stepCalls } from "./steps.js";
import { type UserCall, userCalls } from "./user.js";
import { type VmallocCall, vmallocCalls } from "./vmalloc.js";

/** What the agents do. `cpu`, `iommu` and `device` are places in the configuration, `access` is a code of rules.md section 2. */
export type AgentOperation =
  | { kind: "access" | "probe"; cpu: number; address: bigint; access: number }
  | {
      kind: "request";
      iommu: number;
      /** Undefined: straight to the IOMMU. */
      device: number | undefined;
      pasid: number;
      address: bigint;
      access: number;
    }
  | { kind: "request-probe"; iommu: number; pasid: number; address: bigint; access: number }
  | HandOperation
  | WalkOperation
  | { kind: "begin-access"; walk: number; cpu: number; address: bigint; access: number }
  | {
      kind: "begin-request";
      walk: number;
      iommu: number;
      device: number | undefined;
      pasid: number;
      address: bigint;
      access: number;
    }
  /** CR4.PCIDE changes under the kernel. */
  | { kind: "set-pcide"; cpu: number; on: boolean };

type OtherCall =
  /** `frees`: the caller frees a table with this flush. */
  | { kind: "flush-kernel-range"; start: bigint; end: bigint; frees?: boolean }
  | { kind: "flush-all"; frees?: boolean }
  | { kind: "local-flush-all" | "enter-user" | "enter-kernel"; cpu: number }
  /** `shift`: log2 of the bytes of one step. */
  | { kind: "flush-mm-range"; mm: number; start: bigint; end: bigint; shift: number }
  | { kind: "run-work" }
  | { kind: "mm-create" | "mm-destroy"; mm: number }
  | { kind: "switch-mm"; cpu: number; mm: number }
  | { kind: "sva-bind"; iommu: number; pasid: number; mm: number }
  | { kind: "sva-unbind"; iommu: number; pasid: number }
  | { kind: "time"; ns: bigint };

/** What the kernel does. Addresses are virtual, pages are of 4 KiB, blocks of 2 MiB, `mm` is any number. */
export type KernelCall =
  | VmallocCall
  | DirectMapCall
  | AttributesCall
  | ReclaimCall
  | UserCall
  | StepCall
  | OtherCall
  /** `type` 0: zeros; 1: user leaves of the frame that holds physical address `address`; 2: entries equal to `address`. */
  | { kind: "reuse"; type: 0 | 1 | 2; address: bigint }
  | { kind: "give-back" };

/** One operation of a kernel program. */
export type KernelOperation = AgentOperation | KernelCall;

/** An outcome of a translation; of a kernel operation that it is done, or why it is refused; of `reuse` and `giveBack` a frame number. */
export type KernelResult = Outcome | Answer | number;

/** Run one operation. */
export function stepKernel(k: Kernel, operation: KernelOperation): KernelResult {
  switch (operation.kind) {
    case "access":
      return k.cpu(operation.cpu).access(operation.address, operation.access);
    case "probe":
      return k.cpu(operation.cpu).probe(operation.address, operation.access);
    case "request":
      return k.iommu(operation.iommu).request(operation.pasid, operation.address, operation.access, operation.device);
    case "request-probe":
      return k.iommu(operation.iommu).probe(operation.pasid, operation.address, operation.access);
    case "begin-access": {
      const { walk, cpu, address, access } = operation;
      return k.walks.begin(walk, () => k.cpu(cpu).begin(address, access)) ?? 0;
    }
    case "begin-request": {
      const { walk, iommu, pasid, address, access, device } = operation;
      return k.walks.begin(walk, () => k.iommu(iommu).begin(pasid, address, access, device)) ?? 0;
    }
    case "step":
      return k.walks.step(operation.walk) ?? 0;
    case "finish":
      return k.walks.finish(operation.walk) ?? 0;
    case "set-pcide": {
      const cpu = k.cpu(operation.cpu);
      cpu.setControls({ ...cpu.context.controls, pcide: operation.on });
      return 1;
    }
    case "reuse":
      return reuse(k, operation.type, operation.address);
    case "give-back":
      return k.memory.giveBack() ?? "nothing-taken";
    case "invlpg":
    case "invlpg-range":
    case "invpcid":
    case "cpu-flush-all":
    case "iommu-pasid":
    case "iommu-pages":
    case "iommu-all":
      return invalidateByHand(k, operation);
    default:
      return (calls[operation.kind] as (k: Kernel, call: KernelCall) => Answer)(k, operation);
  }
}

const calls: Calls<Exclude<KernelCall, { kind: "reuse" | "give-back" }>> = {
  ...vmallocCalls,
  ...directMapCalls,
  ...attributesCalls,
  ...reclaimCalls,
  ...userCalls,
  ...stepCalls,
  "flush-kernel-range": (k, range) => {
    const half = halves(k.parameters.levels).kernel;
    if (range.start < half.start || range.start >= half.end) return "not-kernel-half";
    if (range.end <= range.start) return "empty-range";
    if (range.end > half.end) return "not-kernel-half";
    flushKernelRange(k, range, range.frees === true);
    return "done";
  },
  "flush-all": (k, { frees }) => {
    flushAll(k, frees === true);
    return "done";
  },
  "local-flush-all": (k, { cpu }) => {
    localFlushAll(k, cpu);
    return "done";
  },
  "enter-user": (k, { cpu }) => enterUser(k, cpu),
  "enter-kernel": (k, { cpu }) => enterKernel(k, cpu),
  "flush-mm-range": (k, range) => flushMmRange(k, range.mm, range, range.shift),
  "run-work": (k) => {
    runWork(k);
    return "done";
  },
  "mm-create": (k, { mm }) => mmCreate(k, mm),
  "mm-destroy": (k, { mm }) => mmDestroy(k, mm),
  "switch-mm": (k, { cpu, mm }) => switchMm(k, cpu, mm),
  "sva-bind": (k, { iommu, pasid, mm }) => svaBind(k, iommu, pasid, mm),
  "sva-unbind": (k, { iommu, pasid }) => svaUnbind(k, iommu, pasid),
  time: (k, { ns }) => {
    k.time = ns;
    return "done";
  },
};

/** A frame for someone's data: its frame number. */
function reuse(k: Kernel, type: 0 | 1 | 2, address: bigint): number | Refusal {
  const userLeaf = (BigInt(frameOf(address)) << 12n) | PRESENT | WRITABLE | USER;
  return k.memory.allocateData([0n, userLeaf, address][type] ?? 0n) ?? "no-free-frame";
}

/** A kernel program: main operations, and those that are interleaved at points. */
export interface KernelProgram {
  config: KernelConfig;
  operations: KernelOperation[];
  interleaved: Interleaved<KernelOperation>[];
  /** Played after a main operation and taken back by a snapshot: the model knows nothing of them. */
  detours?: readonly { after: number; operations: readonly KernelOperation[] }[];
}

/** Called after each main operation and the point after it. `interleaved`: results of what was interleaved since the last call. */
export type AfterKernelOperation = (
  index: number,
  operation: KernelOperation,
  result: KernelResult,
  kernel: Kernel,
  interleaved: readonly { operation: KernelOperation; result: KernelResult }[],
) => void;

/** Play a program on a new kernel; returns the kernel as the program leaves it. */
export function playKernel(
  { config, operations, interleaved }: KernelProgram,
  onAfterEach?: AfterKernelOperation,
): Kernel {
  const k = new Kernel(config);
  let played: { operation: KernelOperation; result: KernelResult }[] = [];
  k.points.carry(interleaved, (operation) => played.push({ operation, result: stepKernel(k, operation) }));
  for (const [index, operation] of operations.entries()) {
    k.hazards.operation = index;
    played = [];
    k.points.trail = [];
    const result = stepKernel(k, operation);
    k.points.reach("OPERATION_DONE");
    onAfterEach?.(index, operation, result, k, played);
  }
  return k;
}
