// What the form of a state is made of: every word that a snapshot holds is kept, or stands in a list with the reason why not. A word that
// is forgotten there makes too many states; one that stands there without right makes false proofs, which future.test.ts looks for.
import { describe, expect, it } from "vitest";
import { changedCpu, changedIommu, usualCpu } from "../../../src/verdicts/options.js";
import { choicesOf } from "../../../src/verdicts/prove/choices.js";
import { Explorer } from "../../../src/verdicts/prove/explore.js";
import { hashWords, missProbability } from "../../../src/verdicts/prove/hash.js";
import { BEGIN } from "../../../src/verdicts/prove/successors.js";
import { rowOf, stageOf } from "./cells.js";

const HARDWARE = [
  ["an IOMMU with a device TLB", changedIommu(["device-tlb"])],
  ["a CPU", usualCpu],
  ["a CPU with page-table isolation", changedCpu("amd-tce-pti")],
] as const;
const ROW = rowOf("pmd_free_pte_page");

/** Everything that is not kept word by word. Whoever adds to this list says why in src/verdicts/prove/places.ts, and docs/decisions. */
const TOLD = ["entries of a cache", "generation of a frame", "times of a group", "times of tags", "walks under way"];
const LEFT_OUT = [
  "batch of descriptors",
  "clock",
  "counters of a cache",
  "counters of an agent",
  "counters of queues",
  "counters of the kernel",
  "counts of hazards",
  "numbers of hazards",
  "occupied sets",
  "path of an exit",
  "points of the program",
  "records of hazards",
  "regions seen in a group",
  "rules of a context",
  "when a frame was freed, or held",
];

function entered(hardware: (typeof HARDWARE)[number][1]): { explorer: Explorer; memory: Uint32Array; tell(): string } {
  const explorer = new Explorer(stageOf({ policy: "flush-async", hardware }));
  explorer.enter(ROW, { race: false, walks: 2, wide: true });
  const memory = new Uint32Array(explorer.stage.machine.engine.exports.memory.buffer);
  const { forms } = explorer;
  const tell = (): string => {
    forms.tell(new Uint32Array(0));
    return forms.words.subarray(0, forms.length).join(" ");
  };
  return { explorer, memory, tell };
}

