// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Bugs of other implementations in the ratchet tree, as tests: what they accepted is refused, what they refused is
/// accepted.
#include "invitation.hpp"

#include <set>

namespace mls_test {

namespace {

/// The parents of the tree that a newcomer gets.
std::vector<node_index> parents_of(invitation& in) {
  std::vector<node_index> out;
  const auto& tree = in.mallory.state().tree;
  for (std::uint32_t i = 1; i < tree.node_count(); i += 2)
    if (!tree.blank(node_index{i})) out.push_back(node_index{i});
  return out;
}

/// The honest tree is accepted; with any one of its parents changed it is not.
void every_parent_counts(invitation& in) {
  REQUIRE(in.join(in.mallory.welcome(in.package, {})).has_value());
  const bytes other_hash(32, 5), other_key(32, 6);
  for (const node_index x : parents_of(in)) {
    CAPTURE(number(x));
    const auto refused = [&](auto&& change) {
      in.refused_tree([&](ratchet_tree<provider>& t) { change_parent(t, x, change); }, errc::refused,
                      rules::parent_hash_valid);
    };
    refused([&](parent_node& n) { n.encryption_key = other_key; });
    refused([&](parent_node& n) { n.parent_hash = other_hash; });
    if (x != in.mallory.state().tree.top()) refused([](parent_node& n) { n.parent_hash = {}; });
  }
}

/// Somebody else's leaf, valid by itself, in the place of another.
void replace_leaf(invitation& in, ratchet_tree<provider>& t, leaf_index i) {
  package_draft other(in.p);
  t.set_leaf(i, other.leaf.encode(in.p.env));
}

std::vector<leaf_index> unmerged_at(const ratchet_tree<provider>& t, node_index x) {
  std::vector<leaf_index> out;
  const parent_node value = t.parent(x);
  for (const leaf_index i : value.unmerged_leaves) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE("bug: an empty parent_hash is accepted") {
  scene s;
  for (const bool with_add : {false, true}) {
    package_draft newcomer(s.p);
    const auto package = newcomer.encode(s.p.env);
    commit_draft commit;
    if (with_add) commit.proposals = {add_of(package)};
    commit.leaf = [](leaf_draft& l) { l.parent_hash.clear(); };
    s.refused(s.mallory.commit(commit), errc::refused, rules::leaf_parent_hash);
  }
  s.go_on();
}

TEST_CASE("bug: the parent-hash check stops at the first chain to the root") {
  // parents that lie on no chain of the last committer, each with a fault of its own
  invitation in(17);
  every_parent_counts(in);
}

TEST_CASE("bug: parent hashes across blank nodes in between") {
  // leaf 9 left, and 12 has committed since: above 8 and 10 two nodes are blank under one that is not
  invitation in(18, [](party& p) {
    p.commit(0, {{}, {9}});
    p.commit(12);
    p.commit(16);
  });
  const auto& t = in.mallory.state().tree;
  const node_index quarter = parent(parent(to_node(leaf_index{8}))), half = parent(quarter);
  REQUIRE((t.blank(quarter) && !t.blank(half)));
  every_parent_counts(in);
  // a leaf below the blank ones is covered by the hash above them
  in.refused_tree([&](ratchet_tree<provider>& tree) { replace_leaf(in, tree, leaf_index{8}); }, errc::refused,
                  rules::parent_hash_valid);
}

TEST_CASE("bug: parent hashes over different sets of unmerged leaves") {
  // newcomers come to 9 and, after 14 has committed, to 13
  invitation in(19, [](party& p) {
    p.commit(0, {{}, {9, 13}});
    p.commit(12);
    p.commit(10);
    p.commit(0, {{p.arrive()}, {}, false});
    p.commit(14);
    p.commit(0, {{p.arrive()}, {}, false});
  });
  const auto& t = in.mallory.state().tree;
  const node_index lower = parent(parent(to_node(leaf_index{8}))), upper = parent(lower);
  REQUIRE(unmerged_at(t, lower) == std::vector{leaf_index{9}});
  REQUIRE(unmerged_at(t, upper) == std::vector{leaf_index{13}});
  every_parent_counts(in);
  // 9 is unmerged below, and yet covered by what 14 has signed
  in.refused_tree([&](ratchet_tree<provider>& tree) { replace_leaf(in, tree, leaf_index{9}); }, errc::refused,
                  rules::parent_hash_valid);
  // nobody may be declared unmerged, or merged, afterwards
  for (const bool more : {true, false}) {
    CAPTURE(more);
    in.refused_tree(
        [&](ratchet_tree<provider>& tree) {
          const node_index x = more ? upper : lower;
          auto list = unmerged_at(tree, x);
          if (more)
            list.insert(list.begin(), leaf_index{9});
          else
            std::erase(list, leaf_index{9});
          const bytes items = wire::encode_items(list);
          const auto count = list.size();
          change_parent(tree, x, [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, count); });
        },
        errc::refused, rules::parent_hash_valid);
  }
}

TEST_CASE("bug: parent hashes beside an empty left subtree") {
  // nobody is left at 8 to 11, so that the chain from 12 skips the node above all of them
  invitation in(17, [](party& p) {
    p.commit(0, {{}, {1, 2, 8, 9, 10, 11}});
    p.commit(13);
  });
  const auto& t = in.mallory.state().tree;
  const node_index empty = parent(parent(to_node(leaf_index{8})));
  REQUIRE((t.occupied(empty) == 0 && t.blank(parent(empty)) && !t.blank(sibling(empty))));
  every_parent_counts(in);
}

TEST_CASE("bug: unmerged leaves out of order or twice") {
  invitation in(17);
  const node_index top = in.mallory.state().tree.top();
  const std::vector<std::vector<leaf_index>> wrong{{leaf_index{18}, leaf_index{17}},
                                                   {leaf_index{17}, leaf_index{17}, leaf_index{18}},
                                                   {leaf_index{17}, leaf_index{18}, leaf_index{18}}};
  for (const auto& list : wrong)
    in.refused_tree(
        [&](ratchet_tree<provider>& t) {
          const bytes items = wire::encode_items(list);
          change_parent(t, top,
                        [&](parent_node& n) { n.unmerged_leaves = wire::list<leaf_index>::of(items, list.size()); });
        },
        errc::malformed, rules::unmerged_ascending);
}

TEST_CASE("bug: a tree with an even number of nodes") {
  // the last leaf is missing, and the parent above it ends the list
  invitation in;
  const bytes key(32, 3);
  in.refused_tree(
      [&](ratchet_tree<provider>& t) {
        t.remove_leaf(leaf_index{7});
        t.set_parent(parent(to_node(leaf_index{7})), {key, {}, {}});
        const bytes items = t.encode_items();
        REQUIRE(must(wire::list<std::optional<node>>::check(items)).size() == 14);
      },
      errc::refused, rules::parent_hash_valid);
  // blank nodes behind the last leaf; nothing at all; a lonely parent
  in.refused_items([](bytes& items) { items.push_back(0); }, errc::malformed, rules::last_node_not_blank);
  in.refused_items([](bytes& items) { items.clear(); }, errc::over_limit, rules::tree_size);
  in.refused_items(
      [&](bytes& items) {
        items = {0};
        writer w{items};
        w.number(std::uint8_t{1});
        wire::write(w, node_type::parent);
        wire::write(w, parent_node{key, {}, {}});
      },
      errc::refused, rules::parent_hash_valid);
}

TEST_CASE("bug: a leaf stands in a parent's place") {
  invitation in;
  in.refused_items(
      [&](bytes& items) {
        reader r{items};
        must(wire::read<std::optional<node>>(r));
        const bytes first(items.begin(), items.end() - static_cast<std::ptrdiff_t>(r.rest().size()));
        items.insert(items.begin(), first.begin(), first.end());
      },
      errc::malformed, rules::node_type_by_position);
}

TEST_CASE("bug: the index of keys diverges from the tree by the committer's own path") {
  party p(5);
  const bytes old_key = to_bytes(p[0].tree().encryption_key(to_node(leaf_index{0})));
  p.commit(0);
  forger mallory(p);  // added by 0, who commits a second path
  std::vector<bytes> in_use;
  for (node_index x = to_node(leaf_index{0});; x = parent(x)) {
    if (!p[0].tree().blank(x)) in_use.push_back(to_bytes(p[0].tree().encryption_key(x)));
    if (x == p[0].tree().top()) break;
  }
  REQUIRE(in_use.size() == 4);
  for (const bytes& key : in_use) {
    package_draft copycat(p);
    copycat.leaf.encryption_key = key;
    const auto package = copycat.encode(p.env);
    commit_draft commit;
    commit.proposals = {add_of(package)};
    commit.path = false;
    const bytes message = mallory.commit(commit);
    for (std::size_t i = 0; i < 5; ++i) {
      const bytes before = whole_state(p[i]);
      check_fails(p[i].process(message), errc::refused, rules::unique_keys);
      CHECK((whole_state(p[i]) == before));
    }
  }
  // a key that is not in the tree any more is free again
  package_draft reuse(p);
  reuse.leaf.encryption_key = old_key;
  const auto package = reuse.encode(p.env);
  commit_draft commit;
  commit.proposals = {add_of(package)};
  commit.path = false;
  const bytes message = mallory.commit(commit);
  for (std::size_t i = 0; i < 5; ++i) CHECK(p[i].process(message).has_value());
}

TEST_CASE("bug: the tree is cut after each Remove, before the Adds of the same commit") {
  const std::vector<std::size_t> leavers =
      GENERATE(std::vector<std::size_t>{8, 7, 6, 5, 4}, std::vector<std::size_t>{4, 5, 6, 7, 8},
               std::vector<std::size_t>{6, 8, 4, 7, 5});
  const bool by_reference = GENERATE(false, true);
  party p(9);
  for (std::size_t i = 0; i < 9; ++i) p.commit(i);
  changes what;
  for (int n = 0; n < 3; ++n) what.add.push_back(p.arrive());
  if (by_reference)
    for (const std::size_t i : leavers) p.deliver(1, must(p[1].propose_remove(p.env, p.leaf(i))));
  else
    what.remove = leavers;
  const epoch_change change = p.commit(0, what);
  CHECK(change.added == std::vector{leaf_index{4}, leaf_index{5}, leaf_index{6}});
  CHECK(change.removed.size() == leavers.size());
  CHECK(p[0].tree().leaf_count() == 8);
  CHECK(p.inside().size() == 7);
  CHECK(p.disagreement() == "");
}

}  // namespace mls_test
