#include "Kernels.hpp"

// What every processor of the platform has: 16-byte vectors.

#define HEADRACE_LEVEL baseline
#define HEADRACE_VECTOR_BYTES 16
#include "Lanes.hpp"
#include "TreeCodes.hpp"
#include "TreeWalk.hpp"
#include "TreeRow.hpp"
#include "TreeBlock.hpp"
#include "Dense.hpp"
#include "Explain.hpp"

namespace headrace {
const kernels baseline_kernels = {baseline::score_trees, baseline::score_dense, baseline::sigmoid, baseline::explain};
}
