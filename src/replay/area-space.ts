// Addresses of vmalloc areas as the kernel gives them out: the lowest that fits; what is unmapped is free again after a purge.
// mm/vmalloc.c: __alloc_vmap_area(), __purge_vmap_area_lazy(). All numbers are pages; an area has a guard page behind it.

/** Hands out addresses between two pages. */
export class AreaSpace {
  /** Gaps by address: first page, and the page behind the last. */
  readonly #starts: number[];
  readonly #ends: number[];
  readonly #lazy: { readonly page: number; readonly pages: number }[] = [];

  constructor(first: number, end: number) {
    this.#starts = [first];
    this.#ends = [end];
  }

  /** First page of the lowest free range of `pages` pages at a multiple of `align`; undefined if there is none. */
  take(pages: number, align: number): number | undefined {
    const { length } = this.#starts;
    for (let i = 0; i < length; i++) {
      const page = Math.ceil(this.#starts[i]! / align) * align;
      const end = page + pages;
      if (end > this.#ends[i]!) continue;
      const [before, behind] = [page > this.#starts[i]!, end < this.#ends[i]!];
      if (before && behind) {
        this.#starts.splice(i + 1, 0, end);
        this.#ends.splice(i, 0, page);
      } else if (before) this.#ends[i] = page;
      else if (behind) this.#starts[i] = end;
      else {
        this.#starts.splice(i, 1);
        this.#ends.splice(i, 1);
      }
      return page;
    }
    return undefined;
  }

  /** An area is unmapped; its addresses wait for the next purge. */
  unmap(page: number, pages: number): void {
    this.#lazy.push({ page, pages });
  }

  /** What waits may be given out again; the range from the first to the last of it, undefined if nothing waits. */
  purge(): { readonly page: number; readonly end: number } | undefined {
    if (this.#lazy.length === 0) return undefined;
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    for (const { page, pages } of this.#lazy) {
      this.#give(page, page + pages);
      first = Math.min(first, page);
      last = Math.max(last, page + pages);
    }
    this.#lazy.length = 0;
    return { page: first, end: last };
  }

  #give(page: number, end: number): void {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < page) low = middle + 1;
      else high = middle;
    }
    const joinsBefore = low > 0 && this.#ends[low - 1] === page;
    const joinsBehind = low < this.#starts.length && this.#starts[low] === end;
    if (joinsBefore && joinsBehind) {
      this.#ends.splice(low - 1, 1);
      this.#starts.splice(low, 1);
    } else if (joinsBefore) this.#ends[low - 1] = end;
    else if (joinsBehind) this.#starts[low] = page;
    else {
      this.#starts.splice(low, 0, page);
      this.#ends.splice(low, 0, end);
    }
  }
}
