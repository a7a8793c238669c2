// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Where nodes of a full binary tree stand in an array (RFC 9420, appendix C). The number of leaves is a power of two.
#pragma once

#include <conclave/mls/types.hpp>

#include <bit>

namespace conclave::inline CONCLAVE_ABI::mls {

[[nodiscard]] constexpr node_index to_node(leaf_index leaf) noexcept { return node_index{2 * number(leaf)}; }
[[nodiscard]] constexpr bool is_leaf(node_index x) noexcept { return (number(x) & 1U) == 0; }
/// to_leaf(x): x is a leaf.
[[nodiscard]] constexpr leaf_index to_leaf(node_index x) noexcept { return leaf_index{number(x) / 2}; }

/// level(x): 0 for leaves, one more for each step up.
[[nodiscard]] constexpr unsigned level(node_index x) noexcept {
  return static_cast<unsigned>(std::countr_one(number(x)));
}
[[nodiscard]] constexpr std::uint32_t node_width(std::uint32_t leaves) noexcept {
  return leaves == 0 ? 0 : 2 * leaves - 1;
}
[[nodiscard]] constexpr node_index root(std::uint32_t leaves) noexcept { return node_index{leaves - 1}; }

/// left(x), right(x): x is not a leaf.
[[nodiscard]] constexpr node_index left(node_index x) noexcept {
  return node_index{number(x) ^ (1U << (level(x) - 1))};
}
[[nodiscard]] constexpr node_index right(node_index x) noexcept {
  return node_index{number(x) ^ (3U << (level(x) - 1))};
}
/// parent(x), sibling(x): x is not the root.
[[nodiscard]] constexpr node_index parent(node_index x) noexcept {
  const unsigned k = level(x);
  const std::uint32_t side = (number(x) >> (k + 1)) & 1U;
  return node_index{(number(x) | (1U << k)) ^ (side << (k + 1))};
}
[[nodiscard]] constexpr node_index sibling(node_index x) noexcept {
  const node_index p = parent(x);
  return number(x) < number(p) ? right(p) : left(p);
}

/// first_leaf(x), last_leaf(x): the leaves below x are those from first to last.
[[nodiscard]] constexpr leaf_index first_leaf(node_index x) noexcept {
  return leaf_index{(number(x) + 1 - (1U << level(x))) / 2};
}
[[nodiscard]] constexpr leaf_index last_leaf(node_index x) noexcept {
  return leaf_index{(number(x) + (1U << level(x)) - 1) / 2};
}
/// covers(x, leaf): true where the leaf is x or below x.
[[nodiscard]] constexpr bool covers(node_index x, leaf_index leaf) noexcept {
  return number(leaf) >= number(first_leaf(x)) && number(leaf) <= number(last_leaf(x));
}

/// common_ancestor(a, b): the lowest node that covers both leaves.
[[nodiscard]] constexpr node_index common_ancestor(leaf_index a, leaf_index b) noexcept {
  const unsigned k = static_cast<unsigned>(std::bit_width(number(a) ^ number(b)));
  return node_index{((number(a) >> k) << (k + 1)) + (1U << k) - 1};
}

}  // namespace conclave::mls
