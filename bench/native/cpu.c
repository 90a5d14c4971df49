// Translation and walks; see cpu.h.
#include "cpu.h"

static const uint64_t P = 1, RW = 2, US = 4, A = 32, D = 64, PS = 128, G = 256, XD = 1ull << 63;
static const uint64_t FRAME = 0x000ffffffffff000ull;

enum { READ, WRITE, FETCH, USER = 4 };
enum { NOT_PRESENT = 1, RESERVED, SUPERVISOR_PAGE, SMAP_REFUSED, SMEP_REFUSED, WRITE_REFUSED, FETCH_REFUSED };
enum { NON_CANONICAL = 9, ABSENT = 10, EVERY_CPU = 0xffff, CEILING = 33 };

static inline uint32_t shift_of(uint32_t level) { return 9 * level + 3; }

bool frames_init(frames *f, uint32_t count) {
  uint32_t bits = 4;
  while ((1ull << bits) < 2ull * count) bits++;
  f->shift = 64 - bits;
  f->mask = (1ull << bits) - 1;
  f->buckets = calloc(1ull << bits, sizeof *f->buckets);
  f->tables = aligned_alloc(4096, (size_t)(count ? count : 1) * 4096);
  return f->buckets && f->tables;
}

static inline uint64_t bucket_of(const frames *f, uint64_t frame) { return frame * 0x9e3779b97f4a7c15ull >> f->shift; }

void frames_add(frames *f, uint32_t slot, uint64_t frame) {
  uint64_t at = bucket_of(f, frame);
  while (f->buckets[at]) at = (at + 1) & f->mask;
  f->buckets[at] = frame << 24 | (slot + 1);
}

static inline uint64_t *table_of(const frames *f, uint64_t frame) {
  for (uint64_t at = bucket_of(f, frame);; at = (at + 1) & f->mask) {
    const uint64_t found = f->buckets[at];
    if (found >> 24 == frame && found) return f->tables[(found & 0xffffff) - 1];
    if (!found) return NULL;
  }
}

void rules_init(rules *r, uint32_t levels, uint32_t max_phy_addr, uint32_t controls) {
  const uint32_t bits = 12 + 9 * levels;
  *r = (rules){.levels = levels, .shift = 64 - bits, .controls = controls, .address_mask = (1ull << bits) - 1};
  const uint64_t always = (((1ull << 52) - 1) & ~((1ull << max_phy_addr) - 1)) | (controls & NXE ? 0 : XD);
  for (uint32_t level = 1; level <= 5; level++) {
    r->reserved[level] = always | (level >= 4 ? PS : 0);
    r->reserved_leaf[level] = always | (level == 1 ? 0 : ((1ull << shift_of(level)) - 1) & ~0x1fffull);
  }
  for (uint32_t access = 0; access < 8; access++) {
    const uint32_t type = access & 3;
    const bool user = access & USER, fetch = type == FETCH;
    check c = {0, 0};
    if (type == WRITE) c.mask |= D | (user || controls & WP ? RW : 0);
    c.wanted = c.mask;
    if (fetch && controls & NXE) c.mask |= XD;
    if (user) c.mask |= US, c.wanted |= US;
    else if (fetch ? controls & SMEP : (controls & SMAP) && !(controls & AC)) c.mask |= US;
    r->checks[access] = c;
  }
}

static uint64_t fault(uint32_t reason, uint32_t level, uint64_t code) {
  return 1ull << 63 | (uint64_t)reason << 56 | (uint64_t)level << 52 | code;
}

static uint64_t attempted(const cpu *c, uint32_t access) {
  const uint32_t type = access & 3;
  return (type == WRITE ? 2 : 0) | (access & USER) | (type == FETCH && c->rules->controls & (NXE | SMEP) ? 16 : 0);
}

static uint64_t refusal(const cpu *c, uint32_t access, uint64_t leaf, uint32_t level) {
  const uint32_t controls = c->rules->controls, type = access & 3;
  const bool user = access & USER, user_page = leaf & US;
  uint32_t reason = 0;
  if (user && !user_page) reason = SUPERVISOR_PAGE;
  else if (!user && user_page && type != FETCH && controls & SMAP && !(controls & AC)) reason = SMAP_REFUSED;
  else if (!user && user_page && type == FETCH && controls & SMEP) reason = SMEP_REFUSED;
  else if (type == WRITE && !(leaf & RW) && (user || controls & WP)) reason = WRITE_REFUSED;
  else reason = FETCH_REFUSED;
  return fault(reason, level, 1 | attempted(c, access));
}

static inline uint64_t translated(uint64_t leaf, uint32_t level, uint64_t va) {
  return (leaf & FRAME) | (va & ((1ull << shift_of(level)) - 1)) | (uint64_t)level << 60;
}

