// One row through all trees, eight of them side by side. Included once for each instruction set.

namespace headrace::HEADRACE_LEVEL {

constexpr uint16_t categorical_bit = 0x8000;
constexpr uint32_t wide_categorical_bit = 0x80000000;
constexpr size_t walk_lanes = 8;

HEADRACE_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// The row as a walk reads it (`ckernels_trees.zero_column_count`).
static void prepare_row(const ckernels_trees &trees, const float *row, float *prepared, uint16_t *codes) {
  const float infinity = __builtin_inff();
  size_t count = trees.feature_count;
  for (size_t i = 0; i < count; i++) {
    float value = row[i];
    prepared[i] = value == value ? value : -infinity;
    prepared[count + i] = value == value ? value : infinity;
  }
  float *next = prepared + 2 * count;
  for (uint32_t i = 0; i < trees.zero_column_count; i++) {
    bool missing_goes_right = (trees.zero_columns[i] & wide_categorical_bit) != 0;
    float value = row[trees.zero_columns[i] & ~wide_categorical_bit];
    *next++ = is_missing(value, true) ? (missing_goes_right ? infinity : -infinity) : value;
  }
  for (uint32_t i = 0; i < trees.test_count; i++) {
    *next++ = goes_right(trees.tests[i], row[trees.tests[i].feature]) ? 1.0f : -1.0f;
  }
  *next = -infinity;
  for (uint32_t i = 0; i < trees.categories_count; i++) {
    codes[i] = static_cast<uint16_t>(category_code(trees, trees.categories[i], row[trees.categories[i].feature]));
  }
}

HEADRACE_INLINE bool is_categorical(const ckernels_node &node) { return (node.column & categorical_bit) != 0; }
HEADRACE_INLINE bool is_categorical(const ckernels_wide_node &node) {
  return (node.column & wide_categorical_bit) != 0;
}
HEADRACE_INLINE uint32_t plain_column(const ckernels_node &node) { return node.column & ~categorical_bit; }
HEADRACE_INLINE uint32_t plain_column(const ckernels_wide_node &node) { return node.column & ~wide_categorical_bit; }

HEADRACE_INLINE const ckernels_node *nodes_of(const ckernels_trees &trees, const ckernels_node *) {
  return trees.nodes;
}
HEADRACE_INLINE const ckernels_wide_node *nodes_of(const ckernels_trees &trees, const ckernels_wide_node *) {
  return trees.wide_nodes;
}

/// One step of a walk.
template <typename Node, bool HasCategories>
HEADRACE_INLINE uint32_t next_node(
  const ckernels_trees &trees, const Node *tree, uint32_t index, const float *row, const uint16_t *codes) {
  const Node node = tree[index];
  if (HasCategories && is_categorical(node)) {
    uint32_t code = codes[plain_column(node)];
    const uint8_t *bits = trees.category_bits + bits_of(node.threshold);
    return node.left + (bits[code >> 3] >> (code & 7) & 1);
  }
  return node.left + static_cast<uint32_t>(row[node.column] > node.threshold);
}

/// The leaves of up to eight trees; `leaves[t]` is that of tree t.
template <typename Node, bool HasCategories>
HEADRACE_INLINE void walk_side_by_side(
  const ckernels_trees &trees, const uint32_t *order, size_t count, uint32_t chunk, const float *row,
  const uint16_t *codes, uint32_t *leaves) {
  const Node *all = nodes_of(trees, static_cast<const Node *>(nullptr));
  const Node *roots[walk_lanes];
  uint32_t at[walk_lanes];
  uint32_t depth = 0;
  for (size_t i = 0; i < walk_lanes; i++) {
    const ckernels_tree &tree = trees.trees[order[i < count ? i : 0]];
    roots[i] = all + tree.root;
    at[i] = 0;
    depth = tree.depth > depth ? tree.depth : depth;
  }
  for (uint32_t level = 0; level < depth; level++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < walk_lanes; i++) {
      at[i] = next_node<Node, HasCategories>(trees, roots[i], at[i], row, codes);
    }
  }
  for (size_t i = 0; i < count; i++) leaves[order[i] - chunk] = bits_of(roots[i][at[i]].threshold);
}

/// Adds a tree's leaf to the sums of one row; output o is at `sums[o * sum_stride]`.
template <typename Real>
HEADRACE_INLINE void add_leaf(
  const ckernels_trees &trees, const ckernels_tree &tree, uint32_t leaf, Real *sums, size_t sum_stride) {
  const Real *leaves = static_cast<const Real *>(trees.leaves);
  for (uint32_t i = tree.first_output; i < tree.first_output + tree.output_count; i++) {
    const ckernels_tree_output &target = trees.tree_outputs[i];
    sums[target.output * sum_stride] += leaves[target.leaf_offset + leaf];
  }
}

