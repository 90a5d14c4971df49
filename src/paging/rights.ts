// What a path through tables allows (SDM 4.6): a right is there if every entry so far gives it.

const WRITE = 2n;
const USER = 4n;
const XD = 1n << 63n;

/** Rights of a path up to an entry. */
export interface PathRights {
  readonly user: boolean;
  readonly write: boolean;
  readonly fetch: boolean;
}

/** The rights behind each entry of a path, from the root down. */
export function rightsAlong(entries: readonly bigint[]): PathRights[] {
  let so: PathRights = { user: true, write: true, fetch: true };
  return entries.map((entry) => {
    so = {
      user: so.user && (entry & USER) !== 0n,
      write: so.write && (entry & WRITE) !== 0n,
      fetch: so.fetch && (entry & XD) === 0n,
    };
    return so;
  });
}

/** `urwx`, with a dash for each right that is not there. */
export function describeRights({ user, write, fetch }: PathRights): string {
  return `${user ? "u" : "-"}r${write ? "w" : "-"}${fetch ? "x" : "-"}`;
}
