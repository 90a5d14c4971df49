// The 64 bits of an entry by their names (SDM vol. 3, tables 5-15 to 5-20), and what each does.

/** One field of an entry. */
export interface Field {
  name: string;
  high: number;
  low: number;
  about: string;
}

const flag = (name: string, bit: number, about: string): Field => ({ name, high: bit, low: bit, about });

/** The fields of an entry at a level, the highest first. */
export function fieldsOf(level: number, leaf: boolean): Field[] {
  const large = leaf && level > 1;
  const addressLow = large ? 12 + 9 * (level - 1) : 12;
  return [
    flag("XD", 63, "execute-disable: no fetch below this entry"),
    ...(leaf
      ? [
          { name: "key", high: 62, low: 59, about: "protection key" },
          { name: "ignored", high: 58, low: 52, about: "left to software" },
        ]
      : [{ name: "ignored", high: 62, low: 52, about: "left to software" }]),
    { name: "frame", high: 51, low: addressLow, about: leaf ? "frame of the page" : "frame of the next table" },
    ...(large
      ? [{ name: "reserved", high: addressLow - 1, low: 13, about: "must be zero" }, flag("PAT", 12, "memory type")]
      : []),
    { name: "ignored", high: 11, low: 9, about: "left to software" },
    leaf ? flag("G", 8, "global: flushes of a process leave the translation") : flag("ign", 8, "ignored"),
    leaf && level === 1 ? flag("PAT", 7, "memory type") : flag("PS", 7, "page size: this entry is the leaf"),
    leaf ? flag("D", 6, "dirty: set by the walker before a write") : flag("ign", 6, "ignored"),
    flag("A", 5, "accessed: set by the walker"),
    flag("PCD", 4, "memory type"),
    flag("PWT", 3, "memory type"),
    flag("U/S", 2, "1: user accesses are allowed, if all levels say so"),
    flag("R/W", 1, "1: writes are allowed, if all levels say so"),
    flag("P", 0, "present: the entry means something"),
  ];
}

/** The value of a field. */
export function fieldValue(entry: bigint, { high, low }: Field): bigint {
  return (entry >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}
