// The native contestant as a process. Standard input: a machine and two programs (little endian, 64-bit words):
//
//   magic, levels, MAXPHYADDR, controls, root (physical), CPUs, caches, frames, operations to prepare, and to time
//   caches: list (1, 2, or 3 = paging-structure cache), sets, ways, levels (bit L), 4 words each
//   frames: number, 512 entries each
//   operations, 16 bytes each
//
// then lines of commands, each answered by one line of JSON:
//   check N   plays "prepare, program" N times: hash of the outcomes, counters summed over the CPUs
//   time N M  N plays of the program, each after an untimed "prepare", in pieces of M operations; by piece, then by play: nanoseconds,
//             those of a fixed small work beside the piece, how often another process got the processor meanwhile
//
// With the argument `simd` it only prints which vector instructions it was compiled for.
#include "cpu.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { CHUNK = 65536, MOST_SAMPLES = 4096 };
static const uint64_t MAGIC = 0x31304b4c57544c53ull;
// Times are numbers of operations, and compared as signed ones of 32 bits.
static const uint64_t MOST_OPERATIONS = INT32_MAX - 1;

static uint64_t results[CHUNK];
static uint64_t played;

_Noreturn static void die(const char *why) {
  fprintf(stderr, "native contestant: %s\n", why);
  exit(1);
}

static void read_words(void *to, size_t words) {
  if (fread(to, 8, words, stdin) != words) die("standard input ended early");
}

static void *or_die(void *memory) {
  if (!memory) die("out of memory");
  return memory;
}

static void read_caches(cpu *c, uint64_t count, const uint64_t (*shapes)[4]) {
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t *s = shapes[i];
    cache *made;
    if (s[0] == 3) {
      const uint32_t level = (uint32_t)__builtin_ctzll(s[3]);
      if (level > MOST_LEVELS) die("no such level");
      made = c->psc[level] = or_die(malloc(sizeof(cache)));
    } else {
      uint32_t *used = s[0] == 1 ? &c->l1_count : &c->l2_count;
      if (*used == MOST_CACHES) die("too many caches");
      made = &(s[0] == 1 ? c->l1 : c->l2)[(*used)++];
    }
    if (!cache_init(made, (uint32_t)s[1], (uint32_t)s[2], (uint32_t)s[3])) die("a cache cannot be made");
  }
}

static void play_all(cpu *cpus, uint32_t count, const operation *program, uint64_t length, uint32_t hash[2]) {
  if (played + length > MOST_OPERATIONS) die("the times have run out");
  for (uint64_t done = 0; done < length; done += CHUNK) {
    const uint64_t chunk = length - done < CHUNK ? length - done : CHUNK;
    if (play(cpus, count, program + done, chunk, (uint32_t)played + 1, results) != chunk)
      die("an operation is not one of the benchmark's");
    played += chunk;
    for (uint64_t i = 0; hash && i < chunk; i++) {
      hash[0] = (hash[0] ^ (uint32_t)results[i]) * 0x9e3779b1u;
      hash[0] = hash[0] << 13 | hash[0] >> 19;
      hash[1] = (hash[1] ^ (uint32_t)(results[i] >> 32) ^ hash[0]) * 0x85ebca6bu;
      hash[1] = hash[1] << 11 | hash[1] >> 21;
    }
  }
}

