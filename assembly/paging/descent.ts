// The descent: the only loop over the levels of a tree of tables (SDM 4.5.4). The walker, `explain`, listings and the kernel's own
// table work differ in what they do on the way, so each brings a visitor; a visitor's methods are inlined, and what it leaves
// empty costs nothing.
//
//   47     39 38     30 29     21 20     12 11          0
//   | PML4  | | PDPT   | | PD     | | PT     | | offset    |      each index: 9 bits, the place of an entry in a table
//       |         |          |          |
//  root +-> entry +--> entry +--> entry +--> leaf -> page            (57 translated bits with 5 levels: a PML5 above)

import { EntryAt, loadEntry, MAY_CHANGE } from "./contents";
import { accumulate, frameIn, isLeaf, isPresent, MAX_LEVELS } from "./format";
import { entryAt } from "./tables";

/** What a descent calls, in this order at each level. */
interface Visitor {
  /** The frame holds no table: ends the descent with this result. */
  absent(level: u32, frame: u64): u64;
  /** Not 0: the descent ends before this entry, with this result. */
  target(level: u32, at: EntryAt): u64;
  /** The entry has been read. */
  read(entry: u64, level: u32, frame: u64): void;
  /** It is not present: ends with this result. */
  hole(context: usize, access: u32, level: u32, at: EntryAt): u64;
  /** It has reserved bits: `malformed` ends the descent. */
  isMalformed(context: usize, entry: u64, level: u32, leaf: bool): bool;
  malformed(context: usize, access: u32, level: u32): u64;
  /** It maps a page: ends with this result; with 0, where entries may change, the entry is read again. */
  leaf(context: usize, va: u64, access: u32, level: u32, at: EntryAt, entry: u64, rights: u64): u64;
  /** Not 0: ends with this result. */
  refuses(context: usize, access: u32, level: u32, rights: u64): u64;
  /** On to the table below, whose slot it returns (0: absent); `AGAIN`, where entries may change: the entry is read again. */
  enter(context: usize, va: u64, level: u32, at: EntryAt, entry: u64, rights: u64, frame: u64): u32;
}

/** In place of a slot. */
export const AGAIN: u32 = 0xffff_ffff;

/** From the table of `level` (in `frame`, at slot `table`; 0 = absent) down, with the rights of the path so far. */
// @ts-ignore: decorator
@inline
export function descend<V extends Visitor>(
  visitor: V,
  context: usize,
  va: u64,
  access: u32,
  from: u32,
  root: u64,
  first: u32,
  path: u64,
): u64 {
  assert(from >= 1 && from <= MAX_LEVELS, "a descent starts at no level");
  let level = from;
  let frame = root;
  let table = first;
  let rights = path;
  while (true) {
    assert(level >= 1, "a descent has gone below the last level");
    if (table == 0) return visitor.absent(level, frame);
    const at = entryAt(table, va, level);
    const target = visitor.target(level, at);
    if (target != 0) return target;
    const entry = loadEntry(at);
    visitor.read(entry, level, frame);
    if (!isPresent(entry)) return visitor.hole(context, access, level, at);
    const leaf = isLeaf(entry, level);
    if (visitor.isMalformed(context, entry, level, leaf)) return visitor.malformed(context, access, level);
    const so = accumulate(rights, entry);
    if (leaf) {
      const outcome = visitor.leaf(context, va, access, level, at, entry, so);
      if (MAY_CHANGE && outcome == 0) continue;
      return outcome;
    }
    const refused = visitor.refuses(context, access, level, so);
    if (refused != 0) return refused;
    const below = visitor.enter(context, va, level, at, entry, so, frameIn(entry));
    if (MAY_CHANGE && below == AGAIN) continue;
    frame = frameIn(entry);
    table = below;
    rights = so;
    level--;
  }
}
