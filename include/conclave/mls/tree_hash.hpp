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

/// leaf_hash: the tree hash of a leaf. `encoded` is its LeafNode, empty where it is blank.
template <crypto_provider P>
[[nodiscard]] digest leaf_hash(const basic_suite<P>& s, leaf_index index, byte_view encoded) {
  std::array<std::uint8_t, 6> head{static_cast<std::uint8_t>(node_type::leaf)};
  store_be(number(index), byte_span{head}.subspan(1, 4));
  head[5] = encoded.empty() ? 0 : 1;
  return s.hash({head, encoded});
}

/// parent_tree_hash: the tree hash of a parent. `encoded` is its ParentNode, empty where it is blank.
template <crypto_provider P>
[[nodiscard]] digest parent_tree_hash(const basic_suite<P>& s, byte_view encoded, byte_view left_hash,
                                      byte_view right_hash) {
  const std::array head{static_cast<std::uint8_t>(node_type::parent), static_cast<std::uint8_t>(!encoded.empty())};
  const std::array length{static_cast<std::uint8_t>(s.nh() & 0xffU)};
  // a length of 64 takes the two-byte form
  const std::array<std::uint8_t, 2> long_length{0x40, 0x40};
  const byte_view header = s.nh() < 64 ? byte_view{length} : byte_view{long_length};
  return s.hash({head, encoded, header, left_hash, header, right_hash});
}

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
