// Cuts a small page-table image, with the listings that belong to it, out of a recorded one (see docs/rules.md and the
// data's README): node scripts/make-image-fixture.mjs DATA/images/NAME OUT/NEWNAME [tables per level-2 table]
//
// The new core holds the notes and a choice of the tables. Listing lines are kept, unchanged, exactly when every table on
// their address's path is kept; `info mem` ranges are clipped to the addresses so covered. This script walks the tables by
// itself and shares no code with the engine, so the fixture still tests the engine against QEMU's own text.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

const [from, to, perTable = "3"] = process.argv.slice(2);
if (!from || !to)
  throw new Error("usage: make-image-fixture.mjs DATA/images/NAME OUT/NEWNAME [tables per level-2 table]");
const core = gunzipSync(readFileSync(`${from}.core.gz`));
const recorded = JSON.parse(readFileSync(`${from}.json`, "utf8"));
const text = (kind) => gunzipSync(readFileSync(`${from}.${kind}.txt.gz`)).toString("utf8");

// The core: frames by number, and the note segment.
const frames = new Map();
let notes;
for (let i = 0; i < core.readUInt16LE(56); i++) {
  const at = Number(core.readBigUInt64LE(32)) + 56 * i;
  const type = core.readUInt32LE(at);
  const offset = Number(core.readBigUInt64LE(at + 8));
  const address = Number(core.readBigUInt64LE(at + 24));
  const size = Number(core.readBigUInt64LE(at + 32));
  if (type === 4) notes = core.subarray(offset, offset + size);
  for (let page = 0; type === 1 && page < size; page += 4096) {
    frames.set((address + page) / 4096, core.subarray(offset + page, offset + page + 4096));
  }
}

// Choose: every table of the levels above 1 that is met first within the budget of its parent, and the same below.
const { levels } = recorded;
const root = Number(BigInt(recorded.cr3) >> 12n);
const budget = { 5: 3, 4: 16, 3: 6, 2: Number(perTable) };
const kept = new Map();
const entry = (frame, index) => frames.get(frame).readBigUInt64LE(index * 8);
const frameOf = (value) => Number((value >> 12n) & 0xffffffffffn);
const nonLeaf = (value, level) => (value & 1n) === 1n && level > 1 && (level > 3 || (value & 0x80n) === 0n);
function choose(frame, level) {
  kept.set(frame, level);
  const targets = [];
  for (let index = 0; index < 512; index++)
    if (nonLeaf(entry(frame, index), level)) targets.push(frameOf(entry(frame, index)));
  // A table met over and over (espfix: one page table at 2048 addresses) would drown the rest: leave it out.
  if (new Set(targets).size === 1 && targets.length > 64) return;
  // From both ends, so that both halves, the kernel image and the vsyscall page are met.
  const limit = budget[level];
  let chosen =
    targets.length <= limit
      ? targets
      : [...targets.slice(0, Math.floor(limit / 2)), ...targets.slice(-Math.ceil(limit / 2))];
  // The top of the user half holds the stack, libraries and the other big mappings.
  if (level >= 4 && nonLeaf(entry(frame, 255), level)) chosen = [frameOf(entry(frame, 255)), ...chosen];
  for (const target of chosen) if (!kept.has(target)) choose(target, level - 1);
}
choose(root, levels);

// Which of the listed addresses are still mapped: every table on the path kept.
const bits = BigInt(12 + 9 * levels);
function leafLevel(address) {
  let frame = root;
  for (let level = levels; ; level--) {
    if (!kept.has(frame)) return 0;
    const value = entry(frame, Number((address >> BigInt(12 + 9 * (level - 1))) & 511n));
    if ((value & 1n) === 0n) throw new Error(`${address.toString(16)} is listed but not present at level ${level}`);
    if (!nonLeaf(value, level)) return level;
    frame = frameOf(value);
  }
}
const tlb = [];
const covered = [];
const leaves = { "4K": 0, "2M": 0, "1G": 0 };
for (const line of text("info-tlb").split("\n")) {
  if (line === "") continue;
  const address = BigInt(`0x${line.slice(0, 16)}`);
  const level = leafLevel(address);
  if (level === 0) continue;
  tlb.push(line);
  leaves[["", "4K", "2M", "1G"][level]]++;
  const start = address & ((1n << bits) - 1n);
  const end = start + (1n << BigInt(12 + 9 * (level - 1)));
  const last = covered.at(-1);
  if (last && last.end === start) last.end = end;
  else covered.push({ start, end });
}

