// Programs as plain operation objects, and how the model plays them. The engine's adapter plays the same objects.

import type { Controls } from "./access.js";
import { invalidateOnCpu, Machine, type MachineConfig, type Shootdown } from "./machine.js";
import type { PasidEntry } from "./pasid-entry.js";
import { submit } from "./queue.js";
import type { Outcome } from "./walk.js";

/** What a CPU does. `cpu` is its place in the configuration; addresses are 64-bit, roots are frame numbers. */
export type CpuOperation = { cpu: number } & (
  | Shootdown
  /** `access` is an access code of rules.md section 2. */
  | { kind: "access" | "probe"; address: bigint; access: number }
  | { kind: "begin"; walk: number; address: bigint; access: number }
  | { kind: "mov-cr3"; root: number; pcid: number; noFlush: boolean }
  | { kind: "controls"; controls: Controls }
);

/** Fields of a PASID-table entry that are not as usual. */
export type PasidFields = Partial<Omit<PasidEntry, "root">>;

/** What an IOMMU or a device does. `iommu` and `device` are places in the configuration; `am` is log2 of a number of pages. */
export type IommuOperation = { iommu: number } /** `device` undefined: straight to the IOMMU. */ & (
  | { kind: "request"; device: number | undefined; pasid: number; address: bigint; access: number }
  | { kind: "begin"; walk: number; device: number | undefined; pasid: number; address: bigint; access: number }
  | { kind: "request-probe"; pasid: number; address: bigint; access: number }
  | { kind: "bind"; pasid: number; root: number; fields: PasidFields; domain: number }
  /** `pasid` undefined: of all. */
  | { kind: "invalidate-pasid-cache"; pasid: number | undefined }
  | { kind: "invalidate-pasid"; pasid: number }
  | { kind: "invalidate-pages"; pasid: number; address: bigint; am: number; ih: boolean }
  | { kind: "invalidate-all" }
  | { kind: "invalidate-device-pasid"; device: number; pasid: number }
  | { kind: "invalidate-device-pages"; device: number; pasid: number; address: bigint; am: number }
  /** A descriptor for the queue, all its words; `device` undefined: to the device that it names. */
  | { kind: "submit"; words: bigint[]; device: number | undefined }
);

/** A step of a walk that is under way, or all that are left. */
export type WalkOperation = { kind: "step"; walk: number } | { kind: "finish"; walk: number };

/** What came of an operation: of an access the outcome, of others whether it was refused. */
export type Result = Outcome | { kind: "refused" } | undefined;

/** One step of a program. */
export type Operation =
  | CpuOperation
  | IommuOperation
  | WalkOperation
  /** Refused if the frame is not in the store. */
  | { kind: "write-entry"; frame: number; index: number; entry: bigint }
  /** Refused for a frame of RAM, or while a walk is under way (rules.md section 18). */
  | { kind: "delete-frame"; frame: number }
  /** A table of zeros; nothing if the frame is in the store. */
  | { kind: "add-frame"; frame: number }
  /** `mask`: bit i = CPU i. */
  | { kind: "shootdown"; mask: number; operation: Shootdown };

/**
 * Run one operation; accesses, requests, probes and walks give an outcome (undefined of a walk: there is none, or is one
 * already), a descriptor may be refused.
 */
export function step(machine: Machine, operation: Operation): Result {
  if ("cpu" in operation) return stepCpu(machine, operation);
  if ("iommu" in operation) return stepIommu(machine, operation);
  switch (operation.kind) {
    case "step":
      return machine.walks.step(operation.walk);
    case "finish":
      return machine.walks.finish(operation.walk);
    case "delete-frame":
      if (!machine.memory.has(operation.frame)) return undefined;
      if (machine.isRam(operation.frame) || machine.walks.underWay.some((walk) => walk)) return { kind: "refused" };
      machine.memory.delete(operation.frame);
      return undefined;
    case "add-frame":
      if (!machine.memory.has(operation.frame)) machine.memory.add(operation.frame, "table");
      return undefined;
    case "write-entry":
      if (!machine.memory.has(operation.frame)) return { kind: "refused" };
      machine.memory.writeEntry(operation.frame, operation.index, operation.entry);
      return undefined;
    case "shootdown":
      machine.shootdown(operation.mask, operation.operation);
      return undefined;
  }
}

function stepCpu(machine: Machine, operation: CpuOperation): Outcome | undefined {
  const cpu = machine.cpu(operation.cpu);
  switch (operation.kind) {
    case "access":
      return cpu.access(operation.address, operation.access);
    case "begin":
      return machine.walks.begin(operation.walk, () => cpu.begin(operation.address, operation.access));
    case "probe":
      return cpu.probe(operation.address, operation.access);
    case "mov-cr3":
      cpu.movCr3(operation.root, operation.pcid, operation.noFlush);
      return undefined;
    case "controls":
      cpu.setControls(operation.controls);
      return undefined;
    default:
      invalidateOnCpu(cpu, operation);
      return undefined;
  }
}

function stepIommu(machine: Machine, operation: IommuOperation): Result {
  const iommu = machine.iommu(operation.iommu);
  switch (operation.kind) {
    case "request":
      return iommu.request(operation.pasid, operation.address, operation.access, operation.device);
    case "begin": {
      const { walk, pasid, address, access, device } = operation;
      return machine.walks.begin(walk, () => iommu.begin(pasid, address, access, device));
    }
    case "request-probe":
      return iommu.probe(operation.pasid, operation.address, operation.access);
    case "bind":
      iommu.bind({
        pasid: operation.pasid,
        root: operation.root,
        fields: operation.fields,
        domain: operation.domain,
      });
      return undefined;
    case "invalidate-pasid-cache":
      iommu.invalidatePasidCache(operation.pasid);
      return undefined;
    case "invalidate-pasid":
      iommu.invalidatePasid(operation.pasid);
      return undefined;
    case "invalidate-pages":
      iommu.invalidatePages(operation.pasid, operation.address, operation.am, operation.ih);
      return undefined;
    case "invalidate-all":
      iommu.invalidateAll();
      return undefined;
    case "invalidate-device-pasid":
      iommu.invalidateDevicePasid(operation.device, operation.pasid);
      return undefined;
    case "invalidate-device-pages":
      iommu.invalidateDevicePages(operation.device, operation.pasid, operation.address, operation.am);
      return undefined;
    case "submit":
      return submit(iommu, operation.words, operation.device) ? undefined : { kind: "refused" };
  }
}

/** Called after each operation, with its place, its outcome (if it has one) and the machine as it is then. */
export type AfterEach = (index: number, operation: Operation, outcome: Result, machine: Machine) => void;

/** Play a program on a new machine of the model; returns the machine as the program leaves it. */
export function playOnModel(config: MachineConfig, operations: readonly Operation[], onAfterEach?: AfterEach): Machine {
  const machine = new Machine(config);
  for (const [index, operation] of operations.entries()) {
    const outcome = step(machine, operation);
    onAfterEach?.(index, operation, outcome, machine);
  }
  return machine;
}
