// Flushes of "everything" and "one tag" as times, for all caches of a group together: the TLBs of a CPU, or its
// paging-structure caches. A time is the number of an operation, so no clock has to tick: no operation touches a cache
// twice. Whoever fills a set sweeps it first, if anything was flushed since it was last swept; so all that a set holds
// is younger than its last sweep, and older than any flush after it.
#ifndef EPOCHS_H
#define EPOCHS_H

#include <stdint.h>

enum { TAG_COUNT = 4096 };

typedef struct {
  uint32_t global_since; // the last flush of everything
  uint32_t tagged_since; // of everything, or of everything but global entries
  uint32_t last_flush;   // of any kind
  uint32_t tag_since[TAG_COUNT];
} epochs;

// Entries of the tag are alive in sets that were swept at or after this time.
static inline uint32_t since_of(const epochs *e, uint32_t tag) {
  return e->tag_since[tag] > e->tagged_since ? e->tag_since[tag] : e->tagged_since;
}

static inline void drop_everything(epochs *e, uint32_t now) {
  e->global_since = e->tagged_since = e->last_flush = now;
}

static inline void drop_all_but_global(epochs *e, uint32_t now) { e->tagged_since = e->last_flush = now; }

static inline void drop_tag(epochs *e, uint32_t tag, uint32_t now) { e->tag_since[tag] = e->last_flush = now; }

#endif
