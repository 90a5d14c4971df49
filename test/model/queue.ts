// Invalidation queues (rules.md section 15): what an IOMMU makes of the words of one descriptor. A second reading of the
// tables of fields there, bit by bit; nothing here comes from the library's codecs.

import type { Iommu } from "./iommu.js";
import type { Pages } from "./pages.js";

/** Bits of the words that a kind of descriptor may use, as [word, highest, lowest]. */
type Used = readonly (readonly [word: number, high: number, low: number])[];

/** A field of a descriptor. */
function field(words: readonly bigint[], word: number, high: number, low: number): bigint {
  return ((words[word] ?? 0n) >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

const bit = (words: readonly bigint[], word: number, place: number): boolean => field(words, word, place, place) === 1n;

/** Whether all bits but the used ones are 0. */
function reservedAreZero(words: readonly bigint[], used: Used): boolean {
  return words.every((value, word) => {
    let reserved = value;
    for (const [where, high, low] of used) {
      for (let place = low; where === word && place <= high; place++) reserved &= ~(1n << BigInt(place));
    }
    return reserved === 0n;
  });
}

/** Rules 15.6 and 15.7: type bits apart, which are checked by themselves. */
const VTD: Readonly<Record<number, { used: Used; granularities?: readonly number[] }>> = {
  1: {
    used: [
      [0, 5, 4],
      [0, 31, 16],
      [0, 47, 32],
      [0, 49, 48],
    ],
    granularities: [1, 2, 3],
  },
  2: {
    used: [
      [0, 5, 4],
      [0, 7, 6],
      [0, 31, 16],
      [1, 5, 0],
      [1, 6, 6],
      [1, 63, 12],
    ],
    granularities: [1, 2, 3],
  },
  3: {
    used: [
      [0, 15, 12],
      [0, 20, 16],
      [0, 47, 32],
      [0, 63, 52],
      [1, 0, 0],
      [1, 63, 12],
    ],
  },
  4: {
    used: [
      [0, 4, 4],
      [0, 31, 27],
      [0, 47, 32],
    ],
  },
  5: {
    used: [
      [0, 7, 4],
      [0, 63, 32],
      [1, 63, 2],
    ],
  },
  6: {
    used: [
      [0, 5, 4],
      [0, 31, 16],
      [0, 51, 32],
      [1, 5, 0],
      [1, 6, 6],
      [1, 63, 12],
    ],
    granularities: [2, 3],
  },
  7: {
    used: [
      [0, 5, 4],
      [0, 31, 16],
      [0, 51, 32],
    ],
    granularities: [0, 1, 3],
  },
  8: {
    used: [
      [0, 8, 4],
      [0, 15, 12],
      [0, 31, 16],
      [0, 51, 32],
      [0, 63, 52],
      [1, 0, 0],
      [1, 11, 11],
      [1, 63, 12],
    ],
  },
  9: {
    used: [
      [0, 5, 4],
      [0, 15, 12],
      [0, 31, 16],
      [0, 51, 32],
      [1, 2, 2],
      [1, 11, 3],
      [2, 63, 0],
      [3, 63, 0],
    ],
  },
  10: {
    used: [
      [0, 5, 4],
      [0, 31, 16],
      [1, 5, 0],
      [1, 7, 6],
      [1, 63, 12],
    ],
    granularities: [1, 2, 3],
  },
};

/** Rule 15.14: the opcode apart. */
const AMD: Readonly<Record<number, Used>> = {
  1: [
    [0, 2, 0],
    [0, 51, 3],
    [1, 63, 0],
  ],
  2: [[0, 15, 0]],
  3: [
    [0, 19, 0],
    [0, 47, 32],
    [1, 2, 0],
    [1, 63, 12],
  ],
  4: [
    [0, 15, 0],
    [0, 23, 16],
    [0, 31, 24],
    [0, 47, 32],
    [0, 59, 48],
    [1, 0, 0],
    [1, 2, 2],
    [1, 5, 4],
    [1, 63, 12],
  ],
  5: [[0, 15, 0]],
  6: [
    [0, 15, 0],
    [0, 31, 24],
    [0, 51, 32],
    [1, 0, 0],
    [1, 2, 2],
    [1, 4, 4],
    [1, 63, 12],
  ],
  7: [
    [0, 15, 0],
    [0, 51, 32],
    [1, 2, 2],
    [1, 47, 32],
  ],
  8: [],
};

/** The effect of a descriptor; false if hardware refuses it. `device`: who gets it if it is for a device TLB, whatever it says. */
export function submit(iommu: Iommu, words: readonly bigint[], device: number | undefined): boolean {
  return iommu.dialect === "amd" ? submitAmd(iommu, words, device) : submitVtd(iommu, words, device);
}

/** Pages by the address that a word has from bit 12 up. */
const pagesOf = (word: bigint, am: number): Pages => ({ address: (word >> 12n) << 12n, am });

/** The lowest clear bit of a word from bit 12 up; 64 if there is none. */
function lowestClearBit(word: bigint): number {
  let place = 12;
  while (place < 64 && ((word >> BigInt(place)) & 1n) === 1n) place++;
  return place;
}

function submitVtd(iommu: Iommu, words: readonly bigint[], device: number | undefined): boolean {
  const known = VTD[Number(field(words, 0, 3, 0))];
  const granularity = Number(field(words, 0, 5, 4));
  if (known === undefined || field(words, 0, 11, 9) !== 0n) return false;
  if (!reservedAreZero(words, [...known.used, [0, 3, 0], [0, 11, 9]])) return false;
  if (known.granularities?.includes(granularity) === false) return false;
  const second = words[1] ?? 0n;
  const domain = Number(field(words, 0, 31, 16));
  const pasid = Number(field(words, 0, 51, 32));
  const hint = bit(words, 1, 6);
  const type = Number(field(words, 0, 3, 0));
  // The global one is as one by hand, which counts itself.
  if ((type === 2 && granularity !== 1) || type === 6 || type === 7) iommu.invalidations += 1;
  switch (type) {
    case 2:
      if (granularity === 1) iommu.invalidateAll();
      else iommu.drop({ domain }, granularity === 3 && hint);
      break;
    case 6:
      if (granularity === 2) iommu.drop({ domain, pasid });
      else iommu.dropPages({ domain, pasid }, pagesOf(second, Number(field(words, 1, 5, 0))), hint);
      break;
    case 7:
      iommu.waitForWalksOf(granularity === 1 ? pasid : undefined);
      iommu.dropPasidCache(
        (entry) => granularity === 3 || (entry.domain === domain && (granularity === 0 || entry.pasid === pasid)),
      );
      break;
    case 8: {
      const to = device ?? iommu.sourceIds.indexOf(Number(field(words, 0, 31, 16)));
      const am = bit(words, 1, 11) ? lowestClearBit(second) - 11 : 0;
      iommu.dropInDevice(to, bit(words, 1, 0) ? undefined : pasid, pagesOf(second, am));
      break;
    }
  }
  return true;
}

function submitAmd(iommu: Iommu, words: readonly bigint[], device: number | undefined): boolean {
  const opcode = Number(field(words, 0, 63, 60));
  const used = AMD[opcode];
  if (used === undefined || !reservedAreZero(words, [...used, [0, 63, 60]])) return false;
  const second = words[1] ?? 0n;
  const ofPasid = bit(words, 1, 2);
  const tables = bit(words, 1, 1);
  const clear = lowestClearBit(second);
  const everything = bit(words, 1, 0) && clear >= 51;
  const pages = pagesOf(second, everything ? 52 : bit(words, 1, 0) ? clear - 11 : 0);
  const named = device ?? iommu.sourceIds.indexOf(Number(field(words, 0, 15, 0)));
  if (opcode === 2 || opcode === 3 || (opcode === 6 && bit(words, 1, 4))) iommu.invalidations += 1;
  switch (opcode) {
    case 2: {
      iommu.waitForWalksOf(undefined);
      const inTable = iommu.sourceIds.indexOf(Number(field(words, 0, 15, 0)));
      iommu.dropPasidCache((entry) => entry.device === inTable);
      break;
    }
    case 3: {
      if (!ofPasid) break;
      const pasid = Number(field(words, 0, 19, 0));
      const domain = Number(field(words, 0, 47, 32));
      iommu.dropPages({ domain, pasid }, pages, !tables);
      if (everything && tables) iommu.dropPasidCache((entry) => entry.pasid === pasid && entry.domain === domain);
      break;
    }
    case 4: {
      const low = Number(field(words, 0, 55, 48));
      const middle = Number(field(words, 0, 23, 16));
      const high = Number(field(words, 0, 59, 56));
      if (ofPasid) iommu.dropInDevice(named, low | (middle << 8) | (high << 16), pages);
      break;
    }
    case 6:
      if (ofPasid && bit(words, 1, 4)) {
        const from = iommu.sourceIds.indexOf(Number(field(words, 0, 15, 0)));
        iommu.dropDevicePages(from, Number(field(words, 0, 51, 32)), pages);
      }
      break;
    case 8:
      iommu.invalidateAll();
      iommu.dropPasidCache(() => true);
      break;
  }
  return true;
}
