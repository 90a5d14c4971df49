// The form of a state: all that decides what may come after, in a few hundred words; two states with the same form have the same future
// (docs/decisions/15-proofs-by-states.md). What is kept word by word is told as difference from the state in which the cell begins.
//
//   [place in the program] [words kept that differ: index, value] [entries that are alive, by cache] [walks under way] [contents of tables]
//
// Each part has its length before it.

import {
  cacheKeyGlobal,
  cacheKeyTag,
  cacheKeyTagShift,
  entries,
  frameStates,
  groupAt,
  maxWalks,
  standingGeneration,
  standingState,
  tagShift,
  tagSince,
  walkStateAt,
} from "../../engine/abi.js";
import type { Machine, Snapshot } from "../../machine.js";
import { HASH_WORDS, hashWords } from "./hash.js";
import type { Lens, RangeList } from "./lens.js";
import { type CachePlaces, CONTEXT_WORDS, isDropped, PLAIN_FIELDS, placesIn, rangesOf } from "./memory-map.js";
import { cachesOf, keptWords, type Place, placesOf } from "./places.js";

const TABLE = frameStates.indexOf("table");
const CONTENT_WORDS = 2 * entries;
const GLOBAL = Number(cacheKeyGlobal);
const TAG_SHIFT = Number(cacheKeyTagShift);
const TAG = Number(cacheKeyTag);
/** Words of an entry: key and data, and of a path its table and whether the pointer to it still means it. */
const ENTRY_WORDS = 6;

/** What is known of contents. */
export interface Remembered {
  digests: Uint32Array;
  doubtful: Uint8Array;
}

/** Tells the states of one machine; a cell begins with {@link begin}. */
export class Forms {
  /** The form told last, and how many words it has. */
  readonly words: Uint32Array;
  length = 0;
  /** What is not kept word by word. */
  readonly places: readonly Place[];
  /** The engine's memory, by words. */
  readonly memory: Uint32Array;
  private readonly caches: readonly CachePlaces[];
  private readonly walks: number;
  private readonly slots: number;
  private readonly standing: number;
  private readonly contents: number;
  /** The context of the walk that was told first in this cell. */
  private readonly context = new Uint32Array(CONTEXT_WORDS.length);
  private contextKnown = false;
  private kept: Int32Array = new Int32Array(0);
  /** The same as ranges; and the contents of slots, each by itself. */
  private keptRanges: RangeList = { at: 0, count: 0 };
  private contentRanges: readonly RangeList[] = [];
  /** By slot: hashes of the contents, and whether these may be others by now. Most that is written to is read by nobody any more. */
  private readonly digests: Uint32Array;
  private readonly doubtful: Uint8Array;

  constructor(
    private readonly machine: Machine,
    private readonly lens: Lens,
    hazardRecords: number,
  ) {
    const { exports } = machine.engine;
    this.memory = lens.words;
    this.words = lens.form;
    this.places = placesOf(machine, hazardRecords);
    const spaces = new Map(
      machine.cpus.flatMap(({ caches }, cpu) => caches.map((it) => [it.pointer, exports.spacesOf(cpu) >>> 2] as const)),
    );
    this.caches = cachesOf(machine).map(({ pointer }) => placesIn(this.memory, pointer, spaces.get(pointer) ?? 0));
    this.walks = exports.walkAt(0) >>> 2;
    this.slots = machine.frames.size;
    this.standing = exports.standingOf(1) >>> 2;
    this.contents = exports.contentsOf(1) >>> 2;
    this.digests = new Uint32Array((this.slots + 1) * HASH_WORDS);
    this.doubtful = new Uint8Array(this.slots + 1);
  }

  /** The state as it is now, held by a snapshot, is the one that others are told as differences from. */
  begin(snapshot: Snapshot): void {
    this.kept = keptWords(snapshot, this.places);
    this.contextKnown = false;
    this.lens.beginHere();
    this.keptRanges = this.lens.list(rangesOf(this.kept));
    this.contentRanges = Array.from({ length: this.slots }, (_, i) => {
      const from = 4 * (this.contents + i * CONTENT_WORDS);
      return this.lens.list([[from, from + 4 * CONTENT_WORDS]]);
    });
    for (let slot = 1; slot <= this.slots; slot++) this.forget(slot);
  }

  /** Indices of the words that are kept. */
  get keptWords(): Int32Array {
    return this.kept;
  }

  /** Entries that fills have displaced, in all caches: the order in which entries were used matters only where it rises. */
  evictions(): number {
    let sum = 0;
    const count = (at: number): number => this.memory[at] as number;
    for (const { fills, refills, added } of this.caches) sum += count(fills) - count(refills) - count(added);
    return sum;
  }

  /** The word of a counter of the kernel, its lower half. */
  counterAt(counter: number): number {
    const place = this.places.find(({ what }) => what === "counters of the kernel");
    if (!place || counter < 0) throw new Error(`no counter ${counter} of the kernel`);
    return (place.from >>> 2) + 2 * counter;
  }