describe.each(HARDWARE)("the form of a state of %s", (_what, hardware) => {
  it("is made of every word that a snapshot holds, but for those that are listed with a reason", () => {
    const { explorer } = entered(hardware);
    const { forms, stage } = explorer;
    const { small, sparse, frames } = stage.beginning.image;
    const kept = new Set(forms.keptWords);
    const listed = new Set<number>();
    for (const { from, to } of forms.places) for (let at = from; at < to; at += 4) listed.add(at >> 2);
    const overlapping = forms.places.filter(({ from }, i) => (forms.places[i - 1]?.to ?? 0) > from);
    expect(overlapping).toEqual([]);
    const missing: number[] = [];
    for (const { at, bytes } of [...small, ...sparse, ...frames.slice(0, 2)]) {
      expect([at % 4, bytes.length % 4]).toEqual([0, 0]);
      for (let word = at >> 2; word < (at + bytes.length) >> 2; word++) {
        if (kept.has(word) === listed.has(word)) missing.push(word);
      }
    }
    expect(missing).toEqual([]);
    // Contents of frames are told by themselves; nothing else is left.
    expect(frames).toHaveLength(3);
    expect(new Set(forms.places.map(({ what }) => what))).toEqual(
      new Set([...TOLD, ...LEFT_OUT].filter((what) => forms.places.some((it) => it.what === what))),
    );
    expect(forms.places.every(({ why }) => why.length > 8)).toBe(true);
  });

  it("differs when a word that is kept does, and not when one does that decides nothing", () => {
    const { explorer, memory, tell } = entered(hardware);
    const before = tell();
    const same: number[] = [];
    for (const word of explorer.forms.keptWords) {
      memory[word] = (memory[word] as number) ^ 0x10;
      if (tell() === before) same.push(word);
      memory[word] = (memory[word] as number) ^ 0x10;
    }
    expect(same).toEqual([]);
    const different: string[] = [];
    for (const { from, to, what } of explorer.forms.places) {
      if (!LEFT_OUT.includes(what)) continue;
      const was = memory.slice(from >> 2, to >> 2);
      for (let word = from >> 2; word < to >> 2; word++) memory[word] = (memory[word] as number) ^ 0x10;
      if (tell() !== before) different.push(what);
      memory.set(was, from >> 2);
    }
    expect(different).toEqual([]);
    expect(tell()).toBe(before);
  });

  it("differs by the contents of any table, and by a pointer that does not mean its table any more", () => {
    const { explorer, memory, tell } = entered(hardware);
    const { board, forms, stage } = explorer;
    const { exports } = stage.machine.engine;
    const before = tell();
    for (let slot = 1; slot <= stage.machine.frames.size; slot++) {
      const at = (exports.contentsOf(slot) >>> 2) + 7;
      memory[at] = (memory[at] as number) ^ 1;
      forms.look(slot);
      expect(tell() !== before, `slot ${slot}`).toBe(exports.stateOf(slot) === 1);
      memory[at] = (memory[at] as number) ^ 1;
      forms.look(slot);
    }
    board.playTo({ main: BEGIN.main.map(({ record }) => record), placed: [], points: [] }, 0);
    board.look();
    const [read] = choicesOf(stage, ROW, { race: false, walks: 0, wide: false }).moves;
    board.play((read as { move: { record: Uint8Array } }).move.record);
    const cached = tell();
    expect(cached).not.toBe(before);
    const generations = Array.from({ length: stage.machine.frames.size }, (_, i) => exports.standingOf(i + 1) >>> 2);
    const noticed = generations.filter((word) => {
      memory[word] = (memory[word] as number) + 1;
      const now = tell();
      memory[word] = (memory[word] as number) - 1;
      return now !== cached;
    });
    // The PDPT, the PD and the PT on the way: each is named by a cached entry.
    expect(noticed).toHaveLength(3);
    board.rewind();
    expect(tell()).toBe(before);
  });

  it("leaves out the right words of hazards: those that the kernel counts them in", () => {
    const { explorer } = entered(hardware);
    const { forms, stage } = explorer;
    const counts = forms.places.find(({ what }) => what === "counts of hazards");
    const ring = forms.places.find(({ what }) => what === "records of hazards");
    const { exports } = stage.machine.engine;
    // All tables are freed, and still linked.
    for (let slot = 1; slot <= stage.machine.frames.size; slot++) exports.setState(slot, 0, 0);
    stage.kernel.run((p) => p.access(stage.requester, ROW.regions[0].addresses[0] as bigint, 0));
    const { total } = stage.kernel.hazardCounts;
    expect(total).toBeGreaterThan(0);
    const words = new Uint32Array(exports.memory.buffer).slice((counts?.from ?? 0) >> 2, (counts?.to ?? 0) >> 2);
    expect(words.reduce((sum, word) => sum + word, 0)).toBeGreaterThanOrEqual(total);
    const latest = exports.hazardRecord(exports.hazardsRecorded() - 1n);
    expect(latest >= (ring?.from ?? 0) && latest < (ring?.to ?? 0)).toBe(true);
  });
});

describe("the hashes of a form", () => {
  it("differ, each by itself, for forms that differ in one word", () => {
    const words = new Uint32Array(64);
    const out = new Uint32Array(4);
    const seen = [new Set<string>(), new Set<string>()] as const;
    let forms = 0;
    for (let at = 0; at < 64; at++) {
      for (let value = 1; value < 1000; value++) {
        words[at] = value;
        hashWords(words, 64, out);
        seen[0].add(`${out[0]} ${out[1]}`);
        seen[1].add(`${out[2]} ${out[3]}`);
        forms++;
      }
      words[at] = 0;
    }
    for (let length = 0; length <= 64; length++) {
      hashWords(words, length, out);
      seen[0].add(`${out[0]} ${out[1]}`);
      seen[1].add(`${out[2]} ${out[3]}`);
      forms++;
    }
    expect([seen[0].size, seen[1].size]).toEqual([forms, forms]);
  });

  it("change half of their bits with one bit of the form", () => {
    const words = new Uint32Array(32).map((_, i) => Math.imul(i + 1, 0x9e3779b1));
    const [before, after] = [new Uint32Array(4), new Uint32Array(4)];
    hashWords(words, 32, before);
    const changed = new Array<number>(4).fill(0);
    for (let bit = 0; bit < 32 * 32; bit++) {
      words[bit >> 5] = (words[bit >> 5] as number) ^ (1 << (bit & 31));
      hashWords(words, 32, after);
      words[bit >> 5] = (words[bit >> 5] as number) ^ (1 << (bit & 31));
      for (let i = 0; i < 4; i++)
        changed[i] = (changed[i] as number) + ones((after[i] as number) ^ (before[i] as number));
    }
    for (const bits of changed) expect(Math.abs(bits / (32 * 32) - 16)).toBeLessThan(0.6);
  });

  it("miss a state of ten million with a probability that nobody need fear", () => {
    expect(missProbability(1e7)).toBeLessThan(1e-24);
    expect(missProbability(1e7)).toBeGreaterThan(1e-26);
  });
});

const ones = (word: number): number => [...(word >>> 0).toString(2)].filter((bit) => bit === "1").length;
