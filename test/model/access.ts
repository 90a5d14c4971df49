// What an access is, what the controls are, and whether rights allow it (rules.md sections 2 and 3; SDM 4.6, 4.7).
// Rights are held as in an entry: R/W, U/S, XD at their places, and the leaf's protection key at bits 59..62.

import { EXECUTE_DISABLE, keyOf, USER, WRITABLE } from "./entry.js";

/** One memory access. `implicit` is already resolved: an implicit access has `user: false`. */
export interface Access {
  type: "read" | "write" | "fetch";
  user: boolean;
  implicit: boolean;
  speculative: boolean;
  /** A device's translation request without No-Write: where the page may be written, it counts as a write too. */
  orWrite?: boolean;
}

/** Bits of an access code above the type (0 read, 1 write, 2 fetch). */
export const ACCESS_USER = 4;
export const ACCESS_IMPLICIT = 8;
export const ACCESS_SPECULATIVE = 16;

const TYPES = ["read", "write", "fetch"] as const;

/**
 * The access that a code means. Implicit wins over user; a speculative write is a speculative read.
 * @throws RangeError if the code is not one of rules.md section 2
 */
export function decodeAccess(code: number): Access {
  const type = TYPES[code & 3];
  if (type === undefined || code < 0 || code > 31 || !Number.isInteger(code)) {
    throw new RangeError(`access code ${code}: expected type 0..2 in bits 0..1, marks in bits 2..4`);
  }
  const implicit = (code & ACCESS_IMPLICIT) !== 0;
  const speculative = (code & ACCESS_SPECULATIVE) !== 0;
  return {
    type: speculative && type === "write" ? "read" : type,
    user: (code & ACCESS_USER) !== 0 && !implicit,
    implicit,
    speculative,
  };
}

/** The controls of a context. */
export interface Controls {
  wp: boolean;
  smep: boolean;
  smap: boolean;
  pke: boolean;
  pge: boolean;
  pcide: boolean;
  nxe: boolean;
  ac: boolean;
  /** PKRU, 32 bits: AD of key k is bit 2k, WD bit 2k + 1. */
  pkru: number;
}

/** Why rights refuse an access. */
export type Refusal = "supervisor-page" | "smap" | "smep" | "write" | "fetch" | "key";

/** Whether the protection key of a page forbids an access. */
export function keyForbids(access: Access, rights: bigint, controls: Controls): boolean {
  if (!controls.pke || access.type === "fetch" || (rights & USER) === 0n) return false;
  const key = keyOf(rights);
  const accessDisabled = ((controls.pkru >>> (2 * key)) & 1) === 1;
  const writeDisabled = ((controls.pkru >>> (2 * key + 1)) & 1) === 1;
  if (accessDisabled) return true;
  return access.type === "write" && writeDisabled && (access.user || controls.wp);
}

/** The first reason for which the rights refuse the access, or undefined if they allow it. */
export function refusal(access: Access, rights: bigint, controls: Controls): Refusal | undefined {
  const userPage = (rights & USER) !== 0n;
  const writable = (rights & WRITABLE) !== 0n;
  const executeDisabled = (rights & EXECUTE_DISABLE) !== 0n && controls.nxe;

  if (access.user && !userPage) return "supervisor-page";
  if (!access.user && userPage) {
    if (access.type !== "fetch" && controls.smap && (access.implicit || !controls.ac)) return "smap";
    if (access.type === "fetch" && controls.smep) return "smep";
  }
  if (access.type === "write" && !writable && (access.user || controls.wp)) return "write";
  if (access.type === "fetch" && executeDisabled) return "fetch";
  if (keyForbids(access, rights, controls)) return "key";
  return undefined;
}

/** Bits of a page-fault error code (SDM 4.7). */
const ERROR = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16, key: 32 } as const;

/** W, U and I/D of the error code: what the access is, whatever faulted. */
export function accessError(access: Access, controls: Controls): number {
  let code = 0;
  if (access.type === "write") code |= ERROR.write;
  if (access.user) code |= ERROR.user;
  if (access.type === "fetch" && (controls.nxe || controls.smep)) code |= ERROR.fetch;
  return code;
}

/** Error code of a reserved-bit fault. */
export function reservedError(access: Access, controls: Controls): number {
  return accessError(access, controls) | ERROR.present | ERROR.reserved;
}

/** Error code of a protection fault on a page with these rights. */
export function protectionError(access: Access, rights: bigint, controls: Controls): number {
  const key = keyForbids(access, rights, controls) ? ERROR.key : 0;
  return accessError(access, controls) | ERROR.present | key;
}
