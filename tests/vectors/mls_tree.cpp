// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// tree-operations and tree-validation.
#include "mls.hpp"

#include <conclave/mls/proposal.hpp>
#include <conclave/mls/tree_validation.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

using tree = ratchet_tree<provider>;
constexpr hash_seed seed{1, 2, 3};

/// The content of a ratchet_tree extension, without its length header.
bytes items_of(const json& c, const char* name) {
  const bytes encoded = hex(c, name);
  reader in{encoded};
  const byte_view items = succeeds(in.opaque(), name);
  succeeds(in.finish(), name);
  return to_bytes(items);
}

void apply(tree& t, const proposal& p, leaf_index sender) {
  switch (p.type) {
    case proposal_type::add: {
      const std::array leaves{p.add->leaf.encoded};
      (void)succeeds(t.add_leaves(leaves), "add_leaves");
      return;
    }
    case proposal_type::update: return t.update_leaf(sender, p.update.encoded);
    case proposal_type::remove:
      expect(t.contains(p.remove), "there is no leaf to remove");
      t.remove_leaf(p.remove);
      return t.truncate();
    default: throw mismatch("neither Add nor Update nor Remove");
  }
}

}  // namespace

void tree_operations(const json& c) {
  const suite s = suite_of(c);
  const bytes before = items_of(c, "tree_before"), after = items_of(c, "tree_after"), encoded = hex(c, "proposal");
  tree original = succeeds(tree::import(s, seed, before), "tree_before");
  expect_equal(original.encode_items(), before, "tree_before, encoded again");
  expect_equal(original.tree_hash(), hex(c, "tree_hash_before"), "tree_hash_before");

  tree changed = original;
  apply(changed, succeeds(wire::decode<proposal>(encoded), "proposal"),
        leaf_index{c.at("proposal_sender").get<std::uint32_t>()});
  expect_equal(changed.encode_items(), after, "tree_after");
  expect_equal(changed.tree_hash(), hex(c, "tree_hash_after"), "tree_hash_after");

  // the copy that was changed shares its pages with the original
  expect_equal(original.encode_items(), before, "tree_before after a copy was changed");
  expect_equal(succeeds(tree::import(s, seed, after), "tree_after").tree_hash(), hex(c, "tree_hash_after"),
               "tree hash of tree_after");
}

void tree_validation(const json& c) {
  const suite s = suite_of(c);
  const bytes items = items_of(c, "tree"), group_id = hex(c, "group_id");
  tree t = succeeds(tree::import(s, seed, items), "tree");
  expect_equal(t.encode_items(), items, "tree, encoded again");

  const json &resolutions = c.at("resolutions"), &hashes = c.at("tree_hashes");
  expect_equal(resolutions.size(), std::size_t{t.node_count()}, "number of resolutions");
  expect_equal(hashes.size(), std::size_t{t.node_count()}, "number of tree hashes");
  for (std::uint32_t i = 0; i < t.node_count(); ++i) {
    std::vector<node_index> resolution;
    t.append_resolution(node_index{i}, resolution);
    const bool same = std::ranges::equal(resolution, resolutions[i].get<std::vector<std::uint32_t>>(), {},
                                         [](node_index x) { return number(x); });
    expect(same, "resolution of node " + std::to_string(i));
    expect_equal(t.tree_hash(node_index{i}), from_hex(hashes[i].get<std::string>()),
                 "tree hash of node " + std::to_string(i));
  }
  succeeds(valid_parents(t), "parent hashes");

  signature_batch<provider> signatures(s), foreign(s);
  t.for_each_leaf([&](leaf_index i) {
    const located_leaf leaf = t.leaf(i);
    signatures.add_leaf(leaf, group_id, i);
    if (leaf->source != leaf_node_source::key_package) foreign.add_leaf(leaf, as_bytes("another group"), i);
  });
  succeeds(signatures.verify(), "leaf signatures");
  fails(foreign.verify(), errc::unauthentic, "the leaves' signatures in another group");
}

}  // namespace conclave_vectors::mls_kinds
