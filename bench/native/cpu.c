// Setting up a CPU, and which TLBs a translation has to ask.
#include "cpu.h"

static void add_probes(cpu *c, cache *list, uint32_t count, bool second) {
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t level = 1; level <= LARGEST_LEAF; level++) {
      if (!(list[i].levels & c->seen & 1u << level)) continue;
      c->probes[c->probe_count++] = (probe){&list[i], level, shift_of(level), second};
    }
}

void choose_probes(cpu *c) {
  c->probe_count = 0;
  add_probes(c, c->l1, c->l1_count, false);
  add_probes(c, c->l2, c->l2_count, true);
  const probe *p = c->probes;
  c->first_is_small = c->probe_count > 0 && p->tlb == c->l1_of[1] && p->level == 1;
  c->only_small = c->first_is_small && c->probe_count == 2 && p[1].tlb == c->l2_of[1] && p[1].level == 1;
}

static void choose_targets(cache **of, cache *list, uint32_t count) {
  for (uint32_t i = count; i-- > 0;)
    for (uint32_t level = 1; level <= LARGEST_LEAF; level++)
      if (list[i].levels & 1u << level) of[level] = &list[i];
}

void cpu_init(cpu *c) {
  choose_targets(c->l1_of, c->l1, c->l1_count);
  choose_targets(c->l2_of, c->l2, c->l2_count);
  choose_probes(c);
}
