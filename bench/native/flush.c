// Invalidations of a CPU. "Everything" and "one tag" are one note for all its TLBs and one for its paging-structure
// caches.
#include "cpu.h"

void drop_translations(cpu *c, uint64_t address, uint32_t tag, bool globals) {
  for (uint32_t i = 0; i < c->probe_count; i++) {
    const probe *p = &c->probes[i];
    drop_page(p->tlb, address >> p->shift, doomed_of(tag, p->level, globals));
  }
}

void drop_path(cpu *c, uint64_t address, uint32_t tag) {
  for (uint32_t level = 2; level <= c->rules->levels; level++)
    if (c->psc[level]) drop_page(c->psc[level], address >> shift_of(level), doomed_of(tag, 1, false));
}

void invlpg(cpu *c, uint64_t address, uint32_t pages, uint32_t now) {
  if (pages == 0) return;
  const uint64_t mask = c->rules->address_mask, first = address & mask & ~0xfffull;
  c->invalidations += pages;
  if (pages == 1) drop_translations(c, first, c->tag, true);
  else {
    const uint64_t end = first + (uint64_t)(pages - 1) * 4096, last = end < mask ? end : mask;
    for (uint32_t i = 0; i < c->probe_count; i++) {
      const probe *p = &c->probes[i];
      drop_range(p->tlb, first >> p->shift, last >> p->shift, doomed_of(c->tag, p->level, true));
    }
  }
  drop_tag(&c->paths, c->tag, now);
}

void invpcid(cpu *c, uint32_t type, uint32_t tag, uint64_t address, uint32_t now) {
  c->invalidations++;
  switch (type) {
  case 0:
    drop_translations(c, address & c->rules->address_mask, tag, false);
    drop_path(c, address & c->rules->address_mask, tag);
    break;
  case 1:
    drop_tag(&c->tlbs, tag, now);
    drop_tag(&c->paths, tag, now);
    break;
  case 2:
    drop_everything(&c->tlbs, now);
    drop_everything(&c->paths, now);
    c->seen = c->probe_count = 0;
    c->first_is_small = c->only_small = false;
    break;
  default:
    drop_all_but_global(&c->tlbs, now);
    drop_all_but_global(&c->paths, now);
  }
}
