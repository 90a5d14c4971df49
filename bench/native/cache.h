// A set-associative cache with exact LRU: its layout, looking up, filling. Dropping is in drop.h, making one in
// cache.c.
//
// A set is one block: time of its last sweep (4 bytes), a partial tag of 8 bits for each way (0: empty), times of last
// use, entries (key and data side by side). Twelve ways take four lines of 64 bytes, of which a hit touches two.
#ifndef CACHE_H
#define CACHE_H

#include "epochs.h"
#include "simd.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_WAYS = 64, SWEPT_BYTES = 4 };

// Page number, tag, global bit, level of the leaf (1 in paging-structure caches).
enum { LEVEL_BITS = 3, GLOBAL_BIT = 4, TAG_SHIFT = 3, PAGE_SHIFT = 19, GLOBAL_TAG = 0xffff };

typedef struct {
  uint64_t key, data;
} entry;

typedef struct {
  uint8_t *base;
  uint32_t sets, mask, set_bytes; // mask: sets - 1 for a power of two, else UINT32_MAX
  uint32_t ways, entries_at;
  uint32_t levels; // bit L: holds leaves of level L
  // `fills` counts refills, which put in what was there already, too.
  uint64_t hits, fills, refills, evictions;
} cache;

// A set starts with the time of its last sweep.
typedef uint32_t set;

static inline uint64_t own_part(uint32_t tag, uint32_t level) { return (uint64_t)tag << TAG_SHIFT | level; }
static inline uint64_t global_part(uint32_t level) { return own_part(GLOBAL_TAG, level) | GLOBAL_BIT; }
static inline uint64_t key_of(uint64_t page, uint32_t tag, uint32_t level) {
  return page << PAGE_SHIFT | own_part(tag, level);
}
static inline uint64_t global_key(uint64_t page, uint32_t level) { return page << PAGE_SHIFT | global_part(level); }
static inline bool is_global(uint64_t key) { return key & GLOBAL_BIT; }
static inline uint32_t tag_of(uint64_t key) { return (uint32_t)(key >> TAG_SHIFT) & 0xffff; }

// Never 0. Multiplied by 2^64 over the golden ratio, neighbours differ.
static inline uint8_t partial_of(uint64_t page) {
  const uint8_t spread = (uint8_t)(page * 0x9e3779b97f4a7c15ull >> 56);
  return (uint8_t)(spread + !spread);
}

static inline set *set_at(const cache *c, uint32_t number) { return (set *)(c->base + (size_t)number * c->set_bytes); }

static inline set *set_of(const cache *c, uint64_t page) {
  return set_at(c, __builtin_expect(c->mask != UINT32_MAX, 1) ? (uint32_t)page & c->mask : (uint32_t)(page % c->sets));
}

static inline uint8_t *partials_of(set *s) { return (uint8_t *)s + SWEPT_BYTES; }
static inline uint32_t *times_of(const cache *c, set *s) {
  return (uint32_t *)((uint8_t *)s + (c->ways <= 12 ? 16 : (c->ways + SWEPT_BYTES + 15) & ~15u));
}
static inline entry *entries_of(const cache *c, set *s) { return (entry *)((uint8_t *)s + c->entries_at); }

bool cache_init(cache *c, uint32_t sets, uint32_t ways, uint32_t levels);
void sweep(const cache *c, set *s, const epochs *e);
uint32_t live_entries(const cache *c, const epochs *e);
uint32_t oldest_of_many(const uint32_t *times, uint32_t ways);

// Bit w: way w has the partial tag.
static inline uint64_t ways_with(const cache *c, set *s, uint8_t partial) {
  uint64_t found = equal_bytes(s, partial) >> SWEPT_BYTES;
  for (uint32_t at = 16; __builtin_expect(at < c->ways + SWEPT_BYTES, 0); at += 16)
    found |= (uint64_t)equal_bytes((uint8_t *)s + at, partial) << (at - SWEPT_BYTES);
  return found & (~0ull >> (64 - c->ways));
}

static inline uint32_t first_way(uint64_t ways) { return (uint32_t)__builtin_ctzll(ways); }

// What is looked for: an entry of a tag or a global one, with the times since which they are alive.
typedef struct {
  uint64_t own, global;
  uint32_t own_since, global_since;
} wanted;

static inline wanted wanted_of(const epochs *e, uint64_t page, uint32_t tag, uint32_t level) {
  return (wanted){key_of(page, tag, level), global_key(page, level), since_of(e, tag), e->global_since};
}

// The way of the first living entry that is wanted, or -1.
static inline int32_t find(const cache *c, set *s, uint8_t partial, wanted w) {
  for (uint64_t found = ways_with(c, s, partial); found; found &= found - 1) {
    const uint32_t way = first_way(found);
    const uint64_t key = entries_of(c, s)[way].key;
    if ((key == w.own && *s >= w.own_since) || (key == w.global && *s >= w.global_since)) return (int32_t)way;
  }
  return -1;
}

static inline uint32_t victim(const cache *c, set *s) {
  const uint32_t *times = times_of(c, s);
  if (c->ways <= 4) return oldest_of(times, 4);
  if (c->ways <= 8) return oldest_of(times, 8);
  if (c->ways <= 12) return oldest_of(times, 12);
  return oldest_of_many(times, c->ways);
}

static inline void put(cache *c, set *s, uint32_t way, uint64_t key, uint64_t data, uint32_t now) {
  entries_of(c, s)[way] = (entry){key, data};
  times_of(c, s)[way] = now;
  c->fills++;
}

// Fills what is known not to be there.
static inline void fill_absent(cache *c, const epochs *e, uint64_t page, uint64_t key, uint64_t data, uint32_t now) {
  set *s = set_of(c, page);
  if (__builtin_expect(*s < e->last_flush, 0)) sweep(c, s, e);
  const uint64_t empty = ways_with(c, s, 0);
  const uint32_t way = empty ? first_way(empty) : victim(c, s);
  c->evictions += !empty;
  partials_of(s)[way] = partial_of(page);
  put(c, s, way, key, data, now);
}

// Fills what may be there already.
static inline void fill(cache *c, const epochs *e, uint64_t page, uint64_t key, uint64_t data, uint32_t now) {
  set *s = set_of(c, page);
  if (*s < e->last_flush) sweep(c, s, e);
  for (uint64_t found = ways_with(c, s, partial_of(page)); found; found &= found - 1) {
    if (entries_of(c, s)[first_way(found)].key != key) continue;
    put(c, s, first_way(found), key, data, now);
    c->refills++;
    return;
  }
  fill_absent(c, e, page, key, data, now);
}

#endif
