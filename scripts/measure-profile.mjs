// Rates and mixes of a recorded trace in the form of a profile (src/replay/profiles.ts): `node scripts/measure-profile.mjs TRACE`,
// after a build. What it prints is measured; name, words and the choice of groups are the author's.
import { basename } from "node:path";
import { compileTrace } from "../dist/trace/index.js";
import { openTrace } from "../dist/trace/node.js";

const VALUES = 20;
const [path] = process.argv.slice(2);
if (!path) throw new Error("usage: node scripts/measure-profile.mjs TRACE");
const name = basename(path).replace(/\.trace\.txt(\.gz)?$/, "");
const pagesFrom = (start, size) => Array.from({ length: Number(size >> 12n) }, (_, i) => (start >> 12n) + BigInt(i));
const pagesOf = ({ start, end }) => Number((end - start) >> 12n);

const count = {};
const born = new Map();
const unlinked = new Map();
const removed = new Map();
const flushed = new Map();
const alive = new Set();
const strangers = new Set();
const running = new Map();
let switches = 0;
const lists = {
  pages: [],
  lifeMs: [],
  leaves: [],
  hugeLifeMs: [],
  freeUs: [],
  collapseUs: [],
  flushUs: [],
  removed: [],
  user: [],
};
const collapses = [];
const dma = new Set();
let [dmaPages, mostDma] = [0, 0];
let [first, last, aliveTime, since, before] = [undefined, 0, 0, 0, 0];

const compiler = compileTrace(openTrace(path), { name });
for await (const batch of compiler) {
  for (let i = 0; i < batch.count; i++) {
    const { name: what, time, cpu, pid, args } = batch.at(i);
    first ??= time;
    aliveTime += alive.size * (time - Math.max(since, first));
    since = last = time;
    count[what] = (count[what] ?? 0) + 1;
    if (what === "map-pages") {
      const huge = args.pageShift > 12;
      if (huge) lists.leaves.push(pagesOf(args) / 512);
      else lists.pages.push(pagesOf(args));
      born.set(args.start, { time, huge });
    } else if (what === "unmap-range" && born.has(args.start)) {
      const { time: since, huge } = born.get(args.start);
      lists[huge ? "hugeLifeMs" : "lifeMs"].push((time - since) / 1e6);
      born.delete(args.start);
    } else if (what === "table-detach") unlinked.set(pid, time);
    else if (what === "hot-remove" && args.direct === 1) lists.removed.push(pagesOf(args));
    else if (what === "flush-kernel-range" || what === "flush-all") {
      if (args.caller.startsWith("__purge_vmap_area_lazy")) count.purgeFlush = (count.purgeFlush ?? 0) + 1;
      if (args.caller.startsWith("section_deactivate")) count.vmemmapFlush = (count.vmemmapFlush ?? 0) + 1;
      if (removed.has(pid)) lists.flushUs.push((time - removed.get(pid)) / 1e3);
      removed.delete(pid);
      flushed.set(pid, { time, all: what === "flush-all" });
    } else if (what === "table-free") {
      const site = args.site.replace(/\+.*/, "");
      count[`free ${site}`] = (count[`free ${site}`] ?? 0) + 1;
      const flush = flushed.get(pid);
      if (site === "remove_pagetable") removed.set(pid, time);
      else if (site === "pmd_free_pte_page") lists.freeUs.push((time - flush.time) / 1e3);
      else if (flush.counted) collapses[collapses.length - 1]++;
      else {
        flush.counted = true;
        collapses.push(1);
        lists.collapseUs.push((time - flush.time) / 1e3);
      }
    } else if (what === "iommu-map") {
      for (const page of pagesFrom(args.iova, args.size)) dma.add(page);
      dmaPages += Number(args.size >> 12n);
      mostDma = Math.max(mostDma, dma.size);
    } else if (what === "iommu-unmap") {
      for (const page of pagesFrom(args.iova, args.size)) dma.delete(page);
    } else if (what === "mm-create") alive.add(args.mm);
    else if (what === "mm-destroy") {
      alive.delete(args.mm);
      strangers.delete(args.mm);
    } else if (what === "flush-mm") {
      if (!alive.has(args.mm)) strangers.add(args.mm);
      if (running.get(cpu) !== args.mm) switches++;
      running.set(cpu, args.mm);
      lists.user.push(args.end >= 1n << 56n || args.end <= args.start ? 0 : Math.min(1 << 18, pagesOf(args)));
    }
    before = time;
  }
}
const seconds = (before - first) / 1e9;
const round = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));
const rate = (times) => round(times / seconds);
/** Equally likely values: the middles of as many equal parts. */
const values = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  if (sorted[0] === sorted.at(-1)) return [sorted[0]];
  const some = Math.min(VALUES, sorted.length);
  return Array.from({ length: some }, (_, i) => round(sorted[Math.floor(((i + 0.5) / some) * sorted.length)]));
};
const of = (times, what) => `${name}: ${times} ${what} in ${seconds.toFixed(3)} s`;
const { length: tables } = lists.freeUs;
const leaves = lists.leaves.reduce((sum, n) => sum + n, 0);
const freeing = (count["free remove_pagetable"] ?? 0) + (count.vmemmapFlush ?? 0) + collapses.length;
const full = (count["flush-all"] ?? 0) - freeing;
const group = (times, key, fields, what) =>
  times > 0 ? { [key]: { perSecond: rate(times), ...fields, source: of(times, what) } } : {};

