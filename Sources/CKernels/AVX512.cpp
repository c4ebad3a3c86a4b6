#if defined(__x86_64__)
#include <immintrin.h>

#include "Kernels.hpp"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx2,fma,bmi,bmi2,lzcnt,popcnt"))), \
    apply_to = function)

#define HEADRACE_LEVEL avx512
#define HEADRACE_VECTOR_BYTES 64
#include "Lanes.hpp"
#include "TreeCodes.hpp"
#include "TreeWalk.hpp"
#include "TreeRow.hpp"
#include "TreeBlock.hpp"
#include "Dense.hpp"
#include "Explain.hpp"

#pragma clang attribute pop

namespace headrace {
const kernels avx512_kernels = {avx512::score_trees, avx512::score_dense, avx512::sigmoid, avx512::explain};
}
#endif
