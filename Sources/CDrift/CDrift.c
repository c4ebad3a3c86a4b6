#include "CDrift.h"

#include <math.h>
#include <string.h>

// The compiler makes one version of each loop for each level of the instruction set; the loader takes the best one that
// the processor has.
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

enum { LANES = HEADRACE_DRIFT_LANES, BLOCK_ROWS = 256, BLOCK_VALUES = 2048 };

typedef float Floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t Words __attribute__((vector_size(64), aligned(4)));
typedef double Doubles __attribute__((vector_size(64), aligned(8)));
typedef int64_t LongWords __attribute__((vector_size(64), aligned(8)));

// Edges are taken some at a time, so that they and their counts stay in registers, and rows in blocks that stay in the
// first cache while all edges pass over them. A comparison is -1 where it holds.

#define COUNT_ROWS(EDGES)                                                                          \
  do {                                                                                             \
    Floats edge[EDGES];                                                                            \
    Words total[EDGES];                                                                            \
    for (int e = 0; e < EDGES; e++) {                                                              \
      memcpy(&edge[e], edges + e * LANES, sizeof(Floats));                                         \
      total[e] = (Words){0};                                                                       \
    }                                                                                              \
    for (size_t row = 0; row < row_count; row++) {                                                 \
      const Floats value = *(const Floats *)(values + row * stride);                               \
      _Pragma("unroll") for (int e = 0; e < EDGES; e++) total[e] -= (Words)(value >= edge[e]);     \
    }                                                                                              \
    for (int e = 0; e < EDGES; e++)                                                                \
      for (int lane = 0; lane < LANES; lane++) counts[e * LANES + lane] += (uint32_t)total[e][lane]; \
  } while (0)

FOR_EACH_PROCESSOR
static void count_eight(const float *values, size_t row_count, size_t stride, const float *edges, uint32_t *counts) {
  COUNT_ROWS(8);
}

FOR_EACH_PROCESSOR
static void count_four(const float *values, size_t row_count, size_t stride, const float *edges, uint32_t *counts) {
  COUNT_ROWS(4);
}

FOR_EACH_PROCESSOR
static void count_one(const float *values, size_t row_count, size_t stride, const float *edges, uint32_t *counts) {
  COUNT_ROWS(1);
}

void headrace_drift_count_rows(const float *values, size_t row_count, size_t stride, const float *edges,
                               size_t edge_count, uint32_t *counts) {
  for (size_t begin = 0; begin < row_count; begin += BLOCK_ROWS) {
    const size_t rows = row_count - begin < BLOCK_ROWS ? row_count - begin : BLOCK_ROWS;
    const float *block = values + begin * stride;
    size_t edge = 0;
    for (; edge + 8 <= edge_count; edge += 8)
      count_eight(block, rows, stride, edges + edge * LANES, counts + edge * LANES);
    for (; edge + 4 <= edge_count; edge += 4)
      count_four(block, rows, stride, edges + edge * LANES, counts + edge * LANES);
    for (; edge < edge_count; edge++) count_one(block, rows, stride, edges + edge * LANES, counts + edge * LANES);
  }
}

// The same of one column: a register holds values of one feature, and edges are spread over it.
#define COUNT_COLUMN_BLOCK(VALUE, VALUES, WORDS, EDGES)                                              \
  do {                                                                                               \
    const size_t width = sizeof(VALUES) / sizeof(VALUE);                                             \
    VALUES edge[EDGES];                                                                              \
    WORDS total[EDGES];                                                                              \
    for (int e = 0; e < EDGES; e++) {                                                                \
      edge[e] = (VALUES){0} + edges[first + e];                                                      \
      total[e] = (WORDS){0};                                                                         \
    }                                                                                                \
    size_t place = 0;                                                                                \
    for (; place + width <= size; place += width) {                                                  \
      const VALUES value = *(const VALUES *)(block + place);                                         \
      _Pragma("unroll") for (int e = 0; e < EDGES; e++) total[e] -= (WORDS)(value >= edge[e]);       \
    }                                                                                                \
    for (int e = 0; e < EDGES; e++) {                                                                \
      uint64_t sum = 0;                                                                              \
      for (size_t lane = 0; lane < width; lane++) sum += (uint64_t)total[e][lane];                   \
      for (size_t rest = place; rest < size; rest++) sum += block[rest] >= edges[first + e];         \
      counts[first + e] += sum;                                                                      \
    }                                                                                                \
    first += EDGES;                                                                                  \
  } while (0)

