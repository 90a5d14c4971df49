// Where recorded requests are played: an IOMMU with VT-d's dialect over a machine's frames. Machines are kept from line to line,
// since making one costs more than many requests; their frame stores only fill up, so a full one is replaced.

import type { EngineOptions } from "../../engine/instance.js";
import type { IommuConfig } from "../../hardware/iommu-config.js";
import type { Machine } from "../../machine.js";
import { createMachine } from "../../make-machine.js";

/** PASID of the requests. */
export const PASID = 0;
/** Frames of a machine, 4 KiB each. */
const TABLES = 1024;

/** Machines by physical width and page sizes. */
export class VtdStage {
  readonly #machines = new Map<string, Machine>();

  constructor(
    private readonly engine: EngineOptions,
    private readonly iommu: IommuConfig,
  ) {}

  /** A machine with room for some more frames, all entries 0 and all caches empty. */
  async machineFor(maxPhyAddr: number, pages1G: boolean, frames: number): Promise<Machine> {
    const mode = `${maxPhyAddr} ${pages1G}`;
    const known = this.#machines.get(mode);
    if (known && known.frames.size + frames <= known.frames.capacity) return known;
    const machine = await createMachine({
      ...this.engine,
      ...{ maxPhyAddr, pages1G, tables: TABLES, workloadPages: 1 },
      iommus: [{ ...this.iommu, pasids: [PASID] }],
    });
    this.#machines.set(mode, machine);
    return machine;
  }
}

/** The view of a table, which is there afterwards. */
export function tableView(machine: Machine, frame: number): BigUint64Array {
  if (!machine.frames.has(frame)) machine.frames.setTable(frame);
  return machine.frames.view(frame) as BigUint64Array;
}
