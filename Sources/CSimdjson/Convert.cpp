#include <charconv>
#include <cmath>
#include <limits>

#include "CSimdjson.h"
#include "Text.hpp"

// Values of one field, row after row, into a typed array. The walk made sure of the grammar: a number is one.

namespace {

using headrace::is_digit;

/// A number as digits times a power of ten.
struct decimal_number {
  bool is_negative;
  /// The first digits; the rest, if there is any, is not all zeros.
  uint64_t mantissa;
  int64_t exponent;
  bool is_exact;
};

/// Nineteen digits always fit into 64 bits.
constexpr int digits_max = 19;
/// Larger exponents of a number say nothing more: the value is infinite, or zero.
constexpr int64_t exponent_max = 1'000'000;

decimal_number parse(const uint8_t *at, const uint8_t *end) {
  decimal_number number = {*at == '-', 0, 0, true};
  at += number.is_negative;
  int kept = 0;
  bool is_fraction = false;
  for (; at < end; at++) {
    if (*at == '.') {
      is_fraction = true;
      continue;
    }
    if (!is_digit(*at)) break;
    uint64_t digit = *at - '0';
    if (kept < digits_max) {
      number.mantissa = number.mantissa * 10 + digit;
      if (number.mantissa != 0) kept++;
      number.exponent -= is_fraction;
    } else {
      number.is_exact = number.is_exact && digit == 0;
      number.exponent += !is_fraction;
    }
  }
  if (at == end) return number;
  at++;
  bool is_negative = *at == '-';
  at += is_negative || *at == '+';
  int64_t exponent = 0;
  for (; at < end; at++) {
    if (exponent < exponent_max) exponent = exponent * 10 + (*at - '0');
  }
  number.exponent += is_negative ? -exponent : exponent;
  return number;
}

/// Within the sign's range, or nothing.
bool with_sign(uint64_t magnitude, bool is_negative, int64_t &value) {
  uint64_t limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + is_negative;
  if (magnitude > limit) return false;
  value = static_cast<int64_t>(is_negative ? 0 - magnitude : magnitude);
  return true;
}

uint8_t written_integer(const uint8_t *at, const uint8_t *end, int64_t &value) {
  bool is_negative = *at == '-';
  at += is_negative;
  if (end - at > digits_max) return CSIMDJSON_CELL_OUT_OF_RANGE;
  uint64_t magnitude = 0;
  for (; at < end; at++) magnitude = magnitude * 10 + (*at - '0');
  return with_sign(magnitude, is_negative, value) ? CSIMDJSON_CELL_VALUE : CSIMDJSON_CELL_OUT_OF_RANGE;
}

/// The value of `1.0`, `12e2`, `100e-2`.
uint8_t written_decimal(const uint8_t *at, const uint8_t *end, int64_t &value) {
  decimal_number number = parse(at, end);
  value = 0;
  while (number.mantissa != 0 && number.mantissa % 10 == 0) {
    number.mantissa /= 10;
    number.exponent++;
  }
  if (number.mantissa == 0) return CSIMDJSON_CELL_VALUE;
  if (number.exponent < 0) return CSIMDJSON_CELL_NOT_INTEGRAL;
  if (!number.is_exact) return number.exponent > 0 ? CSIMDJSON_CELL_OUT_OF_RANGE : CSIMDJSON_CELL_NOT_INTEGRAL;
  for (; number.exponent > 0; number.exponent--) {
    if (number.mantissa > std::numeric_limits<uint64_t>::max() / 10) return CSIMDJSON_CELL_OUT_OF_RANGE;
    number.mantissa *= 10;
  }
  return with_sign(number.mantissa, number.is_negative, value) ? CSIMDJSON_CELL_VALUE : CSIMDJSON_CELL_OUT_OF_RANGE;
}

uint8_t integer(const uint8_t *bytes, const csimdjson_value &source, csimdjson_integer_rules rules, int64_t &value) {
  auto start = bytes + source.offset;
  uint8_t state = source.kind == CSIMDJSON_INTEGER ? written_integer(start, start + source.length, value)
                                                   : written_decimal(start, start + source.length, value);
  if (state != CSIMDJSON_CELL_VALUE) return state;
  if (value < rules.minimum || value > rules.maximum) return CSIMDJSON_CELL_OUT_OF_RANGE;
  return __builtin_mul_overflow(value, rules.factor, &value) ? CSIMDJSON_CELL_OUT_OF_RANGE : CSIMDJSON_CELL_VALUE;
}

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// The standard library's conversion, which is correct for every number; out of range both ways gets its own answer.
template <typename floating>
uint8_t convert(const uint8_t *start, const uint8_t *end, double &value) {
  floating result = 0;
  auto from = reinterpret_cast<const char *>(start);
  auto parsed = std::from_chars(from, reinterpret_cast<const char *>(end), result);
  if (parsed.ec == std::errc::result_out_of_range) {
    decimal_number number = parse(start, end);
    if (number.exponent > 0) return CSIMDJSON_CELL_OUT_OF_RANGE;
    result = number.is_negative ? -floating{0} : floating{0};
  }
  value = result;
  return std::isfinite(value) ? CSIMDJSON_CELL_VALUE : CSIMDJSON_CELL_OUT_OF_RANGE;
}

uint8_t floating_point(const uint8_t *bytes, const csimdjson_value &source, bool is_single, double &value) {
  auto start = bytes + source.offset;
  auto end = start + source.length;
  if (is_single) return convert<float>(start, end, value);
  // Both the digits and the power are exact here, so that one operation rounds once (Clinger, 1990).
  decimal_number number = parse(start, end);
  bool is_small = number.is_exact && number.mantissa <= (uint64_t{1} << 53);
  if (!is_small || number.exponent < -22 || number.exponent > 22) return convert<double>(start, end, value);
  auto magnitude = static_cast<double>(number.mantissa);
  if (number.exponent < 0) {
    magnitude /= powers_of_ten[-number.exponent];
  } else {
    magnitude *= powers_of_ten[number.exponent];
  }
  value = number.is_negative ? -magnitude : magnitude;
  return CSIMDJSON_CELL_VALUE;
}

/// Goes through the rows; `number` converts what is one.
template <typename output_type, typename conversion>
size_t convert_rows(const csimdjson_value *values, size_t stride, size_t count, output_type *output, uint8_t *states,
                    conversion number) {
  size_t exceptions = 0;
  for (size_t row = 0; row < count; row++, values += stride) {
    output_type value = 0;
    uint8_t state = CSIMDJSON_CELL_WRONG_KIND;
    switch (values->kind) {
      case CSIMDJSON_INTEGER:
      case CSIMDJSON_DECIMAL: state = number(*values, value); break;
      case CSIMDJSON_MISSING: state = CSIMDJSON_CELL_MISSING; break;
      case CSIMDJSON_NULL: state = CSIMDJSON_CELL_NULL; break;
    }
    output[row] = state == CSIMDJSON_CELL_VALUE ? value : 0;
    states[row] = state;
    exceptions += state != CSIMDJSON_CELL_VALUE;
  }
  return exceptions;
}

}  // namespace

