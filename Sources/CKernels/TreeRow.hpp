// One row, all nodes of a tree at once: permutations fetch each node's code, a compare decides them, and the leaves
// that a node cuts off are or-ed together. What is left of the leaves, from the left, is the row's. With AVX-512 one
// permutation takes from 64 codes; with AVX2 shuffles take from 16, and blends choose among them.

namespace headrace::HEADRACE_LEVEL {

#if HEADRACE_VECTOR_BYTES >= 32

#if HEADRACE_VECTOR_BYTES == 64

/// The leaves that eight nodes cut off.
HEADRACE_INLINE __m512i cut_off(uint64_t decisions, const uint64_t *cuts, int first) {
  return _mm512_maskz_loadu_epi64(static_cast<__mmask8>(decisions >> first), cuts + first);
}

/// The two flags: more than 64 columns, more than 32 nodes in some tree.
template <typename Real, bool HasManyColumns, bool HasManyNodes>
static void decide_row(const ckernels_trees &trees, const int8_t *columns, Real *sums) {
  __m512i codes = _mm512_loadu_si512(columns);
  __m512i more_codes = HasManyColumns ? _mm512_loadu_si512(columns + 64) : codes;
  const Real *leaves = static_cast<const Real *>(trees.row_leaves);
  for (uint32_t t = 0; t < trees.tree_count; t++) {
    size_t at = size_t(t) * CKERNELS_ROW_NODES;
    __m512i wanted = _mm512_loadu_si512(trees.row_columns + at);
    __m512i found = HasManyColumns ? _mm512_permutex2var_epi8(codes, wanted, more_codes)
                                   : _mm512_permutexvar_epi8(wanted, codes);
    uint64_t right = _mm512_cmpgt_epi8_mask(found, _mm512_loadu_si512(trees.row_ranks + at));
    const uint64_t *cuts = trees.row_cuts + at;
    __m512i cut = _mm512_or_si512(cut_off(right, cuts, 0), cut_off(right, cuts, 8));
    cut = _mm512_ternarylogic_epi64(cut, cut_off(right, cuts, 16), cut_off(right, cuts, 24), 0xfe);
    if (HasManyNodes) {
      cut = _mm512_ternarylogic_epi64(cut, cut_off(right, cuts, 32), cut_off(right, cuts, 40), 0xfe);
      cut = _mm512_ternarylogic_epi64(cut, cut_off(right, cuts, 48), cut_off(right, cuts, 56), 0xfe);
    }
    __m256i half = _mm256_or_si256(_mm512_castsi512_si256(cut), _mm512_extracti64x4_epi64(cut, 1));
    __m128i quarter = _mm_or_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    quarter = _mm_or_si128(quarter, _mm_unpackhi_epi64(quarter, quarter));
    uint64_t all = static_cast<uint64_t>(_mm_cvtsi128_si64(quarter));
    sums[trees.row_outputs[t]] += leaves[at + _tzcnt_u64(~all)];
  }
}

#else

/// Of 16 codes a part, each part in both halves of a vector, those that are asked for: a shuffle of every part by the
/// lower half of a place, and what each bit above it chooses among them.
template <int parts>
HEADRACE_INLINE __m256i find_codes(const __m256i (&codes)[parts], const uint8_t *wanted) {
  __m256i place = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(wanted));
  __m256i within = _mm256_and_si256(place, _mm256_set1_epi8(15));
  __m256i found[parts];
  for (int part = 0; part < parts; part++) found[part] = _mm256_shuffle_epi8(codes[part], within);
  // A blend looks at a byte's highest bit: the fifth bit of a place first.
  int shift = 3;
  for (int left = parts; left > 1; left /= 2) {
    __m256i choice = _mm256_slli_epi16(place, shift);
    for (int part = 0; part < left / 2; part++) {
      found[part] = _mm256_blendv_epi8(found[2 * part], found[2 * part + 1], choice);
    }
    shift--;
  }
  return found[0];
}

/// The leaves that four nodes cut off: of `decisions`, the bits from `first` on.
HEADRACE_INLINE __m256i cut_off(__m256i decisions, const uint64_t *cuts, int first) {
  __m256i signs = _mm256_sllv_epi64(decisions, _mm256_setr_epi64x(63 - first, 62 - first, 61 - first, 60 - first));
  __m256d cut = _mm256_loadu_pd(reinterpret_cast<const double *>(cuts + first));
  return _mm256_castpd_si256(_mm256_blendv_pd(_mm256_setzero_pd(), cut, _mm256_castsi256_pd(signs)));
}