static inline void fill_list(cpu *c, cache *list, uint32_t count, uint64_t page, uint32_t level, uint64_t leaf) {
  for (uint32_t i = 0; i < count; i++) {
    if (!(list[i].levels & 1u << level)) continue;
    const uint64_t number = page >> shift_of(level);
    cache_fill(&list[i], number, leaf & G ? global_key(number, level) : key_of(number, level, c->tag), leaf);
    return;
  }
}

static inline place look_up(const cpu *c, const cache *tlb, uint64_t page) {
  const uint32_t seen = tlb->seen;
  if (seen & 2) {
    const place p = cache_find(tlb, page >> 12, 1, c->tag);
    if (p.keys || seen == 2) return p;
  }
  if (seen & 4) {
    const place p = cache_find(tlb, page >> 21, 2, c->tag);
    if (p.keys) return p;
  }
  if (seen & 8) return cache_find(tlb, page >> 30, 3, c->tag);
  return (place){NULL, 0};
}

static void drop_translations(cpu *c, uint64_t page, uint32_t tag, bool globals) {
  for (uint32_t list = 0; list < 2; list++) {
    cache *caches = list ? c->l2 : c->l1;
    for (uint32_t i = 0; i < (list ? c->l2_count : c->l1_count); i++) {
      for (uint32_t level = 1; level <= 3; level++)
        if (caches[i].seen & 1u << level) cache_drop_page(&caches[i], page >> shift_of(level), level, tag, globals);
    }
  }
}

static void drop_path(cpu *c, uint64_t page, uint32_t tag) {
  for (uint32_t level = 2; level <= c->rules->levels; level++)
    if (c->psc[level]) cache_drop_page(c->psc[level], page >> shift_of(level), 1, tag, false);
}

static uint64_t page_fault(cpu *c, uint64_t page, uint64_t outcome) {
  c->faults++;
  drop_translations(c, page, c->tag, true);
  drop_path(c, page, c->tag);
  return outcome;
}

static inline uint64_t finish(cpu *c, uint64_t page, uint32_t access, uint32_t level, uint64_t *at, uint64_t rights) {
  const check k = c->rules->checks[access];
  if (((rights | D) & k.mask) != k.wanted) return page_fault(c, page, refusal(c, access, rights, level));
  const uint64_t marked = *at | A | ((access & 3) == WRITE ? D : 0);
  if (marked != *at) {
    *at = marked;
    c->ad_writes++;
  }
  const uint64_t base = marked & FRAME & ~((1ull << shift_of(level)) - 1);
  const uint64_t leaf = base | rights | (marked & D) | (c->rules->controls & PGE ? marked & G : 0);
  fill_list(c, c->l2, c->l2_count, page, level, leaf);
  fill_list(c, c->l1, c->l1_count, page, level, leaf);
  return translated(leaf, level, page);
}

static uint64_t walk(cpu *c, uint64_t page, uint32_t access) {
  const rules *r = c->rules;
  uint64_t frame = c->root, rights = RW | US;
  uint32_t level = r->levels;
  c->walks++;
  for (uint32_t cached = 2; cached <= r->levels; cached++) {
    cache *psc = c->psc[cached];
    if (!psc) continue;
    psc->lookups++;
    const place p = cache_find(psc, page >> shift_of(cached), 1, c->tag);
    if (!p.keys) continue;
    cache_touch(psc, p);
    const uint64_t entry = *data_of(psc, p);
    frame = (entry & FRAME) >> 12;
    rights = entry & (RW | US | XD);
    level = cached - 1;
    break;
  }
  for (;; level--) {
    uint64_t *table = table_of(c->frames, frame);
    if (!table) return fault(ABSENT, level, frame);
    uint64_t *at = &table[page >> shift_of(level) & 511];
    const uint64_t entry = *at;
    c->entry_reads++;
    if (!(entry & P)) return page_fault(c, page, fault(NOT_PRESENT, level, attempted(c, access)));
    const bool leaf = level == 1 || (entry & PS && level <= 3);
    if (entry & (leaf ? r->reserved_leaf[level] : r->reserved[level]))
      return page_fault(c, page, fault(RESERVED, level, 9 | attempted(c, access)));
    rights = (rights & entry & (RW | US)) | ((rights | entry) & XD);
    if (leaf) return finish(c, page, access, level, at, rights);
    if (!(entry & A)) {
      *at = entry | A;
      c->ad_writes++;
    }
    frame = (entry & FRAME) >> 12;
    if (c->psc[level]) {
      const uint64_t number = page >> shift_of(level);
      cache_fill(c->psc[level], number, key_of(number, 1, c->tag), (entry & FRAME) | rights);
    }
  }
}

