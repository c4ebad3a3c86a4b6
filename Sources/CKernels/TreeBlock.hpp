// Blocks of rows through groups of trees. Included once for each instruction set.

namespace headrace::HEADRACE_LEVEL {

/// Adds the leaves of `rows` rows, whose numbers are in `leaf_of`, to `sums`.
template <typename Real>
HEADRACE_INLINE void add_leaves_one_by_one(const Real *leaves, const uint8_t *leaf_of, size_t rows, Real *sums) {
#pragma clang loop unroll_count(8)
  for (size_t row = 0; row < rows; row++) sums[row] += leaves[leaf_of[row]];
}

#if HEADRACE_VECTOR_BYTES == 64

/// The leaves of a small tree are in registers: Vectors of 8 doubles each.
template <size_t Vectors>
HEADRACE_INLINE void add_leaves_from_registers(
  const double *leaves, const uint8_t *leaf_of, size_t rows, double *sums) {
  __m512d values[Vectors];
  for (size_t i = 0; i < Vectors; i++) values[i] = _mm512_loadu_pd(leaves + 8 * i);
  for (size_t row = 0; row < rows; row += 8) {
    __m512i leaf = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(leaf_of + row)));
    __m512d found = _mm512_permutex2var_pd(values[0], leaf, values[1]);
    if constexpr (Vectors > 2) {
      __mmask8 bit4 = _mm512_test_epi64_mask(leaf, _mm512_set1_epi64(16));
      found = _mm512_mask_mov_pd(found, bit4, _mm512_permutex2var_pd(values[2], leaf, values[3]));
      if constexpr (Vectors > 4) {
        __mmask8 bit5 = _mm512_test_epi64_mask(leaf, _mm512_set1_epi64(32));
        __m512d upper = _mm512_permutex2var_pd(values[4], leaf, values[5]);
        upper = _mm512_mask_mov_pd(upper, bit4, _mm512_permutex2var_pd(values[6], leaf, values[7]));
        found = _mm512_mask_mov_pd(found, bit5, upper);
      }
    }
    _mm512_storeu_pd(sums + row, _mm512_add_pd(_mm512_loadu_pd(sums + row), found));
  }
}

template <size_t Vectors>
HEADRACE_INLINE void add_leaves_from_registers(const float *leaves, const uint8_t *leaf_of, size_t rows, float *sums) {
  __m512 values[Vectors];
  for (size_t i = 0; i < Vectors; i++) values[i] = _mm512_loadu_ps(leaves + 16 * i);
  for (size_t row = 0; row < rows; row += 16) {
    __m512i leaf = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(leaf_of + row)));
    __m512 found = _mm512_permutex2var_ps(values[0], leaf, values[1]);
    if constexpr (Vectors > 2) {
      __mmask16 bit5 = _mm512_test_epi32_mask(leaf, _mm512_set1_epi32(32));
      found = _mm512_mask_mov_ps(found, bit5, _mm512_permutex2var_ps(values[2], leaf, values[3]));
    }
    _mm512_storeu_ps(sums + row, _mm512_add_ps(_mm512_loadu_ps(sums + row), found));
  }
}

HEADRACE_INLINE void add_leaves(
  const double *leaves, uint32_t leaf_count, const uint8_t *leaf_of, size_t rows, double *sums) {
  if (leaf_count <= 16) add_leaves_from_registers<2>(leaves, leaf_of, rows, sums);
  else if (leaf_count <= 32) add_leaves_from_registers<4>(leaves, leaf_of, rows, sums);
  else if (leaf_count <= 64) add_leaves_from_registers<8>(leaves, leaf_of, rows, sums);
  else add_leaves_one_by_one(leaves, leaf_of, rows, sums);
}

HEADRACE_INLINE void add_leaves(
  const float *leaves, uint32_t leaf_count, const uint8_t *leaf_of, size_t rows, float *sums) {
  if (leaf_count <= 32) add_leaves_from_registers<2>(leaves, leaf_of, rows, sums);
  else if (leaf_count <= 64) add_leaves_from_registers<4>(leaves, leaf_of, rows, sums);
  else add_leaves_one_by_one(leaves, leaf_of, rows, sums);
}

#else

template <typename Real>
HEADRACE_INLINE void add_leaves(const Real *leaves, uint32_t, const uint8_t *leaf_of, size_t rows, Real *sums) {
  add_leaves_one_by_one(leaves, leaf_of, rows, sums);
}

#endif

/// `Trees` neighbouring trees of a group over Rows rows: which leaf each row ends in.
template <size_t Rows, size_t Trees>
HEADRACE_INLINE void find_leaves(
  const ckernels_step *steps, uint32_t step_count, const int8_t *columns, uint8_t *leaf_of) {
  constexpr size_t vectors = Rows / vector_bytes;
  bytes current[Trees][vectors];
  for (size_t t = 0; t < Trees; t++) {
    for (size_t v = 0; v < vectors; v++) current[t][v] = bytes{};
  }
  for (uint32_t k = 0; k < step_count; k++) {
    bytes next = splat(static_cast<int8_t>(k + 1));
#pragma clang loop unroll(full)
    for (size_t t = 0; t < Trees; t++) {
      const ckernels_step &step = steps[k * CKERNELS_GROUP_TREES + t];
      bytes rank = splat(step.rank), slot = splat(static_cast<int8_t>(step.slot));
      const int8_t *codes = columns + step.column * Rows;
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) {
        current[t][v] = move_right(current[t][v], load<bytes>(codes + v * vector_bytes), rank, slot, next);
      }
    }
  }
  for (size_t t = 0; t < Trees; t++) {
    for (size_t v = 0; v < vectors; v++) store(leaf_of + t * Rows + v * vector_bytes, current[t][v]);
  }
}

