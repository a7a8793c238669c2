// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// tree-math and deserialization: what needs no cryptography.
#include "mls.hpp"

#include <conclave/mls/tree_math.hpp>

namespace conclave_vectors::mls_kinds {

void tree_math(const json& c) {
  const auto leaves = c.at("n_leaves").get<std::uint32_t>();
  const auto nodes = c.at("n_nodes").get<std::uint32_t>();
  expect_equal(node_width(leaves), nodes, "n_nodes");
  const node_index top = root(leaves);
  expect_equal(number(top), c.at("root").get<std::uint32_t>(), "root");

  // a node without a left child, as a leaf, or without a parent, as the root, has null there
  const auto relation = [&](const char* name, auto&& has, auto&& of) {
    const json& wanted = c.at(name);
    expect_equal(wanted.size(), std::size_t{nodes}, std::string("length of ") + name);
    for (std::uint32_t i = 0; i < nodes; ++i) {
      const node_index x{i};
      const std::string what = std::string(name) + "[" + std::to_string(i) + "]";
      expect(wanted[i].is_null() != has(x), what + " should be null, or should not");
      if (has(x)) expect_equal(number(of(x)), wanted[i].get<std::uint32_t>(), what);
    }
  };
  const auto is_parent = [](node_index x) { return !is_leaf(x); };
  const auto is_child = [&](node_index x) { return x != top; };
  relation("left", is_parent, [](node_index x) { return left(x); });
  relation("right", is_parent, [](node_index x) { return right(x); });
  relation("parent", is_child, [](node_index x) { return parent(x); });
  relation("sibling", is_child, [](node_index x) { return sibling(x); });
}

void deserialization(const json& c) {
  const bytes header = hex(c, "vlbytes_header");
  const auto decoded = succeeds(load_varint(header), "the header");
  expect_equal(decoded.value, c.at("length").get<std::uint32_t>(), "length");
  expect_equal(decoded.size, header.size(), "bytes of the header");
  std::array<std::uint8_t, 4> again{};
  expect_equal(byte_view{again}.first(store_varint(decoded.value, again)), header, "the header, encoded again");
}

}  // namespace conclave_vectors::mls_kinds
