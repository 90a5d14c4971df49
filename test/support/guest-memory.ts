// Machines of `stalewalk/memory` in the place of machines with RAM: the same frames, in memory that the test keeps, of two ranges that
// stand the other way round there.

import type { Machine, MachineConfig } from "../../src/index.js";
import { createMachineSync as createHosted, type GuestMemory, guestMemory } from "../../src/memory.js";
import { type Meddler, meddlerOf } from "../model/memory.js";

const PAGE = 4096;

/** What makes an engine's machine; the second is a seed for somebody else who writes to its memory (see `meddlerOf`). */
export type MakeMachine = (config: MachineConfig, meddler?: number) => Machine;

interface Hosted {
  source: Uint8Array<ArrayBuffer>;
  /** Where a frame stands in the source. */
  offsetOf: (frame: number) => number;
  /** Whether somebody meddles now. */
  meddling: boolean;
}

const hosted = new WeakMap<Machine, Hosted>();

/** The same memory, with somebody who comes first in every exchange. */
function meddled(guest: GuestMemory, host: Hosted, meddle: Meddler): GuestMemory {
  return {
    ...guest,
    compareExchange(address, expected, replacement) {
      const words = new BigUint64Array(host.source.buffer, host.offsetOf(Number(address >> 12n)), 512);
      const index = Number(address & 0xfffn) / 8;
      const changed = host.meddling ? meddle(words[index] as bigint) : undefined;
      if (changed !== undefined) words[index] = changed;
      return guest.compareExchange(address, expected, replacement);
    },
  };
}

/** Makes a machine whose RAM, which it must have, is kept here. */
export const makeHosted: MakeMachine = ({ ram, module: _, ...config }, meddler) => {
  const { base = 0n, bytes } = ram!;
  const first = Number(base >> 12n);
  const count = bytes / PAGE;
  const lower = Math.ceil(count / 2);
  const upper = count - lower;
  const source = new Uint8Array((count + 1) * PAGE);
  const ranges = [{ base, bytes: lower * PAGE, offset: (upper + 1) * PAGE }];
  if (upper > 0) ranges.push({ base: base + BigInt(lower * PAGE), bytes: upper * PAGE, offset: 0 });
  const offsetOf = (frame: number): number =>
    (frame < first + lower ? frame - first + upper + 1 : frame - first - lower) * PAGE;
  const host: Hosted = { source, offsetOf, meddling: false };
  const guest = guestMemory(source, ranges);
  const memory = meddler === undefined ? guest : meddled(guest, host, meddlerOf(meddler));
  const machine = createHosted({ ...config, memory });
  host.meddling = true;
  hosted.set(machine, host);
  return machine;
};

/** The entries of a frame of RAM where a machine's guest has them. */
export function ramEntries(machine: Machine, frame: number, first: number): BigUint64Array {
  const host = hosted.get(machine);
  if (host) return new BigUint64Array(host.source.buffer, host.offsetOf(frame), 512);
  const { buffer, byteOffset } = machine.ram!;
  return new BigUint64Array(buffer, byteOffset + (frame - first) * PAGE, 512);
}

/** Plays what is no part of a program, and takes it back, RAM included. */
export function takeBack(machine: Machine, detour: () => void): void {
  const host = hosted.get(machine);
  const before = machine.snapshot({ ram: !host });
  const copy = host?.source.slice();
  if (host) host.meddling = false;
  detour();
  machine.restore(before);
  if (!host || !copy) return;
  host.source.set(copy);
  host.meddling = true;
}
