#include "CCodecs.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

// All functions work on the register, which is the complement of the checksum. Bits are reflected: bit 0 of a byte is
// the coefficient of the highest power of x.

static const uint32_t polynomial = 0x82f63b78;

static uint64_t load64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

// Slicing by 8 (Kounavis and Berry, 2008): slices[k][b] is the register after byte b and k zero bytes.
static uint32_t slices[8][256];

static void make_slices(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) {
      value = value & 1 ? (value >> 1) ^ polynomial : value >> 1;
    }
    slices[0][byte] = value;
  }
  for (int slice = 1; slice < 8; slice++) {
    for (int byte = 0; byte < 256; byte++) {
      uint32_t before = slices[slice - 1][byte];
      slices[slice][byte] = (before >> 8) ^ slices[0][before & 0xff];
    }
  }
}

static uint32_t by_tables(uint32_t state, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word = load64(bytes) ^ state;
    state = 0;
    for (int slice = 7; slice >= 0; slice--, word >>= 8) {
      state ^= slices[slice][word & 0xff];
    }
  }
  for (; count > 0; bytes++, count--) {
    state = (state >> 8) ^ slices[0][(state ^ *bytes) & 0xff];
  }
  return state;
}

#if defined(__x86_64__)

#define HARDWARE __attribute__((target("sse4.2,pclmul")))

// The register moved past the zero bytes that `factor` stands for: x^(8n - 33) mod P for n bytes. The product of two
// reflected 32-bit values is their polynomial product times x, and the CRC of 64 bits multiplies by x^32: together 33.
HARDWARE static inline uint64_t shifted(uint64_t state, uint32_t factor) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)state), _mm_cvtsi32_si128((int)factor), 0);
  return (uint64_t)_mm_cvtsi128_si64(product);
}

// Three lanes side by side, since the instruction takes one 8-byte word per cycle but answers after three.
HARDWARE static inline __attribute__((always_inline)) uint32_t three_lanes(
    uint32_t state, const uint8_t *bytes, size_t lane, uint32_t past_one, uint32_t past_two) {
  uint64_t first = state, second = 0, third = 0;
  for (size_t index = 0; index < lane; index += 8) {
    first = _mm_crc32_u64(first, load64(bytes + index));
    second = _mm_crc32_u64(second, load64(bytes + lane + index));
    third = _mm_crc32_u64(third, load64(bytes + 2 * lane + index));
  }
  uint64_t moved = shifted(first, past_two) ^ shifted(second, past_one);
  return (uint32_t)(_mm_crc32_u64(0, moved) ^ third);
}

HARDWARE static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
  enum { long_lane = 4096, short_lane = 256 };
  for (; count >= 3 * long_lane; bytes += 3 * long_lane, count -= 3 * long_lane) {
    state = three_lanes(state, bytes, long_lane, 0x82f89c77, 0x54a86326);
  }
  for (; count >= 3 * short_lane; bytes += 3 * short_lane, count -= 3 * short_lane) {
    state = three_lanes(state, bytes, short_lane, 0xb9e02b86, 0xdd7e3b0c);
  }
  uint64_t wide = state;
  for (; count >= 8; bytes += 8, count -= 8) {
    wide = _mm_crc32_u64(wide, load64(bytes));
  }
  state = (uint32_t)wide;
  for (; count > 0; bytes++, count--) {
    state = _mm_crc32_u8(state, *bytes);
  }
  return state;
}

static int has_instruction(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__) && defined(__linux__)

__attribute__((target("crc"))) static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    state = __crc32cd(state, load64(bytes));
  }
  for (; count > 0; bytes++, count--) {
    state = __crc32cb(state, *bytes);
  }
  return state;
}

// Bit 7 of AT_HWCAP is HWCAP_CRC32 in Linux's ABI for arm64.
static int has_instruction(void) { return (getauxval(AT_HWCAP) >> 7) & 1; }

#else

static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
  return by_tables(state, bytes, count);
}

static int has_instruction(void) { return 0; }

#endif

static uint32_t (*fastest)(uint32_t state, const uint8_t *bytes, size_t count) = by_tables;

// Runs before main, so that no call has to ask.
__attribute__((constructor)) static void choose(void) {
  make_slices();
  if (has_instruction()) fastest = by_instruction;
}

uint32_t headrace_crc32c(uint32_t crc, const void *bytes, size_t count) { return ~fastest(~crc, bytes, count); }

uint32_t headrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
  return ~by_tables(~crc, bytes, count);
}
