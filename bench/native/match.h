// Comparing all ways of a set at once: AVX-512, AVX2, or plain loops that the compiler may vectorise.
#ifndef MATCH_H
#define MATCH_H

#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define WAY_UNIT 8
#define SIMD_NAME "AVX-512"
#elif defined(__AVX2__)
#define WAY_UNIT 4
#define SIMD_NAME "AVX2"
#else
#define WAY_UNIT 4
#define SIMD_NAME "portable"
#endif

// Bit w: key w equals a or b. `ways` is a multiple of WAY_UNIT, at most 64; a constant after inlining for common sizes.
static inline uint64_t match_ways(const uint64_t *keys, uint32_t ways, uint64_t a, uint64_t b) {
  uint64_t found = 0;
#if defined(__AVX512F__)
  const __m512i first = _mm512_set1_epi64((long long)a), second = _mm512_set1_epi64((long long)b);
  for (uint32_t way = 0; way < ways; way += 8) {
    const __m512i eight = _mm512_load_si512(keys + way);
    const __mmask8 equal = _mm512_cmpeq_epi64_mask(eight, first) | _mm512_cmpeq_epi64_mask(eight, second);
    found |= (uint64_t)equal << way;
  }
#elif defined(__AVX2__)
  const __m256i first = _mm256_set1_epi64x((long long)a), second = _mm256_set1_epi64x((long long)b);
  for (uint32_t way = 0; way < ways; way += 4) {
    const __m256i four = _mm256_load_si256((const __m256i *)(keys + way));
    const __m256i equal = _mm256_or_si256(_mm256_cmpeq_epi64(four, first), _mm256_cmpeq_epi64(four, second));
    found |= (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(equal)) << way;
  }
#else
  for (uint32_t way = 0; way < ways; way++) found |= (uint64_t)(keys[way] == a || keys[way] == b) << way;
#endif
  return found;
}

static inline uint64_t match(const uint64_t *keys, uint32_t ways, uint64_t a, uint64_t b) {
  switch (ways) {
  case 4: return match_ways(keys, 4, a, b);
  case 8: return match_ways(keys, 8, a, b);
  case 12: return match_ways(keys, 12, a, b);
  case 16: return match_ways(keys, 16, a, b);
  default: return match_ways(keys, ways, a, b);
  }
}

// Index of the least of `ways` distinct times (a multiple of 4; padding holds the largest value).
static inline uint32_t least_way(const uint32_t *times, uint32_t ways) {
#if defined(__AVX2__)
  __m128i least = _mm_load_si128((const __m128i *)times);
  for (uint32_t way = 4; way < ways; way += 4)
    least = _mm_min_epu32(least, _mm_load_si128((const __m128i *)(times + way)));
  least = _mm_min_epu32(least, _mm_shuffle_epi32(least, 0x4e));
  least = _mm_min_epu32(least, _mm_shuffle_epi32(least, 0xb1));
  for (uint32_t way = 0;; way += 4) {
    const __m128i equal = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)(times + way)), least);
    const int where = _mm_movemask_ps(_mm_castsi128_ps(equal));
    if (where) return way + (uint32_t)__builtin_ctz((unsigned)where);
  }
#else
  uint32_t best = 0;
  for (uint32_t way = 1; way < ways; way++)
    if (times[way] < times[best]) best = way;
  return best;
#endif
}

#endif
