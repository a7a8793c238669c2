// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who is in a group: founding, adding, joining, updating, removing.
#include "support.hpp"

namespace mls_test {

namespace {

party_options in_format(wire_format handshakes) {
  party_options out;
  out.policy.handshakes = handshakes;
  return out;
}

std::vector<std::uint32_t> numbers(const std::vector<leaf_index>& leaves) {
  std::vector<std::uint32_t> out;
  for (const leaf_index i : leaves) out.push_back(number(i));
  return out;
}

using leaves = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("a founder is alone, and can still move the group on") {
  party p(1);
  CHECK(p[0].epoch_number() == 0);
  CHECK(p[0].own_leaf() == leaf_index{0});
  CHECK(p[0].tree().member_count() == 1);
  CHECK(as_text(p[0].group_id()) == "party");
  const observed before = observe(p[0]);
  const epoch_change change = p.commit(0);
  CHECK(change.epoch == 1);
  CHECK(change.committer == leaf_index{0});
  CHECK(change.added.empty());
  const observed after = observe(p[0]);
  CHECK(after.epoch == 1);
  CHECK(after.group_context != before.group_context);
  CHECK(after.authenticator != before.authenticator);
  CHECK(after.exported != before.exported);
}

TEST_CASE("members who were added by one commit agree with the committer") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  const bool tree_inside = GENERATE(true, false);
  const auto n = static_cast<std::size_t>(GENERATE(2, 3, 4, 5, 8, 9, 17));
  CAPTURE(format == wire_format::public_message, tree_inside, n);
  party_options options = in_format(format);
  options.policy.tree_in_welcome = tree_inside;
  party p(n, options);
  CHECK(p[0].epoch_number() == 1);
  CHECK(p.inside().size() == n);
  CHECK(p.disagreement() == "");
  for (std::size_t i = 0; i < n; ++i) CHECK(number(p.leaf(i)) == i);
  // everybody can send to everybody at once, with and without a path
  p.commit(n - 1);
  CHECK(p.disagreement() == "");
  p.commit(0, {{p.arrive()}, {}, false});
  CHECK(p.disagreement() == "");
  p.commit(n, {{p.arrive()}, {}, true});
  CHECK(p.disagreement() == "");
}

TEST_CASE("a joiner without the tree cannot join, and can once it has the tree") {
  party_options options;
  options.policy.tree_in_welcome = false;
  party p(2, options);
  const std::size_t late = p.arrive();
  auto pending = p.prepare(0, {{late}, {}});
  const bytes welcome = to_bytes(pending.welcome()), tree = pending.ratchet_tree(),
              message = to_bytes(pending.message());
  person& joiner = p.who(late);
  const auto join = [&](std::optional<byte_view> with_tree) {
    join_options beside;
    beside.ratchet_tree = with_tree;
    return group::join(p.env, joiner.who.clone(), *std::move(joiner.package), welcome, beside, options.policy);
  };
  check_fails(join(std::nullopt), errc::refused, rules::tree_available);
  check_fails(join(byte_view{tree}.first(tree.size() - 1)), errc::malformed, conclave::rules::complete_field);
  check_fails(join(p[0].ratchet_tree_items()), errc::refused, rules::tree_hash_matches);
  // the key package was not used up
  p.deliver(0, message);
  must(p[0].apply(std::move(pending)));
  joiner.room.emplace(must(join(tree)));
  CHECK(p.disagreement() == "");
  // the joiner, too, may be sent the commit that added it
  check_fails(p[late].process(message), errc::stale_epoch, rules::current_epoch);
}

TEST_CASE("a Welcome is for the key package it names, once") {
  party p(2);
  const std::size_t first = p.arrive(), second = p.arrive();
  (void)p.package(second);
  auto pending = p.prepare(0, {{first}, {}});
  const bytes welcome = to_bytes(pending.welcome());
  const auto join = [&](std::size_t i, std::span<const byte_view> current_groups) {
    join_options beside;
    beside.current_groups = current_groups;
    return group::join(p.env, p.who(i).who.clone(), *std::move(p.who(i).package), welcome, beside, {});
  };
  check_fails(join(second, {}), errc::unknown_key, rules::welcome_for_me);
  const byte_view id = p[0].group_id();
  check_fails(join(first, {&id, 1}), errc::refused, rules::group_id_unique);
  CHECK(join(first, {}).has_value());
  // its private keys are gone now
  check_fails(join(first, {}), errc::misuse);
}

TEST_CASE("every suite that is served carries a group through its life") {
  std::size_t served = 0;
  for (std::uint16_t id = 1; id <= 7; ++id) {
    if (!basic_suite<default_provider>::make(cipher_suite{id})) continue;
    ++served;
    CAPTURE(id);
    party_options options;
    options.suite = cipher_suite{id};
    party p(3, options);
    p.commit(1);
    p.deliver(2, must(p[2].propose_update(p.env)));
    p.commit(1, {{p.arrive()}, {}});
    p.commit(3, {{}, {0}});
    CHECK(p.disagreement() == "");
    CHECK(p.inside() == std::vector<std::size_t>{1, 2, 3});
    const bytes message = must(p[3].protect(p.env, as_bytes("hello"), {}));
    for (event& e : p.deliver(3, message)) CHECK(text_of(as<application_message>(std::move(e))) == "hello");
  }
  CHECK(served >= 2);
}

TEST_CASE("proposals are committed by reference by whoever commits next") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(6, in_format(format));
  const std::size_t newcomer = p.arrive();
  const std::vector<bytes> proposals{must(p[1].propose_add(p.env, p.package(newcomer))),
                                     must(p[2].propose_remove(p.env, p.leaf(4))), must(p[3].propose_update(p.env))};
  std::size_t from = 1;
  for (const bytes& proposal : proposals) {
    for (event& e : p.deliver(from, proposal)) CHECK(as<received_proposal>(std::move(e)).reference.size() == 32);
    ++from;
  }
  CHECK(p.disagreement() == "");
  CHECK(p[0].pending_proposals() == 3);
  const bytes key_before = to_bytes(p[0].tree().encryption_key(to_node(leaf_index{3})));

