// Packs the model's operations into the engine's programs: what `play` runs in one call is what the calls of the API do
// one by one.

import { packBinding } from "../../src/hardware/pasid-entry.js";
import { type Access, everyCpu, type Machine, Operation, operationBytes, ProgramBuilder } from "../../src/index.js";
import { controlBits } from "../../src/paging/access.js";
import type { Shootdown } from "../model/machine.js";
import type { CpuOperation, IommuOperation, Operation as ModelOperation } from "../model/operations.js";

const physical = (frame: number, index = 0): bigint => (BigInt(frame) << 12n) + BigInt(index * 8);

/** PGTT = 1, and FSPM as the machine's tables have it. */
const usualFields = (machine: Machine): number => 1 | (machine.levels === 5 ? 8 : 0);

/** One packed record, for operations that the builder has no method for. */
export function record(
  operation: number,
  type: number,
  requester: number,
  argument: number,
  address: bigint,
): Uint8Array {
  const bytes = new Uint8Array(operationBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, operation);
  view.setUint8(1, type);
  view.setUint16(2, requester, true);
  view.setUint32(4, argument, true);
  view.setBigUint64(8, BigInt.asUintN(64, address), true);
  return bytes;
}

const built = (build: (program: ProgramBuilder) => void): Uint8Array => {
  const program = new ProgramBuilder();
  build(program);
  return program.build();
};

function packShootdown(requester: number, operation: Shootdown): Uint8Array {
  switch (operation.kind) {
    case "invlpg":
      return built((it) => it.invlpg(requester, operation.address));
    case "invpcid":
      return built((it) => it.invpcid(requester, operation.type, operation.pcid, operation.address));
    case "flush-range": {
      const first = operation.start & ~0xfffn;
      const pages = operation.end > first ? Number((operation.end - first + 0xfffn) >> 12n) : 0;
      return built((it) => it.invlpgRange(requester, first, pages));
    }
    case "range-or-all":
      return built((it) => it.invlpgRangeOrAll(requester, operation.start, operation.pages));
  }
}

function packCpu(machine: Machine, operation: CpuOperation): Uint8Array[] {
  const { requester } = machine.cpus[operation.cpu]!;
  switch (operation.kind) {
    case "access":
      return [built((it) => it.access(requester, operation.address, operation.access as Access))];
    case "begin":
      return [built((it) => it.beginWalk(operation.walk, requester, operation.address, operation.access as Access))];
    case "probe":
      return [];
    case "mov-cr3":
      return [built((it) => it.movToCr3(requester, physical(operation.root), operation.pcid, operation.noFlush))];
    case "controls": {
      const { controls } = operation;
      return [record(Operation.controls, 0, requester, controlBits(controls), BigInt(controls.pkru))];
    }
    default:
      return [packShootdown(requester, operation)];
  }
}

function packIommu(machine: Machine, operation: IommuOperation): Uint8Array[] {
  const iommu = machine.iommus[operation.iommu]!;
  switch (operation.kind) {
    case "request": {
      const requester = iommu.requester(operation.pasid, operation.device);
      return [built((it) => it.access(requester, operation.address, operation.access as Access))];
    }
    case "begin": {
      const { walk, address, access } = operation;
      const requester = iommu.requester(operation.pasid, operation.device);
      return [built((it) => it.beginWalk(walk, requester, address, access as Access))];
    }
    case "request-probe":
      return [];
    case "bind": {
      const requester = iommu.requester(operation.pasid);
      const binding = { root: physical(operation.root), domain: operation.domain, ...operation.fields };
      const { root, present, fields, domain } = packBinding(binding, usualFields(machine));
      return [record(Operation.bind, present ? 1 : 0, requester, ((domain << 16) | fields) >>> 0, root)];
    }
    case "invalidate-pasid-cache": {
      if (operation.pasid === undefined) throw new Error("no operation of programs is of all PASIDs");
      return [record(Operation.invalidatePasidCache, 0, iommu.requester(operation.pasid), 0, 0n)];
    }
    case "invalidate-pasid":
      return [built((it) => it.invalidatePasid(iommu.requester(operation.pasid)))];
    case "invalidate-pages": {
      const { pasid, address, am, ih } = operation;
      return [built((it) => it.invalidatePages(iommu.requester(pasid), address, am, ih))];
    }
    case "invalidate-all":
      return [built((it) => it.invalidateIommu(iommu.requester(iommu.pasids[0]!)))];
    case "submit":
      throw new Error("a descriptor is no operation of a program");
    default: {
      const { device, pasid } = operation;
      if (!iommu.devices[device]!.tlb) return [];
      const requester = iommu.requester(pasid, device);
      if (operation.kind === "invalidate-device-pasid") {
        return [record(Operation.invalidateDeviceTlb, 0, requester, 0, 0n)];
      }
      return [record(Operation.invalidateDeviceTlbPages, 0, requester, operation.am, operation.address)];
    }
  }
}

/** The records of one operation; none for a probe, and for what the machine does not have. */
export function pack(machine: Machine, operation: ModelOperation): Uint8Array[] {
  if ("cpu" in operation) return packCpu(machine, operation);
  if ("iommu" in operation) return packIommu(machine, operation);
  if (operation.kind === "step") return [built((it) => it.stepWalk(operation.walk))];
  if (operation.kind === "finish") return [built((it) => it.finishWalk(operation.walk))];
  if (operation.kind === "write-entry") {
    const { frame, index, entry } = operation;
    return [built((it) => it.writeEntry(physical(frame, index), entry))];
  }
  if (operation.kind === "delete-frame" || operation.kind === "add-frame") {
    throw new Error("frames come and go by calls, not by operations of a program");
  }
  if (operation.mask === 2 ** machine.cpus.length - 1) return [packShootdown(everyCpu, operation.operation)];
  return machine.cpus.flatMap(({ requester }, cpu) =>
    (operation.mask >>> cpu) & 1 ? [packShootdown(requester, operation.operation)] : [],
  );
}

/** Records one after the other. */
export function joinRecords(records: readonly Uint8Array[]): Uint8Array {
  const program = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of records) {
    program.set(bytes, at);
    at += bytes.length;
  }
  return program;
}
