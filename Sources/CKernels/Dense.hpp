// Dense layers: panels of outputs over a few rows at a time. Included once for each instruction set.

namespace headrace::HEADRACE_LEVEL {

typedef int32_t words __attribute__((vector_size(HEADRACE_VECTOR_BYTES)));

HEADRACE_INLINE floats multiply_add(floats a, floats b, floats sum) {
#if HEADRACE_VECTOR_BYTES == 64
  return (floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
#elif HEADRACE_VECTOR_BYTES == 32
  return (floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#elif defined(__aarch64__)
  return (floats)vfmaq_f32((float32x4_t)sum, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + sum;
#endif
}

/// NaN stays NaN, as in the libraries.
HEADRACE_INLINE floats rectified(floats value) { return value < splat(0.0f) ? splat(0.0f) : value; }

HEADRACE_INLINE float sum_of(floats value) {
  float sum = 0;
  for (size_t i = 0; i < vector_floats; i++) sum += value[i];
  return sum;
}

/// How weights are stored; each turns the next vector of them into float32.
struct float32_weights {
  typedef float stored;
  HEADRACE_INLINE floats widen(const float *from) { return load<floats>(from); }
};

struct bfloat16_weights {
  typedef uint16_t stored;
  HEADRACE_INLINE floats widen(const uint16_t *from) {
    typedef uint16_t halves __attribute__((vector_size(HEADRACE_VECTOR_BYTES / 2)));
    return (floats)(__builtin_convertvector(load<halves>(from), words) << 16);
  }
};

struct int8_weights {
  typedef int8_t stored;
  HEADRACE_INLINE floats widen(const int8_t *from) {
    typedef int8_t quarters __attribute__((vector_size(HEADRACE_VECTOR_BYTES / 4)));
    return __builtin_convertvector(load<quarters>(from), floats);
  }
};

/// The floats of a panel's end that are outputs are written, the others are not.
HEADRACE_INLINE void store_some(float *to, floats value, size_t count) {
  if (count >= vector_floats) store(to, value);
  else std::memcpy(to, &value, count * sizeof(float));
}

/// Rows rows times Vectors vectors of outputs, from output `first` on.
template <typename Weights, size_t Rows, size_t Vectors>
HEADRACE_INLINE void score_tile(
  const ckernels_dense &layer, const typename Weights::stored *weights, size_t panel_width, size_t first,
  const float *input, size_t input_stride, float *output, size_t output_stride) {
  floats sums[Rows][Vectors];
  for (size_t r = 0; r < Rows; r++) {
    for (size_t v = 0; v < Vectors; v++) sums[r][v] = floats{};
  }
  for (size_t k = 0; k < layer.input_count; k++) {
    floats row_weights[Vectors];
    for (size_t v = 0; v < Vectors; v++) row_weights[v] = Weights::widen(weights + k * panel_width + v * vector_floats);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < Rows; r++) {
      floats value = splat(input[r * input_stride + k]);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < Vectors; v++) sums[r][v] = multiply_add(value, row_weights[v], sums[r][v]);
    }
  }
  for (size_t v = 0; v < Vectors; v++) {
    size_t at = first + v * vector_floats;
    if (at >= layer.output_count) break;
    floats bias = load<floats>(layer.bias + at);
    for (size_t r = 0; r < Rows; r++) {
      floats value = sums[r][v];
      if (layer.weight_kind == CKERNELS_WEIGHTS_INT8) value = value * load<floats>(layer.scales + at);
      value = value + bias;
      if (layer.is_rectified) value = rectified(value);
      store_some(output + r * output_stride + at, value, layer.output_count - at);
    }
  }
}

/// One panel of weights over all rows; `Vectors` vectors of it at a time.
template <typename Weights, size_t Rows, size_t Vectors>
HEADRACE_INLINE void score_panel(
  const ckernels_dense &layer, const typename Weights::stored *panel, size_t panel_width, size_t first,
  const float *input, size_t input_stride, size_t row_count, float *output, size_t output_stride) {
  for (size_t column = 0; column < panel_width; column += Vectors * vector_floats) {
    size_t row = 0;
    for (; row + Rows <= row_count; row += Rows) {
      score_tile<Weights, Rows, Vectors>(
        layer, panel + column, panel_width, first + column, input + row * input_stride, input_stride,
        output + row * output_stride, output_stride);
    }
    for (; row < row_count; row++) {
      score_tile<Weights, 1, Vectors>(
        layer, panel + column, panel_width, first + column, input + row * input_stride, input_stride,
        output + row * output_stride, output_stride);
    }
  }
}

/// Few outputs: dot products. Weights of an output are padded, inputs are not.
template <typename Weights>
HEADRACE_INLINE void score_dots(
  const ckernels_dense &layer, const typename Weights::stored *weights, const float *input, size_t input_stride,
  size_t row_count, float *output, size_t output_stride) {
  size_t count = layer.input_count;
  size_t padded = (count + CKERNELS_DENSE_ALIGNMENT - 1) / CKERNELS_DENSE_ALIGNMENT * CKERNELS_DENSE_ALIGNMENT;
  size_t whole = count / vector_floats * vector_floats;
  for (size_t row = 0; row < row_count; row++) {
    const float *values = input + row * input_stride;
    floats rest = {};
    if (whole < count) std::memcpy(&rest, values + whole, (count - whole) * sizeof(float));
    for (size_t o = 0; o < layer.output_count; o++) {
      const typename Weights::stored *from = weights + o * padded;
      floats sums = {};
      for (size_t k = 0; k < whole; k += vector_floats) {
        sums = multiply_add(load<floats>(values + k), Weights::widen(from + k), sums);
      }
      if (whole < count) sums = multiply_add(rest, Weights::widen(from + whole), sums);
      float value = sum_of(sums);
      if (layer.weight_kind == CKERNELS_WEIGHTS_INT8) value *= layer.scales[o];
      value += layer.bias[o];
      if (layer.is_rectified && value < 0) value = 0;
      output[row * output_stride + o] = value;
    }
  }
}

template <typename Weights>
static void score_layer(
  const ckernels_dense &layer, const float *input, size_t input_stride, size_t row_count, float *output,
  size_t output_stride) {
  auto weights = static_cast<const typename Weights::stored *>(layer.weights);
  if (layer.output_count <= CKERNELS_DOT_OUTPUTS_MAX) {
    score_dots<Weights>(layer, weights, input, input_stride, row_count, output, output_stride);
    return;
  }
  constexpr size_t alignment = CKERNELS_DENSE_ALIGNMENT;
  // Sums of a tile and its weights fill the registers: 24 + 4 of 32, 8 + 2 (and what spills not) of 16.
  constexpr size_t full_vectors = vector_bytes == 64 ? 4 : 2;
  constexpr size_t rows = vector_bytes == 64 ? 6 : 4;
  constexpr size_t small_vectors = alignment / vector_floats > 2 ? 2 : alignment / vector_floats;
  size_t padded = (layer.output_count + alignment - 1) / alignment * alignment;
  for (size_t first = 0; first < padded; first += CKERNELS_PANEL_OUTPUTS) {
    size_t width = padded - first < CKERNELS_PANEL_OUTPUTS ? padded - first : CKERNELS_PANEL_OUTPUTS;
    const typename Weights::stored *panel = weights + first * layer.input_count;
    if (width % (full_vectors * vector_floats) == 0) {
      score_panel<Weights, rows, full_vectors>(
        layer, panel, width, first, input, input_stride, row_count, output, output_stride);
    } else if (width % (2 * vector_floats) == 0) {
      score_panel<Weights, rows, 2>(
        layer, panel, width, first, input, input_stride, row_count, output, output_stride);
    } else {
      score_panel<Weights, rows, small_vectors>(
        layer, panel, width, first, input, input_stride, row_count, output, output_stride);
    }
  }
}

static void score_dense(
  const ckernels_dense &layer, const float *input, size_t input_stride, size_t row_count, float *output,
  size_t output_stride) {
  auto score = layer.weight_kind == CKERNELS_WEIGHTS_FLOAT32    ? score_layer<float32_weights>
               : layer.weight_kind == CKERNELS_WEIGHTS_BFLOAT16 ? score_layer<bfloat16_weights>
                                                                : score_layer<int8_weights>;
  score(layer, input, input_stride, row_count, output, output_stride);
}

/// exp(x) for |x| <= 87: two to the nearest multiple of ln 2, times a polynomial in the rest (Cephes' expf).
HEADRACE_INLINE floats exponential(floats x) {
  x = x > splat(88.0f) ? splat(88.0f) : x;
  x = x < splat(-87.0f) ? splat(-87.0f) : x;
  words n = __builtin_convertvector(x * splat(1.44269504f) + (x < splat(0.0f) ? splat(-0.5f) : splat(0.5f)), words);
  floats whole = __builtin_convertvector(n, floats);
  floats rest = multiply_add(whole, splat(-0.693359375f), x);
  rest = multiply_add(whole, splat(2.12194440e-4f), rest);
  floats series = splat(1.9875691500e-4f);
  series = multiply_add(series, rest, splat(1.3981999507e-3f));
  series = multiply_add(series, rest, splat(8.3334519073e-3f));
  series = multiply_add(series, rest, splat(4.1665795894e-2f));
  series = multiply_add(series, rest, splat(1.6666665459e-1f));
  series = multiply_add(series, rest, splat(5.0000001201e-1f));
  series = multiply_add(series, rest * rest, rest) + splat(1.0f);
  return series * (floats)((n + 127) << 23);
}

HEADRACE_INLINE floats sigmoid_of(floats x) {
  floats result = splat(1.0f) / (splat(1.0f) + exponential(-x));
  return x == x ? result : x;
}

static void sigmoid(float *values, size_t count) {
  size_t i = 0;
  for (; i + vector_floats <= count; i += vector_floats) store(values + i, sigmoid_of(load<floats>(values + i)));
  if (i == count) return;
  floats rest = {};
  std::memcpy(&rest, values + i, (count - i) * sizeof(float));
  store_some(values + i, sigmoid_of(rest), count - i);
}

}  // namespace headrace::HEADRACE_LEVEL