  const epoch_change change = p.commit(0);
  CHECK(numbers(change.added) == leaves{4});  // the leftmost blank leaf, which this very commit has freed
  CHECK(numbers(change.removed) == leaves{4});
  CHECK(numbers(change.updated) == leaves{3});
  CHECK(p.inside() == std::vector<std::size_t>{0, 1, 2, 3, 5, newcomer});
  CHECK(p[0].pending_proposals() == 0);
  CHECK(to_bytes(p[0].tree().encryption_key(to_node(leaf_index{3}))) != key_before);
  CHECK(p.disagreement() == "");
  // the updater's new key is the one the next path is sealed to
  p.commit(newcomer);
  p.commit(3);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a member's own proposals do not stop its own commit") {
  party p(3);
  // neither its own Update nor somebody's wish that it leave can be part of its commit
  p.deliver(0, must(p[0].propose_update(p.env)));
  p.deliver(1, must(p[1].propose_remove(p.env, p.leaf(0))));
  const epoch_change change = p.commit(0);
  CHECK(change.updated.empty());
  CHECK(change.removed.empty());
  CHECK(p.inside().size() == 3);
  CHECK(p[1].pending_proposals() == 0);
  CHECK(p.disagreement() == "");
}

TEST_CASE("of proposals that exclude each other the committer takes what fits") {
  party p(5);
  SECTION("a Remove beats the Update of its leaf") {
    p.deliver(2, must(p[2].propose_update(p.env)));
    p.deliver(1, must(p[1].propose_remove(p.env, p.leaf(2))));
    const epoch_change change = p.commit(0);
    CHECK(change.updated.empty());
    CHECK(numbers(change.removed) == leaves{2});
  }
  SECTION("the last Update of a leaf counts") {
    p.deliver(2, must(p[2].propose_update(p.env)));
    p.deliver(2, must(p[2].propose_update(p.env)));
    CHECK(numbers(p.commit(0).updated) == leaves{2});
    p.commit(1);  // opens for the updater with its second key only
  }
  SECTION("two Removes of one leaf are one") {
    p.deliver(1, must(p[1].propose_remove(p.env, p.leaf(4))));
    p.deliver(2, must(p[2].propose_remove(p.env, p.leaf(4))));
    CHECK(numbers(p.commit(0, {{}, {4}}).removed) == leaves{4});
  }
  SECTION("two Adds of one key package are one") {
    const std::size_t newcomer = p.arrive();
    p.deliver(1, must(p[1].propose_add(p.env, p.package(newcomer))));
    p.deliver(2, must(p[2].propose_add(p.env, p.package(newcomer))));
    CHECK(numbers(p.commit(0).added) == leaves{5});
  }
  SECTION("somebody who was added meanwhile is not added again") {
    const std::size_t newcomer = p.arrive();
    const bytes package = to_bytes(p.package(newcomer));
    p.commit(0, {{newcomer}, {}});
    const bytes proposal = must(p[1].propose_add(p.env, package));
    p.deliver(1, proposal);
    CHECK(p.commit(0).added.empty());
  }
  CHECK(p.disagreement() == "");
}

