// Page tables by frame number: a hash table with open addressing.
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { PAGE_ENTRIES = 512 };

typedef struct {
  uint64_t *buckets; // frame number << 24 | slot + 1; 0 is empty
  uint64_t (*tables)[PAGE_ENTRIES];
  uint32_t shift;
  uint64_t mask;
} frames;

bool frames_init(frames *f, uint32_t count);
void frames_add(frames *f, uint32_t slot, uint64_t frame);

static inline uint64_t bucket_of(const frames *f, uint64_t frame) { return frame * 0x9e3779b97f4a7c15ull >> f->shift; }

// The entries of a frame's table, NULL if it is none.
static inline uint64_t *table_of(const frames *f, uint64_t frame) {
  for (uint64_t at = bucket_of(f, frame);; at = (at + 1) & f->mask) {
    const uint64_t found = f->buckets[at];
    if (found >> 24 == frame && found) return f->tables[(found & 0xffffff) - 1];
    if (!found) return 0;
  }
}

#endif