static void print_check(const cpu *cpus, uint32_t count, const uint32_t hash[2]) {
  uint64_t sums[6 + MOST_COUNTERS] = {0};
  uint32_t length = 6;
  for (uint32_t n = 0; n < count; n++) {
    const cpu *c = &cpus[n];
    uint64_t values[6 + MOST_COUNTERS] = {c->translations, c->faults,    c->walks,
                                          c->entry_reads,  c->ad_writes, c->invalidations};
    length = 6 + cache_counters(c, values + 6);
    for (uint32_t i = 0; i < length; i++) sums[i] += values[i];
  }
  printf("{\"hash\":\"%08x%08x\",\"counters\":[%" PRIu64, hash[0], hash[1], sums[0]);
  for (uint32_t i = 1; i < length; i++) printf(",%" PRIu64, sums[i]);
  printf("]}\n");
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The fixed work of pieces.ts, in C: as many independent steps as a core can do at once.
static uint64_t calibration(void) {
  static volatile uint32_t sink = 1;
  const uint64_t start = now();
  uint32_t a = sink, b = 2, c = 3, d = 4, e = 5, f = 6;
  for (uint32_t i = 0; i < 4096; i++) {
    a = (a + i) ^ 3;
    b = (b ^ i) + 5;
    c -= i;
    d += a;
    e ^= b;
    f += c;
    // No step may be left out or done for several turns at once.
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
  }
  sink = a ^ b ^ c ^ d ^ e ^ f;
  return now() - start;
}

static long interruptions(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

static void print_lists(const char *name, const double *values, uint64_t pieces, unsigned plays) {
  printf("\"%s\":[", name);
  for (uint64_t piece = 0; piece < pieces; piece++) {
    printf(piece ? ",[" : "[");
    for (unsigned i = 0; i < plays; i++) printf("%s%.0f", i ? "," : "", values[i * pieces + piece]);
    printf("]");
  }
  printf("]");
}

static void time_pieces(cpu *cpus, uint32_t cpu_count, const operation *prepare, uint64_t to_prepare,
                        const operation *program, uint64_t to_time, unsigned plays, uint64_t size) {
  const uint64_t pieces = (to_time + size - 1) / size;
  double *ns = or_die(malloc(3 * plays * pieces * sizeof(double)));
  double *beside = ns + plays * pieces, *switches = beside + plays * pieces;
  uint64_t cost = UINT64_MAX;
  for (int i = 0; i < 200; i++) {
    const uint64_t start = now(), took = now() - start;
    if (took < cost) cost = took;
  }
  for (unsigned i = 0; i < plays; i++) {
    play_all(cpus, cpu_count, prepare, to_prepare, NULL);
    uint64_t before = calibration();
    for (uint64_t piece = 0; piece < pieces; piece++) {
      const uint64_t first = piece * size, count = to_time - first < size ? to_time - first : size;
      const long switched = interruptions();
      const uint64_t start = now();
      play_all(cpus, cpu_count, program + first, count, NULL);
      const uint64_t took = now() - start, after = calibration();
      const uint64_t at = i * pieces + piece;
      ns[at] = (double)(took > cost ? took - cost : 0);
      switches[at] = (double)(interruptions() - switched);
      beside[at] = (double)(before > after ? before : after);
      before = after;
    }
  }
  printf("{");
  print_lists("ns", ns, pieces, plays);
  printf(",");
  print_lists("beside", beside, pieces, plays);
  printf(",");
  print_lists("switches", switches, pieces, plays);
  printf("}\n");
  free(ns);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "simd") == 0) {
    puts(SIMD_NAME);
    return 0;
  }
  uint64_t head[10];
  read_words(head, 10);
  if (head[0] != MAGIC) die("standard input does not start with a machine");
  const uint32_t cpu_count = (uint32_t)head[5];
  const uint64_t cache_count = head[6], frame_count = head[7], to_prepare = head[8], to_time = head[9];
  if (cpu_count == 0 || frame_count == 0 || cache_count > 64) die("no machine has such counts");
  rules r;
  rules_init(&r, (uint32_t)head[1], (uint32_t)head[2], (uint32_t)head[3]);
  uint64_t (*shapes)[4] = or_die(malloc(sizeof *shapes * (cache_count + 1)));
  read_words(shapes, 4 * cache_count);
  frames f;
  if (!frames_init(&f, (uint32_t)frame_count)) die("out of memory");
  for (uint32_t slot = 0; slot < frame_count; slot++) {
    uint64_t frame;
    read_words(&frame, 1);
    read_words(f.tables[slot], PAGE_ENTRIES);
    frames_add(&f, slot, frame);
  }
  cpu *cpus = or_die(calloc(cpu_count, sizeof(cpu)));
  for (uint32_t n = 0; n < cpu_count; n++) {
    cpus[n].rules = &r;
    cpus[n].frames = &f;
    cpus[n].root = head[4] >> 12;
    read_caches(&cpus[n], cache_count, (const uint64_t (*)[4])shapes);
    cpu_init(&cpus[n]);
  }
  operation *prepare = or_die(malloc((to_prepare + 1) * sizeof(operation)));
  operation *program = or_die(malloc((to_time + 1) * sizeof(operation)));
  read_words(prepare, to_prepare * 2);
  read_words(program, to_time * 2);

  char line[64];
  uint32_t hash[2] = {0, 0};
  while (fgets(line, sizeof line, stdin)) {
    unsigned times = 0, size = 0;
    if (sscanf(line, "check %u", &times) == 1) {
      for (unsigned i = 0; i < times; i++) {
        play_all(cpus, cpu_count, prepare, to_prepare, hash);
        play_all(cpus, cpu_count, program, to_time, hash);
      }
      print_check(cpus, cpu_count, hash);
    } else if (sscanf(line, "time %u %u", &times, &size) == 2 && times > 0 && times <= MOST_SAMPLES && size > 0) {
      time_pieces(cpus, cpu_count, prepare, to_prepare, program, to_time, times, size);
    } else die("unknown command");
    fflush(stdout);
  }
  return 0;
}
