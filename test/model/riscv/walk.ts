// The translation process of the privileged specification ("Virtual Address Translation Process", steps 1 to 10, with what
// Sv39/48/57, Svpbmt, Svnapot, Svade and Svadu change), step by step. One access, one result; caches are the hart's business.

import type { Memory } from "../memory.js";
import { A_BIT, bits, D_BIT, decode, PAGE_BITS, type Pte, pageShift, VPN_BITS, vpn } from "./pte.js";

/** What the registers say. */
export interface Controls {
  sum: boolean;
  mxr: boolean;
  adue: boolean;
  pbmte: boolean;
  svnapot: boolean;
}

/** An access by its type and effective privilege. */
export interface Access {
  type: "read" | "write" | "fetch";
  user: boolean;
}

/** How a translation ends; causes as `scause` has them. */
export type Outcome =
  | { kind: "ok"; physicalAddress: bigint; pageSize: number }
  | { kind: "page-fault"; cause: number }
  | { kind: "access-fault"; cause: number };

/** What a translation starts from: the root, or a pointer that is known already. */
export interface Start {
  /** The specification's `i`. */
  i: number;
  /** Frame number of the table. */
  table: number;
  /** Whether a pointer on the way was global. */
  global: boolean;
}

/** A leaf in hand: a copy of the entry, as an implicit read of it gives it. */
export interface Leaf {
  i: number;
  /** With the frame number of the 4 KiB in question, if the entry is NAPOT. */
  pte: Pte;
  /** Whether the mapping is global, by the leaf or a pointer above. */
  global: boolean;
}

/** A walk, and what it found. */
export interface Walk {
  outcome: Outcome;
  /** The pointers followed, from the top down: each leads to a table of level `i - 1`. */
  pointers: { i: number; table: number; global: boolean }[];
  /** The leaf that gave the address, A and D as they are after the access. */
  leaf: Leaf | undefined;
}

/** Whether an address is one: the bits above those translated repeat the highest. */
export function isCanonical(va: bigint, levels: number): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(pageShift(levels), va)) === va;
}

export function pageFault({ type }: Access): Outcome {
  return { kind: "page-fault", cause: { fetch: 12, read: 13, write: 15 }[type] };
}

/** Steps 2 to 10. Writes A and D to memory if that is the hardware's to do. */
export function walk(memory: Memory, start: Start, va: bigint, access: Access, controls: Controls): Walk {
  const pointers: Walk["pointers"] = [];
  const end = (outcome: Outcome): Walk => ({ outcome, pointers, leaf: undefined });
  let { i, table, global } = start;
  for (;;) {
    // Step 2.
    const entry = memory.readEntry(table, vpn(va, i));
    if (entry === undefined) return end({ kind: "access-fault", cause: { fetch: 1, read: 5, write: 7 }[access.type] });
    const pte = decode(entry);
    // Step 3.
    if (!pte.v || (!pte.r && pte.w) || isReserved(pte, i, controls)) return end(pageFault(access));
    global ||= pte.g;
    // Step 4.
    if (pte.r || pte.x) {
      const found = { i, pte: napotRead(pte, va), global };
      // Step 5.
      if (i > 0 && bits(pte.ppn, 9 * i - 1, 0) !== 0n) return end(pageFault(access));
      const verdict = judge(found, access, controls);
      if (verdict === "fault") return end(pageFault(access));
      const marks = A_BIT | (access.type === "write" ? D_BIT : 0n);
      if (verdict === "marks-wanted") memory.writeEntry(table, vpn(va, i), entry | marks);
      found.pte = { ...found.pte, a: true, d: found.pte.d || access.type === "write" };
      return { outcome: translated(found, va), pointers, leaf: found };
    }
    if (i === 0) return end(pageFault(access));
    table = Number(pte.ppn);
    pointers.push({ i, table, global });
    i -= 1;
  }
}

/** Bits or encodings that are reserved. */
function isReserved(pte: Pte, i: number, controls: Controls): boolean {
  if (pte.reserved !== 0n) return true;
  const leaf = pte.r || pte.x;
  if (!leaf) return pte.n || pte.pbmt !== 0n || pte.d || pte.a || pte.u;
  if (pte.pbmt === 3n || (pte.pbmt !== 0n && !controls.pbmte)) return true;
  return pte.n && !(controls.svnapot && i === 0 && bits(pte.ppn, 3, 0) === 0b1000n);
}

/** Implicit reads of a NAPOT entry return the low bits of the page number in place of the size. */
function napotRead(pte: Pte, va: bigint): Pte {
  if (!pte.n) return pte;
  return { ...pte, ppn: (pte.ppn & ~0xfn) | BigInt(vpn(va, 0) & 0xf) };
}

/** Steps 6 to 9: whether a leaf allows an access, refuses it, or would allow it once the hardware has set A or D. */
export function judge({ pte }: Leaf, access: Access, controls: Controls): "allowed" | "fault" | "marks-wanted" {
  const { type, user } = access;
  if (user ? !pte.u : pte.u && (type === "fetch" || !controls.sum)) return "fault";
  const readable = pte.r || (controls.mxr && pte.x);
  if (!{ read: readable, write: pte.w, fetch: pte.x }[type]) return "fault";
  if (pte.a && (pte.d || type !== "write")) return "allowed";
  return controls.adue ? "marks-wanted" : "fault";
}

/** Step 10. */
export function translated({ i, pte }: Leaf, va: bigint): Outcome {
  const low = PAGE_BITS + VPN_BITS * BigInt(i);
  const physicalAddress = (((pte.ppn << PAGE_BITS) >> low) << low) | bits(va, Number(low) - 1, 0);
  return { kind: "ok", physicalAddress, pageSize: pte.n ? 65536 : 2 ** Number(low) };
}
