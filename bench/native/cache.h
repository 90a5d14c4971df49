// A set-associative cache with exact LRU, written for speed in C. A key holds page number, tag, global bit and level;
// 0 is an empty way. "Everything" and "one tag" are noted as times; a set is cleaned before its next fill, so that
// victims are those of an eager flush.
#ifndef CACHE_H
#define CACHE_H

#include "match.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_COUNT = 4096, GLOBAL_TAG = 0xffff, MOST_WAYS = 64 };

typedef struct {
  uint32_t since, live, counted_at;
} tag_state;

typedef struct {
  uint32_t cleaned_at, live;
} set_state;

typedef struct cache {
  uint32_t sets, mask, ways, padded, levels, seen;
  uint32_t clock, global_since, tagged_since, last_flush, live, live_global;
  size_t set_bytes, data_at, used_at, filled_at;
  uint8_t *base;
  set_state *states;
  tag_state *tags;
  uint64_t lookups, hits, fills, evictions, invalidated;
} cache;

// A way: the set's keys and the way's number.
typedef struct {
  uint64_t *keys;
  uint32_t way;
} place;

static inline uint64_t key_of(uint64_t page, uint32_t level, uint32_t tag) {
  return page << 19 | (uint64_t)tag << 3 | level;
}

static inline uint64_t global_key(uint64_t page, uint32_t level) {
  return page << 19 | (uint64_t)GLOBAL_TAG << 3 | 4 | level;
}

static inline bool is_global(uint64_t key) { return key & 4; }
static inline uint32_t tag_of(uint64_t key) { return (uint32_t)(key >> 3) & 0xffff; }
static inline uint32_t level_of(uint64_t key) { return (uint32_t)key & 3; }

static inline uint64_t *data_of(const cache *c, place p) {
  return (uint64_t *)((uint8_t *)p.keys + c->data_at) + p.way;
}
static inline uint32_t *used_of(const cache *c, const uint64_t *keys) { return (uint32_t *)((uint8_t *)keys + c->used_at); }
static inline uint32_t *filled_of(const cache *c, const uint64_t *keys) {
  return (uint32_t *)((uint8_t *)keys + c->filled_at);
}

static inline uint32_t set_of(const cache *c, uint64_t page) {
  return c->mask != UINT32_MAX ? (uint32_t)page & c->mask : (uint32_t)(page % c->sets);
}

static inline uint64_t *keys_of(const cache *c, uint32_t set) { return (uint64_t *)(c->base + set * c->set_bytes); }

bool cache_init(cache *c, uint32_t sets, uint32_t ways, uint32_t levels);
void cache_clean_set(cache *c, uint32_t set);
void cache_drop_all(cache *c);
void cache_drop_all_but_global(cache *c);

static inline bool is_alive(const cache *c, uint64_t key, uint32_t filled) {
  if (is_global(key)) return filled > c->global_since;
  return filled > c->tagged_since && filled > c->tags[tag_of(key)].since;
}

static inline uint32_t live_of(const cache *c, uint32_t tag) {
  return c->tags[tag].counted_at <= c->tagged_since ? 0 : c->tags[tag].live;
}

static inline void count_live(cache *c, uint64_t key, int32_t change) {
  if (is_global(key)) {
    c->live_global += (uint32_t)change;
    return;
  }
  tag_state *state = &c->tags[tag_of(key)];
  state->live = live_of(c, tag_of(key)) + (uint32_t)change;
  state->counted_at = c->clock + 1;
}

// The live entry for a page of a tag, or a global one; keys is NULL if there is none.
static inline place cache_find(const cache *c, uint64_t page, uint32_t level, uint32_t tag) {
  uint64_t *keys = keys_of(c, set_of(c, page));
  uint64_t found = match(keys, c->padded, key_of(page, level, tag), global_key(page, level));
  for (; found; found &= found - 1) {
    const uint32_t way = (uint32_t)__builtin_ctzll(found);
    if (__builtin_expect(is_alive(c, keys[way], filled_of(c, keys)[way]), 1)) return (place){keys, way};
  }
  return (place){NULL, 0};
}

static inline void cache_touch(cache *c, place p) {
  c->hits++;
  used_of(c, p.keys)[p.way] = ++c->clock;
}

static inline uint32_t cache_new_way(cache *c, uint32_t set, uint64_t *keys) {
  set_state *state = &c->states[set];
  if (state->live == c->ways) {
    const uint32_t way = least_way(used_of(c, keys), (c->padded + 3) & ~3u);
    count_live(c, keys[way], -1);
    c->evictions++;
    return way;
  }
  state->live++;
  c->live++;
  return (uint32_t)__builtin_ctzll(match(keys, c->padded, 0, 0));
}

static inline void cache_fill(cache *c, uint64_t page, uint64_t key, uint64_t data) {
  const uint32_t set = set_of(c, page);
  uint64_t *keys = keys_of(c, set);
  if (__builtin_expect(c->states[set].cleaned_at < c->last_flush, 0)) cache_clean_set(c, set);
  const uint64_t same = match(keys, c->padded, key, key);
  place p = {keys, 0};
  if (same) p.way = (uint32_t)__builtin_ctzll(same);
  else {
    p.way = cache_new_way(c, set, keys);
    keys[p.way] = key;
    count_live(c, key, 1);
  }
  *data_of(c, p) = data;
  used_of(c, keys)[p.way] = filled_of(c, keys)[p.way] = ++c->clock;
  c->seen |= 1u << level_of(key);
  c->fills++;
}

// Drops the entry of a tag for one page and, if asked, the global one.
static inline void cache_drop_page(cache *c, uint64_t page, uint32_t level, uint32_t tag, bool globals) {
  const uint32_t set = set_of(c, page);
  uint64_t *keys = keys_of(c, set);
  const uint64_t key = key_of(page, level, tag);
  uint64_t found = match(keys, c->padded, key, globals ? global_key(page, level) : key);
  for (; found; found &= found - 1) {
    const uint32_t way = (uint32_t)__builtin_ctzll(found);
    if (!is_alive(c, keys[way], filled_of(c, keys)[way])) continue;
    count_live(c, keys[way], -1);
    keys[way] = 0;
    c->states[set].live--;
    c->live--;
    c->invalidated++;
  }
}

static inline void cache_drop_tag(cache *c, uint32_t tag) {
  const uint32_t live = live_of(c, tag);
  if (live == 0) return;
  c->tags[tag].since = c->last_flush = ++c->clock;
  c->tags[tag].live = 0;
  c->live -= live;
  c->invalidated += live;
}

#endif
