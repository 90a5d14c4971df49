// Comparing many ways at once, 128 bits at a time: with the time before them, the partial tags of twelve ways are no
// more. Written with the compilers' vector extensions, so that it runs on any processor; what they have no word for is
// an intrinsic where there is one: a bit mask from a vector (SSE2), a minimum (SSE4.1). By default a compiler for x86-64
// may use SSE2 only; with -march=native the same text becomes the AVX forms, the minimum among them.
#ifndef SIMD_H
#define SIMD_H

#include <stdint.h>
#include <string.h>
#if defined(__SSE4_1__)
#include <smmintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__AVX512F__)
#define SIMD_NAME "AVX-512"
#elif defined(__AVX2__)
#define SIMD_NAME "AVX2"
#elif defined(__AVX__)
#define SIMD_NAME "AVX"
#elif defined(__SSE4_1__)
#define SIMD_NAME "SSE4.1"
#elif defined(__SSE2__)
#define SIMD_NAME "SSE2"
#else
#define SIMD_NAME "vectors of the compiler's"
#endif

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int32_t ints4 __attribute__((vector_size(16)));

// Bit i: byte i of sixteen, aligned, is `value`.
static inline uint32_t equal_bytes(const void *sixteen, uint8_t value) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_load_si128((const __m128i *)sixteen);
  return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)value)));
#else
  bytes16 bytes;
  memcpy(&bytes, sixteen, 16);
  const bytes16 wanted = (bytes16){0} + value;
  const bytes16 equal = (bytes16)(bytes == wanted);
  uint64_t halves[2];
  memcpy(halves, &equal, 16);
  // One bit of each byte, gathered into the highest byte.
  const uint64_t ones = 0x0101010101010101ull, gather = 0x0102040810204080ull;
  return (uint32_t)((halves[0] & ones) * gather >> 56 | (halves[1] & ones) * gather >> 56 << 8);
#endif
}

static inline ints4 load_times(const uint32_t *times) {
  ints4 four;
  memcpy(&four, times, 16);
  return four;
}

static inline ints4 lesser(ints4 a, ints4 b) {
#if defined(__SSE4_1__)
  return (ints4)_mm_min_epi32((__m128i)a, (__m128i)b);
#else
  const ints4 less = a < b;
  return (a & less) | (b & ~less);
#endif
}

static inline ints4 least_everywhere(ints4 four) {
  four = lesser(four, (ints4){four[2], four[3], four[0], four[1]});
  return lesser(four, (ints4){four[1], four[0], four[3], four[2]});
}

// Bit i: the times are the same in lane i.
static inline uint32_t equal_times(ints4 a, ints4 b) {
  const ints4 equal = a == b;
#if defined(__SSE2__)
  return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps((__m128i)equal));
#else
  const ints4 bits = equal & (ints4){1, 2, 4, 8};
  return (uint32_t)(bits[0] | bits[1] | bits[2] | bits[3]);
#endif
}

// Index of the least of 4, 8 or 12 times below 2^31, without a loop or a branch. `ways` is a constant where this is
// called.
static inline uint32_t oldest_of(const uint32_t *times, uint32_t ways) {
  const ints4 a = load_times(times);
  const ints4 b = load_times(times + (ways > 4 ? 4 : 0)), c = load_times(times + (ways > 8 ? 8 : 0));
  const ints4 least = least_everywhere(lesser(lesser(a, b), c));
  uint32_t found = equal_times(a, least);
  if (ways > 4) found |= equal_times(b, least) << 4;
  if (ways > 8) found |= equal_times(c, least) << 8;
  return (uint32_t)__builtin_ctz(found);
}

#endif
