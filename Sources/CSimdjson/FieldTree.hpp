#pragma once
#include <memory>
#include <new>
#include <vector>

#include "CSimdjson.h"
#include "Text.hpp"

// The wanted fields as a tree of names: `a.b` is a node `b` below a node `a` below the document.

namespace headrace {

constexpr int32_t nowhere = -1;

class field_tree {
 public:
  size_t field_count = 0;

  /// False when there is no memory.
  bool assign(const csimdjson_node *source, size_t node_count, size_t fields) {
    field_count = fields;
    try {
      size_t longest = 0;
      for (size_t i = 0; i < node_count; i++) {
        auto name = source[i].name;
        nodes.push_back({source[i].field, {}, 0, 0, 0});
        if (source[i].name_length > longest) longest = source[i].name_length;
        if (i == 0) continue;
        node &parent = nodes[source[i].parent];
        std::vector<uint8_t> copy(name, name + source[i].name_length);
        auto beginning = first_bytes(copy.data(), copy.size(), copy.size());
        auto following = static_cast<uint32_t>(parent.children.size() + 1);
        parent.children.push_back({beginning, std::move(copy), static_cast<int32_t>(i), following});
        parent.lengths |= length_bit(source[i].name_length);
      }
      // An escape is at most six times as long as what it stands for.
      scratch.resize(longest * 6 + 1);
    } catch (const std::bad_alloc &) {
      return false;
    }
    return true;
  }

  /// The child of `parent` that is called so; `nowhere` when nobody wants that key. From `key` on, `readable` bytes may
  /// be looked at.
  int32_t child(int32_t parent, const uint8_t *key, uint32_t length, size_t readable, bool has_escapes) {
    node &from = nodes[parent];
    if (has_escapes) {
      if (length > scratch.size()) return nowhere;
      length = static_cast<uint32_t>(unescape(key, length, scratch.data()));
      key = scratch.data();
      readable = length;
    }
    if ((from.lengths & length_bit(length)) == 0) return nowhere;
    uint64_t beginning = first_bytes(key, length, readable);
    if (from.expected < from.children.size() && from.children[from.expected].is(beginning, key, length)) {
      return from.take(from.expected);
    }
    for (uint32_t i = 0; i < from.children.size(); i++) {
      if (!from.children[i].is(beginning, key, length)) continue;
      from.children[from.latest].following = i;
      return from.take(i);
    }
    return nowhere;
  }

  /// What a key says that came; if it came before, this replaces what it said then, with everything below it: the last
  /// one counts, as in most readers.
  void replace(int32_t position, csimdjson_value *row, csimdjson_value value) const {
    if (nodes[position].lengths != 0) forget_children(position, row);
    record(position, row, value);
  }

  /// As if the key had not come.
  void forget(int32_t position, csimdjson_value *row) const { replace(position, row, {0, 0, CSIMDJSON_MISSING}); }

  void record(int32_t position, csimdjson_value *row, csimdjson_value value) const {
    int32_t field = nodes[position].field;
    if (field >= 0) row[field] = value;
  }

  bool has_children(int32_t position) const { return nodes[position].lengths != 0; }

 private:
  struct named_node {
    /// The name's first bytes, which tell nearly all names apart.
    uint64_t beginning;
    std::vector<uint8_t> name;
    int32_t node;
    /// Which child came behind this one last time: a program writes its keys in the same order again and again.
    uint32_t following;

    bool is(uint64_t other_beginning, const uint8_t *key, uint32_t length) const {
      return beginning == other_beginning && name.size() == length &&
             (length <= 8 || std::memcmp(name.data() + 8, key + 8, length - 8) == 0);
    }
  };

  struct node {
    int32_t field;
    std::vector<named_node> children;
    /// Which name lengths (modulo 64) occur among the children: most unwanted keys end here.
    uint64_t lengths;
    /// The child that came last, and the one that probably comes next.
    uint32_t latest;
    uint32_t expected;

    int32_t take(uint32_t child) {
      latest = child;
      expected = children[child].following;
      return children[child].node;
    }
  };

  std::vector<node> nodes;
  std::vector<uint8_t> scratch;

  void forget_children(int32_t position, csimdjson_value *row) const {
    for (const auto &child : nodes[position].children) forget(child.node, row);
  }

  /// Up to eight bytes of a text as a number; those behind the text are zero.
  static uint64_t first_bytes(const uint8_t *text, size_t length, size_t readable) {
    uint64_t value = 0;
    if (readable >= 8) {
      std::memcpy(&value, text, 8);
      return length >= 8 ? value : value & ((uint64_t{1} << (8 * length)) - 1);
    }
    if (length > 0) std::memcpy(&value, text, length < 8 ? length : 8);
    return value;
  }

  static uint64_t length_bit(uint32_t length) { return uint64_t{1} << (length & 63); }
};

}  // namespace headrace
