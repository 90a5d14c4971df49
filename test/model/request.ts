// What requests of devices are, and what becomes of translation requests that are refused (rules.md 7.1 and section 16; VT-d 7.1.3).

import { type Access, type Controls, decodeAccess } from "./access.js";
import type { FaultReason, Outcome } from "./walk.js";

/** The controls of a request: user-privileged, never a fetch, and XD is ignored: with NXE it is no reserved bit. */
export const REQUEST_CONTROLS: Controls = {
  ...{ wp: true, smep: false, smap: false, pke: false, pge: false, pcide: false, nxe: true, ac: false, pkru: 0 },
};

/** What a translation request is not answered for, but aborted (VT-d 7.1.3, table 30: CA). */
const ABORTED: readonly FaultReason[] = ["pasid-reserved", "pasid-invalid", "interrupt-range"];

/** Whether software could map the page so that the access is allowed: what page requests are for. */
export function canBeMended(outcome: Outcome): boolean {
  return outcome.kind === "fault" && ["not-present", "supervisor-page", "write"].includes(outcome.reason);
}

/** Whether a translation request that ends so is answered all the same, without the rights. */
function isAnsweredWithout(outcome: Outcome): boolean {
  if (outcome.kind === "non-canonical") return true;
  return outcome.kind === "fault" && !ABORTED.includes(outcome.reason);
}

/** Requests are user-privileged, never implicit; a prefetch (speculative) stays one, and a fetch is a read. */
export function requestAccess(accessCode: number): Access {
  const access = decodeAccess(accessCode);
  return { ...access, type: access.type === "fetch" ? "read" : access.type, user: true, implicit: false };
}

/** What a refused translation request is to the device: the error code is its access's, and what is answered is not recorded. */
export function asRefused(outcome: Outcome & { kind: "non-canonical" | "fault" }, access: Access): Outcome {
  if (outcome.kind === "non-canonical") return { ...outcome, recorded: false };
  const byWalk = outcome.level > 0 && outcome.reason !== "interrupt-range";
  const errorCode = byWalk && access.type === "write" ? outcome.errorCode | 2 : outcome.errorCode;
  return { ...outcome, errorCode, recorded: outcome.recorded === true && !isAnsweredWithout(outcome) };
}
