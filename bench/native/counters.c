// Counters of the caches that nothing has to count: a cache is asked for what those before it did not answer, and what
// was put in, was not displaced and does not live was invalidated.
#include "cpu.h"

static uint64_t *write_cache(uint64_t *to, const cache *c, const epochs *e, uint64_t *lookups) {
  const uint64_t invalidated = c->fills - c->refills - c->evictions - live_entries(c, e);
  const uint64_t values[5] = {*lookups, c->hits, c->fills, c->evictions, invalidated};
  memcpy(to, values, sizeof values);
  *lookups -= c->hits;
  return to + 5;
}

uint32_t cache_counters(const cpu *c, uint64_t *to) {
  uint64_t *at = to, asked = c->translations - c->non_canonical, walks = c->walks;
  for (uint32_t i = 0; i < c->l1_count; i++) at = write_cache(at, &c->l1[i], &c->tlbs, &asked);
  for (uint32_t i = 0; i < c->l2_count; i++) at = write_cache(at, &c->l2[i], &c->tlbs, &asked);
  for (uint32_t level = 2; level <= c->rules->levels; level++)
    if (c->psc[level]) at = write_cache(at, c->psc[level], &c->paths, &walks);
  return (uint32_t)(at - to);
}
