// Options shared by the commands that read a page-table image, and the opening of one. Node-only.
import { type Command, InvalidArgumentError } from "commander";
import { imageContext } from "../image/context.js";
import type { CoreImage } from "../image/core.js";
import { type LoadOptions, parseInfoRegisters } from "../image/index.js";
import { type Companions, findCompanions, MAX_RECORD_BYTES, openCoreFile, readText } from "../image/node.js";
import { print } from "./output.js";

/** Values of the shared options as commander delivers them. */
export interface ImageFlags {
  cpu?: number;
  root?: bigint;
  levels?: 4 | 5;
  efer?: bigint;
  maxPhyAddr?: number;
  gib: boolean;
  maxInflated?: number;
}

/** Adds the shared options to a command. */
export function addImageOptions(command: Command): Command {
  return command
    .option("--cpu <number>", "CPU whose registers count (default: the first whose root the core holds)", parseCount)
    .option("--root <address>", "physical address of the root table, in place of CR3", parseAddress)
    .option("--levels <4|5>", "paging levels, in place of CR4.LA57", parseLevels)
    .option("--efer <value>", "EFER (default: from NAME.info-registers.txt beside the core, else NXE on)", parseAddress)
    .option("--max-phy-addr <bits>", "width of physical addresses, 32 to 52 (default: 52)", parseWidth)
    .option("--no-gib", "the CPU has no 1 GiB pages")
    .option("--max-inflated <bytes>", "largest inflated size of a .gz core (default: 4 GiB)", parseCount);
}

/** An opened image and how to walk it. */
export interface OpenedImage {
  image: CoreImage;
  load: LoadOptions;
  /** How to walk it with the registers of another CPU. */
  loadFor(cpu: number): Promise<LoadOptions>;
  companions: Companions;
  close(): void;
}

/** Opens a core file; EFER comes from the option or from the registers listing beside the core. */
export async function openImage(path: string, flags: ImageFlags): Promise<OpenedImage> {
  const { image, close } = await openCoreFile(path, { ...(flags.maxInflated && { maxBytes: flags.maxInflated }) });
  try {
    const companions = findCompanions(path);
    const load: LoadOptions = {
      pages1G: flags.gib,
      ...(flags.cpu !== undefined && { cpu: flags.cpu }),
      ...(flags.root !== undefined && { root: flags.root }),
      ...(flags.levels !== undefined && { levels: flags.levels }),
      ...(flags.maxPhyAddr !== undefined && { maxPhyAddr: flags.maxPhyAddr }),
    };
    const withEfer = async (options: LoadOptions) => {
      const efer = flags.efer ?? (await listedEfer(image, options, companions));
      return efer === undefined ? options : { ...options, efer };
    };
    return {
      image,
      load: await withEfer(load),
      loadFor: (cpu) => withEfer({ ...load, cpu }),
      companions,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function listedEfer(image: CoreImage, load: LoadOptions, companions: Companions): Promise<bigint | undefined> {
  if (companions.registers === undefined) return undefined;
  const { cpu } = imageContext(image, load);
  const small = { maxBytes: MAX_RECORD_BYTES };
  const listed = parseInfoRegisters(await readText(companions.registers, small), companions.registers);
  return listed.find((one) => one.cpu === cpu?.index)?.efer;
}

/** Prints what was odd about an image, if anything was. */
export function printWarnings(image: CoreImage, indent = ""): void {
  for (const warning of image.warnings) print(`${indent}warning: ${warning}`);
}

/** Parses a 64-bit number in hexadecimal, with or without `0x`; `_` may separate digits. */
export function parseAddress(text: string): bigint {
  const digits = text.replace(/^0x/i, "").replaceAll("_", "");
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) throw new InvalidArgumentError("Expected a hexadecimal number of 64 bits.");
  return BigInt(`0x${digits}`);
}

/** Parses a decimal number from 0 to 2^53 - 1. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Expected a whole number.");
  return value;
}

function parseLevels(text: string): 4 | 5 {
  if (text !== "4" && text !== "5") throw new InvalidArgumentError("Expected 4 or 5.");
  return text === "4" ? 4 : 5;
}

function parseWidth(text: string): number {
  const value = parseCount(text);
  if (value < 32 || value > 52) throw new InvalidArgumentError("Expected 32 to 52.");
  return value;
}
