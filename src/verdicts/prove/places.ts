// What of the memory that a snapshot holds is part of a state's form, and how. The rule is: all of it, word by word as it stands. Places
// listed here are the exceptions, each with the reason: told in another way, or nothing that could decide what comes after. What the engine
// gets new is kept, so that a place that is forgotten here makes too many states, never a false proof (docs/decisions/15-proofs-by-states.md).

import {
  agentPageRequests,
  agentSize,
  cacheShapeAt,
  cacheStateAt,
  contextCached,
  contextFormat,
  groupAt,
  hazardKinds,
  hazardRecordSize,
  maxWalks,
  metaFreedAt,
  metaSize,
  sites,
  standingGeneration,
  tagShift,
  walkStateAt,
} from "../../engine/abi.js";
import type { Pointer } from "../../engine/exports.js";
import type { Part } from "../../engine/state.js";
import type { Cache } from "../../hardware/cache.js";
import type { Machine, Snapshot } from "../../machine.js";

/** A part of memory that is not kept word by word. */
export interface Place {
  from: Pointer;
  to: Pointer;
  what: string;
  /** In which way the form tells it, or why it may be left out. */
  why: string;
}

const TALLIED = [
  ["points of the program", "where a program stands is told by its operation and points"],
  ["clock", "the number of the operation and the time are told by records and counters only"],
  ["numbers of hazards", "records of what has happened"],
  ["counters of the kernel", "they count"],
  ["counters of queues", "they count"],
  ["batch of descriptors", "decides which descriptor is counted with a wait; every round begins anew"],
  ["path of an exit", "written on the way down before it is read"],
] as const;

/** The exceptions of a machine, by address. */
export function placesOf(machine: Machine, hazardRecords: number): Place[] {
  const { exports } = machine.engine;
  const view = new DataView(exports.memory.buffer);
  const word = (at: Pointer): number => view.getUint32(at, true);
  const places: Place[] = [];
  const add = (from: Pointer, bytes: number, what: string, why: string): void => {
    places.push({ from, to: from + bytes, what, why });
  };

  let tallied = 0;
  for (let at = exports.TALLIES.value >>> 0; word(at) !== 0; at += 8) {
    const [what, why] = TALLIED[tallied++] ?? [];
    if (what === undefined) throw new Error("the engine lists more that decides nothing than has a reason here");
    add(word(at), word(at + 4), what, why as string);
  }
  if (tallied !== TALLIED.length) throw new Error("the engine lists less that decides nothing than is named here");

  add(
    exports.walkAt(0),
    maxWalks * walkStateAt.size,
    "walks under way",
    "told field by field, while they are under way",
  );

  for (const context of [
    ...machine.cpus.map((cpu) => cpu.context),
    ...machine.iommus.flatMap((it) => it.contexts.flat()),
  ]) {
    const rules = "follow from the controls and PKRU of the context, which are kept";
    add(context + contextFormat, contextCached - contextFormat, "rules of a context", rules);
  }

  const agents = [...machine.cpus, ...machine.iommus];
  const deviceTlbs = machine.iommus.flatMap(({ devices }) => devices.flatMap(({ tlb }) => tlb ?? []));
  const groups = new Set([
    ...agents.flatMap(({ pointer }) => [exports.leavesOf(pointer), exports.pathsOf(pointer)]),
    ...deviceTlbs.map(({ pointer }) => word(pointer + cacheStateAt.group)),
  ]);
  for (const { pointer } of agents) {
    add(pointer + agentPageRequests, agentSize - agentPageRequests, "counters of an agent", "they count");
  }
  for (const group of groups) {
    add(group + groupAt.clock, groupAt.tags - groupAt.clock, "times of a group", "told by which entries are alive");
    add(
      group + groupAt.regions,
      groupAt.size - groupAt.regions,
      "regions seen in a group",
      "says which look-ups would find nothing",
    );
    const tags = word(group + groupAt.tags);
    add(tags, word(group + groupAt.tagCount) << tagShift, "times of tags", "told by which entries are alive");
  }
  for (const { pointer } of [...agents.flatMap(({ caches }) => caches), ...deviceTlbs]) {
    const at = (field: number): Pointer => pointer + field;
    add(at(cacheStateAt.occupied), 8, "occupied sets", "says which sets hold nothing");
    add(at(cacheStateAt.refills), cacheStateAt.size - cacheStateAt.refills, "counters of a cache", "they count");
    const from = word(at(cacheShapeAt.base));
    add(from, word(at(cacheStateAt.end)) - from, "entries of a cache", "told entry by entry, those that are alive");
  }

  if (machine.kernel) {
    const ring = Math.min(...Array.from({ length: hazardRecords }, (_, i) => exports.hazardRecord(BigInt(i)) >>> 0));
    const why = "records of what has happened";
    const bytes = hazardRecords * hazardRecordSize;
    add(ring, bytes, "records of hazards", why);
    // The engine allocates the counts next, from a cache line on: one column for each site, and one for none.
    add(ring + bytes, hazardKinds.length * (sites.length + 1) * 8, "counts of hazards", why);
  }

  for (let slot = 1; slot <= machine.frames.size; slot++) {
    const standing = exports.standingOf(slot);
    add(standing + standingGeneration, 4, "generation of a frame", "told by whether what leads to it still means it");
    const meta = exports.metaOf(slot);
    add(
      meta + metaFreedAt,
      metaSize - metaFreedAt,
      "when a frame was freed, or held",
      "told by records and counters only",
    );
  }
  return places.sort((a, b) => a.from - b.from);
}

/** Every cache that may hold something: of agents, and of devices. */
export function cachesOf(machine: Machine): Cache[] {
  const tlbs = machine.iommus.flatMap(({ devices }) => devices.flatMap(({ tlb }) => tlb ?? []));
  return [...[...machine.cpus, ...machine.iommus].flatMap(({ caches }) => caches), ...tlbs];
}

/** Indices of the words of a snapshot that are kept as they stand: all that it holds but the places, and the contents of frames. */
export function keptWords({ image }: Snapshot, places: readonly Place[]): Int32Array {
  const kept: number[] = [];
  const [standings, metas] = image.frames as readonly Part[] as [Part, Part];
  const parts = [...image.small, ...image.sparse, standings, metas];
  const ranges = parts.map(({ at, bytes }) => [at, at + bytes.length] as const);
  let next = 0;
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    for (let at = from; at < to; at += 4) {
      while (next < places.length && (places[next] as Place).to <= at) next++;
      const place = places[next];
      if (!place || at < place.from) kept.push(at >> 2);
    }
  }
  return Int32Array.from(kept);
}
