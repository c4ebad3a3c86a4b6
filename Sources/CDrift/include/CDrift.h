#pragma once
#include <stddef.h>
#include <stdint.h>

// Counting for drift monitors: how many values reach each edge. From these counts follow the bins of a histogram. A NaN
// reaches no edge. Nothing here allocates, and nothing is read outside of what the arguments name.

/// Features that are counted side by side.
#define HEADRACE_DRIFT_LANES 16

/// Row-major: row r begins at `values + r * stride`, and LANES values of it are read.
/// `edges` and `counts` are edge_count x LANES: counts[e][lane] grows by the number of rows with value >=
/// edges[e][lane].
void headrace_drift_count_rows(const float *values, size_t row_count, size_t stride, const float *edges,
                               size_t edge_count, uint32_t *counts);

/// One column: counts[e] grows by the number of values >= edges[e].
void headrace_drift_count_float(const float *values, size_t count, const float *edges, size_t edge_count,
                                uint64_t *counts);
void headrace_drift_count_double(const double *values, size_t count, const double *edges, size_t edge_count,
                                 uint64_t *counts);

/// The least and greatest finite value and the number of infinities of each lane, over rows as above. The arrays have
/// LANES elements and are updated.
void headrace_drift_extremes_rows(const float *values, size_t row_count, size_t stride, float *minima, float *maxima,
                                  uint32_t *positive_infinities, uint32_t *negative_infinities);

/// Words for the exact sums of one feature: two for each exponent, and some that keep the words of neighbouring
/// features out of each other's cache lines.
#define HEADRACE_DRIFT_SUM_WORDS 520

/// Exact sums of rows that lie one after the other: for each feature and each of the 256 exponents two words, the sum
/// of the signed significands and that of their squares, modulo 2^64. 2^15 rows fit. Infinities and NaN land at
/// exponent 255, zeros add nothing.
void headrace_drift_sum_rows(const float *values, size_t row_count, size_t feature_count, uint64_t *sums);

/// The same of one column of doubles: 2048 exponents; squares take two words, the low one first. 2^10 values fit.
void headrace_drift_sum_double(const double *values, size_t count, uint64_t *sums, uint64_t *squares);
