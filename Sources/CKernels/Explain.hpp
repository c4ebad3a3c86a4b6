// Contributions of features (CKernelsExplanations.h). Included once for each instruction set.

namespace headrace::HEADRACE_LEVEL {

/// Whether a row goes left.
HEADRACE_INLINE bool says_yes(const ckernels_explanation &explanation, const ckernels_question &question, float value) {
  if (is_missing(value, question.zero_is_missing)) return question.missing_goes_left;
  switch (question.kind) {
    case CKERNELS_QUESTION_AT_MOST: return value <= question.value;
    case CKERNELS_QUESTION_EQUALS: return value == question.value;
    case CKERNELS_QUESTION_PRESENT: return true;
    default: break;
  }
  if (explanation.category_rule == CKERNELS_CATEGORY_NOT_NEGATIVE && value < 0) return false;
  if (!(value > -1.0f && value < 2147483648.0f)) return false;
  int32_t category = static_cast<int32_t>(value);
  if (explanation.category_rule == CKERNELS_CATEGORY_EXACT && static_cast<float>(category) != value) return false;
  const int32_t *members = explanation.members + question.first_member;
  uint32_t low = 0, high = question.member_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (members[middle] < category) low = middle + 1;
    else high = middle;
  }
  return low < question.member_count && members[low] == category;
}

/// What a block works on; `Rows` values of everything.
struct explanation_scratch {
  float *values;
  double *sums;
  /// A bit for each row: whether it goes left, whether it goes along all edges of the feature down to this one.
  uint16_t *answers;
  uint16_t *along;
  /// The edges of the path, by depth.
  uint32_t *open;
  /// By depth and point: the product of the factors of the path; the leaves below, each with its product.
  double *path;
  double *below;
};

template <size_t Rows>
HEADRACE_INLINE void spread(uint16_t bits, int64_t *flags) {
  for (size_t row = 0; row < Rows; row++) flags[row] = -static_cast<int64_t>(bits >> row & 1);
}

/// Down an edge: the products with the feature's factor, in place of the one that the edge above had for it.
template <size_t Rows>
HEADRACE_INLINE void descend(
  const ckernels_explained_edge &edge, const ckernels_quadrature_point *points, uint32_t point_count,
  const double *previous_inverses, uint16_t along_bits, uint16_t previous_bits, const double *from, double *to) {
  int64_t along[Rows], previous[Rows];
  spread<Rows>(along_bits, along);
  if (previous_inverses == nullptr) {
    for (uint32_t p = 0; p < point_count; p++) {
      double no = edge.cover * (1 - points[p].at);
      double yes = no + points[p].at;
      for (size_t row = 0; row < Rows; row++) to[p * Rows + row] = from[p * Rows + row] * (along[row] != 0 ? yes : no);
    }
    return;
  }
  spread<Rows>(previous_bits, previous);
  for (uint32_t p = 0; p < point_count; p++) {
    double no = edge.cover * (1 - points[p].at);
    double yes = (no + points[p].at) * previous_inverses[p];
    no *= previous_inverses[p];
    for (size_t row = 0; row < Rows; row++) {
      double other = previous[row] != 0 ? no : edge.share;
      to[p * Rows + row] = from[p * Rows + row] * (along[row] != 0 ? yes : other);
    }
  }
}

/// Back up an edge: its feature's part of everything below, less what the feature's edge above counts of it.
template <size_t Rows>
HEADRACE_INLINE void attribute(
  const ckernels_explained_edge &edge, const ckernels_quadrature_point *points, uint32_t point_count,
  const double *inverses, const double *previous_inverses, uint16_t along_bits, uint16_t previous_bits,
  const double *below, double *sums) {
  double with[Rows] = {}, without[Rows] = {};
  for (uint32_t p = 0; p < point_count; p++) {
    double previous = previous_inverses == nullptr ? 0 : (1 - edge.previous_cover) * previous_inverses[p];
    double yes = (1 - edge.cover) * inverses[p] - previous;
    double no = -1 / (1 - points[p].at) - previous;
    for (size_t row = 0; row < Rows; row++) {
      with[row] += yes * below[p * Rows + row];
      without[row] += no * below[p * Rows + row];
    }
  }
  // Rows that left at the edge above: what the two count is the same.
  for (size_t row = 0; row < Rows; row++) {
    double part = (along_bits >> row & 1) != 0 ? with[row] : without[row];
    sums[row] += (previous_bits >> row & 1) != 0 ? part : 0;
  }
}