TEST_CASE("whoever is removed learns that and nothing more") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(4, in_format(format));
  auto pending = p.prepare(0, {{}, {2}});
  const bytes message = to_bytes(pending.message());
  const epoch_change seen = as<epoch_change>(must(p[2].process(message)));
  CHECK(seen.removed_me);
  CHECK(seen.epoch == 2);
  CHECK(numbers(seen.removed) == leaves{2});
  group& out = p[2];
  CHECK_FALSE(out.active());
  CHECK(out.authenticator().empty());
  bytes exported(32, 7);
  check_fails(out.export_secret("test", {}, exported), errc::misuse);
  check_fails(out.protect(p.env, as_bytes("still here"), {}), errc::misuse);
  check_fails(out.commit(p.env, {}), errc::misuse);
  check_fails(out.propose_remove(p.env, leaf_index{1}), errc::misuse);
  check_fails(out.propose_update(p.env), errc::misuse);
  check_fails(out.process(message), errc::misuse);

  p.publish(0, std::move(pending));
  CHECK(p.disagreement() == "");
  CHECK_FALSE(p[0].tree().contains(leaf_index{2}));
  // what is sent from now on does not open for it: there is no group left that could
  CHECK(p.inside() == std::vector<std::size_t>{0, 1, 3});
}

TEST_CASE("the tree shrinks when its right half empties, and leaves are used again from the left") {
  party p(9);
  CHECK(p[0].tree().leaf_count() == 16);
  p.commit(0, {{}, {8}});
  CHECK(p[0].tree().leaf_count() == 8);
  p.commit(7, {{}, {1, 2, 4, 5, 6}});
  CHECK(p[0].tree().leaf_count() == 8);
  const epoch_change change = p.commit(3, {{p.arrive(), p.arrive()}, {}});
  CHECK(numbers(change.added) == leaves{1, 2});
  p.commit(0, {{}, {7, 9, 10}});
  CHECK(p[0].tree().leaf_count() == 4);
  p.commit(3, {{}, {0}});
  CHECK(p[3].tree().leaf_count() == 4);  // leaf 3 stays where it is
  CHECK(p[3].tree().member_count() == 1);
  p.commit(3, {{p.arrive()}, {}});
  CHECK(p.disagreement() == "");
}

TEST_CASE("removing and adding in one commit puts the newcomer into the place that became free") {
  party p(4);
  const epoch_change change = p.commit(0, {{p.arrive()}, {3}});
  CHECK(numbers(change.added) == leaves{3});
  CHECK(numbers(change.removed) == leaves{3});
  CHECK(p[4].own_leaf() == leaf_index{3});
  CHECK(p.disagreement() == "");
}

