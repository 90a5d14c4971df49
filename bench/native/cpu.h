// A CPU over a set of tables: TLBs, paging-structure caches, walks, invalidations (docs/rules.md sections 2 to 6, without
// protection keys), and programs of 16-byte operations (layout: assembly/base/record.ts).
#ifndef CPU_H
#define CPU_H

#include "cache.h"

enum { MOST_CACHES = 4, PAGE_ENTRIES = 512 };

// Bits of the controls, as in src/paging/access.ts.
enum { WP = 1, SMEP = 2, SMAP = 4, PGE = 16, NXE = 64, AC = 128 };

typedef struct {
  uint64_t *buckets; // frame number << 24 | slot + 1; 0 is empty
  uint64_t (*tables)[PAGE_ENTRIES];
  uint32_t shift;
  uint64_t mask;
} frames;

typedef struct {
  uint64_t mask, wanted;
} check;

typedef struct {
  uint32_t levels, shift, controls;
  uint64_t address_mask;
  uint64_t reserved[6], reserved_leaf[6];
  check checks[8]; // by access: type | user << 2
} rules;

typedef struct {
  const rules *rules;
  const frames *frames;
  uint64_t root;
  uint32_t tag, l1_count, l2_count;
  cache l1[MOST_CACHES], l2[MOST_CACHES];
  cache *psc[6];
  uint64_t translations, faults, walks, entry_reads, ad_writes, invalidations;
} cpu;

typedef struct {
  uint8_t operation, type;
  uint16_t requester;
  uint32_t argument;
  uint64_t address;
} operation;

bool frames_init(frames *f, uint32_t count);
void frames_add(frames *f, uint32_t slot, uint64_t frame);
void rules_init(rules *r, uint32_t levels, uint32_t max_phy_addr, uint32_t controls);
uint64_t cpu_translate(cpu *c, uint64_t va, uint32_t access);
// Plays a program; returns the index of the first operation it does not know, or `count`.
uint64_t play(cpu *cpus, uint32_t cpu_count, const operation *program, uint64_t count, uint64_t *results);

#endif
