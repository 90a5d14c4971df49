// What is to happen later, by its time: a binary heap. Of two with one time the one that was put in first comes first.

interface Due<T> {
  readonly time: number;
  readonly order: number;
  readonly what: T;
}

const before = (one: Due<unknown>, other: Due<unknown>): boolean =>
  one.time < other.time || (one.time === other.time && one.order < other.order);

/** A queue by time. */
export class DueQueue<T> {
  readonly #heap: Due<T>[] = [];
  #order = 0;

  /** Time of the next; infinity if there is none. */
  get next(): number {
    return this.#heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  put(time: number, what: T): void {
    const heap = this.#heap;
    const due = { time, order: this.#order++, what };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!before(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  /** Takes the next out; there must be one. */
  take(): T {
    const heap = this.#heap;
    const [first] = heap as [Due<T>];
    const last = heap.pop()!;
    if (heap.length === 0) return first.what;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first.what;
  }
}
