#include "Kernels.hpp"

// One decision a model: which instruction set. Calls then go through a table.

using namespace headrace;

#if defined(__x86_64__)

uint32_t ckernels_best_level(void) {
  __builtin_cpu_init();
  bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vbmi");
  bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("popcnt");
  if (!has_avx2) return CKERNELS_BASELINE;
  return has_avx512 ? CKERNELS_AVX512 : CKERNELS_AVX2;
}

static const kernels &of_level(uint32_t level) {
  switch (level) {
    case CKERNELS_AVX512: return avx512_kernels;
    case CKERNELS_AVX2: return avx2_kernels;
    default: return baseline_kernels;
  }
}

#else

uint32_t ckernels_best_level(void) { return CKERNELS_BASELINE; }

static const kernels &of_level(uint32_t) { return baseline_kernels; }

#endif

size_t ckernels_trees_scratch_bytes(const ckernels_trees *trees) { return scratch_layout(*trees).bytes; }

void ckernels_score_trees(
  uint32_t level, const ckernels_trees *trees, const float *matrix, size_t row_stride, size_t row_count,
  void *scratch, double *sums) {
  of_level(level).score_trees(*trees, matrix, row_stride, row_count, scratch, sums);
}

void ckernels_score_dense(
  uint32_t level, const ckernels_dense *layer, const float *input, size_t input_stride, size_t row_count,
  float *output, size_t output_stride) {
  of_level(level).score_dense(*layer, input, input_stride, row_count, output, output_stride);
}

void ckernels_sigmoid(uint32_t level, float *values, size_t count) { of_level(level).sigmoid(values, count); }

size_t ckernels_explanation_scratch_bytes(const ckernels_explanation *explanation) {
  return explanation_layout(*explanation).bytes;
}

void ckernels_explain(
  uint32_t level, const ckernels_explanation *explanation, uint32_t first_tree, uint32_t tree_count,
  const float *matrix, size_t row_stride, size_t row_count, void *scratch, double *contributions,
  size_t contribution_stride) {
  of_level(level).explain(
    *explanation, first_tree, tree_count, matrix, row_stride, row_count, scratch, contributions, contribution_stride);
}

void ckernels_narrow(const double *from, size_t from_stride, size_t row_count, size_t width, float *to) {
  for (size_t row = 0; row < row_count; row++) {
    for (size_t i = 0; i < width; i++) to[i] = static_cast<float>(from[i]);
    from += from_stride;
    to += width;
  }
}