#define COUNT_COLUMN(VALUE, VALUES, WORDS)                                                           \
  for (size_t begin = 0; begin < count; begin += BLOCK_VALUES) {                                     \
    const size_t size = count - begin < BLOCK_VALUES ? count - begin : BLOCK_VALUES;                 \
    const VALUE *block = values + begin;                                                             \
    size_t first = 0;                                                                                \
    while (first + 12 <= edge_count) COUNT_COLUMN_BLOCK(VALUE, VALUES, WORDS, 12);                   \
    while (first + 9 <= edge_count) COUNT_COLUMN_BLOCK(VALUE, VALUES, WORDS, 9);                     \
    while (first + 4 <= edge_count) COUNT_COLUMN_BLOCK(VALUE, VALUES, WORDS, 4);                     \
    while (first < edge_count) COUNT_COLUMN_BLOCK(VALUE, VALUES, WORDS, 1);                          \
  }

FOR_EACH_PROCESSOR
void headrace_drift_count_float(const float *values, size_t count, const float *edges, size_t edge_count,
                                uint64_t *counts) {
  COUNT_COLUMN(float, Floats, Words)
}

FOR_EACH_PROCESSOR
void headrace_drift_count_double(const double *values, size_t count, const double *edges, size_t edge_count,
                                 uint64_t *counts) {
  COUNT_COLUMN(double, Doubles, LongWords)
}

FOR_EACH_PROCESSOR
void headrace_drift_extremes_rows(const float *values, size_t row_count, size_t stride, float *minima, float *maxima,
                                  uint32_t *positive_infinities, uint32_t *negative_infinities) {
  const Floats infinity = (Floats){0} + INFINITY;
  Floats least = *(const Floats *)minima, greatest = *(const Floats *)maxima;
  Words positive = {0}, negative = {0};
  for (size_t row = 0; row < row_count; row++) {
    const Floats value = *(const Floats *)(values + row * stride);
    const Words above = value == infinity, below = value == -infinity;
    positive -= above;
    negative -= below;
    // NaN is neither less nor greater than anything.
    const Words lower = (value < least) & ~below, higher = (value > greatest) & ~above;
    least = (Floats)((lower & (Words)value) | (~lower & (Words)least));
    greatest = (Floats)((higher & (Words)value) | (~higher & (Words)greatest));
  }
  *(Floats *)minima = least;
  *(Floats *)maxima = greatest;
  for (int lane = 0; lane < LANES; lane++) {
    positive_infinities[lane] += (uint32_t)positive[lane];
    negative_infinities[lane] += (uint32_t)negative[lane];
  }
}

// Row by row: additions to one word would have to wait for each other, those of different features do not.
void headrace_drift_sum_rows(const float *values, size_t row_count, size_t feature_count, uint64_t *sums) {
  for (size_t row = 0; row < row_count; row++)
    for (size_t feature = 0; feature < feature_count; feature++) {
      uint32_t bits;
      memcpy(&bits, values + row * feature_count + feature, sizeof bits);
      const uint32_t exponent = bits >> 23 & 255;
      const uint64_t significand = (bits & 0x7fffff) | (uint32_t)(exponent != 0) << 23;
      const uint64_t sign = -(uint64_t)(bits >> 31);
      uint64_t *words = sums + feature * HEADRACE_DRIFT_SUM_WORDS + exponent * 2;
      words[0] += (significand ^ sign) - sign;
      words[1] += significand * significand;
    }
}

void headrace_drift_sum_double(const double *values, size_t count, uint64_t *sums, uint64_t *squares) {
  for (size_t place = 0; place < count; place++) {
    uint64_t bits;
    memcpy(&bits, values + place, sizeof bits);
    const uint64_t exponent = bits >> 52 & 2047;
    const uint64_t significand = (bits & 0xfffffffffffff) | (uint64_t)(exponent != 0) << 52;
    const uint64_t sign = -(bits >> 63);
    sums[exponent] += (significand ^ sign) - sign;
    unsigned __int128 square;
    memcpy(&square, squares + 2 * exponent, sizeof square);
    square += (unsigned __int128)significand * significand;
    memcpy(squares + 2 * exponent, &square, sizeof square);
  }
}
