#pragma once
#include "CKernels.h"

// What each instruction set offers. The files Trees*.hpp and Dense.hpp are compiled once for each of them, in a
// namespace of its own, under a `target` attribute that the including file pushes.

namespace headrace {

struct kernels {
  void (*score_trees)(const ckernels_trees &, const float *, size_t, size_t, void *, double *);
  void (*score_dense)(const ckernels_dense &, const float *, size_t, size_t, float *, size_t);
  void (*sigmoid)(float *, size_t);
  void (*explain)(
    const ckernels_explanation &, uint32_t, uint32_t, const float *, size_t, size_t, void *, double *, size_t);
};

extern const kernels baseline_kernels;
#if defined(__x86_64__)
extern const kernels avx2_kernels;
extern const kernels avx512_kernels;
#endif

/// Rows of the largest block.
constexpr size_t block_rows_max = 256;
/// Rows that are walked tree by tree.
constexpr size_t walk_rows_max = 32;
constexpr size_t walk_chunk_trees = CKERNELS_WALK_CHUNK_TREES;
/// LightGBM's zero: what is not farther from it counts as missing where zero does.
constexpr float zero_threshold = 1e-35f;

/// Where the parts of a scratch area are.
struct scratch_layout {
  size_t columns;
  size_t category_codes;
  size_t sums;
  size_t walk_row;
  size_t walk_codes;
  /// Floats of one prepared row.
  size_t walk_width;
  size_t bytes;

  explicit scratch_layout(const ckernels_trees &trees) {
    size_t end = 0;
    auto part = [&end](size_t size) {
      size_t start = end;
      end = (end + size + 63) / 64 * 64;
      return start;
    };
    size_t column_count = size_t(trees.rank_column_count) + trees.test_count + trees.member_count_max;
    // A single row's codes are read as two whole vectors.
    columns = part((column_count == 0 ? 1 : column_count) * block_rows_max);
    category_codes = part(trees.categories_count * block_rows_max * sizeof(uint16_t));
    sums = part(trees.output_count * block_rows_max * sizeof(double));
    walk_width = 2 * size_t(trees.feature_count) + trees.zero_column_count + trees.test_count + 1;
    walk_row = part(walk_rows_max * walk_width * sizeof(float));
    walk_codes = part(walk_rows_max * trees.categories_count * sizeof(uint16_t));
    bytes = end;
  }
};

/// The same of an explanation.
struct explanation_layout {
  size_t values;
  size_t sums;
  size_t answers;
  size_t along;
  size_t open;
  size_t path;
  size_t below;
  size_t bytes;

  explicit explanation_layout(const ckernels_explanation &explanation) {
    size_t end = 0;
    auto part = [&end](size_t size) {
      size_t start = end;
      end = (end + size + 63) / 64 * 64;
      return start;
    };
    constexpr size_t rows = CKERNELS_EXPLANATION_ROWS;
    size_t depths = size_t(explanation.depth_max) + 1;
    values = part(explanation.column_count * rows * sizeof(float));
    sums = part(explanation.column_count * rows * sizeof(double));
    answers = part(explanation.question_count_max * sizeof(uint16_t));
    along = part(explanation.edge_count_max * sizeof(uint16_t));
    open = part(depths * sizeof(uint32_t));
    path = part(depths * explanation.point_count_max * rows * sizeof(double));
    below = part(depths * explanation.point_count_max * rows * sizeof(double));
    bytes = end;
  }
};

}  // namespace headrace
