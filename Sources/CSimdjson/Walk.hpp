#pragma once
#include "FieldTree.hpp"

// The walk over the structural characters of documents: grammar and wanted fields in one pass.

namespace headrace {

/// An open object or array.
struct frame {
  uint32_t start;
  int32_t node;
  bool is_object;
};

struct fault_at {
  uint32_t fault;
  uint32_t position;
};

/// Documents that were indexed together. The index holds the positions of `{}[]:,`, of opening quotes, and of the first
/// byte of every other token; the indexer already made sure of UTF-8, of closed strings, and that no string holds a
/// line feed.
class walk {
 public:
  /// The index ends with an entry of at least `text_length`.
  walk(field_tree &tree, frame *frames, uint32_t depth_max, const uint8_t *text, const uint32_t *index,
       uint32_t text_length)
      : tree(tree), frames(frames), depth_max(depth_max), text(text), index(index), text_length(text_length),
        backslash(find_backslash(0)) {}

  /// Reads the next document, which ends at `document_end`, into `row`.
  fault_at document(uint32_t document_end, csimdjson_value *document_row) {
    end = document_end;
    row = document_row;
    depth = 0;
    for (size_t i = 0; i < tree.field_count; i++) row[i] = {0, 0, CSIMDJSON_MISSING};
    fault_at result = {CSIMDJSON_BLANK, end};
    if (has_token()) result = whole_document();
    while (has_token()) index++;
    return result;
  }

 private:
  field_tree &tree;
  frame *frames;
  uint32_t depth_max;
  const uint8_t *text;
  const uint32_t *index;
  uint32_t text_length;
  /// The first backslash at or behind the token that was looked at last: strings before it have no escapes.
  uint32_t backslash;
  uint32_t end = 0;
  csimdjson_value *row = nullptr;
  uint32_t depth = 0;
  /// The node whose value comes next; `nowhere` when nobody wants it.
  int32_t wanted = 0;

  bool has_token() const { return *index < end; }
  /// The byte at which the next token starts; 0, which starts no token, at the end of the document.
  uint8_t peek() const { return has_token() ? text[*index] : 0; }
  uint32_t position() const { return has_token() ? *index : end; }
  fault_at fault(uint32_t code) const { return {code, position()}; }

  /// Values until the outermost one is complete. Each round reads one value or opens one container, then closes what
  /// ends.
  fault_at whole_document() {
    wanted = 0;
    for (;;) {
      uint8_t first = peek();
      fault_at wrong = {CSIMDJSON_VALID, 0};
      if (first == '{' || first == '[') {
        if (depth == depth_max) return fault(CSIMDJSON_TOO_DEEP);
        frames[depth++] = {*index++, wanted, first == '{'};
        if (peek() != first + 2) {
          wrong = first == '{' ? key() : element();
          if (wrong.fault) return wrong;
          continue;
        }
      } else {
        wrong = scalar(first);
        if (wrong.fault) return wrong;
        if (depth > 0 && peek() == ',') {
          wrong = next_member();
          if (wrong.fault) return wrong;
          continue;
        }
      }
      while (depth > 0 && peek() == closer()) close();
      if (depth == 0) return has_token() ? fault(CSIMDJSON_TRAILING_CONTENT) : fault_at{CSIMDJSON_VALID, 0};
      if (peek() != ',') return fault(CSIMDJSON_EXPECTED_COMMA_OR_END);
      wrong = next_member();
      if (wrong.fault) return wrong;
    }
  }

  uint8_t closer() const { return frames[depth - 1].is_object ? '}' : ']'; }

  /// The comma is next: what follows it is a member of the innermost container.
  fault_at next_member() {
    index++;
    return frames[depth - 1].is_object ? key() : element();
  }

  fault_at element() {
    wanted = nowhere;
    return {CSIMDJSON_VALID, 0};
  }

  /// Goes over members of the innermost object as nearly all programs write them: `"name":` and a string without
  /// escapes or a number, with a comma directly behind. Stops in front of anything else, and at the last member.
  void plain_members() {
    int32_t object = frames[depth - 1].node;
    bool is_looked_at = object != nowhere && tree.has_children(object);
    for (;; index += 4) {
      // Each entry is read only when the one before lies in this document: the last one of all never does.
      uint32_t open = index[0];
      if (open >= end || text[open] != '"') return;
      uint32_t colon = index[1];
      if (colon >= end || text[colon] != ':' || text[colon - 1] != '"' || colon == open + 1) return;
      uint32_t start = index[2];
      if (start >= end) return;
      uint32_t comma = index[3];
      if (comma >= end || text[comma] != ',') return;
      if (backslash < open) backslash = find_backslash(open);
      if (backslash < comma) return;
      csimdjson_value value;
      if (text[start] == '"') {
        if (text[comma - 1] != '"' || comma == start + 1) return;
        value = {start + 1, comma - start - 2, CSIMDJSON_STRING};
      } else {
        if (text[start] != '-' && !is_digit(text[start])) return;
        if (number_at(start, value).fault || start + value.length != comma) return;
      }
      if (!is_looked_at) continue;
      int32_t child = tree.child(object, text + open + 1, colon - open - 2, text_length - open - 1, false);
      if (child == nowhere) continue;
      tree.replace(child, row, value);
    }
  }

