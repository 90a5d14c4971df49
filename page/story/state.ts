// What stands at each step of a story, read from the live engine: frames, the path of the address in memory, what the caches hold, the
// lists. No drawing here: tests read the same.

import type { CacheEntry, EngineOptions, FrameState, Machine, WalkStep, WalkUnderWay } from "../../src/index.js";
import { Access } from "../../src/index.js";
import { isLeaf } from "../../src/paging/levels.js";
import { machineAt, type StoryPlace, type Told } from "../../src/verdicts/index.js";
import { frameOf } from "../walk/path.js";

/** A frame of the kernel's pool. */
export interface FrameCard {
  frame: number;
  state: FrameState;
  level: number;
  generation: number;
  /** Freed by the site, and waiting for the deferred work. */
  held: boolean;
  /** Place in the list of free frames: 1 is handed out next. */
  next: number | undefined;
  /** Number of the step that freed it last. */
  freedAt: number | undefined;
  /** The first word in it. */
  word: bigint;
  /** Not as it was a step before. */
  changed: boolean;
}

/** An entry that a cache holds. */
export interface CachedPointer {
  /** Which cache, and which of its entries. */
  cache: string;
  key: string;
  /** Level of the entry: it names a table of the level below, or, as a leaf, a page. */
  level: number;
  leaf: boolean;
  /** First address that it is for. */
  address: bigint;
  frame: number;
  /** Generation of the frame when the entry was put in. */
  generation: number | undefined;
  /** The frame is no longer the table that the entry meant. */
  stale: boolean;
  changed: boolean;
}

/** What stands after a step. */
export interface StoryState {
  frames: readonly FrameCard[];
  /** The way of the address through memory, whatever is cached. */
  path: readonly (WalkStep & { names: number; leaf: boolean; changed: boolean })[];
  pointers: readonly CachedPointer[];
  /** How many entries were dropped from the caches in this step. */
  dropped: number;
  walks: readonly WalkUnderWay[];
  /** Rounds of IOMMU invalidation so far. */
  rounds: number;
  hazards: number;
}

const POOL_BASE = 0x1000;
const POOL = 20;
const PRESENT = 1n;

/** What stands after each step of a story, from before the first to the last. */
export function statesOf(place: StoryPlace, told: Told, options: EngineOptions): StoryState[] {
  const address = addressOf(told);
  const user = address < 1n << 63n;
  const states: StoryState[] = [];
  const freedAt = new Map<number, number>();
  for (let step = 0; step <= told.steps.length; step++) {
    const machine = machineAt(place, told, step, options);
    const before = states.at(-1);
    const held = new Set(step === 0 ? [] : told.steps[step - 1]?.held);
    const frames = framesOf(machine, held, before, freedAt, step);
    const pointers = pointersOf(machine, place.agent === "cpu", frames, before);
    const kept = new Set(pointers.map(({ key }) => key));
    states.push({
      frames,
      path: pathOf(machine, user, address, before),
      pointers,
      dropped: before?.pointers.filter(({ key }) => !kept.has(key)).length ?? 0,
      walks: machine.walks.underWay().filter((walk) => walk !== undefined),
      rounds: machine.kernel?.counters.iommuRounds ?? 0,
      hazards: machine.kernel?.hazardCounts.total ?? 0,
    });
    machine.dispose();
  }
  return states;
}

/** The address that a story is about. */
export function addressOf({ hazard, steps }: Told): bigint {
  if (hazard) return hazard.address;
  const named = steps.flatMap(({ actor, text }) =>
    actor === "device" || actor === "cpu" ? (/0x[0-9a-f]{9,}/.exec(text)?.[0] ?? []) : [],
  );
  return BigInt(named.at(-1) ?? /0x[0-9a-f]{9,}/.exec(steps.map(({ text }) => text).join(" "))?.[0] ?? "0x0");
}

function framesOf(
  { frames, kernel }: Machine,
  held: ReadonlySet<number>,
  before: StoryState | undefined,
  freedAt: Map<number, number>,
  step: number,
): FrameCard[] {
  const free = kernel?.freeFrames() ?? [];
  return Array.from({ length: POOL }, (_, i) => POOL_BASE + i).flatMap((frame) => {
    const found = frames.describe(frame);
    if (!found) return [];
    const old = before?.frames.find((it) => it.frame === frame);
    if (found.state === "free" && old && old.state !== "free") freedAt.set(frame, step);
    const place = free.lastIndexOf(frame);
    const card = {
      ...{ frame, ...found, held: held.has(frame) },
      next: place < 0 ? undefined : free.length - place,
      freedAt: found.generation > 0 ? freedAt.get(frame) : undefined,
      word: frames.readEntry(BigInt(frame) << 12n),
    };
    const changed =
      old !== undefined &&
      (old.state !== card.state ||
        old.generation !== card.generation ||
        old.held !== card.held ||
        old.word !== card.word);
    return [{ ...card, changed }];
  });
}

function pathOf(machine: Machine, user: boolean, address: bigint, before: StoryState | undefined): StoryState["path"] {
  const [kernel, watched] = machine.cpus;
  const [iommu] = machine.iommus;
  const explained = !user
    ? kernel?.explain(address, Access.supervisorRead)
    : iommu
      ? iommu.explain(iommu.pasids[0] ?? 0, address, Access.userRead)
      : watched?.explain(address, Access.userRead);
  return (explained?.chain ?? []).map((link) => {
    const leaf = isLeaf(link.entry, link.level);
    const old = before?.path.find(({ level }) => level === link.level);
    return {
      ...link,
      leaf,
      names: (link.entry & PRESENT) === 0n ? 0 : frameOf(link.entry, link.level, leaf),
      changed: before !== undefined && (old?.entry !== link.entry || old.tableFrame !== link.tableFrame),
    };
  });
}

function pointersOf(
  machine: Machine,
  cpu: boolean,
  frames: readonly FrameCard[],
  before: StoryState | undefined,
): CachedPointer[] {
  const agent = cpu ? machine.cpus[1] : machine.iommus[0];
  const tlbs = machine.iommus[0]?.devices.flatMap(({ tlb }) => tlb ?? []) ?? [];
  const caches = [...(agent?.caches ?? []), ...tlbs];
  return caches.flatMap((cache) => {
    const level = Number(/^psc(\d)$/.exec(cache.name)?.[1] ?? 0);
    return cache.contents().map((entry): CachedPointer => {
      const leaf = level === 0;
      const own = leaf ? (entry.pageShift - 12) / 9 + 1 : level;
      const frame = frameOf(entry.data, own, leaf);
      const key = [cache.name, entry.tag, entry.pageNumber, frame].join(" ");
      const old = before?.pointers.find((it) => it.key === key);
      const now = frames.find((it) => it.frame === frame);
      const generation = old ? old.generation : now?.generation;
      const stale = !leaf && now !== undefined && (now.state !== "table" || now.generation !== generation);
      const fields = {
        cache: cache.name,
        key,
        level: own,
        leaf,
        address: firstAddress(entry),
        frame,
        generation,
        stale,
      };
      return { ...fields, changed: before !== undefined && (!old || old.stale !== stale) };
    });
  });
}

/** Page numbers are kept with their sign or without: the address has it. */
function firstAddress({ pageNumber, pageShift }: CacheEntry): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(48, pageNumber << BigInt(pageShift)));
}

/** Frames that a story has to do with: those that are not free at some step. */
export function concerned(states: readonly StoryState[]): number[] {
  const found = new Set<number>();
  for (const { frames } of states) for (const it of frames) if (it.state !== "free") found.add(it.frame);
  return [...found].sort((a, b) => a - b);
}
