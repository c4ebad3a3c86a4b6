#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Contributions of features to the sums of a tree ensemble: Shapley values of the path-dependent game of Lundberg et
// al. (Nature Machine Intelligence 2, 2020).
//
// In that game a leaf is worth v times the product over the features of its path: 1 or 0 for a known feature, as the row
// agrees with all of its questions on the path or not (o), and for an unknown one the share of the cover that does (z).
// With Owen's integral over the multilinear extension of the game, feature i gets from this leaf
//
//     v (o_i - z_i) * integral over t in [0, 1] of the product over j != i of (z_j (1 - t) + o_j t)
//
// The integrand is a polynomial of a degree below the number of features of the path, so Gauss-Legendre quadrature with
// half as many points is exact. All factors and weights are positive: nothing cancels, however deep the tree. The
// products are carried down a path, the weighted leaves summed up on the way back, and a whole block of rows goes
// through the tree at the same time, since the order of the edges is the same for every row.

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// Rows of a block.
  CKERNELS_EXPLANATION_ROWS = 16,
  CKERNELS_QUESTION_AT_MOST = 0,
  CKERNELS_QUESTION_EQUALS = 1,
  CKERNELS_QUESTION_PRESENT = 2,
  CKERNELS_QUESTION_MEMBER = 3,
  /// No such edge, no such leaf.
  CKERNELS_NONE = 0xffffffff,
};

/// An inner node: yes leads left.
typedef struct {
  /// Of the block's features.
  uint32_t column;
  uint32_t kind;
  float value;
  bool missing_goes_left;
  bool zero_is_missing;
  /// Of `members`, ascending.
  uint32_t first_member;
  uint32_t member_count;
} ckernels_question;

/// From a node to a child. Edges are in the order in which a walk from the root, depth first, comes to them.
typedef struct {
  /// 1 below the root.
  uint32_t depth;
  uint32_t question;
  bool goes_left;
  uint32_t column;
  /// The edge above it on its path that is about the same feature.
  uint32_t previous;
  /// The leaf at its end.
  uint32_t leaf;
  /// z: the share of the cover that goes along all edges of this feature on the path down to here.
  double cover;
  /// z of `previous`; 1 when there is none.
  double previous_cover;
  /// z / previous_cover.
  double share;
} ckernels_explained_edge;

/// A tree and the output that its leaves add to. Indexes of questions and of edges begin anew with each tree.
typedef struct {
  uint32_t first_question;
  uint32_t question_count;
  uint32_t first_edge;
  uint32_t edge_count;
  /// Points of the quadrature, and where they begin in `points`.
  uint32_t point_count;
  uint32_t first_point;
  /// Of `inverses`: for each edge and point 1 / (z (1 - t) + t).
  size_t first_inverse;
  /// Of `leaves`.
  size_t first_leaf;
} ckernels_explained_tree;

/// A point of the quadrature on [0, 1].
typedef struct {
  double at;
  double weight;
} ckernels_quadrature_point;

typedef struct {
  uint32_t tree_count;
  /// Features that some tree asks for, and which ones.
  uint32_t column_count;
  const uint32_t *features;
  uint32_t category_rule;
  uint32_t depth_max;
  uint32_t point_count_max;
  uint32_t edge_count_max;
  uint32_t question_count_max;
  const ckernels_explained_tree *trees;
  const ckernels_question *questions;
  const int32_t *members;
  const ckernels_explained_edge *edges;
  const ckernels_quadrature_point *points;
  const double *inverses;
  const double *leaves;
} ckernels_explanation;

/// Memory that `ckernels_explain` works in, to be aligned to 64 bytes.
size_t ckernels_explanation_scratch_bytes(const ckernels_explanation *explanation);

/// Adds what each feature contributes to the sum of these trees.
///
/// - matrix: `row_count` rows, `row_stride` floats from one to the next. NaN is missing.
/// - contributions: the feature's number for each row, `contribution_stride` doubles from one row to the next.
void ckernels_explain(
  uint32_t level, const ckernels_explanation *explanation, uint32_t first_tree, uint32_t tree_count,
  const float *matrix, size_t row_stride, size_t row_count, void *scratch, double *contributions,
  size_t contribution_stride);

#ifdef __cplusplus
}
#endif
