// The cold half of cache.h: making a cache, sweeping a set, counting what lives.
#include "cache.h"
#include <stdlib.h>

static uint32_t rounded(uint32_t bytes, uint32_t to) { return (bytes + to - 1) / to * to; }

bool cache_init(cache *c, uint32_t sets, uint32_t ways, uint32_t levels) {
  if (sets == 0 || ways == 0 || ways > MOST_WAYS) return false;
  *c = (cache){.sets = sets, .ways = ways, .levels = levels};
  c->mask = (sets & (sets - 1)) == 0 ? sets - 1 : UINT32_MAX;
  const uint32_t times_at = rounded(ways + SWEPT_BYTES, 16), padded = rounded(ways, 4);
  c->entries_at = times_at + padded * (uint32_t)sizeof(uint32_t);
  c->set_bytes = rounded(c->entries_at + ways * (uint32_t)sizeof(entry), 64);
  c->base = aligned_alloc(64, (size_t)sets * c->set_bytes);
  if (!c->base) return false;
  memset(c->base, 0, (size_t)sets * c->set_bytes);
  // Ways that only pad a set are never the oldest.
  for (uint32_t number = 0; number < sets; number++)
    for (uint32_t way = ways; way < padded; way++) times_of(c, set_at(c, number))[way] = INT32_MAX;
  return true;
}

static bool is_alive(uint64_t key, uint32_t swept, const epochs *e) {
  return swept >= (is_global(key) ? e->global_since : since_of(e, tag_of(key)));
}

void sweep(const cache *c, set *s, const epochs *e) {
  if (*s < e->global_since) memset(partials_of(s), 0, c->ways);
  else
    for (uint32_t way = 0; way < c->ways; way++)
      if (!is_alive(entries_of(c, s)[way].key, *s, e)) partials_of(s)[way] = 0;
  *s = e->last_flush;
}

uint32_t live_entries(const cache *c, const epochs *e) {
  uint32_t live = 0;
  for (uint32_t number = 0; number < c->sets; number++) {
    set *s = set_at(c, number);
    for (uint32_t way = 0; way < c->ways; way++)
      live += partials_of(s)[way] && is_alive(entries_of(c, s)[way].key, *s, e);
  }
  return live;
}

uint32_t oldest_of_many(const uint32_t *times, uint32_t ways) {
  ints4 least = load_times(times);
  for (uint32_t way = 4; way < ways; way += 4) least = lesser(least, load_times(times + way));
  least = least_everywhere(least);
  for (uint32_t way = 0;; way += 4) {
    const uint32_t found = equal_times(load_times(times + way), least);
    if (found) return way + (uint32_t)__builtin_ctz(found);
  }
}
