// PASID-table entries as a driver writes them (VT-d 9.6; docs/rules.md section 7).

import { InvalidOptionError } from "../base/errors.js";
import { address, boolean, integer, object, optional, parse } from "../base/schema.js";
import { defaultDomain, pasidField } from "../engine/abi.js";

/**
 * What a PASID-table entry holds. The fields behind `root` are VT-d's and bear its names; what is not given is as a driver
 * sets it for shared virtual addressing. The hardware modelled has first-stage translation only, no supervisor requests
 * (ECAP.SRS = 0) and no Extended-Accessed flags (ECAP.EAFS = 0). Without NXE: since VT-d 4.1 there are no execute requests,
 * and bits 63:52 of entries are ignored.
 */
export interface Binding {
  /** Physical address of the root table (FSPTPTR). One that is no address of this machine's memory is fault 0x5A. */
  root: bigint;
  /**
   * Domain id, 16 bits: invalidations of another domain do not reach what is cached under this one. Default 1, as drivers
   * have it for SVA (FLPT_DEFAULT_DID).
   */
  domain?: number;
  /** Present. Default true; without it fault 0x59. */
  p?: boolean;
  /** Translation type, 0 to 7. Default 1, first stage; any other is fault 0x5B. */
  pgtt?: number;
  /** Paging mode of the first stage, 0 to 3: 0 = 4 levels, 1 = 5. Default the machine's; another is fault 0x5B. */
  fspm?: number;
  /** Fault processing disabled: faults are not recorded. Default false. */
  fpd?: boolean;
  /** Supervisor requests enabled. Default false; set, it is a reserved field: fault 0x5A. */
  sre?: boolean;
  /** Extended-Accessed flags enabled. Default false; set, it is a reserved field: fault 0x5A. */
  eafe?: boolean;
  /** Write protection of supervisor requests: without effect. Default false. */
  wpe?: boolean;
  /** Width of second-stage addresses, 0 to 7: without effect. Default 0. */
  aw?: number;
}

const schema = object(
  {
    root: address(),
    domain: optional(integer(0, 0xffff)),
    p: optional(boolean()),
    pgtt: optional(integer(0, 7)),
    fspm: optional(integer(0, 3)),
    fpd: optional(boolean()),
    sre: optional(boolean()),
    eafe: optional(boolean()),
    wpe: optional(boolean()),
    aw: optional(integer(0, 7)),
  },
  "a binding: { root, … }",
);

/** A binding as the engine takes it. */
interface PackedBinding {
  root: bigint;
  present: boolean;
  fields: number;
  domain: number;
}

/** A field of several bits, in place. */
function placed(value: number, mask: number): number {
  return value * (mask & -mask);
}

/**
 * Root, presence, fields and domain of a binding. @internal
 * @param usual the fields as a driver sets them for this machine's tables
 */
export function packBinding(binding: Binding, usual: number): PackedBinding {
  const { root, domain = defaultDomain, p = true, pgtt, fspm, aw = 0, ...flags } = parse(schema, binding, "binding");
  const mode = (usual & pasidField.fspm) / placed(1, pasidField.fspm);
  if (mode !== 0 && fspm === 0) {
    throw new InvalidOptionError(
      "binding.fspm",
      fspm,
      "1, or what hardware refuses: this machine's tables have 5 levels",
    );
  }
  let fields = placed(pgtt ?? usual & pasidField.pgtt, pasidField.pgtt) | placed(fspm ?? mode, pasidField.fspm);
  fields |= placed(aw, pasidField.aw);
  for (const name of ["fpd", "sre", "eafe", "wpe"] as const) if (flags[name]) fields |= pasidField[name];
  return { root, present: p, fields, domain };
}
