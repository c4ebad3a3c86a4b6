#if defined(__x86_64__)
#include <immintrin.h>

#include "Kernels.hpp"

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)

#define HEADRACE_LEVEL avx2
#define HEADRACE_VECTOR_BYTES 32
#include "Lanes.hpp"
#include "TreeCodes.hpp"
#include "TreeWalk.hpp"
#include "TreeRow.hpp"
#include "TreeBlock.hpp"
#include "Dense.hpp"
#include "Explain.hpp"

#pragma clang attribute pop

namespace headrace {
const kernels avx2_kernels = {avx2::score_trees, avx2::score_dense, avx2::sigmoid, avx2::explain};
}
#endif
