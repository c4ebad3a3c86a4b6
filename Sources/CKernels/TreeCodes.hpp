// From a matrix of floats to columns of codes. Included once for each instruction set.

namespace headrace::HEADRACE_LEVEL {

HEADRACE_INLINE bool is_missing(float value, bool zero_is_missing) {
  return value != value || (zero_is_missing && __builtin_fabsf(value) <= zero_threshold);
}

/// The code of a category (CKernels.h).
HEADRACE_INLINE uint32_t category_code(const ckernels_trees &trees, const ckernels_categories &from, float value) {
  if (value != value) return from.known_count + 1;
  uint32_t unknown = from.known_count;
  if (from.rule == CKERNELS_CATEGORY_NOT_NEGATIVE && value < 0) return unknown;
  if (!(value > -1.0f && value < 2147483648.0f)) return unknown;
  int32_t category = static_cast<int32_t>(value);
  if (from.rule == CKERNELS_CATEGORY_EXACT && static_cast<float>(category) != value) return unknown;
  if (from.dense_count != 0) {
    if (static_cast<uint32_t>(category) >= from.dense_count) return unknown;
    return trees.category_codes[from.first_dense + static_cast<uint32_t>(category)];
  }
  const int32_t *known = trees.known_categories + from.first_known;
  uint32_t low = 0, high = from.known_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (known[middle] < category) low = middle + 1;
    else high = middle;
  }
  return low < from.known_count && known[low] == category ? low : unknown;
}

HEADRACE_INLINE bool goes_right(const ckernels_test &test, float value) {
  if (is_missing(value, test.zero_is_missing)) return test.missing_goes_right;
  return value == test.value ? test.equal_goes_right : test.other_goes_right;
}

HEADRACE_INLINE bool is_narrow(const ckernels_categories &categories) { return categories.known_count + 2 <= 256; }

/// A rank as a byte of one window.
HEADRACE_INLINE int8_t window_code(uint32_t rank, uint32_t base) {
  uint32_t above = rank > base ? rank - base : 0;
  return static_cast<int8_t>(static_cast<int32_t>(above < 255 ? above : 255) - 128);
}

/// The rank of one feature in every row of a block: how many thresholds are below its value.
template <uint32_t Levels, typename Rank>
HEADRACE_INLINE void rank_rows(
  const ckernels_trees &trees, const ckernels_ranker &ranker, const float *values, size_t row_stride, size_t rows,
  Rank bias, Rank *ranks) {
  uint32_t level_count = Levels == 0 ? ranker.level_count : Levels;
  for (size_t row = 0; row < rows; row++) {
    float value = values[row * row_stride];
    uint32_t rank = 0;
    for (uint32_t level = 0; level < level_count; level++) {
      rank = rank * 16 + count_below(trees.thresholds + ranker.level_offsets[level] + rank * 16, value);
    }
    ranks[row] = static_cast<Rank>(rank + static_cast<uint32_t>(bias));
  }
}

/// Overwrites the codes of the rows whose value is missing.
HEADRACE_INLINE void mark_missing(
  const ckernels_rank_column &column, const float *values, size_t row_stride, size_t rows, int8_t *codes) {
  int8_t code = column.missing_goes_right ? 127 : -128;
  for (size_t row = 0; row < rows; row++) {
    bool missing = is_missing(values[row * row_stride], column.zero_is_missing);
    codes[row] = missing ? code : codes[row];
  }
}

/// Codes of at most 255 thresholds: one window.
HEADRACE_INLINE void encode_narrow(
  const ckernels_trees &trees, const ckernels_ranker &ranker, const float *values, size_t row_stride, size_t rows,
  size_t block_rows, int8_t *columns) {
  int8_t *first = columns + ranker.first_column * block_rows;
  if (ranker.level_count == 1) rank_rows<1, int8_t>(trees, ranker, values, row_stride, rows, -128, first);
  else rank_rows<2, int8_t>(trees, ranker, values, row_stride, rows, -128, first);
  for (uint32_t i = 1; i < ranker.column_count; i++) std::memcpy(first + i * block_rows, first, rows);
}

