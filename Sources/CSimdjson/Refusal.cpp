#include "Walk.hpp"

namespace headrace {

namespace {

/// Length of the UTF-8 sequence that starts at `at` (Unicode 15, table 3-7); 0 when it is none.
uint32_t sequence_length(const uint8_t *at, const uint8_t *end) {
  uint8_t lead = at[0];
  if (lead < 0x80) return 1;
  uint32_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || static_cast<uint32_t>(end - at) < length) return 0;
  uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < low || at[1] > high) return 0;
  for (uint32_t i = 2; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

fault_at refusal(const uint8_t *text, uint32_t length) {
  bool is_inside = false;
  uint32_t opened = 0;
  // The separator behind the document is not part of a string that it left open.
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) length--;
  for (uint32_t at = 0; at < length;) {
    uint32_t sequence = sequence_length(text + at, text + length);
    if (sequence == 0) return {CSIMDJSON_INVALID_UTF8, at};
    uint8_t byte = text[at];
    if (is_inside && byte < 0x20) return {CSIMDJSON_CONTROL_CHARACTER, at};
    if (byte == '"') {
      is_inside = !is_inside;
      opened = at;
    }
    at += byte == '\\' && at + 1 < length && text[at + 1] < 0x80 && text[at + 1] >= 0x20 ? 2 : sequence;
  }
  return {CSIMDJSON_UNCLOSED_STRING, opened};
}

}  // namespace headrace
