// Kinds of access and the controls that decide about them (docs/rules.md section 2).

import { boolean, integer, object, optional, parse } from "../base/schema.js";
import { accesses, controlBit } from "../engine/abi.js";

/**
 * What an access is: a type (read, write, fetch) made with user or supervisor privilege. *Implicit* accesses are made
 * by the processor itself (descriptor tables): EFLAGS.AC does not lift SMAP for them (SDM 4.6.1). *Speculative* walks
 * raise no fault and drop nothing.
 */
export const Access = accesses;

/** One of {@link Access}. */
export type Access = (typeof Access)[keyof typeof Access];

/** Name of an access, as in {@link Access}. */
export type AccessName = keyof typeof Access;

/** Control bits and registers that a context translates with. */
export interface Controls {
  /** CR0.WP: supervisor writes respect R/W. */
  wp: boolean;
  /** CR4.SMEP */
  smep: boolean;
  /** CR4.SMAP */
  smap: boolean;
  /** CR4.PKE: protection keys for user pages. */
  pke: boolean;
  /** CR4.PGE: global pages. */
  pge: boolean;
  /** CR4.PCIDE */
  pcide: boolean;
  /** EFER.NXE: without it XD is a reserved bit. */
  nxe: boolean;
  /** EFLAGS.AC: lifts SMAP for explicit accesses. */
  ac: boolean;
  /** PKRU, 32 bits: AD and WD of 16 keys. */
  pkru: number;
}

/** Linux on a current processor, in user mode: everything on but AC, PKRU as the kernel sets it (key 0 only). */
export const linuxControls: Readonly<Controls> = {
  wp: true,
  smep: true,
  smap: true,
  pke: true,
  pge: true,
  pcide: true,
  nxe: true,
  ac: false,
  pkru: 0x5555_5554,
};

/** Some of the controls. @internal */
export const controlsSchema = object(
  {
    ...(Object.fromEntries(Object.keys(controlBit).map((name) => [name, optional(boolean())])) as Record<
      keyof typeof controlBit,
      ReturnType<typeof optional<ReturnType<typeof boolean>>>
    >),
    pkru: optional(integer(0, 0xffff_ffff, "an integer from 0 to 0xffffffff")),
  },
  "an object of controls",
);

/** Bits of the controls for the engine. @internal */
export function controlBits(controls: Controls): number {
  let bits = 0;
  for (const [name, bit] of Object.entries(controlBit)) if (controls[name as keyof typeof controlBit]) bits |= bit;
  return bits;
}

/**
 * Fills in the controls that are not given.
 * @throws InvalidOptionError for an unknown name or a value of the wrong type
 */
export function completeControls(given: Partial<Controls> | undefined, base: Controls, where = "controls"): Controls {
  const change = Object.entries(parse(controlsSchema, given ?? {}, where)).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(change) };
}