  /** The contents of a slot have changed, or are those of another state: they are told anew, if anybody may read them. */
  look(slot: number): void {
    this.doubtful[slot] = 1;
  }

  private digest(slot: number): void {
    const { content } = this.lens;
    const length = this.lens.differences(this.contentRanges[slot - 1] as RangeList, content, 0);
    const at = slot * HASH_WORDS;
    if (length === 0) this.digests.fill(0, at, at + HASH_WORDS);
    else hashWords(content, length, this.digests, at);
    this.doubtful[slot] = 0;
  }

  /** The contents of a slot are those of the cell's begin again. */
  forget(slot: number): void {
    this.digests.fill(0, slot * HASH_WORDS, (slot + 1) * HASH_WORDS);
    this.doubtful[slot] = 0;
  }

  /** Tells the state as it is now. `place`: where the program stands, in so many words. */
  tell(place: Uint32Array, count = place.length): void {
    const { words } = this;
    words[0] = count;
    for (let i = 0; i < count; i++) words[1 + i] = place[i] as number;
    this.length = 1 + count;
    this.tellKept();
    for (const cache of this.caches) this.tellCache(cache);
    this.tellWalks();
    this.tellTables();
  }

  private tellKept(): void {
    const start = this.length;
    this.length = this.lens.differences(this.keptRanges, this.words, start + 1);
    this.words[start] = this.length - start;
  }

  /** Entries that are alive, and will be when their PCID is loaded next, in order of their keys. Ways do not matter, unless an entry of every tag stands beside others. */
  private tellCache(cache: CachePlaces): void {
    const { sets, ways, data, swept, links, group, tags, spaces } = cache;
    const { words, memory } = this;
    const start = this.length;
    const first = start + 2;
    let length = first;
    let global = 0;
    const taggedSince = memory[group + groupAt.taggedSince / 4] as number;
    const globalSince = memory[group + groupAt.globalSince / 4] as number;
    for (let set = 0; set < sets.length; set++) {
      const keys = sets[set] as number;
      const sweptAt = memory[keys + swept] as number;
      for (let way = 0; way < ways; way++) {
        const key = keys + 2 * way;
        if (!this.isHeld(cache, keys, way)) continue;
        const low = memory[key] as number;
        let since = globalSince;
        if ((low & GLOBAL) === 0) {
          const tag = (low >>> TAG_SHIFT) & TAG;
          if (spaces !== 0 && isDropped(memory, spaces, tag)) continue;
          since = Math.max(taggedSince, memory[tags + ((tag << tagShift) >> 2) + tagSince / 4] as number);
        } else global++;
        if (sweptAt < since) continue;
        length = this.enter(first, length, key, key + data, links === 0 ? 0 : key + links);
      }
    }
    words[start] = length - start;
    words[start + 1] = 0;
    this.length = length;
    // `find` takes the lowest way of those that match: a global entry and one of a tag may both.
    if (global > 0 && global * ENTRY_WORDS < length - first) this.tellWays(cache, start);
  }

  /** Puts an entry where it belongs in the order of keys. */
  private enter(first: number, length: number, key: number, data: number, link: number): number {
    const { words, memory } = this;
    const low = memory[key] as number;
    const high = memory[key + 1] as number;
    let at = length;
    for (; at > first; at -= ENTRY_WORDS) {
      const otherHigh = words[at - ENTRY_WORDS + 1] as number;
      if (otherHigh < high || (otherHigh === high && (words[at - ENTRY_WORDS] as number) <= low)) break;
    }
    if (at < length) words.copyWithin(at + ENTRY_WORDS, at, length);
    words[at] = low;
    words[at + 1] = high;
    words[at + 2] = memory[data] as number;
    words[at + 3] = memory[data + 1] as number;
    words[at + 4] = link === 0 ? 0 : (memory[link] as number);
    words[at + 5] = link === 0 ? 0 : this.means(memory[link] as number, memory[link + 1] as number);
    return length + ENTRY_WORDS;
  }

  /** Whether a way holds an entry, dead or alive. `keys`: where the keys of its set begin. */
  private isHeld({ partials }: CachePlaces, keys: number, way: number): boolean {
    return (((this.memory[keys + partials + (way >> 2)] as number) >>> (8 * (way & 3))) & 0xff) !== 0;
  }

  private tellWays(cache: CachePlaces, start: number): void {
    const { words, memory } = this;
    const { sets, ways } = cache;
    for (const keys of sets) {
      for (let way = 0; way < ways; way++) {
        const held = this.isHeld(cache, keys, way);
        words[this.length++] = held ? (memory[keys + 2 * way] as number) : 0;
        words[this.length++] = held ? (memory[keys + 2 * way + 1] as number) : 0;
      }
    }
    words[start + 1] = this.length - start;
  }

