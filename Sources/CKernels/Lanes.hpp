// The few operations that differ between instruction sets. Included once for each of them.
#include <cstring>

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace headrace::HEADRACE_LEVEL {

#define HEADRACE_INLINE static inline __attribute__((always_inline))

constexpr size_t vector_bytes = HEADRACE_VECTOR_BYTES;
constexpr size_t vector_floats = vector_bytes / sizeof(float);

typedef int8_t bytes __attribute__((vector_size(HEADRACE_VECTOR_BYTES)));
typedef float floats __attribute__((vector_size(HEADRACE_VECTOR_BYTES)));

template <typename Vector>
HEADRACE_INLINE Vector load(const void *from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

template <typename Vector>
HEADRACE_INLINE void store(void *to, Vector vector) {
  std::memcpy(to, &vector, sizeof vector);
}

HEADRACE_INLINE bytes splat(int8_t byte) { return byte - bytes{}; }
HEADRACE_INLINE floats splat(float value) { return value - floats{}; }

/// Moves the rows that stand in `slot` and whose code is above `rank` on to `next`.
HEADRACE_INLINE bytes move_right(bytes current, bytes codes, bytes rank, bytes slot, bytes next) {
#if HEADRACE_VECTOR_BYTES == 64
  __mmask64 goes_right = _mm512_cmpgt_epi8_mask((__m512i)codes, (__m512i)rank);
  goes_right = _mm512_mask_cmpeq_epi8_mask(goes_right, (__m512i)current, (__m512i)slot);
  return (bytes)_mm512_mask_mov_epi8((__m512i)current, goes_right, (__m512i)next);
#elif HEADRACE_VECTOR_BYTES == 32
  __m256i goes_right = _mm256_cmpgt_epi8((__m256i)codes, (__m256i)rank);
  goes_right = _mm256_and_si256(goes_right, _mm256_cmpeq_epi8((__m256i)current, (__m256i)slot));
  return (bytes)_mm256_blendv_epi8((__m256i)current, (__m256i)next, goes_right);
#else
  bytes goes_right = (bytes)(codes > rank) & (bytes)(current == slot);
  return (next & goes_right) | (current & ~goes_right);
#endif
}

/// How many of 16 ascending thresholds are below the value; none for NaN.
HEADRACE_INLINE uint32_t count_below(const float *thresholds, float value) {
#if HEADRACE_VECTOR_BYTES == 64
  return _mm_popcnt_u32(_mm512_cmp_ps_mask(_mm512_set1_ps(value), _mm512_loadu_ps(thresholds), _CMP_GT_OQ));
#elif HEADRACE_VECTOR_BYTES == 32
  __m256 wanted = _mm256_set1_ps(value);
  __m256 low = _mm256_cmp_ps(wanted, _mm256_loadu_ps(thresholds), _CMP_GT_OQ);
  __m256 high = _mm256_cmp_ps(wanted, _mm256_loadu_ps(thresholds + 8), _CMP_GT_OQ);
  return _mm_popcnt_u32(static_cast<uint32_t>(_mm256_movemask_ps(low)) |
                        static_cast<uint32_t>(_mm256_movemask_ps(high)) << 8);
#elif defined(__aarch64__)
  float32x4_t wanted = vdupq_n_f32(value);
  uint32x4_t below = vcgtq_f32(wanted, vld1q_f32(thresholds));
  below = vaddq_u32(below, vcgtq_f32(wanted, vld1q_f32(thresholds + 4)));
  below = vaddq_u32(below, vcgtq_f32(wanted, vld1q_f32(thresholds + 8)));
  below = vaddq_u32(below, vcgtq_f32(wanted, vld1q_f32(thresholds + 12)));
  return -vaddvq_u32(below);
#else
  typedef int32_t words __attribute__((vector_size(16)));
  floats wanted = splat(value);
  words below = (words)(wanted > load<floats>(thresholds)) + (words)(wanted > load<floats>(thresholds + 4)) +
                (words)(wanted > load<floats>(thresholds + 8)) + (words)(wanted > load<floats>(thresholds + 12));
  return static_cast<uint32_t>(-(below[0] + below[1] + below[2] + below[3]));
#endif
}

/// For each code its bit in a set of 256: 127 when it is there, -128 when not.
HEADRACE_INLINE bytes look_up(bytes codes, const uint8_t *set) {
#if HEADRACE_VECTOR_BYTES == 64
  __m512i table = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(set)));
  __m512i bit_of = _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201));
  __m512i code = (__m512i)codes;
  __m512i byte_index = _mm512_and_si512(_mm512_srli_epi16(code, 3), _mm512_set1_epi8(31));
  __m512i byte = _mm512_permutexvar_epi8(byte_index, table);
  __m512i bit = _mm512_shuffle_epi8(bit_of, _mm512_and_si512(code, _mm512_set1_epi8(7)));
  __mmask64 is_member = _mm512_test_epi8_mask(byte, bit);
  return (bytes)_mm512_mask_mov_epi8(_mm512_set1_epi8(-128), is_member, _mm512_set1_epi8(127));
#elif HEADRACE_VECTOR_BYTES == 32
  __m128i first_half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(set));
  __m128i second_half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(set + 16));
  __m256i bit_of = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  __m256i code = (__m256i)codes;
  __m256i byte_index = _mm256_and_si256(_mm256_srli_epi16(code, 3), _mm256_set1_epi8(15));
  __m256i low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(first_half), byte_index);
  __m256i high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(second_half), byte_index);
  __m256i byte = _mm256_blendv_epi8(low, high, code);
  __m256i bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(code, _mm256_set1_epi8(7)));
  __m256i is_member = _mm256_cmpeq_epi8(_mm256_and_si256(byte, bit), bit);
  return (bytes)_mm256_blendv_epi8(_mm256_set1_epi8(-128), _mm256_set1_epi8(127), is_member);
#else
  bytes result;
  for (size_t i = 0; i < vector_bytes; i++) {
    uint8_t code = static_cast<uint8_t>(codes[i]);
    result[i] = (set[code >> 3] >> (code & 7) & 1) != 0 ? 127 : -128;
  }
  return result;
#endif
}

}  // namespace headrace::HEADRACE_LEVEL
