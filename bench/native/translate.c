// A translation by any TLBs, with leaves of every size: what the lane (play.c) leaves over.
#include "cpu.h"

static uint64_t hit(cpu *c, const probe *p, set *s, uint32_t way, uint64_t address, uint32_t now, bool absent) {
  const entry *found = &entries_of(p->tlb, s)[way];
  const uint64_t data = found->data, number = address >> p->shift;
  p->tlb->hits++;
  times_of(p->tlb, s)[way] = now;
  cache *target = c->l1_of[p->level];
  if (p->second && target) (absent ? fill_absent : fill)(target, &c->tlbs, number, found->key, data, now);
  return translated(data, p->level, address);
}

uint64_t translate(cpu *c, uint32_t start, uint64_t address, uint32_t access, uint32_t now) {
  const check k = c->rules->checks[access];
  bool absent = true;
  for (uint32_t i = start; i < c->probe_count; i++) {
    const probe *p = &c->probes[i];
    const uint64_t number = address >> p->shift;
    set *s = set_of(p->tlb, number);
    const int32_t way = find(p->tlb, s, partial_of(number), wanted_of(&c->tlbs, number, c->tag, p->level));
    if (way < 0) continue;
    const uint64_t leaf = entries_of(p->tlb, s)[way].data;
    if ((leaf & k.mask) == k.wanted) return hit(c, p, s, (uint32_t)way, address, now, absent);
    if (((leaf | D) & k.mask) != k.wanted) {
      p->tlb->hits++;
      times_of(p->tlb, s)[way] = now;
      return page_fault(c, address, refusal(c->rules, access, leaf, p->level));
    }
    // A write to a clean page: this TLB does not answer, and will be filled again.
    absent = false;
    while (i + 1 < c->probe_count && c->probes[i + 1].tlb == p->tlb) i++;
  }
  return walk(c, address, access, now, absent);
}

uint64_t page_fault(cpu *c, uint64_t address, uint64_t outcome) {
  c->faults++;
  drop_translations(c, address, c->tag, true);
  drop_path(c, address, c->tag);
  return outcome;
}