  /** Whether a pointer to a slot with this generation means what is there now: it may, or never will again. */
  private means(slot: number, generation: number): number {
    return slot !== 0 && this.memory[this.standing + (slot - 1) * 2 + standingGeneration / 4] === generation ? 1 : 0;
  }

  private tellWalks(): void {
    const { words, memory } = this;
    for (let number = 0; number < maxWalks; number++) {
      const walk = this.walks + number * (walkStateAt.size / 4);
      const start = this.length++;
      if (memory[walk + walkStateAt.requester / 4] !== 0) {
        this.tellFields(walk);
        this.tellContext(walk);
      }
      words[start] = this.length - start;
    }
  }

  /** A walk under way, but for its context. */
  private tellFields(walk: number): void {
    const { words, memory } = this;
    let length = this.length;
    for (let i = 0; i < PLAIN_FIELDS.length; i++)
      words[length++] = memory[walk + (PLAIN_FIELDS[i] as number)] as number;
    const field = (offset: number): number => memory[walk + (offset >> 2)] as number;
    words[length++] = this.means(field(walkStateAt.slot), field(walkStateAt.generation));
    const recorded = (field(walkStateAt.record) | field(walkStateAt.record + 4)) !== 0;
    words[length++] = recorded ? 1 : 0;
    words[length++] = recorded ? field(walkStateAt.site) : 0;
    words[length++] = recorded ? field(walkStateAt.wrote) : 0;
    if (field(walkStateAt.marks) !== 0) {
      words[length++] = field(walkStateAt.entry);
      words[length++] = field(walkStateAt.entry + 4);
      words[length++] = field(walkStateAt.at);
      words[length++] = this.means(this.slotBelow(walk), field(walkStateAt.below));
      // Before it marks an entry it compares it, whatever its frame is by then.
      const at = field(walkStateAt.at) >>> 2;
      words[length++] = memory[at] as number;
      words[length++] = memory[at + 1] as number;
    }
    this.length = length;
  }

  /** Its context, as difference from that of the first walk that was told in this cell: hardly ever another. */
  private tellContext(walk: number): void {
    const { words, memory, contextKnown, context } = this;
    if (!contextKnown) {
      for (let i = 0; i < CONTEXT_WORDS.length; i++) context[i] = memory[walk + (CONTEXT_WORDS[i] as number)] as number;
      this.contextKnown = true;
    }
    for (let i = 0; i < CONTEXT_WORDS.length; i++) {
      const word = memory[walk + (CONTEXT_WORDS[i] as number)] as number;
      if (word === context[i]) continue;
      words[this.length++] = i;
      words[this.length++] = word;
    }
  }

  /** Slot of the table that the entry names which a walk is about to mark. */
  private slotBelow(walk: number): number {
    const low = this.memory[walk + walkStateAt.entry / 4] as number;
    const high = this.memory[walk + walkStateAt.entry / 4 + 1] as number;
    const frame = (low >>> 12) + (high & 0xfffff) * 2 ** 20;
    return this.machine.engine.exports.slotOf(BigInt(frame));
  }

  /**
   * Contents of tables. Those of other frames nobody reads without a hazard, which ends a program: a walk that comes to such a frame
   * is one, and the kernel fills what it takes.
   */
  private tellTables(): void {
    const { words, memory, digests, doubtful } = this;
    const start = this.length++;
    for (let slot = 1; slot <= this.slots; slot++) {
      const state = (memory[this.standing + (slot - 1) * 2 + (standingState >> 2)] as number) & 0xff;
      if (state !== TABLE) continue;
      if (doubtful[slot] !== 0) this.digest(slot);
      const at = slot * HASH_WORDS;
      if ((digests[at] || digests[at + 1] || digests[at + 2] || digests[at + 3]) === 0) continue;
      words[this.length++] = slot;
      for (let i = 0; i < HASH_WORDS; i++) words[this.length++] = digests[at + i] as number;
    }
    words[start] = this.length - start;
  }

  /** Where in the form told last the contents of tables begin, for what an operation has seen of them. */
  get tablesAt(): number {
    let at = 1 + (this.words[0] as number);
    at += this.words[at] as number;
    for (const _ of this.caches) at += (this.words[at + 1] as number) || (this.words[at] as number);
    for (let walk = 0; walk < maxWalks; walk++) at += this.words[at] as number;
    return at;
  }

  /** Hashes of contents are put down, for {@link recall}. */
  remember(known: Remembered): void {
    known.digests.set(this.digests);
    known.doubtful.set(this.doubtful);
  }

  /** Room for them. */
  nothingRemembered(): Remembered {
    return { digests: new Uint32Array(this.digests.length), doubtful: new Uint8Array(this.doubtful.length) };
  }

  /** What was remembered of a slot is true again. */
  recall({ digests, doubtful }: Remembered, slot: number): void {
    const at = slot * HASH_WORDS;
    for (let i = at; i < at + HASH_WORDS; i++) this.digests[i] = digests[i] as number;
    this.doubtful[slot] = doubtful[slot] as number;
  }
}
