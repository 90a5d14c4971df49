// Choosing pages for a case: so many, spread over the sets of a cache, or within a few regions.
import type { Page } from "../world.js";

const SHIFT_4K = 12n;
const SHIFT_2M = 21n;

/** The first 4 KiB pages in address order, at most `perSet` in each of `sets` sets. */
export function spread(pages: readonly Page[], sets: number, perSet: number): Page[] {
  const used = new Uint32Array(sets);
  const chosen: Page[] = [];
  for (const page of pages) {
    if (page.level !== 1) continue;
    const set = Number((page.va >> SHIFT_4K) % BigInt(sets));
    if ((used[set] as number) >= perSet) continue;
    used[set] = (used[set] as number) + 1;
    if (chosen.push(page) === sets * perSet) break;
  }
  return chosen;
}

/** All 4 KiB pages of the `count` fullest regions of 2 MiB, at most `perSet` regions in each of `sets` sets. */
export function denseRegions(pages: readonly Page[], count: number, sets: number, perSet: number): Page[] {
  const regions = new Map<bigint, Page[]>();
  for (const page of pages) {
    if (page.level !== 1) continue;
    const region = regions.get(page.va >> SHIFT_2M);
    if (region) region.push(page);
    else regions.set(page.va >> SHIFT_2M, [page]);
  }
  const used = new Uint32Array(sets);
  const chosen: Page[][] = [];
  for (const [number, region] of [...regions].sort((a, b) => b[1].length - a[1].length)) {
    const set = Number(number % BigInt(sets));
    if ((used[set] as number) >= perSet) continue;
    used[set] = (used[set] as number) + 1;
    if (chosen.push(region) === count) break;
  }
  return chosen.flat();
}

/** At most `most` of the pages, at even distances. */
export function sample(pages: readonly Page[], most: number): Page[] {
  if (pages.length <= most) return [...pages];
  return Array.from({ length: most }, (_, i) => pages[Math.floor((i * pages.length) / most)] as Page);
}
