// Dropping pages from one cache. What is dropped need not be alive, and is not counted: see counters.c.
#ifndef DROP_H
#define DROP_H

#include "cache.h"

// Which entries of a page are dropped: those with the lower part of a key, or the other one.
typedef struct {
  uint64_t own, other;
} doomed;

static inline doomed doomed_of(uint32_t tag, uint32_t level, bool globals) {
  return (doomed){own_part(tag, level), globals ? global_part(level) : own_part(tag, level)};
}

static inline void drop_from(const cache *c, set *s, uint64_t page, doomed d) {
  for (uint64_t found = ways_with(c, s, partial_of(page)); found; found &= found - 1) {
    const uint32_t way = first_way(found);
    const uint64_t low = entries_of(c, s)[way].key ^ page << PAGE_SHIFT;
    if (low == d.own || low == d.other) partials_of(s)[way] = 0;
  }
}

static inline void drop_page(const cache *c, uint64_t page, doomed d) { drop_from(c, set_of(c, page), page, d); }

// Pages first to last, both included.
void drop_range(const cache *c, uint64_t first, uint64_t last, doomed d);

#endif
