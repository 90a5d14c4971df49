// Walks. An entry of a paging-structure cache holds the address of the next table with the rights so far in bits that
// the address leaves free: no frame is looked up after a hit.
#include "cpu.h"

// Beside a frame number from bit 12 on, in place of an address: the frame has no table. No right has this bit.
#define NO_TABLE P

typedef struct {
  uint64_t table; // as in a paging-structure cache, without rights
  uint64_t rights;
} position;

static inline uint64_t table_at(const frames *f, uint64_t frame) {
  const uint64_t *table = table_of(f, frame);
  return __builtin_expect(table != NULL, 1) ? (uint64_t)(uintptr_t)table : frame << 12 | NO_TABLE;
}

static inline uint64_t rights_after(uint64_t rights, uint64_t entry) {
  return (rights & entry & (RW | US)) | ((rights | entry) & XD);
}

static inline void fill_tlb(cpu *c, cache *tlb, uint64_t number, uint64_t key, uint64_t leaf, uint32_t now,
                            bool absent) {
  if (!tlb) return;
  if (__builtin_expect(absent, 1)) fill_absent(tlb, &c->tlbs, number, key, leaf, now);
  else fill(tlb, &c->tlbs, number, key, leaf, now);
}

static inline uint64_t finish(cpu *c, uint64_t address, uint32_t access, uint32_t level, uint64_t *at, uint64_t rights,
                              uint32_t now, bool absent) {
  const check k = c->rules->checks[access];
  if (__builtin_expect(((rights | D) & k.mask) != k.wanted, 0))
    return page_fault(c, address, refusal(c->rules, access, rights, level));
  const uint64_t marked = *at | A | ((access & 3) == WRITE ? D : 0);
  if (marked != *at) {
    *at = marked;
    c->ad_writes++;
  }
  const uint64_t base = marked & FRAME & ~((1ull << shift_of(level)) - 1);
  const uint64_t leaf = base | rights | (marked & D) | (c->rules->controls & PGE ? marked & G : 0);
  const uint64_t number = address >> shift_of(level);
  const uint64_t key = leaf & G ? global_key(number, level) : key_of(number, c->tag, level);
  if (__builtin_expect(!(c->seen & 1u << level), 0)) {
    c->seen |= 1u << level;
    choose_probes(c);
  }
  fill_tlb(c, c->l2_of[level], number, key, leaf, now, absent);
  fill_tlb(c, c->l1_of[level], number, key, leaf, now, absent);
  return translated(leaf, level, address);
}

// An entry that does not lead on: a leaf, or a fault.
static inline uint64_t end(cpu *c, uint64_t address, uint32_t access, uint32_t level, uint64_t *at, uint64_t rights,
                           uint32_t now, bool absent) {
  const rules *r = c->rules;
  const uint64_t entry = *at;
  if (!(entry & P)) return page_fault(c, address, fault(NOT_PRESENT, level, attempted(r, access)));
  const bool leaf = level == 1 || (entry & PS && level <= LARGEST_LEAF);
  if (entry & (leaf ? r->reserved_leaf[level] : r->reserved[level]))
    return page_fault(c, address, fault(RESERVED, level, 9 | attempted(r, access)));
  return finish(c, address, access, level, at, rights_after(rights, entry), now, absent);
}

// Looks where the walk may begin: in the cache of the lowest level first. Returns the level of the table to read.
static inline uint32_t begin(cpu *c, uint64_t address, uint32_t now, position *p) {
  const uint32_t levels = c->rules->levels;
  for (uint32_t cached = 2; cached <= levels; cached++) {
    cache *psc = c->psc[cached];
    if (!psc) continue;
    const uint64_t number = address >> shift_of(cached);
    set *s = set_of(psc, number);
    const int32_t way = find(psc, s, partial_of(number), wanted_of(&c->paths, number, c->tag, 1));
    if (way < 0) continue;
    psc->hits++;
    times_of(psc, s)[way] = now;
    const uint64_t data = entries_of(psc, s)[way].data;
    *p = (position){data & ~(RW | US | XD), data & (RW | US | XD)};
    return cached - 1;
  }
  *p = (position){table_at(c->frames, c->root), RW | US};
  return levels;
}

// Whether an entry leads on; then the position is that of the next table.
static inline bool lead_on(cpu *c, position *p, uint64_t address, uint32_t level, uint64_t *at, uint32_t now) {
  const uint64_t entry = *at;
  if (__builtin_expect((entry & (P | PS | c->rules->reserved[level])) != P, 0)) return false;
  if (!(entry & A)) {
    *at = entry | A;
    c->ad_writes++;
  }
  *p = (position){table_at(c->frames, (entry & FRAME) >> 12), rights_after(p->rights, entry)};
  cache *psc = c->psc[level];
  if (psc) {
    // The walk began above: this cache was asked, and does not have it.
    const uint64_t number = address >> shift_of(level);
    fill_absent(psc, &c->paths, number, key_of(number, c->tag, 1), p->table | p->rights, now);
  }
  return true;
}

uint64_t walk(cpu *c, uint64_t address, uint32_t access, uint32_t now, bool known_absent) {
  position p;
  uint32_t level = begin(c, address, now, &p);
  const uint32_t first = level;
  c->walks++;
  for (;; level--) {
    if (__builtin_expect(p.table & NO_TABLE, 0)) {
      c->entry_reads += first - level;
      return fault(ABSENT, level, p.table >> 12);
    }
    uint64_t *at = (uint64_t *)(uintptr_t)p.table + (address >> shift_of(level) & (PAGE_ENTRIES - 1));
    if (level == 1 || !lead_on(c, &p, address, level, at, now)) {
      c->entry_reads += first - level + 1;
      return end(c, address, access, level, at, p.rights, now, known_absent);
    }
  }
}
