#include "CSimdjson.h"

#include <simdjson.h>

#include <memory>
#include <new>

#include "FieldTree.hpp"
#include "Walk.hpp"

using simdjson::internal::dom_parser_implementation;

namespace {

/// Indexing more at once than this would push the index out of the second-level cache before the walk reads it.
constexpr size_t window_bytes = 128 * 1024;
constexpr size_t depth_max = 1024;

}  // namespace

struct csimdjson_reader {
  headrace::field_tree tree;
  std::unique_ptr<headrace::frame[]> frames;
  std::unique_ptr<dom_parser_implementation> indexer;

  bool reserve(size_t length) {
    if (indexer && indexer->capacity() >= length) return true;
    size_t capacity = length < window_bytes ? window_bytes : length;
    if (indexer) return indexer->set_capacity(capacity) == simdjson::SUCCESS;
    return simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, depth_max, indexer) ==
           simdjson::SUCCESS;
  }
};

namespace {

/// One call of `csimdjson_read`: goes through the documents by windows that are indexed together.
///
/// A document that the indexer refuses (bad UTF-8, an open string) spoils its whole window, so a refused window is
/// halved down to the one document; windows then grow again by doubling. The work stays within a small factor of the
/// input even when every document is bad.
class reading {
 public:
  reading(csimdjson_reader &reader, const uint8_t *bytes, const uint32_t *ends, size_t count, csimdjson_value *values,
          csimdjson_status *statuses)
      : reader(reader), bytes(bytes), ends(ends), count(count), values(values), statuses(statuses) {}

  ptrdiff_t run() {
    size_t first = 0;
    size_t documents_max = SIZE_MAX;
    while (first < count) {
      size_t last = window_end(first, documents_max);
      size_t begin = start_of(first);
      size_t length = ends[last - 1] - begin;
      if (!reader.reserve(length)) return -1;
      auto code = length == 0 ? simdjson::EMPTY
                              : reader.indexer->stage1(bytes + begin, length, simdjson::stage1_mode::regular);
      if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY) return -1;
      if (code != simdjson::SUCCESS && code != simdjson::EMPTY) {
        if (last - first > 1) {
          documents_max = (last - first) / 2;
          continue;
        }
        refuse(first);
        documents_max = 1;
      } else {
        walk(first, last, code == simdjson::EMPTY ? 0 : reader.indexer->n_structural_indexes);
        documents_max = documents_max > count / 2 ? SIZE_MAX : documents_max * 2;
      }
      first = last;
    }
    return invalid;
  }

 private:
  csimdjson_reader &reader;
  const uint8_t *bytes;
  const uint32_t *ends;
  size_t count;
  csimdjson_value *values;
  csimdjson_status *statuses;
  ptrdiff_t invalid = 0;

  size_t start_of(size_t document) const { return document == 0 ? 0 : ends[document - 1]; }

  size_t window_end(size_t first, size_t documents_max) const {
    size_t last = first + 1;
    size_t begin = start_of(first);
    while (last < count && last - first < documents_max && ends[last] - begin <= window_bytes) last++;
    return last;
  }

  void walk(size_t first, size_t last, uint32_t index_count) {
    size_t begin = start_of(first);
    auto length = static_cast<uint32_t>(ends[last - 1] - begin);
    // The indexer keeps room for this one: the walk then needs no other bound.
    reader.indexer->structural_indexes[index_count] = length;
    headrace::walk walk(
      reader.tree, reader.frames.get(), depth_max, bytes + begin, reader.indexer->structural_indexes.get(), length);
    for (size_t document = first; document < last; document++) {
      auto row = values + document * reader.tree.field_count;
      auto status = walk.document(static_cast<uint32_t>(ends[document] - begin), row);
      statuses[document] = {status.fault, static_cast<uint32_t>(status.position + begin)};
      if (status.fault == CSIMDJSON_VALID) {
        for (size_t i = 0; i < reader.tree.field_count; i++) row[i].offset += static_cast<uint32_t>(begin);
      } else {
        forget(row);
        invalid++;
      }
    }
  }

  /// Of a faulty document nothing counts, what was found before the fault neither.
  void forget(csimdjson_value *row) {
    for (size_t i = 0; i < reader.tree.field_count; i++) row[i] = {0, 0, CSIMDJSON_MISSING};
  }

  void refuse(size_t document) {
    size_t begin = start_of(document);
    auto status = headrace::refusal(bytes + begin, static_cast<uint32_t>(ends[document] - begin));
    statuses[document] = {status.fault, static_cast<uint32_t>(status.position + begin)};
    forget(values + document * reader.tree.field_count);
    invalid++;
  }
};

}  // namespace

csimdjson_reader *csimdjson_create(const csimdjson_node *nodes, size_t node_count, size_t field_count) {
  std::unique_ptr<csimdjson_reader> reader(new (std::nothrow) csimdjson_reader);
  if (!reader || !reader->tree.assign(nodes, node_count, field_count)) return nullptr;
  reader->frames.reset(new (std::nothrow) headrace::frame[depth_max]);
  if (!reader->frames || !reader->reserve(window_bytes)) return nullptr;
  return reader.release();
}

void csimdjson_destroy(csimdjson_reader *reader) { delete reader; }

ptrdiff_t csimdjson_read(
  csimdjson_reader *reader, const uint8_t *bytes, const uint32_t *ends, size_t document_count, csimdjson_value *values,
  csimdjson_status *statuses) {
  return reading(*reader, bytes, ends, document_count, values, statuses).run();
}