size_t csimdjson_integers(
  const uint8_t *bytes, const csimdjson_value *values, size_t stride, size_t count, csimdjson_integer_rules rules,
  int64_t *output, uint8_t *states) {
  return convert_rows(values, stride, count, output, states, [=](const csimdjson_value &source, int64_t &value) {
    return integer(bytes, source, rules, value);
  });
}

size_t csimdjson_doubles(
  const uint8_t *bytes, const csimdjson_value *values, size_t stride, size_t count, bool is_single, double *output,
  uint8_t *states) {
  return convert_rows(values, stride, count, output, states, [=](const csimdjson_value &source, double &value) {
    return floating_point(bytes, source, is_single, value);
  });
}

size_t csimdjson_booleans(
  const csimdjson_value *values, size_t stride, size_t count, int64_t *output, uint8_t *states) {
  size_t exceptions = 0;
  for (size_t row = 0; row < count; row++, values += stride) {
    uint8_t state = CSIMDJSON_CELL_WRONG_KIND;
    switch (values->kind) {
      case CSIMDJSON_FALSE:
      case CSIMDJSON_TRUE: state = CSIMDJSON_CELL_VALUE; break;
      case CSIMDJSON_MISSING: state = CSIMDJSON_CELL_MISSING; break;
      case CSIMDJSON_NULL: state = CSIMDJSON_CELL_NULL; break;
    }
    output[row] = values->kind == CSIMDJSON_TRUE;
    states[row] = state;
    exceptions += state != CSIMDJSON_CELL_VALUE;
  }
  return exceptions;
}
