#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernelsExplanations.h"

// The inner loops of inference: tree ensembles and dense layers, each compiled for several instruction sets of which
// one is chosen when a model is loaded. Everything here is a loop over tables that the caller laid out and checked;
// nothing allocates, nothing is locked, and nothing is checked again.

#ifdef __cplusplus
extern "C" {
#endif

/// Instruction sets, each holding the ones before it. The baseline is what every processor of the platform has: SSE2 on
/// x86-64, NEON on 64-bit ARM.
enum {
  CKERNELS_BASELINE = 0,
  CKERNELS_AVX2 = 1,
  CKERNELS_AVX512 = 2,
};

/// The richest one of this processor.
uint32_t ckernels_best_level(void);

// MARK: Tree ensembles

// Two ways through the same trees give the same leaves:
//
// Blocks of rows. Each feature is ranked against the thresholds that the model itself has, which is exact: a code is
// the number of thresholds below the value. A node is then one byte compare for many rows at once. For every row a byte
// says in which leaf it would be if no further node existed; node k, visited in order, moves the rows that stand in its
// leaf and go right into leaf k + 1. More than 255 thresholds are several byte columns, each a window of 255 ranks.
//
// One row. With AVX-512 all nodes of a small tree are decided at once. Else eight trees are walked side by side; a leaf
// is a node that leads to itself.

// Bytes of a column of codes start at -128 instead of 0: signed comparison is what every instruction set has.

/// A search tree with 16 children a node over one feature's sorted thresholds.
typedef struct {
  uint32_t feature;
  /// The top level comes first; each level is padded with +infinity to a multiple of 16, the last one by at least one.
  uint32_t level_count;
  uint32_t level_offsets[6];
  /// The columns that hold this feature's codes.
  uint32_t first_column;
  uint32_t column_count;
} ckernels_ranker;

/// What a column of codes makes of a rank.
typedef struct {
  /// The first rank of its window.
  uint32_t base;
  bool missing_goes_right;
  /// A zero counts as missing: |x| <= 1e-35f.
  bool zero_is_missing;
} ckernels_rank_column;

/// A node that asks whether a value is there, or is exactly this one. Its code is -128 for left, 127 for right.
typedef struct {
  uint32_t feature;
  float value;
  bool zero_is_missing;
  bool missing_goes_right;
  bool equal_goes_right;
  bool other_goes_right;
} ckernels_test;

enum {
  /// Truncated towards zero; what is below zero then is unknown (LightGBM).
  CKERNELS_CATEGORY_TRUNCATED = 0,
  /// Truncated; what was below zero before that is unknown (XGBoost).
  CKERNELS_CATEGORY_NOT_NEGATIVE = 1,
  /// What is no integer is unknown (ONNX).
  CKERNELS_CATEGORY_EXACT = 2,
};

/// The categories of one feature that some node names. A code is the index of the category; `known_count` stands for
/// every other one, `known_count + 1` for none.
typedef struct {
  uint32_t feature;
  uint32_t rule;
  /// Into `known_categories`, ascending.
  uint32_t first_known;
  uint32_t known_count;
  /// Into `category_codes`: the code of each category up to `dense_count`; 0 when there is no such table.
  uint32_t first_dense;
  uint32_t dense_count;
} ckernels_categories;

/// A categorical node of a group: bit `code` of its bits says right.
typedef struct {
  uint32_t categories;
  uint32_t bits_offset;
} ckernels_member;

/// A node of the block kernel.
typedef struct {
  /// An index above all columns means the group's categorical nodes.
  uint32_t column;
  /// Right when the code is greater.
  int8_t rank;
  /// The leaf that this node splits.
  uint8_t slot;
} ckernels_step;

enum {
  /// Trees that a block works on at the same time.
  CKERNELS_GROUP_TREES = 4,
  /// Trees whose leaves a walk collects before it adds them up.
  CKERNELS_WALK_CHUNK_TREES = 64,
  /// Nodes of a tree that are decided at once for a single row, and what they take in the tables.
  CKERNELS_ROW_NODES = 64,
  CKERNELS_ROW_COLUMNS_MAX = 128,
  /// Leaves of a tree that the block kernel takes.
  CKERNELS_BLOCK_LEAVES_MAX = 256,
};

/// Up to four consecutive trees. Step k of tree t is `steps[step_offset + 4 * k + t]`.
typedef struct {
  uint32_t first_tree;
  uint32_t tree_count;
  uint32_t step_offset;
  uint32_t step_count;
  uint32_t first_member;
  uint32_t member_count;
} ckernels_group;

/// A node of a walk, relative to its tree. Its children are neighbours. A leaf leads to itself: its column holds
/// -infinity, and the bits of its threshold are its number.
typedef struct {
  float threshold;
  /// The highest bit marks a categorical node: the rest is an index into `categories`, and the bits of the threshold
  /// are the offset of its bits.
  uint16_t column;
  uint16_t left;
} ckernels_node;

/// The same for trees of many nodes and for models of many columns.
typedef struct {
  float threshold;
  uint32_t column;
  uint32_t left;
} ckernels_wide_node;

typedef struct {
  uint32_t root;
  uint32_t depth;
  uint32_t first_output;
  uint32_t output_count;
  uint32_t leaf_count;
} ckernels_tree;

/// A leaf adds `leaves[leaf_offset + leaf]` to this output.
typedef struct {
  uint32_t output;
  uint32_t leaf_offset;
} ckernels_tree_output;

typedef struct {
  uint32_t feature_count;
  uint32_t output_count;
  uint32_t tree_count;
  uint32_t group_count;
  uint32_t ranker_count;
  uint32_t rank_column_count;
  uint32_t test_count;
  uint32_t categories_count;
  uint32_t member_count_max;
  /// Columns of a walk: every feature with the missing ones far left, every feature with the missing ones far right,
  /// `zero_column_count` columns of their own kind, the tests, and one that holds -infinity.
  uint32_t zero_column_count;
  /// From so many rows on a block is cheaper than walks; 0 when some tree has more leaves than a byte can name, and
  /// everything is walked.
  uint32_t block_rows_min;
  /// Sums are float32 in place of float64.
  bool sums_are_float;
  bool nodes_are_wide;

  const ckernels_ranker *rankers;
  const float *thresholds;
  const ckernels_rank_column *rank_columns;
  const ckernels_test *tests;
  const ckernels_categories *categories;
  const int32_t *known_categories;
  const uint16_t *category_codes;
  const uint8_t *category_bits;
  const ckernels_member *members;
  const ckernels_group *groups;
  const ckernels_step *steps;
  const ckernels_tree *trees;
  const ckernels_tree_output *tree_outputs;
  /// float or double; one tree's table is padded to a multiple of 64 values.
  const void *leaves;
  const ckernels_node *nodes;
  const ckernels_wide_node *wide_nodes;
  /// Trees in chunks of 64, within a chunk by depth.
  const uint32_t *walk_order;
  /// Features of the zero columns; the highest bit says that what is missing goes right.
  const uint32_t *zero_columns;
  /// For single rows where every tree has at most 64 leaves, and where there is AVX2: of each tree 64 nodes (their
  /// column, the rank above which they say right, the leaves that are cut off then) and its leaves from left to right.
  /// `row_nodes_max` is 0 when there are no such tables.
  uint32_t row_nodes_max;
  const uint8_t *row_columns;
  const int8_t *row_ranks;
  const uint64_t *row_cuts;
  const void *row_leaves;
  const uint32_t *row_outputs;
  /// Where the sum of each output starts.
  const double *starts;
} ckernels_trees;

/// Memory that `ckernels_score_trees` works in, to be aligned to 64 bytes.
size_t ckernels_trees_scratch_bytes(const ckernels_trees *trees);

/// Sums the leaves of every row: `sums` gets `row_count` rows of `output_count`, widened when they are float32.
///
/// - matrix: `row_count` rows, `row_stride` floats from one to the next, at least `feature_count`. NaN is missing.
void ckernels_score_trees(
  uint32_t level, const ckernels_trees *trees, const float *matrix, size_t row_stride, size_t row_count,
  void *scratch, double *sums);

// MARK: Dense layers

enum {
  CKERNELS_WEIGHTS_FLOAT32 = 0,
  /// The upper half of a float32.
  CKERNELS_WEIGHTS_BFLOAT16 = 1,
  /// Times a scale of each output.
  CKERNELS_WEIGHTS_INT8 = 2,
};

/// output = (input x weights) * scales + bias, with float32 sums; Relu on demand.
typedef struct {
  uint32_t input_count;
  uint32_t output_count;
  uint32_t weight_kind;
  bool is_rectified;
  /// In panels of 64 outputs (the last one: as many multiples of 16 as are needed, padded with zeros), each of
  /// `input_count` rows. With fewer than 16 outputs instead: each output's weights, padded to a multiple of 16.
  const void *weights;
  /// Padded to a multiple of 16.
  const float *bias;
  /// Of int8 weights; padded like the bias.
  const float *scales;
} ckernels_dense;

enum {
  /// Outputs of one panel.
  CKERNELS_PANEL_OUTPUTS = 64,
  /// With fewer outputs each is a dot product.
  CKERNELS_DOT_OUTPUTS_MAX = 15,
  /// Weights are padded to a multiple of this.
  CKERNELS_DENSE_ALIGNMENT = 16,
};

/// - output: `row_count` rows, `output_stride` floats from one to the next.
void ckernels_score_dense(
  uint32_t level, const ckernels_dense *layer, const float *input, size_t input_stride, size_t row_count,
  float *output, size_t output_stride);

/// 1 / (1 + exp(-x)) in place, within 3 units in the last place of float32.
void ckernels_sigmoid(uint32_t level, float *values, size_t count);

/// Narrows doubles to the nearest floats: a row of `width` values each `from_stride` apart to rows `width` apart.
void ckernels_narrow(const double *from, size_t from_stride, size_t row_count, size_t width, float *to);

#ifdef __cplusplus
}
#endif