// `info mem`: clip each range to what is covered; a range never joins two, so clipping needs no merging.
const hex = (value) => value.toString(16).padStart(16, "0");
const sign = (value) => BigInt.asUintN(64, BigInt.asIntN(Number(bits), value));
const mem = [];
if (recorded.info_mem_lines !== null) {
  for (const line of text("info-mem").split("\n")) {
    if (line === "") continue;
    const start = BigInt(`0x${line.slice(0, 16)}`) & ((1n << bits) - 1n);
    const end = start + BigInt(`0x${line.slice(34, 50)}`);
    for (const piece of covered) {
      const low = piece.start > start ? piece.start : start;
      const high = piece.end < end ? piece.end : end;
      if (low < high) mem.push(`${hex(sign(low))}-${hex(sign(high))} ${hex(high - low)} ${line.slice(51)}`);
    }
  }
}

// The new core: header, program headers, notes, then runs of consecutive frames.
const numbers = [...kept.keys()].sort((a, b) => a - b);
const runs = [];
for (const number of numbers) {
  const last = runs.at(-1);
  if (last && last.first + last.count === number) last.count++;
  else runs.push({ first: number, count: 1 });
}
const headers = Buffer.alloc(64 + 56 * (runs.length + 1));
core.copy(headers, 0, 0, 64);
headers.writeUInt16LE(runs.length + 1, 56);
const align = (value) => Math.ceil(value / 4096) * 4096;
const program = (index, type, offset, address, size) => {
  const at = 64 + 56 * index;
  headers.writeUInt32LE(type, at);
  headers.writeUInt32LE(type === 1 ? 6 : 0, at + 4);
  headers.writeBigUInt64LE(BigInt(offset), at + 8);
  headers.writeBigUInt64LE(BigInt(address), at + 24);
  headers.writeBigUInt64LE(BigInt(size), at + 32);
  headers.writeBigUInt64LE(BigInt(size), at + 40);
  headers.writeBigUInt64LE(type === 1 ? 4096n : 4n, at + 48);
};
program(0, 4, headers.length, 0, notes.length);
let offset = align(headers.length + notes.length);
const parts = [headers, notes, Buffer.alloc(offset - headers.length - notes.length)];
runs.forEach((run, index) => {
  program(index + 1, 1, offset, run.first * 4096, run.count * 4096);
  for (let i = 0; i < run.count; i++) parts.push(frames.get(run.first + i));
  offset += run.count * 4096;
});

const zip = (data) => gzipSync(data, { level: 9 });
writeFileSync(`${to}.core.gz`, zip(Buffer.concat(parts)));
writeFileSync(`${to}.info-tlb.txt.gz`, zip(`${tlb.join("\n")}\n`));
if (mem.length > 0) writeFileSync(`${to}.info-mem.txt.gz`, zip(`${mem.join("\n")}\n`));
writeFileSync(`${to}.info-registers.txt.gz`, zip(text("info-registers")));
const { cr0, cr3, cr4, efer, cpl, cpu_index, kernel, cmdline } = recorded;
const about = {
  name: basename(to),
  cut_from: basename(from),
  cr0,
  cr3,
  cr4,
  efer,
  levels,
  cpl,
  cpu_index,
  kernel,
  cmdline,
};
writeFileSync(
  `${to}.json`,
  `${JSON.stringify({ ...about, table_pages_in_core: kept.size, leaves, info_tlb_lines: tlb.length, info_mem_lines: mem.length || null }, null, 2)}\n`,
);
console.log(`${basename(to)}: ${kept.size} tables, ${tlb.length} leaves, ${mem.length} ranges`);
