// What the machine can do at most: bins of 100,000 x 30 numbers in one pass, on one core.
// Prints rows per second of both layouts. Built by Benchmarks/Drift/run with -O3 -march=native.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

typedef float Floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t Words __attribute__((vector_size(64), aligned(4)));

static const int rows = 100000, features = 30, edges = 9;
static std::vector<float> by_row(rows *features + 64), by_column(rows *features + 64);
static volatile int64_t sink;

// Sixteen features side by side, each edge compared with each value, nothing else.
static void row_major(const Floats *edge) {
  Words low[edges] = {}, high[edges] = {};
  for (int row = 0; row < rows; row++) {
    const Floats first = *(const Floats *)&by_row[row * features];
    const Floats second = *(const Floats *)&by_row[row * features + 14];
    for (int e = 0; e < edges; e++) {
      low[e] -= (Words)(first >= edge[e]);
      high[e] -= (Words)(second >= edge[e]);
    }
  }
  for (int e = 0; e < edges; e++) sink = sink + low[e][0] + high[e][15];
}

static void column_major(const Floats *edge) {
  for (int feature = 0; feature < features; feature++) {
    Words total[edges] = {};
    for (int row = 0; row < rows; row += 16) {
      const Floats value = *(const Floats *)&by_column[feature * rows + row];
      for (int e = 0; e < edges; e++) total[e] -= (Words)(value >= edge[e]);
    }
    for (int e = 0; e < edges; e++) sink = sink + total[e][3];
  }
}

template <typename Work> static double rate(Work work) {
  std::vector<double> seconds;
  for (int run = 0; run < 9; run++) {
    const auto begin = std::chrono::steady_clock::now();
    for (int turn = 0; turn < 20; turn++) work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / 20);
  }
  std::sort(seconds.begin(), seconds.end());
  return rows / seconds[4];
}

int main() {
  uint32_t state = 1;
  for (size_t place = 0; place < by_row.size(); place++) {
    state = state * 1664525 + 1013904223;
    by_row[place] = by_column[place] = (float)(state >> 8) * 0x1p-22f - 2;
  }
  Floats edge[edges];
  for (int e = 0; e < edges; e++) edge[e] = Floats{} + (e - 4) * 0.3f;
  printf("floor_rows\t%.0f\trows/s\n", rate([&] { row_major(edge); }));
  printf("floor_columns\t%.0f\trows/s\n", rate([&] { column_major(edge); }));
}
