// Formats and rights: bits of entries, what an access needs, outcomes (docs/rules.md sections 2 and 3, without
// protection keys).
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stdint.h>

static const uint64_t P = 1, RW = 2, US = 4, A = 32, D = 64, PS = 128, G = 256, XD = 1ull << 63;
static const uint64_t FRAME = 0x000ffffffffff000ull;

enum { READ, WRITE, FETCH, USER = 4, MOST_LEVELS = 5, LARGEST_LEAF = 3 };
enum { NOT_PRESENT = 1, RESERVED, SUPERVISOR_PAGE, SMAP_REFUSED, SMEP_REFUSED, WRITE_REFUSED, FETCH_REFUSED };
enum { NON_CANONICAL = 9, ABSENT = 10 };

// Bits of the controls, as in src/paging/access.ts.
enum { WP = 1, SMEP = 2, SMAP = 4, PGE = 16, NXE = 64, AC = 128 };

// An access is allowed if the leaf's bits under the mask are the wanted ones.
typedef struct {
  uint64_t mask, wanted;
} check;

typedef struct {
  uint32_t levels, shift, controls;
  uint64_t address_mask;
  uint64_t reserved[MOST_LEVELS + 1], reserved_leaf[MOST_LEVELS + 1];
  check checks[8]; // by access: type | user << 2
} rules;

static inline uint32_t shift_of(uint32_t level) { return 9 * level + 3; }

static inline uint64_t translated(uint64_t leaf, uint32_t level, uint64_t address) {
  return (leaf & FRAME) | (address & ((1ull << shift_of(level)) - 1)) | (uint64_t)level << 60;
}

static inline uint64_t fault(uint32_t reason, uint32_t level, uint64_t code) {
  return 1ull << 63 | (uint64_t)reason << 56 | (uint64_t)level << 52 | code;
}

void rules_init(rules *r, uint32_t levels, uint32_t max_phy_addr, uint32_t controls);
// Bits of an error code that the access alone decides.
uint64_t attempted(const rules *r, uint32_t access);
// The fault of an access that a leaf's rights refuse.
uint64_t refusal(const rules *r, uint32_t access, uint64_t leaf, uint32_t level);

#endif
