#include "CCodecs.h"

// CRC-32 by carry-less multiplication: four lanes of 128 bits are folded forward by 512 bits at a time, then into one,
// and the rest is reduced after Barrett. Gopal et al.: Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction (Intel, 2009); constants for the bit-reflected polynomial 0x1DB710641.

#if defined(__x86_64__)
#include <immintrin.h>

static const uint64_t fold512[2] __attribute__((aligned(16))) = {0x0154442bd4, 0x01c6e41596};
static const uint64_t fold128[2] __attribute__((aligned(16))) = {0x01751997d0, 0x00ccaa009e};
static const uint64_t fold64[2] __attribute__((aligned(16))) = {0x0163cd6124, 0};
static const uint64_t barrett[2] __attribute__((aligned(16))) = {0x01db710641, 0x01f7011641};

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i lane, __m128i by, __m128i next) {
  __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
  __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// `count` is a multiple of 16 from 64 on; `crc` and the result are inverted.
__attribute__((target("pclmul,sse4.1"))) static uint32_t folded(uint32_t crc, const uint8_t *bytes, size_t count) {
  const __m128i *next = (const __m128i *)bytes;
  __m128i lane[4];
  for (int i = 0; i < 4; i++) lane[i] = _mm_loadu_si128(next++);
  lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)crc));
  count -= 64;
  __m128i by = _mm_load_si128((const __m128i *)fold512);
  for (; count >= 64; count -= 64)
    for (int i = 0; i < 4; i++) lane[i] = fold(lane[i], by, _mm_loadu_si128(next++));
  by = _mm_load_si128((const __m128i *)fold128);
  __m128i all = lane[0];
  for (int i = 1; i < 4; i++) all = fold(all, by, lane[i]);
  for (; count >= 16; count -= 16) all = fold(all, by, _mm_loadu_si128(next++));
  const __m128i low32 = _mm_setr_epi32(~0, 0, ~0, 0);
  all = _mm_xor_si128(_mm_srli_si128(all, 8), _mm_clmulepi64_si128(all, by, 0x10));
  by = _mm_load_si128((const __m128i *)fold64);
  all = _mm_xor_si128(_mm_srli_si128(all, 4), _mm_clmulepi64_si128(_mm_and_si128(all, low32), by, 0x00));
  by = _mm_load_si128((const __m128i *)barrett);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(all, low32), by, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low32), by, 0x00);
  return (uint32_t)_mm_extract_epi32(_mm_xor_si128(all, quotient), 1);
}
#endif

uint32_t headrace_crc32(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
#if defined(__x86_64__)
  if (count >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    size_t whole = count & ~(size_t)15;
    crc = ~folded(~crc, next, whole);
    next += whole;
    count -= whole;
  }
#endif
  return (uint32_t)crc32_z(crc, next, count);
}

uint32_t headrace_crc32_portable(uint32_t crc, const void *bytes, size_t count) {
  return (uint32_t)crc32_z(crc, bytes, count);
}