/// A block of Rows rows, of which the first `rows` count.
template <size_t Rows, size_t Trees, typename Real>
static void score_block(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t rows, const scratch_layout &layout,
  uint8_t *scratch, double *result) {
  int8_t *columns = reinterpret_cast<int8_t *>(scratch + layout.columns);
  uint16_t *category_codes = reinterpret_cast<uint16_t *>(scratch + layout.category_codes);
  Real *sums = reinterpret_cast<Real *>(scratch + layout.sums);
  const Real *leaves = static_cast<const Real *>(trees.leaves);
  encode_block(trees, matrix, row_stride, rows, Rows, columns, category_codes);
  for (uint32_t o = 0; o < trees.output_count; o++) {
    for (size_t row = 0; row < Rows; row++) sums[o * Rows + row] = static_cast<Real>(trees.starts[o]);
  }
  int8_t *member_columns = columns + (size_t(trees.rank_column_count) + trees.test_count) * Rows;
  alignas(64) uint8_t leaf_of[Trees * Rows];
  for (uint32_t g = 0; g < trees.group_count; g++) {
    const ckernels_group &group = trees.groups[g];
    for (uint32_t i = 0; i < group.member_count; i++) {
      encode_member(trees, trees.members[group.first_member + i], Rows, category_codes, member_columns + i * Rows);
    }
    for (uint32_t first = 0; first < group.tree_count; first += Trees) {
      find_leaves<Rows, Trees>(trees.steps + group.step_offset + first, group.step_count, columns, leaf_of);
      uint32_t count = group.tree_count - first < Trees ? group.tree_count - first : Trees;
      for (uint32_t t = 0; t < count; t++) {
        const ckernels_tree &tree = trees.trees[group.first_tree + first + t];
        for (uint32_t i = tree.first_output; i < tree.first_output + tree.output_count; i++) {
          const ckernels_tree_output &target = trees.tree_outputs[i];
          add_leaves(
            leaves + target.leaf_offset, tree.leaf_count, leaf_of + t * Rows, Rows, sums + target.output * Rows);
        }
      }
    }
  }
  for (size_t row = 0; row < rows; row++) {
    for (uint32_t o = 0; o < trees.output_count; o++) {
      result[row * trees.output_count + o] = static_cast<double>(sums[o * Rows + row]);
    }
  }
}

template <typename Node, typename Real, bool HasCategories>
static void score_all(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t row_count, uint8_t *scratch,
  double *result) {
  scratch_layout layout(trees);
  size_t row = 0;
  while (row < row_count) {
    const float *from = matrix + row * row_stride;
    double *to = result + row * trees.output_count;
    size_t left = row_count - row;
    size_t done;
    if (trees.block_rows_min == 0 && left >= walk_lanes) {
      done = left < walk_rows_max ? left : walk_rows_max;
      walk_block<Node, Real, HasCategories>(trees, from, row_stride, done, layout, scratch, to);
    } else if (trees.block_rows_min == 0 || left < trees.block_rows_min) {
      done = 1;
#if HEADRACE_VECTOR_BYTES >= 32
      if (trees.row_nodes_max != 0) score_row<Real>(trees, from, layout, scratch, to);
      else walk_row<Node, Real, HasCategories>(trees, from, layout, scratch, to);
#else
      walk_row<Node, Real, HasCategories>(trees, from, layout, scratch, to);
#endif
    } else if (left < block_rows_max) {
      done = left < 64 ? left : 64;
      score_block<64, 4, Real>(trees, from, row_stride, done, layout, scratch, to);
    } else {
      done = block_rows_max;
      score_block<block_rows_max, 2, Real>(trees, from, row_stride, done, layout, scratch, to);
    }
    row += done;
  }
}

template <typename Node, typename Real>
static void score_by_categories(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t row_count, uint8_t *scratch,
  double *result) {
  auto score = trees.categories_count == 0 ? score_all<Node, Real, false> : score_all<Node, Real, true>;
  score(trees, matrix, row_stride, row_count, scratch, result);
}

static void score_trees(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t row_count, void *scratch,
  double *result) {
  auto area = static_cast<uint8_t *>(scratch);
  if (trees.nodes_are_wide) {
    auto score = trees.sums_are_float ? score_by_categories<ckernels_wide_node, float>
                                      : score_by_categories<ckernels_wide_node, double>;
    score(trees, matrix, row_stride, row_count, area, result);
  } else {
    auto score = trees.sums_are_float ? score_by_categories<ckernels_node, float>
                                      : score_by_categories<ckernels_node, double>;
    score(trees, matrix, row_stride, row_count, area, result);
  }
}

}  // namespace headrace::HEADRACE_LEVEL
