// Making the table of frames.h.
#include "frames.h"
#include <stdlib.h>

bool frames_init(frames *f, uint32_t count) {
  // At most one bucket in four is taken: going on to the next is a branch that cannot be foreseen.
  uint32_t bits = 4;
  while ((1ull << bits) < 4ull * count) bits++;
  f->shift = 64 - bits;
  f->mask = (1ull << bits) - 1;
  f->buckets = calloc(1ull << bits, sizeof *f->buckets);
  f->tables = aligned_alloc(4096, (size_t)(count ? count : 1) * 4096);
  return f->buckets && f->tables;
}

void frames_add(frames *f, uint32_t slot, uint64_t frame) {
  uint64_t at = bucket_of(f, frame);
  while (f->buckets[at]) at = (at + 1) & f->mask;
  f->buckets[at] = frame << 24 | (slot + 1);
}
