// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Integrity of a whole ratchet tree, as a joiner checks it (RFC 9420, sections 7.9.2 and 12.4.3.1). Linear in the
/// tree.
#pragma once

#include <conclave/mls/group_policy.hpp>
#include <conclave/mls/leaf_validation.hpp>
#include <conclave/mls/ratchet_tree.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

namespace detail_tree {

[[nodiscard]] inline std::vector<leaf_index> to_vector(const wire::list<leaf_index>& list) {
  std::vector<leaf_index> out;
  out.reserve(list.size());
  for (const leaf_index i : list) out.push_back(i);
  return out;
}

/// below(sorted, x): those of ascending leaves that lie below x.
[[nodiscard]] inline std::span<const leaf_index> below(std::span<const leaf_index> sorted, node_index x) {
  const auto from = std::ranges::lower_bound(sorted, first_leaf(x));
  const auto to = std::ranges::upper_bound(sorted, last_leaf(x));
  return {from, to};
}

/// original_tree_hash: the tree hash of x with some leaves below it blanked and dropped from unmerged_leaves.
template <crypto_provider P>
[[nodiscard]] digest original_tree_hash(ratchet_tree<P>& tree, node_index x, std::span<const leaf_index> without) {
  without = below(without, x);
  if (without.empty()) return tree.tree_hash(x);
  tree_hash_input input;
  if (is_leaf(x)) {
    input.leaf(to_leaf(x), {});
    return tree.suite().hash(input.parts());
  }
  const digest l = original_tree_hash(tree, left(x), without), r = original_tree_hash(tree, right(x), without);
  if (tree.blank(x)) {
    input.parent({}, l, r);
    return tree.suite().hash(input.parts());
  }
  parent_node value = tree.parent(x);
  const auto unmerged = to_vector(value.unmerged_leaves);
  std::vector<leaf_index> kept;
  std::ranges::set_difference(unmerged, without, std::back_inserter(kept));
  const bytes items = wire::encode_items(kept);
  value.unmerged_leaves = wire::list<leaf_index>::of(items, kept.size());
  const bytes encoded = wire::encode(value);
  input.parent(encoded, l, r);
  return tree.suite().hash(input.parts());
}

/// parent_hash_field(x): of a parent, or of a leaf that came with a commit; empty for other leaves.
template <crypto_provider P>
[[nodiscard]] byte_view parent_hash_field(const ratchet_tree<P>& tree, node_index x) {
  return is_leaf(x) ? tree.leaf(to_leaf(x))->parent_hash : tree.parent(x).parent_hash;
}

/// chained(child, value, unmerged): true where exactly one node D below this child of a parent with this value makes
/// the parent parent-hash valid (7.9.2). The resolution of the child must be D and the unmerged leaves below it, which
/// leaves one candidate for D.
template <crypto_provider P>
[[nodiscard]] bool chained(ratchet_tree<P>& tree, node_index child, const parent_node& value,
                           std::span<const leaf_index> unmerged) {
  std::vector<node_index> resolution;
  tree.append_resolution(child, resolution);
  const auto listed = below(unmerged, child);  // known_in_between: all of them are in the resolution
  std::erase_if(resolution, [&](node_index x) { return is_leaf(x) && std::ranges::binary_search(listed, to_leaf(x)); });
  if (resolution.size() != 1) return false;
  const byte_view field = parent_hash_field(tree, resolution.front());
  const node_index copath = sibling(child);
  const digest original = original_tree_hash(tree, copath, unmerged);
  const digest expected_hash = parent_hash(tree.suite(), value.encryption_key, value.parent_hash, original.view());
  return equal(field, expected_hash.view());
}

}  // namespace detail_tree

/// known_in_between(x, unmerged): each non-blank parent from x downwards on the way to one of these leaves lists it;
/// the walk ends at the first, which answers for those below it.
template <crypto_provider P>
[[nodiscard]] status known_in_between(const ratchet_tree<P>& tree, node_index x, std::span<const leaf_index> unmerged) {
  if (unmerged.empty() || is_leaf(x)) return {};
  if (!tree.blank(x)) {
    const auto listed = detail_tree::to_vector(tree.parent(x).unmerged_leaves);
    if (!std::ranges::includes(listed, unmerged)) return failure{errc::refused, rules::unmerged_in_between};
    return {};
  }
  CONCLAVE_CHECK(known_in_between(tree, left(x), detail_tree::below(unmerged, left(x))));
  return known_in_between(tree, right(x), detail_tree::below(unmerged, right(x)));
}

/// valid_parents(tree): every parent that is not blank has a valid public key, ordered unmerged leaves that are members
/// below it and known to the nodes in between, and exactly one parent-hash chain. Fills the tree's hash cache.
template <crypto_provider P>
[[nodiscard]] status valid_parents(ratchet_tree<P>& tree) {
  const auto kem = tree.suite().hpke_suite().kem;
  for (std::uint32_t i = 1; i < tree.node_count(); i += 2) {
    const node_index p{i};
    if (tree.blank(p)) continue;
    const parent_node value = tree.parent(p);
    if (!P::dh_check_public_key(kem, value.encryption_key)) return failure{errc::malformed, rules::valid_public_key};
    const auto unmerged = detail_tree::to_vector(value.unmerged_leaves);
    if (std::ranges::adjacent_find(unmerged, std::ranges::greater_equal{}) != unmerged.end())
      return failure{errc::malformed, rules::unmerged_ascending};
    for (const leaf_index leaf : unmerged)
      if (!covers(p, leaf) || !tree.contains(leaf)) return failure{errc::refused, rules::unmerged_leaf_below};
    // the next non-blank parent above must list what lies unmerged below it in the nodes in between: seen from there
    for (const node_index child : {left(p), right(p)}) {
      if (is_leaf(child)) continue;
      CONCLAVE_CHECK(known_in_between(tree, child, detail_tree::below(unmerged, child)));
    }
    const bool by_left = detail_tree::chained(tree, left(p), value, unmerged);
    const bool by_right = detail_tree::chained(tree, right(p), value, unmerged);
    if (by_left == by_right) return failure{errc::refused, rules::parent_hash_valid};
  }
  return {};
}

/// valid_tree(tree, group_id, extensions, policy): the whole tree, as a new member checks it. Linear in the tree;
/// signatures come last, some thousands in one call: more at once gain nothing, and take memory.
template <crypto_provider P>
[[nodiscard]] status valid_tree(ratchet_tree<P>& tree, byte_view group_id, const extension_list& extensions,
                                const group_policy& policy) {
  CONCLAVE_CHECK(valid_parents(tree));
  status verdict;
  tree.for_each_leaf([&](leaf_index i) {
    if (!verdict) return;
    const auto leaf = tree.leaf(i);
    verdict = valid_leaf(tree.suite(), leaf.value, leaf->source, extensions, policy.max_lifetime);
    if (!tree.all_credential_types([&](credential_type t) { return leaf->capabilities.supports(t); }))
      verdict = failure{errc::refused, rules::credential_supported_by_all};
  });
  constexpr std::size_t at_once = 4096;
  signature_batch<P> signatures(tree.suite());
  tree.for_each_leaf([&](leaf_index i) {
    if (!verdict) return;
    signatures.add_leaf(tree.leaf(i), group_id, i);
    if (signatures.size() < at_once) return;
    verdict = signatures.verify(policy.workers);
    signatures.clear();
  });
  CONCLAVE_CHECK(verdict);
  return signatures.verify(policy.workers);
}

}  // namespace conclave::mls