  fault_at key() {
    plain_members();
    if (peek() != '"') return fault(CSIMDJSON_EXPECTED_KEY);
    csimdjson_value name;
    fault_at wrong = string(name);
    if (wrong.fault) return wrong;
    int32_t object = frames[depth - 1].node;
    wanted = nowhere;
    if (object != nowhere && tree.has_children(object)) {
      wanted = tree.child(object, text + name.offset, name.length, text_length - name.offset,
                          name.kind == CSIMDJSON_ESCAPED_STRING);
      if (wanted != nowhere) tree.forget(wanted, row);
    }
    if (peek() != ':') return fault(CSIMDJSON_EXPECTED_COLON);
    index++;
    return {CSIMDJSON_VALID, 0};
  }

  void close() {
    frame closed = frames[--depth];
    uint32_t behind = *index++ + 1;
    uint32_t kind = closed.is_object ? CSIMDJSON_OBJECT : CSIMDJSON_ARRAY;
    if (closed.node != nowhere) tree.record(closed.node, row, {closed.start, behind - closed.start, kind});
  }

  fault_at scalar(uint8_t first) {
    csimdjson_value value;
    fault_at wrong;
    switch (first) {
      case '"': wrong = string(value); break;
      case 't': wrong = literal("true", 4, CSIMDJSON_TRUE, value); break;
      case 'f': wrong = literal("false", 5, CSIMDJSON_FALSE, value); break;
      case 'n': wrong = literal("null", 4, CSIMDJSON_NULL, value); break;
      default:
        if (first != '-' && !is_digit(first)) return fault(CSIMDJSON_EXPECTED_VALUE);
        wrong = number(value);
    }
    if (wrong.fault == CSIMDJSON_VALID && wanted != nowhere) tree.record(wanted, row, value);
    return wrong;
  }

  /// A string ends at the last byte before the next token that is not white space: the indexer made sure that this is a
  /// quote.
  fault_at string(csimdjson_value &value) {
    uint32_t inside = *index++ + 1;
    uint32_t quote = position();
    do {
      if (quote == inside) return {CSIMDJSON_UNCLOSED_STRING, inside - 1};
      quote--;
    } while (text[quote] != '"' && is_white(text[quote]));
    if (text[quote] != '"') return {CSIMDJSON_UNCLOSED_STRING, inside - 1};
    if (backslash < inside) backslash = find_backslash(inside);
    bool has_escapes = backslash < quote;
    value = {inside, quote - inside, static_cast<uint32_t>(has_escapes ? CSIMDJSON_ESCAPED_STRING : CSIMDJSON_STRING)};
    return has_escapes ? escapes(quote) : fault_at{CSIMDJSON_VALID, 0};
  }

  fault_at escapes(uint32_t quote) {
    while (backslash < quote) {
      uint32_t length = escape_length(text + backslash, text + quote);
      if (length == 0) return {CSIMDJSON_INVALID_ESCAPE, backslash};
      backslash = find_backslash(backslash + length);
    }
    return {CSIMDJSON_VALID, 0};
  }

  uint32_t find_backslash(uint32_t from) const {
    if (from >= text_length) return text_length;
    auto found = static_cast<const uint8_t *>(std::memchr(text + from, '\\', text_length - from));
    return found ? static_cast<uint32_t>(found - text) : text_length;
  }

  fault_at literal(const char *word, uint32_t length, uint32_t kind, csimdjson_value &value) {
    uint32_t start = *index;
    bool is_it = end - start >= length && std::memcmp(text + start, word, length) == 0 && ends_token(start + length);
    if (!is_it) return {CSIMDJSON_EXPECTED_VALUE, start};
    index++;
    value = {start, length, kind};
    return {CSIMDJSON_VALID, 0};
  }

  bool ends_token(uint32_t at) const { return at == end || is_delimiter(text[at]); }

  fault_at number(csimdjson_value &value) { return number_at(*index++, value); }

  fault_at number_at(uint32_t start, csimdjson_value &value) const {
    uint32_t at = start + (text[start] == '-');
    uint32_t kind = CSIMDJSON_INTEGER;
    uint32_t digits = skip_digits(at);
    if (digits == at || (text[at] == '0' && digits - at > 1)) return {CSIMDJSON_INVALID_NUMBER, start};
    at = digits;
    if (at < end && text[at] == '.') {
      kind = CSIMDJSON_DECIMAL;
      digits = skip_digits(++at);
      if (digits == at) return {CSIMDJSON_INVALID_NUMBER, start};
      at = digits;
    }
    if (at < end && (text[at] | 0x20) == 'e') {
      kind = CSIMDJSON_DECIMAL;
      at++;
      if (at < end && (text[at] == '+' || text[at] == '-')) at++;
      digits = skip_digits(at);
      if (digits == at) return {CSIMDJSON_INVALID_NUMBER, start};
      at = digits;
    }
    if (!ends_token(at)) return {CSIMDJSON_INVALID_NUMBER, start};
    value = {start, at - start, kind};
    return {CSIMDJSON_VALID, 0};
  }

  uint32_t skip_digits(uint32_t at) const {
    while (at < end && is_digit(text[at])) at++;
    return at;
  }
};

/// Why the indexer refused a document, found again byte by byte: only one that is refused pays for this.
fault_at refusal(const uint8_t *text, uint32_t length);

}  // namespace headrace