HEADRACE_INLINE void encode_wide(
  const ckernels_trees &trees, const ckernels_ranker &ranker, const float *values, size_t row_stride, size_t rows,
  size_t block_rows, int8_t *columns) {
  uint32_t ranks[block_rows_max];
  rank_rows<0, uint32_t>(trees, ranker, values, row_stride, rows, 0, ranks);
  for (uint32_t i = 0; i < ranker.column_count; i++) {
    uint32_t base = trees.rank_columns[ranker.first_column + i].base;
    int8_t *codes = columns + (ranker.first_column + i) * block_rows;
    for (size_t row = 0; row < rows; row++) codes[row] = window_code(ranks[row], base);
  }
}

/// All codes of a block: column c of row r is `columns[c * block_rows + r]`.
static void encode_block(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t rows, size_t block_rows,
  int8_t *columns, uint16_t *category_codes) {
  for (uint32_t i = 0; i < trees.ranker_count; i++) {
    const ckernels_ranker &ranker = trees.rankers[i];
    const float *values = matrix + ranker.feature;
    bool is_single_window = trees.rank_columns[ranker.first_column + ranker.column_count - 1].base == 0;
    if (is_single_window && ranker.level_count <= 2) {
      encode_narrow(trees, ranker, values, row_stride, rows, block_rows, columns);
    } else {
      encode_wide(trees, ranker, values, row_stride, rows, block_rows, columns);
    }
    for (uint32_t c = ranker.first_column; c < ranker.first_column + ranker.column_count; c++) {
      const ckernels_rank_column &column = trees.rank_columns[c];
      // NaN is above no threshold: it is left already.
      if (!column.missing_goes_right && !column.zero_is_missing) continue;
      mark_missing(column, values, row_stride, rows, columns + c * block_rows);
    }
  }
  for (uint32_t i = 0; i < trees.test_count; i++) {
    const ckernels_test &test = trees.tests[i];
    int8_t *codes = columns + (trees.rank_column_count + i) * block_rows;
    for (size_t row = 0; row < rows; row++) {
      codes[row] = goes_right(test, matrix[row * row_stride + test.feature]) ? 127 : -128;
    }
  }
  for (uint32_t i = 0; i < trees.categories_count; i++) {
    const ckernels_categories &categories = trees.categories[i];
    uint16_t *codes = category_codes + i * block_rows_max;
    uint8_t *narrow_codes = reinterpret_cast<uint8_t *>(codes);
    for (size_t row = 0; row < rows; row++) {
      uint32_t code = category_code(trees, categories, matrix[row * row_stride + categories.feature]);
      if (is_narrow(categories)) narrow_codes[row] = static_cast<uint8_t>(code);
      else codes[row] = static_cast<uint16_t>(code);
    }
  }
}

/// The codes of one categorical node, from those of its feature.
static void encode_member(
  const ckernels_trees &trees, const ckernels_member &member, size_t block_rows, const uint16_t *category_codes,
  int8_t *column) {
  const uint8_t *bits = trees.category_bits + member.bits_offset;
  const uint16_t *codes = category_codes + member.categories * block_rows_max;
  if (is_narrow(trees.categories[member.categories])) {
    const int8_t *narrow_codes = reinterpret_cast<const int8_t *>(codes);
    for (size_t i = 0; i < block_rows; i += vector_bytes) {
      store(column + i, look_up(load<bytes>(narrow_codes + i), bits));
    }
  } else {
    for (size_t i = 0; i < block_rows; i++) column[i] = (bits[codes[i] >> 3] >> (codes[i] & 7) & 1) != 0 ? 127 : -128;
  }
}

}  // namespace headrace::HEADRACE_LEVEL