/// The leaves that 32 nodes cut off.
template <int parts>
HEADRACE_INLINE __m256i cut_off_all(
  const __m256i (&codes)[parts], const uint8_t *wanted, const int8_t *ranks, const uint64_t *cuts) {
  __m256i found = find_codes(codes, wanted);
  __m256i right = _mm256_cmpgt_epi8(found, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(ranks)));
  __m256i decisions = _mm256_set1_epi64x(static_cast<uint32_t>(_mm256_movemask_epi8(right)));
  __m256i even = cut_off(decisions, cuts, 0);
  __m256i odd = cut_off(decisions, cuts, 4);
  for (int first = 8; first < 32; first += 8) {
    even = _mm256_or_si256(even, cut_off(decisions, cuts, first));
    odd = _mm256_or_si256(odd, cut_off(decisions, cuts, first + 4));
  }
  return _mm256_or_si256(even, odd);
}

/// The two flags: more than 64 columns, more than 32 nodes in some tree.
template <typename Real, bool HasManyColumns, bool HasManyNodes>
static void decide_row(const ckernels_trees &trees, const int8_t *columns, Real *sums) {
  constexpr int parts = HasManyColumns ? 8 : 4;
  __m256i codes[parts];
  for (int part = 0; part < parts; part++) {
    codes[part] = _mm256_broadcastsi128_si256(load<__m128i>(columns + 16 * part));
  }
  const Real *leaves = static_cast<const Real *>(trees.row_leaves);
  for (uint32_t t = 0; t < trees.tree_count; t++) {
    size_t at = size_t(t) * CKERNELS_ROW_NODES;
    __m256i cut = cut_off_all(codes, trees.row_columns + at, trees.row_ranks + at, trees.row_cuts + at);
    if (HasManyNodes) {
      cut = _mm256_or_si256(
        cut, cut_off_all(codes, trees.row_columns + at + 32, trees.row_ranks + at + 32, trees.row_cuts + at + 32));
    }
    __m128i quarter = _mm_or_si128(_mm256_castsi256_si128(cut), _mm256_extracti128_si256(cut, 1));
    quarter = _mm_or_si128(quarter, _mm_unpackhi_epi64(quarter, quarter));
    uint64_t all = static_cast<uint64_t>(_mm_cvtsi128_si64(quarter));
    sums[trees.row_outputs[t]] += leaves[at + _tzcnt_u64(~all)];
  }
}

#endif

/// All codes of a row, side by side.
static void encode_row(const ckernels_trees &trees, const float *row, int8_t *columns) {
  for (uint32_t i = 0; i < trees.ranker_count; i++) {
    const ckernels_ranker &ranker = trees.rankers[i];
    float value = row[ranker.feature];
    uint32_t rank = 0;
    for (uint32_t level = 0; level < ranker.level_count; level++) {
      rank = rank * 16 + count_below(trees.thresholds + ranker.level_offsets[level] + rank * 16, value);
    }
    for (uint32_t c = ranker.first_column; c < ranker.first_column + ranker.column_count; c++) {
      const ckernels_rank_column &column = trees.rank_columns[c];
      int8_t missing = column.missing_goes_right ? 127 : -128;
      columns[c] = is_missing(value, column.zero_is_missing) ? missing : window_code(rank, column.base);
    }
  }
  for (uint32_t i = 0; i < trees.test_count; i++) {
    const ckernels_test &test = trees.tests[i];
    columns[trees.rank_column_count + i] = goes_right(test, row[test.feature]) ? 127 : -128;
  }
}

template <typename Real>
static void score_row(
  const ckernels_trees &trees, const float *row, const scratch_layout &layout, uint8_t *scratch, double *result) {
  int8_t *columns = reinterpret_cast<int8_t *>(scratch + layout.columns);
  Real *sums = reinterpret_cast<Real *>(scratch + layout.sums);
  encode_row(trees, row, columns);
  for (uint32_t i = 0; i < trees.output_count; i++) sums[i] = static_cast<Real>(trees.starts[i]);
  bool has_many_columns = trees.rank_column_count + trees.test_count > 64;
  bool has_many_nodes = trees.row_nodes_max > 32;
  auto decide = has_many_nodes ? decide_row<Real, false, true> : decide_row<Real, false, false>;
  if (has_many_columns) decide = has_many_nodes ? decide_row<Real, true, true> : decide_row<Real, true, false>;
  decide(trees, columns, sums);
  for (uint32_t i = 0; i < trees.output_count; i++) result[i] = static_cast<double>(sums[i]);
}

#endif

}  // namespace headrace::HEADRACE_LEVEL