const profile = {
  source: `${name}, ${seconds.toFixed(3)} s, ${compiler.summary.trace.cpus} CPUs`,
  ...group(lists.pages.length, "areas", { pages: values(lists.pages), lifeMs: values(lists.lifeMs) }, "areas mapped"),
  ...(count.purgeFlush && {
    purges: {
      perUnmap: round(Math.min(1, count.purgeFlush / count["map-pages"])),
      source: `${name}: ${count.purgeFlush} flushes of the purge, ${count["map-pages"]} areas mapped`,
    },
  }),
  ...group(
    lists.leaves.length,
    "hugeAreas",
    {
      leaves: values(lists.leaves),
      overTables: round(tables / leaves),
      freeUs: values(lists.freeUs),
      lifeMs: values(lists.hugeLifeMs),
    },
    `areas of 2 MiB leaves, which freed ${tables} tables`,
  ),
  ...group(full, "fullFlushes", {}, "calls of flush_tlb_all() that free no table"),
  ...group(
    collapses.length,
    "collapses",
    { tables: values(collapses), freeUs: values(lists.collapseUs) },
    `collapses, which freed ${count["free cpa_collapse_large_pages"]} tables`,
  ),
  ...group(
    lists.removed.length,
    "removals",
    {
      pages: values(lists.removed),
      vmemmapFlushes: round((count.vmemmapFlush ?? 0) / lists.removed.length),
      flushUs: values(lists.flushUs),
    },
    "removals of memory",
  ),
  ...group(
    lists.user.length,
    "userFlushes",
    { pages: values(lists.user), switches: round(switches / lists.user.length) },
    `calls of flush_tlb_mm_range(), ${switches} of another address space than the one before on that CPU,`,
  ),
  ...group(
    count["mm-create"] ?? 0,
    "processes",
    { alive: Math.max(1, Math.round(aliveTime / (last - first)) + strangers.size) },
    "processes begun",
  ),
  ...(dmaPages > 0 && {
    devices: {
      ratePerMs: round(dmaPages / (seconds * 1e3)),
      workingSet: mostDma,
      source: `${of(dmaPages, "pages mapped for DMA")}, one access each; at most ${mostDma} at a time`,
    },
  }),
};
process.stdout.write(`${JSON.stringify(profile)}\n`);
