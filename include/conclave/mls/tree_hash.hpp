// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The two hashes over a ratchet tree: tree hashes (RFC 9420, section 7.8) and parent hashes (section 7.9).
#pragma once

#include <conclave/mls/suite.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// parent_node: RFC 9420 section 7.1.
struct parent_node {
  byte_view encryption_key;
  byte_view parent_hash;
  wire::list<leaf_index> unmerged_leaves;

  static constexpr auto fields(auto& self) {
    return std::tie(self.encryption_key, self.parent_hash, self.unmerged_leaves);
  }
};

/// tree_hash_input: TreeHashInput (RFC 9420 section 7.8) as a hash reads it, in parts; the encoded node stays where it is.
class tree_hash_input {
 public:
  tree_hash_input() noexcept = default;
  tree_hash_input(const tree_hash_input&) = delete;
  tree_hash_input& operator=(const tree_hash_input&) = delete;

  /// leaf(index, encoded), parent(encoded, left_hash, right_hash): the node to be hashed, by its LeafNode or ParentNode;
  /// nothing where it is blank.
  void leaf(leaf_index index, byte_view encoded) noexcept {
    head_[0] = static_cast<std::uint8_t>(node_type::leaf);
    store_be(number(index), byte_span{head_}.subspan(1, 4));
    head_[5] = encoded.empty() ? 0 : 1;
    parts_[0] = head_;
    parts_[1] = encoded;
    count_ = 2;
  }
  void parent(byte_view encoded, const digest& left_hash, const digest& right_hash) noexcept {
    head_[0] = static_cast<std::uint8_t>(node_type::parent);
    head_[1] = encoded.empty() ? 0 : 1;
    left_ = left_hash;
    right_ = right_hash;
    const std::size_t header = store_varint(static_cast<std::uint32_t>(left_.size()), byte_span{head_}.subspan(2));
    const byte_view length = byte_view{head_}.subspan(2, header);
    parts_ = {byte_view{head_}.first(2), encoded, length, left_.view(), length, right_.view()};
    count_ = parts_.size();
  }

  [[nodiscard]] byte_parts parts() const noexcept { return byte_parts{parts_}.first(count_); }

 private:
  std::array<std::uint8_t, 6> head_;
  digest left_, right_;
  std::array<byte_view, 6> parts_;
  std::size_t count_ = 0;
};

/// parent_hash_input: ParentHashInput.
struct parent_hash_input {
  byte_view encryption_key;
  byte_view parent_hash;
  byte_view original_sibling_tree_hash;
  static constexpr auto fields(auto& self) {
    return std::tie(self.encryption_key, self.parent_hash, self.original_sibling_tree_hash);
  }
};

/// parent_hash: the parent hash of a node with this key and parent_hash field, for the copath child whose original tree
/// hash is given.
template <crypto_provider P>
[[nodiscard]] digest parent_hash(const basic_suite<P>& s, byte_view encryption_key, byte_view own_parent_hash,
                                 byte_view original_sibling_tree_hash) {
  return s.hash({wire::encode(parent_hash_input{encryption_key, own_parent_hash, original_sibling_tree_hash})});
}

}  // namespace conclave::mls
