#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads chosen fields out of many JSON documents that lie one after the other in one buffer.
//
// simdjson's first stage finds the structural characters of the whole buffer with SIMD instructions and checks UTF-8;
// the walk over them here checks the grammar (RFC 8259) of every document completely and notes where the chosen fields
// are. Nothing is allocated per document.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csimdjson_reader csimdjson_reader;

/// What a value is.
enum {
  CSIMDJSON_MISSING = 0,
  CSIMDJSON_NULL,
  CSIMDJSON_FALSE,
  CSIMDJSON_TRUE,
  /// A number without fraction and exponent.
  CSIMDJSON_INTEGER,
  /// A number with a fraction or an exponent.
  CSIMDJSON_DECIMAL,
  /// A string whose bytes are its text.
  CSIMDJSON_STRING,
  /// A string with at least one backslash escape.
  CSIMDJSON_ESCAPED_STRING,
  CSIMDJSON_OBJECT,
  CSIMDJSON_ARRAY,
};

/// What is wrong with a document.
enum {
  CSIMDJSON_VALID = 0,
  /// Nothing but white space.
  CSIMDJSON_BLANK,
  CSIMDJSON_INVALID_UTF8,
  CSIMDJSON_CONTROL_CHARACTER,
  CSIMDJSON_UNCLOSED_STRING,
  CSIMDJSON_INVALID_ESCAPE,
  CSIMDJSON_INVALID_NUMBER,
  CSIMDJSON_EXPECTED_VALUE,
  CSIMDJSON_EXPECTED_KEY,
  CSIMDJSON_EXPECTED_COLON,
  CSIMDJSON_EXPECTED_COMMA_OR_END,
  CSIMDJSON_TRAILING_CONTENT,
  CSIMDJSON_TOO_DEEP,
};

/// Where a value is in the buffer; for strings, between the quotes.
typedef struct {
  uint32_t offset;
  uint32_t length;
  uint32_t kind;
} csimdjson_value;

typedef struct {
  uint32_t fault;
  /// Where in the buffer the fault is; the end of the document when something is missing there.
  uint32_t position;
} csimdjson_status;

/// One name on the way to a wanted field. Node 0 is the document itself and has no name; parents come before children.
typedef struct {
  const uint8_t *name;
  uint32_t name_length;
  /// Index of the parent node; ignored for node 0.
  uint32_t parent;
  /// Which value of a document's row is this node's; negative for none.
  int32_t field;
} csimdjson_node;

/// - Returns: NULL when there is no memory. Names are copied.
csimdjson_reader *csimdjson_create(const csimdjson_node *nodes, size_t node_count, size_t field_count);
void csimdjson_destroy(csimdjson_reader *reader);

/// Reads `document_count` documents; document k is what lies between `ends[k - 1]` (0 for the first) and `ends[k]`, and
/// the last byte of each but the last must be a line feed or other white space.
///
/// - values: `document_count` rows of `field_count` values. Of a faulty document no field counts.
/// - statuses: one per document.
/// - Returns: the number of documents that are not valid; -1 when there is no memory.
ptrdiff_t csimdjson_read(
  csimdjson_reader *reader, const uint8_t *bytes, const uint32_t *ends, size_t document_count, csimdjson_value *values,
  csimdjson_status *statuses);

/// What became of one value when it was converted.
enum {
  CSIMDJSON_CELL_MISSING = 0,
  CSIMDJSON_CELL_NULL,
  /// The output holds the value; in every other state it holds 0.
  CSIMDJSON_CELL_VALUE,
  /// No number, or no boolean, but something else.
  CSIMDJSON_CELL_WRONG_KIND,
  CSIMDJSON_CELL_OUT_OF_RANGE,
  /// A number with a fraction where an integer is wanted.
  CSIMDJSON_CELL_NOT_INTEGRAL,
};

typedef struct {
  /// Inclusive, of the number as it is written.
  int64_t minimum;
  int64_t maximum;
  /// What the number is multiplied by; at least 1. A product that does not fit is out of range.
  int64_t factor;
} csimdjson_integer_rules;

/// Converts one field of `count` documents: `values` is its value in the first row, `stride` the width of a row.
/// `1.0` and `1e3` are integers: what counts is the value, not how it is written.
///
/// - Returns: how many rows are in another state than CSIMDJSON_CELL_VALUE.
size_t csimdjson_integers(
  const uint8_t *bytes, const csimdjson_value *values, size_t stride, size_t count, csimdjson_integer_rules rules,
  int64_t *output, uint8_t *states);

/// Rounds to the nearest double, ties to even; with `is_single` to the nearest float instead. What would be infinite is
/// out of range; what is too small becomes a zero of its sign.
size_t csimdjson_doubles(
  const uint8_t *bytes, const csimdjson_value *values, size_t stride, size_t count, bool is_single, double *output,
  uint8_t *states);

/// Writes 0 or 1.
size_t csimdjson_booleans(
  const csimdjson_value *values, size_t stride, size_t count, int64_t *output, uint8_t *states);

#ifdef __cplusplus
}
#endif
