// A CPU over a set of tables: TLBs, paging-structure caches, walks, invalidations (docs/rules.md sections 2 to 6), and
// programs of 16-byte operations (layout: assembly/base/record.ts).
#ifndef CPU_H
#define CPU_H

#include "cache.h"
#include "drop.h"
#include "frames.h"
#include "rules.h"

enum { MOST_CACHES = 4, MOST_PROBES = 2 * MOST_CACHES * LARGEST_LEAF };

// Looking for leaves of one level in one TLB.
typedef struct {
  cache *tlb;
  uint32_t level, shift;
  bool second; // a TLB of the second list
} probe;

typedef struct {
  const rules *rules;
  const frames *frames;
  uint64_t root; // frame number
  uint32_t tag, l1_count, l2_count;
  cache l1[MOST_CACHES], l2[MOST_CACHES];
  cache *psc[MOST_LEVELS + 1];
  // The first TLB of each list that holds leaves of a level.
  cache *l1_of[LARGEST_LEAF + 1], *l2_of[LARGEST_LEAF + 1];
  epochs tlbs, paths;
  // Bit L: a leaf of level L was filled since everything was dropped. Others are looked for, and dropped, nowhere.
  uint32_t seen;
  // The probes of a translation in their order, for the levels that were seen; and what the lane does by itself:
  // whether the first of them is `l1_of[1]`, and whether the only other one is `l2_of[1]`.
  uint32_t probe_count;
  bool first_is_small, only_small;
  probe probes[MOST_PROBES];
  uint64_t translations, non_canonical, faults, walks, entry_reads, ad_writes, invalidations;
} cpu;

typedef struct {
  uint8_t operation, type;
  uint16_t requester;
  uint32_t argument;
  uint64_t address;
} operation;

// Called when the caches have been made.
void cpu_init(cpu *c);
void choose_probes(cpu *c);

// All but the first `start` probes, then a walk.
uint64_t translate(cpu *c, uint32_t start, uint64_t address, uint32_t access, uint32_t now);
uint64_t walk(cpu *c, uint64_t address, uint32_t access, uint32_t now, bool known_absent);
uint64_t page_fault(cpu *c, uint64_t address, uint64_t outcome);

void drop_translations(cpu *c, uint64_t address, uint32_t tag, bool globals);
void drop_path(cpu *c, uint64_t address, uint32_t tag);
void invlpg(cpu *c, uint64_t address, uint32_t pages, uint32_t now);
void invpcid(cpu *c, uint32_t type, uint32_t tag, uint64_t address, uint32_t now);

// Plays a program whose first operation has number `first`, at least 1; returns the index of the first operation it
// does not know, or `count`.
uint64_t play(cpu *cpus, uint32_t cpu_count, const operation *program, uint64_t count, uint32_t first,
              uint64_t *results);

// Lookups, hits, fills, evictions, invalidated of each cache in turn: l1, l2, paging-structure caches by level. Returns
// how many numbers it wrote, at most MOST_COUNTERS.
enum { MOST_COUNTERS = 5 * (2 * MOST_CACHES + MOST_LEVELS) };
uint32_t cache_counters(const cpu *c, uint64_t *to);

#endif