/// One row; the trees are added in their order.
template <typename Node, typename Real, bool HasCategories>
static void walk_row(
  const ckernels_trees &trees, const float *row, const scratch_layout &layout, uint8_t *scratch, double *result) {
  float *prepared = reinterpret_cast<float *>(scratch + layout.walk_row);
  uint16_t *codes = reinterpret_cast<uint16_t *>(scratch + layout.walk_codes);
  Real *sums = reinterpret_cast<Real *>(scratch + layout.sums);
  const Real *leaf_values = static_cast<const Real *>(trees.leaves);
  prepare_row(trees, row, prepared, codes);
  for (uint32_t i = 0; i < trees.output_count; i++) sums[i] = static_cast<Real>(trees.starts[i]);
  Real single = sums[0];
  for (uint32_t chunk = 0; chunk < trees.tree_count; chunk += walk_chunk_trees) {
    uint32_t leaves[walk_chunk_trees];
    size_t count = trees.tree_count - chunk < walk_chunk_trees ? trees.tree_count - chunk : walk_chunk_trees;
    for (size_t i = 0; i < count; i += walk_lanes) {
      size_t lanes = count - i < walk_lanes ? count - i : walk_lanes;
      walk_side_by_side<Node, HasCategories>(
        trees, trees.walk_order + chunk + i, lanes, chunk, prepared, codes, leaves);
    }
    if (trees.output_count == 1) {
      for (size_t i = 0; i < count; i++) {
        const ckernels_tree &tree = trees.trees[chunk + i];
        if (tree.output_count == 0) continue;
        single += leaf_values[trees.tree_outputs[tree.first_output].leaf_offset + leaves[i]];
      }
    } else {
      for (size_t i = 0; i < count; i++) add_leaf<Real>(trees, trees.trees[chunk + i], leaves[i], sums, 1);
    }
  }
  if (trees.output_count == 1) sums[0] = single;
  for (uint32_t i = 0; i < trees.output_count; i++) result[i] = static_cast<double>(sums[i]);
}

/// Eight rows through one tree.
template <typename Node, typename Real, bool HasCategories>
HEADRACE_INLINE void walk_rows_side_by_side(
  const ckernels_trees &trees, const ckernels_tree &tree, const float *prepared, size_t width, const uint16_t *codes,
  size_t count, Real *sums) {
  const Node *root = nodes_of(trees, static_cast<const Node *>(nullptr)) + tree.root;
  uint32_t at[walk_lanes] = {};
  for (uint32_t level = 0; level < tree.depth; level++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < walk_lanes; i++) {
      const uint16_t *row_codes = codes + i * trees.categories_count;
      at[i] = next_node<Node, HasCategories>(trees, root, at[i], prepared + i * width, row_codes);
    }
  }
  for (size_t i = 0; i < count; i++) {
    add_leaf<Real>(trees, tree, bits_of(root[at[i]].threshold), sums + i, walk_rows_max);
  }
}

/// A block of at most `walk_rows_max` rows, tree by tree: each tree is in the cache for all of them.
template <typename Node, typename Real, bool HasCategories>
static void walk_block(
  const ckernels_trees &trees, const float *matrix, size_t row_stride, size_t rows, const scratch_layout &layout,
  uint8_t *scratch, double *result) {
  float *prepared = reinterpret_cast<float *>(scratch + layout.walk_row);
  uint16_t *codes = reinterpret_cast<uint16_t *>(scratch + layout.walk_codes);
  Real *sums = reinterpret_cast<Real *>(scratch + layout.sums);
  size_t lanes_end = (rows + walk_lanes - 1) / walk_lanes * walk_lanes;
  for (size_t row = 0; row < lanes_end; row++) {
    size_t from = row < rows ? row : rows - 1;
    prepare_row(
      trees, matrix + from * row_stride, prepared + row * layout.walk_width, codes + row * trees.categories_count);
  }
  for (uint32_t o = 0; o < trees.output_count; o++) {
    for (size_t row = 0; row < rows; row++) sums[o * walk_rows_max + row] = static_cast<Real>(trees.starts[o]);
  }
  for (uint32_t t = 0; t < trees.tree_count; t++) {
    for (size_t row = 0; row < rows; row += walk_lanes) {
      walk_rows_side_by_side<Node, Real, HasCategories>(
        trees, trees.trees[t], prepared + row * layout.walk_width, layout.walk_width,
        codes + row * trees.categories_count, rows - row < walk_lanes ? rows - row : walk_lanes, sums + row);
    }
  }
  for (size_t row = 0; row < rows; row++) {
    for (uint32_t o = 0; o < trees.output_count; o++) {
      result[row * trees.output_count + o] = static_cast<double>(sums[o * walk_rows_max + row]);
    }
  }
}

}  // namespace headrace::HEADRACE_LEVEL
