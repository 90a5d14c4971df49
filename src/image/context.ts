// Where and how an image is walked: which CPU, which root, how many levels, which controls (SDM 2.5, 4.1).

import { checkFields, type FieldsOf } from "../base/known-fields.js";
import { hex } from "../base/notation.js";
import type { Controls } from "../paging/access.js";
import type { CoreImage } from "./core.js";
import { ImageError } from "./error.js";
import type { CoreCpu } from "./notes.js";
import { findTables, type TableGraph, type WalkRules } from "./tables.js";

const CR0_WP = 16n;
const CR0_PG = 31n;
const CR4_PAE = 5n;
const CR4_PGE = 7n;
const CR4_LA57 = 12n;
const CR4_PCIDE = 17n;
const CR4_SMEP = 20n;
const CR4_SMAP = 21n;
const CR4_PKE = 22n;
const RFLAGS_AC = 18n;
const EFER_NXE = 11n;
const ROOT_MASK = 0xffffffffff000n;

/** Options of {@link imageContext} and {@link loadImage}. */
export interface LoadOptions {
  /** CPU whose registers count. Default: the first one whose root table the core holds. */
  cpu?: number;
  /** Physical address of the root table, in bytes, in place of the CPU's CR3. */
  root?: bigint;
  /** Paging levels in place of what the CPU's CR4.LA57 says. Needed if the core has no QEMU notes. */
  levels?: 4 | 5;
  /** EFER of the CPU, which the notes do not hold. Default: NXE on, as in every 64-bit Linux. */
  efer?: bigint;
  /** Width of physical addresses in bits, 32..52. Default: 52, so that no frame is refused. */
  maxPhyAddr?: number;
  /** True if the CPU has 1 GiB pages. Default: true. */
  pages1G?: boolean;
  /** Controls in place of those read from CR0, CR4, EFER and RFLAGS. PKRU is in no note; its default is 0. */
  controls?: Partial<Controls>;
}

const LOAD_FIELDS: FieldsOf<LoadOptions> = {
  ...{ cpu: true, root: true, levels: true, efer: true, maxPhyAddr: true, pages1G: true, controls: true },
};

/** Where and how an image is walked. */
export interface ImageContext {
  /** The CPU whose registers were used; undefined if the core has none. */
  cpu: CoreCpu | undefined;
  /** Physical address of the root table, in bytes. */
  root: bigint;
  /** What decides whether an entry is valid. */
  rules: WalkRules;
  /** Control bits that the rights depend on. */
  controls: Controls;
}

/**
 * Decides where and how to walk an image.
 *
 * @throws ImageError if there is no such CPU, the CPU does not use 4- or 5-level paging, or no root is in the core
 */
export function imageContext(image: CoreImage, options: LoadOptions = {}): ImageContext {
  checkFields(options, LOAD_FIELDS);
  const cpu = chooseCpu(image, options);
  const root = (options.root ?? cpu?.cr3 ?? 0n) & ROOT_MASK;
  const levels = options.levels ?? (cpu && bit(cpu.cr4, CR4_LA57) ? 5 : 4);
  const cr0 = cpu?.cr0 ?? (1n << CR0_WP) | (1n << CR0_PG);
  const cr4 = cpu?.cr4 ?? 1n << CR4_PAE;
  if (!bit(cr0, CR0_PG) || !bit(cr4, CR4_PAE)) {
    const state = `CR0 ${hex(cr0)}, CR4 ${hex(cr4)}`;
    throw new ImageError(
      image.file,
      `CPU ${cpu?.index}: ${state}: expected CR0.PG and CR4.PAE set (4- or 5-level paging)`,
    );
  }
  const controls: Controls = {
    wp: bit(cr0, CR0_WP),
    smep: bit(cr4, CR4_SMEP),
    smap: bit(cr4, CR4_SMAP),
    pke: bit(cr4, CR4_PKE),
    pge: bit(cr4, CR4_PGE),
    pcide: bit(cr4, CR4_PCIDE),
    nxe: options.efer === undefined || bit(options.efer, EFER_NXE),
    ac: bit(cpu?.registers["rflags"] ?? 0n, RFLAGS_AC),
    pkru: 0,
    ...options.controls,
  };
  const rules: WalkRules = {
    levels,
    maxPhyAddr: options.maxPhyAddr ?? 52,
    pages1G: options.pages1G ?? true,
    nxe: controls.nxe,
  };
  return { cpu, root, rules, controls };
}

/**
 * The tables an image holds for a context, without a walker.
 *
 * @throws ImageError if the core does not hold the root table
 */
export function imageTables(image: CoreImage, context: ImageContext): TableGraph {
  const graph = findTables(image, Number(context.root >> 12n), context.rules);
  if (graph) return graph;
  const whose = context.cpu ? ` (CR3 of CPU ${context.cpu.index}: ${hex(context.cpu.cr3)})` : "";
  throw new ImageError(image.file, `the core does not hold the root table at ${hex(context.root)}${whose}`);
}

function chooseCpu(image: CoreImage, options: LoadOptions): CoreCpu | undefined {
  const { cpus, file } = image;
  if (options.cpu !== undefined) {
    const cpu = cpus[options.cpu];
    if (!cpu) throw new ImageError(file, `no CPU ${options.cpu}: the core has ${cpus.length} QEMU CPU note(s)`);
    return cpu;
  }
  if (cpus.length === 0) {
    if (options.root !== undefined && options.levels !== undefined) return undefined;
    throw new ImageError(file, "the core has no QEMU CPU note: give the root table and the number of levels");
  }
  if (options.root !== undefined) return cpus[0];
  const found = cpus.find((cpu) => image.has(Number((cpu.cr3 & ROOT_MASK) >> 12n)));
  if (found) return found;
  const roots = cpus.map((cpu) => hex(cpu.cr3)).join(", ");
  throw new ImageError(file, `the core holds none of the CPUs' root tables (CR3: ${roots})`);
}

function bit(value: bigint, position: bigint): boolean {
  return ((value >> position) & 1n) === 1n;
}
