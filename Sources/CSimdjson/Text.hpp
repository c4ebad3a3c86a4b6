#pragma once
#include <cstdint>
#include <cstring>

// The small facts of JSON text: white space, delimiters, escapes.

namespace headrace {

inline bool is_white(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

/// What may stand directly behind a number or a literal.
inline bool is_delimiter(uint8_t byte) {
  return is_white(byte) || byte == ',' || byte == ':' || (byte | 0x20) == '{' || (byte | 0x20) == '}';
}

inline bool is_digit(uint8_t byte) { return static_cast<uint8_t>(byte - '0') < 10; }

/// The value of four hexadecimal digits; negative when they are none.
inline int32_t hexadecimal(const uint8_t *digits) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    uint8_t digit = digits[i];
    uint8_t letter = static_cast<uint8_t>((digit | 0x20) - 'a');
    if (is_digit(digit)) {
      value = value * 16 + (digit - '0');
    } else if (letter < 6) {
      value = value * 16 + letter + 10;
    } else {
      return -1;
    }
  }
  return value;
}

/// Length of the escape that starts at `at` (a backslash); 0 when it is none.
inline uint32_t escape_length(const uint8_t *at, const uint8_t *end) {
  if (end - at < 2) return 0;
  if (at[1] == 'u') return end - at >= 6 && hexadecimal(at + 2) >= 0 ? 6 : 0;
  return at[1] != 0 && std::strchr("\"\\/bfnrt", at[1]) != nullptr ? 2 : 0;
}

inline uint8_t *write_utf8(uint8_t *output, uint32_t scalar) {
  if (scalar < 0x80) {
    *output++ = static_cast<uint8_t>(scalar);
  } else if (scalar < 0x800) {
    *output++ = static_cast<uint8_t>(0xc0 | scalar >> 6);
    *output++ = static_cast<uint8_t>(0x80 | (scalar & 0x3f));
  } else if (scalar < 0x10000) {
    *output++ = static_cast<uint8_t>(0xe0 | scalar >> 12);
    *output++ = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3f));
    *output++ = static_cast<uint8_t>(0x80 | (scalar & 0x3f));
  } else {
    *output++ = static_cast<uint8_t>(0xf0 | scalar >> 18);
    *output++ = static_cast<uint8_t>(0x80 | (scalar >> 12 & 0x3f));
    *output++ = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3f));
    *output++ = static_cast<uint8_t>(0x80 | (scalar & 0x3f));
  }
  return output;
}

/// Resolves one `\uXXXX` or a surrogate pair of two; `at` moves behind it.
inline uint32_t unicode_escape(const uint8_t *&at, const uint8_t *end) {
  uint32_t unit = static_cast<uint32_t>(hexadecimal(at + 2));
  at += 6;
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  bool is_pair = unit < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
  int32_t low = is_pair ? hexadecimal(at + 2) : -1;
  if (low < 0xdc00 || low > 0xdfff) return 0xfffd;
  at += 6;
  return 0x10000 + ((unit - 0xd800) << 10) + (static_cast<uint32_t>(low) - 0xdc00);
}

inline size_t unescape(const uint8_t *bytes, size_t length, uint8_t *output) {
  const uint8_t *at = bytes, *end = bytes + length;
  uint8_t *out = output;
  while (at < end) {
    if (*at != '\\' || escape_length(at, end) == 0) {
      *out++ = *at++;
    } else if (at[1] == 'u') {
      out = write_utf8(out, unicode_escape(at, end));
    } else {
      switch (at[1]) {
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        default: *out++ = at[1];
      }
      at += 2;
    }
  }
  return static_cast<size_t>(out - output);
}

}  // namespace headrace
