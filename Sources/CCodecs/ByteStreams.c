#include "CCodecs.h"

#if defined(__SSE2__)
#include <emmintrin.h>

// Both ways are a transposition of 16 x 8 bytes in four rounds of interleaving, one value of each stream a lane.

static void join16(const uint8_t *streams, size_t total, uint8_t *values) {
  __m128i row[8], next[8];
  for (int s = 0; s < 8; s++) row[s] = _mm_loadu_si128((const __m128i *)(streams + (size_t)s * total));
  // Bytes of streams s and s + 4, then pairs, then quadruples: after three rounds whole values.
  for (int s = 0; s < 4; s++) {
    next[2 * s] = _mm_unpacklo_epi8(row[s], row[s + 4]);
    next[2 * s + 1] = _mm_unpackhi_epi8(row[s], row[s + 4]);
  }
  // next[2s + h]: streams s, s + 4 of values 8h..8h+7.
  for (int h = 0; h < 2; h++) {
    __m128i even_low = _mm_unpacklo_epi8(next[h], next[4 + h]);
    __m128i even_high = _mm_unpackhi_epi8(next[h], next[4 + h]);
    __m128i odd_low = _mm_unpacklo_epi8(next[2 + h], next[6 + h]);
    __m128i odd_high = _mm_unpackhi_epi8(next[2 + h], next[6 + h]);
    __m128i *target = (__m128i *)(values + 64 * h);
    _mm_storeu_si128(target, _mm_unpacklo_epi8(even_low, odd_low));
    _mm_storeu_si128(target + 1, _mm_unpackhi_epi8(even_low, odd_low));
    _mm_storeu_si128(target + 2, _mm_unpacklo_epi8(even_high, odd_high));
    _mm_storeu_si128(target + 3, _mm_unpackhi_epi8(even_high, odd_high));
  }
}

static void split16(const uint8_t *values, size_t total, uint8_t *streams) {
  __m128i row[8], next[8];
  for (int r = 0; r < 8; r++) row[r] = _mm_loadu_si128((const __m128i *)values + r);
  // Row r holds values 2r and 2r + 1. Each round interleaves rows r and r + 4; after four rounds a row holds the
  // 16 bytes of one stream.
  for (int round = 0; round < 4; round++) {
    for (int r = 0; r < 4; r++) {
      next[2 * r] = _mm_unpacklo_epi8(row[r], row[r + 4]);
      next[2 * r + 1] = _mm_unpackhi_epi8(row[r], row[r + 4]);
    }
    for (int r = 0; r < 8; r++) row[r] = next[r];
  }
  for (int s = 0; s < 8; s++) _mm_storeu_si128((__m128i *)(streams + (size_t)s * total), row[s]);
}
#endif

void headrace_split_bytes8(const uint8_t *values, size_t count, uint8_t *streams) {
  size_t index = 0;
#if defined(__SSE2__)
  for (; index + 16 <= count; index += 16) split16(values + 8 * index, count, streams + index);
#endif
  for (; index < count; index++)
    for (size_t s = 0; s < 8; s++) streams[s * count + index] = values[8 * index + s];
}

void headrace_join_bytes8(const uint8_t *streams, size_t total, size_t first, size_t count, uint8_t *values) {
  size_t index = 0;
  streams += first;
#if defined(__SSE2__)
  for (; index + 16 <= count; index += 16) join16(streams + index, total, values + 8 * index);
#endif
  for (; index < count; index++)
    for (size_t s = 0; s < 8; s++) values[8 * index + s] = streams[s * total + index];
}