TEST_CASE("somebody who was removed can come back with the same key, even in the same commit") {
  party p(3);
  p.commit(0, {{}, {1}});
  p.who(1).room.reset();
  p.commit(0, {{1}, {}});
  CHECK(p.inside().size() == 3);
  // a fresh key package of a member who has lost its state: out and in again at once
  const leaf_index old = p.leaf(2);
  p.who(2).room.reset();
  const byte_view add = p.package(2);
  auto pending = must(p[0].commit(p.env, {{&add, 1}, {&old, 1}, {}, true}));
  p.publish(0, std::move(pending));
  CHECK(p.inside().size() == 3);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a commit that asks for what is not allowed fails before anybody sees it") {
  party p(3);
  const std::size_t newcomer = p.arrive();
  const auto attempt = [&](std::vector<byte_view> add, std::vector<leaf_index> remove) {
    return p[0].commit(p.env, {add, remove, {}, true});
  };
  const bytes before = whole_state(p[0]);
  check_fails(attempt({}, {p.leaf(0)}), errc::refused, rules::removes_committer);
  check_fails(attempt({}, {leaf_index{3}}), errc::refused, rules::remove_target);   // blank
  check_fails(attempt({}, {leaf_index{77}}), errc::refused, rules::remove_target);  // outside the tree
  check_fails(attempt({}, {leaf_index{0xffffffff}}), errc::refused, rules::remove_target);
  check_fails(attempt({}, {leaf_index{1}, leaf_index{1}}), errc::refused, rules::one_change_per_leaf);
  const byte_view package = p.package(newcomer);
  check_fails(attempt({package, package}, {}), errc::refused, rules::unique_keys);
  const auto again = make_package(p.env, p.who(1).who);  // another key package of a member
  check_fails(attempt({again.message}, {}), errc::refused, rules::unique_keys);
  const auto other_suite =
      make_package(p.env, p.who(newcomer).who, cipher_suite::mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519);
  check_fails(attempt({other_suite.message}, {}), errc::refused, rules::key_package_suite);
  check_fails(attempt({byte_view{package}.first(package.size() - 1)}, {}), errc::malformed);
  check_fails(attempt({as_bytes("")}, {}), errc::malformed);
  p.env.advance(std::chrono::hours{25});
  check_fails(attempt({package}, {}), errc::refused, rules::lifetime_is_current);
  check_fails(p[0].propose_add(p.env, package), errc::refused, rules::lifetime_is_current);
  check_fails(p[0].propose_remove(p.env, leaf_index{3}), errc::refused, rules::remove_target);
  CHECK((whole_state(p[0]) == before));
  p.commit(0);
  CHECK(p.disagreement() == "");
}

TEST_CASE("an expired key package in somebody else's commit is no reason to leave the group") {
  // whose clock is right? Members must not part ways about that (lifetimes are checked when sending an Add)
  party p(3);
  auto pending = p.prepare(0, {{p.arrive()}, {}});
  p.env.advance(std::chrono::hours{25});
  p.publish(0, std::move(pending));
  CHECK(p.inside().size() == 4);
  CHECK(p.disagreement() == "");
}

TEST_CASE("exported secrets depend on label, context, length and epoch") {
  party p(2);
  const auto exported = [&](std::size_t i, std::string_view label, std::string_view context, std::size_t size) {
    bytes out(size);
    must(p[i].export_secret(label, as_bytes(context), out));
    return out;
  };
  const bytes one = exported(0, "a", "x", 32);
  CHECK(one == exported(1, "a", "x", 32));
  CHECK(one != exported(0, "b", "x", 32));
  CHECK(one != exported(0, "a", "y", 32));
  bytes longer = exported(0, "a", "x", 64);
  longer.resize(32);
  CHECK(one != longer);  // the length is part of the derivation
  bytes most(255 * 32), too_long(255 * 32 + 1);
  CHECK(p[0].export_secret("a", {}, most).has_value());
  check_fails(p[0].export_secret("a", {}, too_long), errc::misuse);
  p.commit(0);
  CHECK(one != exported(0, "a", "x", 32));
}

}  // namespace mls_test
