// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <conclave/limits.hpp>
#include <conclave/mls/tree_math.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <vector>

using namespace conclave;
using namespace conclave::mls;

namespace {

// The same tree with pointers, numbered from left to right: the definition of RFC 9420 appendix C, not its formulas.
struct drawn {
  std::optional<std::uint32_t> parent, left, right, sibling;
  std::uint32_t first_leaf = 0, last_leaf = 0;
  unsigned level = 0;
};

struct drawing {
  std::map<std::uint32_t, drawn> nodes;
  std::uint32_t next = 0;

  std::uint32_t draw(std::uint32_t first, std::uint32_t leaves) {
    if (leaves == 1) {
      nodes[next] = {{}, {}, {}, {}, first, first, 0};
      return next++;
    }
    const std::uint32_t half = leaves / 2;
    const std::uint32_t l = draw(first, half), me = next++, r = draw(first + half, half);
    nodes[l].parent = nodes[r].parent = me;
    nodes[l].sibling = r;
    nodes[r].sibling = l;
    nodes[me] = {{}, l, r, {}, first, first + leaves - 1, nodes[l].level + 1};
    return me;
  }
};

}  // namespace

TEST_CASE("relations in a tree are those of the drawing") {
  for (std::uint32_t leaves = 1; leaves <= 256; leaves *= 2) {
    drawing d;
    const std::uint32_t top = d.draw(0, leaves);
    CHECK(number(root(leaves)) == top);
    CHECK(node_width(leaves) == d.nodes.size());
    for (const auto& [i, n] : d.nodes) {
      INFO("node " << i << " of " << leaves << " leaves");
      const node_index x{i};
      REQUIRE(level(x) == n.level);
      REQUIRE(is_leaf(x) == (n.level == 0));
      REQUIRE(number(first_leaf(x)) == n.first_leaf);
      REQUIRE(number(last_leaf(x)) == n.last_leaf);
      if (n.level == 0) {
        REQUIRE(number(to_leaf(x)) == n.first_leaf);
        REQUIRE(to_node(to_leaf(x)) == x);
      } else {
        REQUIRE(number(left(x)) == *n.left);
        REQUIRE(number(right(x)) == *n.right);
      }
      if (i != top) {
        REQUIRE(number(parent(x)) == *n.parent);
        REQUIRE(number(sibling(x)) == *n.sibling);
      }
    }
  }
}

TEST_CASE("a node covers the leaves below it, and the lowest that covers two is their common ancestor") {
  constexpr std::uint32_t leaves = 32;
  drawing d;
  d.draw(0, leaves);
  for (std::uint32_t a = 0; a < leaves; ++a) {
    for (const auto& [i, n] : d.nodes)
      REQUIRE(covers(node_index{i}, leaf_index{a}) == (n.first_leaf <= a && a <= n.last_leaf));
    for (std::uint32_t b = 0; b < leaves; ++b) {
      std::uint32_t x = 2 * a;
      while (b < d.nodes[x].first_leaf || b > d.nodes[x].last_leaf) x = *d.nodes[x].parent;
      INFO(a << " and " << b);
      REQUIRE(number(common_ancestor(leaf_index{a}, leaf_index{b})) == x);
    }
  }
}

TEST_CASE("the largest tree that is allowed fits the numbers") {
  constexpr leaf_index last{limits::leaves - 1};
  node_index x = to_node(last);
  unsigned steps = 0;
  for (; x != root(limits::leaves); x = parent(x), ++steps) REQUIRE(right(parent(x)) == x);
  CHECK(1U << steps == limits::leaves);
  CHECK(first_leaf(x) == leaf_index{0});
  CHECK(last_leaf(x) == last);
  CHECK(common_ancestor(leaf_index{0}, last) == x);
  CHECK(node_width(0) == 0);
}
