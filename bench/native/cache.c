// The cold half of cache.h.
#include "cache.h"

static size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

bool cache_init(cache *c, uint32_t sets, uint32_t ways, uint32_t levels) {
  if (sets == 0 || ways == 0 || ways > MOST_WAYS) return false;
  const uint32_t padded = (uint32_t)rounded(ways, WAY_UNIT);
  const size_t times = rounded(padded * sizeof(uint32_t), 16);
  *c = (cache){.sets = sets, .ways = ways, .padded = padded, .levels = levels, .clock = 1};
  c->mask = (sets & (sets - 1)) == 0 ? sets - 1 : UINT32_MAX;
  c->data_at = padded * sizeof(uint64_t);
  c->used_at = 2 * c->data_at;
  c->filled_at = c->used_at + times;
  c->set_bytes = rounded(c->filled_at + times, 64);
  c->base = aligned_alloc(64, sets * c->set_bytes);
  c->states = calloc(sets, sizeof *c->states);
  c->tags = calloc(TAG_COUNT, sizeof *c->tags);
  if (!c->base || !c->states || !c->tags) return false;
  memset(c->base, 0, sets * c->set_bytes);
  // Ways that only pad the set are never empty, never matched and never the oldest.
  for (uint32_t set = 0; set < sets; set++) {
    uint64_t *keys = keys_of(c, set);
    for (uint32_t way = ways; way < padded; way++) keys[way] = UINT64_MAX;
    for (uint32_t way = ways; way < times / sizeof(uint32_t); way++) used_of(c, keys)[way] = UINT32_MAX;
  }
  return true;
}

void cache_clean_set(cache *c, uint32_t set) {
  uint64_t *keys = keys_of(c, set);
  uint32_t live = 0;
  for (uint32_t way = 0; way < c->ways; way++) {
    if (keys[way] == 0) continue;
    if (is_alive(c, keys[way], filled_of(c, keys)[way])) live++;
    else keys[way] = 0;
  }
  c->states[set] = (set_state){.cleaned_at = c->clock, .live = live};
}

void cache_drop_all(cache *c) {
  c->global_since = c->tagged_since = c->last_flush = ++c->clock;
  c->invalidated += c->live;
  c->live = c->live_global = c->seen = 0;
}

void cache_drop_all_but_global(cache *c) {
  c->tagged_since = c->last_flush = ++c->clock;
  c->invalidated += c->live - c->live_global;
  c->live = c->live_global;
}