// The outcome of a hit in a list, 0 if none of its caches answers (no outcome is 0: it holds a level or a fault).
static inline uint64_t from_list(cpu *c, cache *list, uint32_t count, uint64_t page, uint32_t access, bool fill_l1) {
  const check k = c->rules->checks[access];
  for (uint32_t i = 0; i < count; i++) {
    cache *tlb = &list[i];
    tlb->lookups++;
    const place p = look_up(c, tlb, page);
    if (!p.keys) continue;
    const uint64_t leaf = *data_of(tlb, p);
    const uint32_t level = level_of(p.keys[p.way]);
    if ((leaf & k.mask) != k.wanted) {
      if (((leaf | D) & k.mask) == k.wanted) continue;
      cache_touch(tlb, p);
      return page_fault(c, page, refusal(c, access, leaf, level));
    }
    cache_touch(tlb, p);
    if (fill_l1) fill_list(c, c->l1, c->l1_count, page, level, leaf);
    return translated(leaf, level, page);
  }
  return 0;
}

uint64_t cpu_translate(cpu *c, uint64_t va, uint32_t access) {
  const rules *r = c->rules;
  c->translations++;
  if ((uint64_t)((int64_t)(va << r->shift) >> r->shift) != va) {
    c->faults++;
    return fault(NON_CANONICAL, 0, 0);
  }
  const uint64_t page = va & r->address_mask;
  uint64_t outcome = from_list(c, c->l1, c->l1_count, page, access & 7, false);
  if (!outcome) outcome = from_list(c, c->l2, c->l2_count, page, access & 7, true);
  return outcome ? outcome : walk(c, page, access & 7);
}

static void drop_everywhere(cpu *c, uint32_t type, uint32_t tag) {
  cache *all[2 * MOST_CACHES + 6];
  uint32_t count = 0;
  for (uint32_t i = 0; i < c->l1_count; i++) all[count++] = &c->l1[i];
  for (uint32_t i = 0; i < c->l2_count; i++) all[count++] = &c->l2[i];
  for (uint32_t level = 2; level <= c->rules->levels; level++)
    if (c->psc[level]) all[count++] = c->psc[level];
  for (uint32_t i = 0; i < count; i++) {
    if (type == 1) cache_drop_tag(all[i], tag);
    else if (type == 2) cache_drop_all(all[i]);
    else cache_drop_all_but_global(all[i]);
  }
}

static void invlpg(cpu *c, uint64_t va, uint32_t pages) {
  if (pages == 0) return;
  const uint64_t start = va & c->rules->address_mask & ~0xfffull;
  c->invalidations += pages;
  for (uint64_t page = start, left = pages; left > 0 && page <= c->rules->address_mask; left--, page += 4096)
    drop_translations(c, page, c->tag, true);
  for (uint32_t level = 2; level <= c->rules->levels; level++)
    if (c->psc[level]) cache_drop_tag(c->psc[level], c->tag);
}

static void invpcid(cpu *c, uint32_t type, uint32_t tag, uint64_t va) {
  c->invalidations++;
  if (type != 0) {
    drop_everywhere(c, type, tag);
    return;
  }
  drop_translations(c, va & c->rules->address_mask, tag, false);
  drop_path(c, va & c->rules->address_mask, tag);
}

static bool play_other(cpu *c, const operation *o) {
  switch (o->operation) {
  case 2: invlpg(c, o->address, 1); return true;
  case 3: invpcid(c, o->type, o->argument, o->address); return true;
  case 4:
    c->root = (o->address & FRAME) >> 12;
    c->tag = o->argument;
    if (!o->type) invpcid(c, 1, o->argument, 0);
    return true;
  case 6: invlpg(c, o->address, o->argument); return true;
  case 7: invpcid(c, 2, 0, 0); return true;
  case 16:
    if (o->argument > CEILING) invpcid(c, 2, 0, 0);
    else invlpg(c, o->address, o->argument);
    return true;
  default: return false;
  }
}

uint64_t play(cpu *cpus, uint32_t cpu_count, const operation *program, uint64_t count, uint64_t *results) {
  for (uint64_t i = 0; i < count; i++) {
    const operation *o = &program[i];
    if (__builtin_expect(o->operation == 1 && o->requester < cpu_count, 1)) {
      results[i] = cpu_translate(&cpus[o->requester], o->address, o->type);
      continue;
    }
    results[i] = 0;
    if (o->requester == EVERY_CPU) {
      for (uint32_t n = 0; n < cpu_count; n++)
        if (!play_other(&cpus[n], o)) return i;
    } else if (o->requester >= cpu_count || !play_other(&cpus[o->requester], o)) return i;
  }
  return count;
}
