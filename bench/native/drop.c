// A range of pages in one cache: page by page or over all entries, whichever is less.
#include "drop.h"

static void scan(const cache *c, uint64_t first, uint64_t last, doomed d) {
  const uint64_t low_bits = (1ull << PAGE_SHIFT) - 1;
  for (uint32_t number = 0; number < c->sets; number++) {
    set *s = set_at(c, number);
    for (uint32_t way = 0; way < c->ways; way++) {
      const uint64_t key = entries_of(c, s)[way].key, low = key & low_bits;
      if ((key >> PAGE_SHIFT) - first > last - first) continue;
      if (low == d.own || low == d.other) partials_of(s)[way] = 0;
    }
  }
}

// Looking for a page costs as much as looking at this many entries (docs/performance.md).
enum { ENTRIES_A_PAGE = 5 };

void drop_range(const cache *c, uint64_t first, uint64_t last, doomed d) {
  if (last - first >= (uint64_t)c->sets * c->ways / ENTRIES_A_PAGE) {
    scan(c, first, last, d);
    return;
  }
  for (uint64_t page = first; page <= last; page++) drop_page(c, page, d);
}
