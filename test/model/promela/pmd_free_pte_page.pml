/*
 * pmd_free_pte_page() beside a device with SVA: two regions, each with one PT, the entry in a PD that leads to it, and what the IOMMU has
 * cached of that entry. A reading of docs/rules.md (sections 5, 10, 11, 14) of its own, with nothing of the engine or of the models beside
 * it. All that happens interleaves step by step; nothing waits but an invalidation, for a walk. spin.test.ts compares its verdicts.
 *
 * spin -DHOOK=1 -DASYNC=0 -DDEFER=0 -DINVALIDATE_FIRST=0 -DROOT=1 -DDRAIN=1 -run pmd_free_pte_page.pml   (the test compiles by itself: spin -a, cc)
 */
#ifndef HOOK
#define HOOK 0               /* flush_tlb_kernel_range() invalidates the range */
#endif
#ifndef ASYNC
#define ASYNC 0              /* by work that is scheduled */
#endif
#ifndef DEFER
#define DEFER 0              /* tables are freed by the worker */
#endif
#ifndef INVALIDATE_FIRST
#define INVALIDATE_FIRST 0   /* which invalidates before it takes its list */
#endif
#ifndef ROOT
#define ROOT 1               /* the IOMMU's root has the kernel half */
#endif
#ifndef DRAIN
#define DRAIN 1              /* an invalidation waits for walks that have begun before it */
#endif
#define REGIONS 2

bool linked[REGIONS] = true; /* the PD entry leads to the PT */
bool cached[REGIONS];        /* the IOMMU holds that entry */
bool freed[REGIONS];
bool listed[REGIONS];        /* waits for the worker */
bool asked[REGIONS];         /* an invalidation waits for the worker */
bool walking;                /* the device's walk holds a pointer to a PT */
byte epoch;                  /* of the walk that is under way: it has begun before an invalidation if that saw the same number */

/* Waits for the walk that is under way, if there is one, not for later ones. */
inline drain(seen) {
  if
  :: DRAIN && walking -> seen = epoch; (!walking || epoch != seen)
  :: !DRAIN || !walking
  fi
}

inline invalidate(r, seen) {
  atomic { cached[r] = false }
  drain(seen)
}

inline invalidateAll(seen) {
  atomic { cached[0] = false; cached[1] = false }
  drain(seen)
}

/* One of the kernel's CPUs: a huge mapping takes the place of an empty PT. */
proctype Free(byte r) {
  byte seen;
  linked[r] = false;
  if
  :: HOOK && ASYNC -> asked[r] = true
  :: HOOK && !ASYNC -> invalidate(r, seen)
  :: else
  fi;
  if
  :: DEFER -> listed[r] = true
  :: else -> freed[r] = true
  fi
}

/* Deferred work: requests, then the list. It may begin at any time and as often as it has something to do. */
proctype Worker() {
  byte seen;
  bool taken[REGIONS];
end:
  do
  :: asked[0] -> asked[0] = false; invalidate(0, seen)
  :: asked[1] -> asked[1] = false; invalidate(1, seen)
  :: listed[0] || listed[1] ->
    if
    :: INVALIDATE_FIRST ->
      invalidateAll(seen);
      atomic { taken[0] = listed[0]; taken[1] = listed[1]; listed[0] = false; listed[1] = false }
    :: else ->
      atomic { taken[0] = listed[0]; taken[1] = listed[1]; listed[0] = false; listed[1] = false };
      invalidateAll(seen)
    fi;
    if :: taken[0] -> freed[0] = true :: else fi;
    if :: taken[1] -> freed[1] = true :: else fi;
    taken[0] = false; taken[1] = false
  od
}

/* The device reads addresses of both regions, again and again. */
proctype Device() {
  byte r;
end:
  do
  :: ROOT ->
    select (r : 0 .. 1);
    if
    /* It reads the PD entry, or finds it cached; what it has read it keeps. */
    :: atomic { cached[r] || linked[r] -> cached[r] = true; walking = true; epoch = 1 - epoch };
      /* It reads the PT: a hazard if that is no table any more. The entry there is empty. */
      atomic { assert(!freed[r]); walking = false }
    :: atomic { !cached[r] && !linked[r] -> skip }
    fi
  od
}

init {
  atomic { run Free(0); run Free(1); run Worker(); run Device() }
}
