// Programs. Accesses by one CPU in a row are played in a lane, in which a hit on a small page in the first TLB, and one
// in the second, is straight-line code; everything else is a call. A CPU without TLBs has a lane of its own.
#include "cpu.h"

enum { ACCESS = 1, EVERY_CPU = 0xffff, CEILING = 33 };

// What an operation by the lane's CPU starts with, but for the type of the access.
static inline uint32_t head_of(const operation *o) {
  uint32_t head;
  memcpy(&head, o, sizeof head);
  return head & 0xffff00ff;
}

// For CPUs whose first list holds no small pages: one set without entries.
static _Alignas(64) uint8_t no_entries[64];
static const cache no_cache = {.base = no_entries, .sets = 1, .mask = 0, .ways = 1, .set_bytes = 64, .entries_at = 32};

static inline bool is_canonical(uint64_t va, uint32_t shift) {
  return (uint64_t)((int64_t)(va << shift) >> shift) == va;
}

static uint64_t refuse_address(cpu *c) {
  c->faults++;
  c->non_canonical++;
  return fault(NON_CANONICAL, 0, 0);
}

// Plays accesses of a CPU without TLBs, all of which walk, from `i` on; returns the index of the first operation that
// is none.
static uint64_t play_walks(cpu *c, const operation *program, uint64_t i, uint64_t count, uint32_t first,
                           uint64_t *results) {
  const uint32_t head = head_of(&program[i]), shift = c->rules->shift;
  const uint64_t address_mask = c->rules->address_mask, start = i;
  for (; i < count && head_of(&program[i]) == head; i++) {
    const uint64_t va = program[i].address;
    if (__builtin_expect(!is_canonical(va, shift), 0)) results[i] = refuse_address(c);
    else results[i] = walk(c, va & address_mask, program[i].type & 7, first + (uint32_t)i, true);
  }
  c->translations += i - start;
  return i;
}

// The way of a small page if one comparison of partial tags and one of keys decide; else -1.
static inline int32_t find_small(const cache *c, set *s, uint8_t partial, uint64_t own, uint64_t global,
                                 uint32_t since) {
  const uint64_t found = ways_with(c, s, partial);
  if (!found) return -1;
  const uint64_t key = entries_of(c, s)[first_way(found)].key;
  // Global entries live at least as long as the others.
  return ((key == own) | (key == global)) & (*s >= since) ? (int32_t)first_way(found) : -1;
}

// The same for a CPU with TLBs.
static uint64_t play_lane(cpu *c, const operation *program, uint64_t i, uint64_t count, uint32_t first,
                          uint64_t *results) {
  const rules *r = c->rules;
  const uint32_t head = head_of(&program[i]), shift = r->shift, since = since_of(&c->tlbs, c->tag);
  const uint64_t address_mask = r->address_mask, own_low = own_part(c->tag, 1), global_low = global_part(1);
  const cache l1 = c->l1_of[1] ? *c->l1_of[1] : no_cache;
  const uint64_t start = i;
  uint64_t l1_hits = 0;
  for (; i < count && head_of(&program[i]) == head; i++) {
    const uint64_t va = program[i].address;
    const uint32_t access = program[i].type & 7, now = first + (uint32_t)i;
    if (__builtin_expect(!is_canonical(va, shift), 0)) {
      results[i] = refuse_address(c);
      continue;
    }
    const uint64_t address = va & address_mask, page = address >> 12;
    const uint64_t own = page << PAGE_SHIFT | own_low, global = page << PAGE_SHIFT | global_low;
    const uint8_t partial = partial_of(page);
    const check k = r->checks[access];
    set *s = set_of(&l1, page);
    const int32_t way = find_small(&l1, s, partial, own, global, since);
    if (__builtin_expect(way >= 0, 1)) {
      const uint64_t leaf = entries_of(&l1, s)[way].data;
      if (__builtin_expect((leaf & k.mask) == k.wanted, 1)) {
        times_of(&l1, s)[way] = now;
        l1_hits++;
        results[i] = translated(leaf, 1, address);
        continue;
      }
    } else if (ways_with(&l1, s, partial) == 0 && c->first_is_small) {
      if (!c->only_small) {
        results[i] = translate(c, 1, address, access, now);
        continue;
      }
      cache *l2 = c->l2_of[1];
      set *s2 = set_of(l2, page);
      const int32_t way2 = find_small(l2, s2, partial, own, global, since);
      if (way2 >= 0) {
        const entry *found = &entries_of(l2, s2)[way2];
        const uint64_t leaf = found->data;
        if (__builtin_expect((leaf & k.mask) == k.wanted, 1)) {
          l2->hits++;
          times_of(l2, s2)[way2] = now;
          fill_absent(c->l1_of[1], &c->tlbs, page, found->key, leaf, now);
          results[i] = translated(leaf, 1, address);
          continue;
        }
      } else if (ways_with(l2, s2, partial) == 0) {
        results[i] = walk(c, address, access, now, true);
        continue;
      }
      results[i] = translate(c, 1, address, access, now);
      continue;
    }
    results[i] = translate(c, 0, address, access, now);
  }
  c->translations += i - start;
  if (c->l1_of[1]) c->l1_of[1]->hits += l1_hits;
  return i;
}

static bool play_other(cpu *c, const operation *o, uint32_t now) {
  switch (o->operation) {
  case 2: invlpg(c, o->address, 1, now); return true;
  case 3: invpcid(c, o->type, o->argument, o->address, now); return true;
  case 4:
    c->root = (o->address & FRAME) >> 12;
    c->tag = o->argument;
    if (!o->type) invpcid(c, 1, o->argument, 0, now);
    return true;
  case 6: invlpg(c, o->address, o->argument, now); return true;
  case 7: invpcid(c, 2, 0, 0, now); return true;
  case 16:
    if (o->argument > CEILING) invpcid(c, 2, 0, 0, now);
    else invlpg(c, o->address, o->argument, now);
    return true;
  default: return false;
  }
}

uint64_t play(cpu *cpus, uint32_t cpu_count, const operation *program, uint64_t count, uint32_t first,
              uint64_t *results) {
  for (uint64_t i = 0; i < count;) {
    const operation *o = &program[i];
    if (o->operation == ACCESS && o->requester < cpu_count) {
      cpu *c = &cpus[o->requester];
      i = (c->l1_count | c->l2_count ? play_lane : play_walks)(c, program, i, count, first, results);
      continue;
    }
    const uint32_t now = first + (uint32_t)i;
    results[i] = 0;
    if (o->requester == EVERY_CPU) {
      for (uint32_t n = 0; n < cpu_count; n++)
        if (!play_other(&cpus[n], o, now)) return i;
    } else if (o->requester >= cpu_count || !play_other(&cpus[o->requester], o, now)) return i;
    i++;
  }
  return count;
}