template <size_t Rows>
static void explain_tree(
  const ckernels_explanation &explanation, const ckernels_explained_tree &tree, const explanation_scratch &scratch) {
  const ckernels_question *questions = explanation.questions + tree.first_question;
  for (uint32_t q = 0; q < tree.question_count; q++) {
    const ckernels_question &question = questions[q];
    const float *values = scratch.values + question.column * Rows;
    uint16_t bits = 0;
    for (size_t row = 0; row < Rows; row++) {
      bits = static_cast<uint16_t>(bits | says_yes(explanation, question, values[row]) << row);
    }
    scratch.answers[q] = bits;
  }
  const ckernels_explained_edge *edges = explanation.edges + tree.first_edge;
  const ckernels_quadrature_point *points = explanation.points + tree.first_point;
  const double *inverses = explanation.inverses + tree.first_inverse;
  const double *leaves = explanation.leaves + tree.first_leaf;
  const uint32_t point_count = tree.point_count;
  const size_t width = point_count * Rows;
  auto inverses_of = [&](uint32_t edge) {
    return edge == CKERNELS_NONE ? nullptr : inverses + size_t(edge) * point_count;
  };
  auto along_of = [&](uint32_t edge) {
    return edge == CKERNELS_NONE ? static_cast<uint16_t>(0xffff) : scratch.along[edge];
  };
  for (uint32_t p = 0; p < point_count; p++) {
    for (size_t row = 0; row < Rows; row++) scratch.path[p * Rows + row] = points[p].weight;
  }
  for (uint32_t e = 0; e < tree.edge_count; e++) {
    const ckernels_explained_edge &edge = edges[e];
    uint16_t previous_bits = along_of(edge.previous);
    uint16_t answer = scratch.answers[edge.question];
    scratch.along[e] = previous_bits & (edge.goes_left ? answer : static_cast<uint16_t>(~answer));
    double *path = scratch.path + edge.depth * width;
    double *below = scratch.below + edge.depth * width;
    descend<Rows>(
      edge, points, point_count, inverses_of(edge.previous), scratch.along[e], previous_bits, path - width, path);
    scratch.open[edge.depth] = e;
    if (edge.leaf == CKERNELS_NONE) {
      for (size_t i = 0; i < width; i++) below[i] = 0;
      continue;
    }
    double value = leaves[edge.leaf];
    for (size_t i = 0; i < width; i++) below[i] = value * path[i];
    uint32_t next_depth = e + 1 < tree.edge_count ? edges[e + 1].depth : 1;
    for (uint32_t depth = edge.depth; depth >= next_depth; depth--) {
      uint32_t done = scratch.open[depth];
      const double *part = scratch.below + depth * width;
      attribute<Rows>(
        edges[done], points, point_count, inverses_of(done), inverses_of(edges[done].previous), scratch.along[done],
        along_of(edges[done].previous), part, scratch.sums + edges[done].column * Rows);
      if (depth == 1) break;
      double *above = scratch.below + (depth - 1) * width;
      for (size_t i = 0; i < width; i++) above[i] += part[i];
    }
  }
}

template <size_t Rows>
static void explain_rows(
  const ckernels_explanation &explanation, uint32_t first_tree, uint32_t tree_count, const float *matrix,
  size_t row_stride, size_t row_count, const explanation_scratch &scratch, double *contributions,
  size_t contribution_stride) {
  for (uint32_t column = 0; column < explanation.column_count; column++) {
    const float *values = matrix + explanation.features[column];
    for (size_t row = 0; row < Rows; row++) {
      scratch.values[column * Rows + row] = values[(row < row_count ? row : 0) * row_stride];
      scratch.sums[column * Rows + row] = 0;
    }
  }
  for (uint32_t t = first_tree; t < first_tree + tree_count; t++) {
    explain_tree<Rows>(explanation, explanation.trees[t], scratch);
  }
  for (size_t row = 0; row < row_count; row++) {
    double *to = contributions + row * contribution_stride;
    for (uint32_t column = 0; column < explanation.column_count; column++) {
      to[explanation.features[column]] += scratch.sums[column * Rows + row];
    }
  }
}

static void explain(
  const ckernels_explanation &explanation, uint32_t first_tree, uint32_t tree_count, const float *matrix,
  size_t row_stride, size_t row_count, void *memory, double *contributions, size_t contribution_stride) {
  uint8_t *bytes = static_cast<uint8_t *>(memory);
  explanation_layout layout(explanation);
  explanation_scratch scratch;
  scratch.values = reinterpret_cast<float *>(bytes + layout.values);
  scratch.sums = reinterpret_cast<double *>(bytes + layout.sums);
  scratch.answers = reinterpret_cast<uint16_t *>(bytes + layout.answers);
  scratch.along = reinterpret_cast<uint16_t *>(bytes + layout.along);
  scratch.open = reinterpret_cast<uint32_t *>(bytes + layout.open);
  scratch.path = reinterpret_cast<double *>(bytes + layout.path);
  scratch.below = reinterpret_cast<double *>(bytes + layout.below);
  constexpr size_t block = CKERNELS_EXPLANATION_ROWS;
  size_t row = 0;
  while (row < row_count) {
    size_t left = row_count - row;
    const float *from = matrix + row * row_stride;
    double *to = contributions + row * contribution_stride;
    // A block that is mostly empty costs more than its rows one by one.
    if (left < 4) {
      explain_rows<1>(
        explanation, first_tree, tree_count, from, row_stride, 1, scratch, to, contribution_stride);
      row += 1;
    } else {
      size_t count = left < block ? left : block;
      explain_rows<block>(
        explanation, first_tree, tree_count, from, row_stride, count, scratch, to, contribution_stride);
      row += count;
    }
  }
}

}  // namespace headrace::HEADRACE_LEVEL
