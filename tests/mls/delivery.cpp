// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the delivery service can do to a group: drop, reorder and race; and what a failing machine can.
#include "support.hpp"

#include <iostream>
#include <map>
#include <set>

namespace mls_test {

namespace {

party_options with(wire_format handshakes, std::uint64_t seed = 1) {
  party_options out;
  out.seed = seed;
  out.policy.handshakes = handshakes;
  return out;
}

/// fails_cleanly(p, i, operation): the operation fails at each single call for randomness, one after the other, without
/// a trace in the group of person i, until it has all it needs. Returns how many calls that is.
template <class F>
std::uint64_t fails_cleanly(party& p, std::size_t i, F&& operation) {
  const observed before = observe(p[i]);
  for (std::uint64_t calls = 0;; ++calls) {
    REQUIRE(calls < 100);
    p.env.fail_after(calls);
    const auto outcome = operation();
    p.env.recover();
    if (outcome) return calls;
    CAPTURE(calls);
    check_fails(outcome, errc::no_entropy);
    CHECK(observe(p[i]) == before);
  }
}

}  // namespace

TEST_CASE("a pending commit that is dropped is rolled back") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(4, with(format));
  p.deliver(1, must(p[1].propose_update(p.env)));
  const observed before = observe(p[0]);
  for (int i = 0; i < 3; ++i) {
    const auto dropped = p.prepare(0, {{p.arrive()}, {3}});
    CHECK(observe(p[0]) == before);
  }
  // what it had received waits for the next commit, whoever makes it
  CHECK(p.commit(0).updated == std::vector{leaf_index{1}});
  CHECK(p.disagreement() == "");
}

TEST_CASE("of two commits for one epoch the first counts, and the loser tries again") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(4, with(format));
  auto fast = p.prepare(1, {{p.arrive()}, {}});
  auto slow = p.prepare(2, {{}, {3}});
  const bytes lost = to_bytes(slow.message());
  p.publish(1, std::move(fast));
  const bytes before = whole_state(p[2]);
  check_fails(p[2].apply(std::move(slow)), errc::stale_epoch, rules::current_epoch);
  CHECK((whole_state(p[2]) == before));
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{4}})
    check_fails(p[i].process(lost), errc::stale_epoch, rules::current_epoch);
  p.commit(2, {{}, {3}});
  CHECK(p.inside() == std::vector<std::size_t>{0, 1, 2, 4});
  CHECK(p.disagreement() == "");
}

TEST_CASE("a commit that is prepared in one epoch is stale in all later ones") {
  party p(3);
  auto old = p.prepare(0);
  p.commit(1);
  p.commit(2);
  check_fails(p[0].apply(std::move(old)), errc::stale_epoch, rules::current_epoch);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a pending commit is for the group object that made it") {
  party p(3);
  auto theirs = p.prepare(1);
  const bytes before = whole_state(p[0]);
  check_fails(p[0].apply(std::move(theirs)), errc::misuse);
  CHECK((whole_state(p[0]) == before));
  party_options options;
  options.seed = 2;
  party q(3, options);
  check_fails(q[0].apply(p.prepare(0)), errc::stale_epoch, rules::current_epoch);
  p.commit(1);
  CHECK(p.disagreement() == "");
}

TEST_CASE("two members remove each other: who comes first stays") {
  party p(3);
  auto remover = p.prepare(0, {{}, {1}});
  auto removed = p.prepare(1, {{}, {0}});
  p.publish(0, std::move(remover));
  CHECK_FALSE(p[1].active());
  check_fails(p[1].apply(std::move(removed)), errc::misuse);
  CHECK(p.inside() == std::vector<std::size_t>{0, 2});
  CHECK(p.disagreement() == "");
}

TEST_CASE("a commit that comes twice, or back to its committer, changes nothing") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(3, with(format));
  auto pending = p.prepare(0);
  const bytes message = to_bytes(pending.message());
  const bytes before = whole_state(p[0]);
  check_fails(p[0].process(message), errc::refused, rules::own_message);
  CHECK((whole_state(p[0]) == before));
  p.publish(0, std::move(pending));
  for (std::size_t i = 0; i < 3; ++i) check_fails(p[i].process(message), errc::stale_epoch, rules::current_epoch);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a proposal that comes twice is kept once") {
  party p(3, with(wire_format::public_message));
  const bytes proposal = must(p[1].propose_update(p.env));
  p.deliver(1, proposal);
  p.deliver(1, proposal);
  CHECK(p[0].pending_proposals() == 1);
  CHECK(p.disagreement() == "");
  p.commit(0);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a member who missed a proposal cannot follow a commit of it, and can once it has it") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party p(3, with(format));
  const bytes proposal = must(p[1].propose_update(p.env));
  must(p[0].process(proposal));
  auto pending = p.prepare(0);
  const bytes commit = to_bytes(pending.message());
  const bytes before = whole_state(p[2]);
  check_fails(p[2].process(commit), errc::refused, rules::known_reference);
  CHECK((whole_state(p[2]) == before));
  must(p[2].process(proposal));
  p.publish(0, std::move(pending));
  CHECK(p.disagreement() == "");
}

TEST_CASE("without randomness every operation fails, and leaves nothing behind") {
  party p(3);
  const byte_view package = p.package(p.arrive());
  CHECK(fails_cleanly(p, 0, [&] { return p[0].commit(p.env, {{&package, 1}, {}, {}, true}); }) > 3);
  CHECK(fails_cleanly(p, 0, [&] { return p[0].protect(p.env, as_bytes("x"), {}); }) >= 1);
  CHECK(fails_cleanly(p, 1, [&] { return p[1].propose_update(p.env); }) >= 2);
  CHECK(fails_cleanly(p, 2, [&] { return p[2].propose_add(p.env, package); }) >= 1);
}

TEST_CASE("members agree after each of many random steps") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  const std::uint64_t seed = format == wire_format::public_message ? 20230701 : 20240229;
  std::cout << "random walk, seed " << seed << "\n";
  CAPTURE(seed);
  party p(5, with(format, seed));
  deterministic_environment dice(seed + 1);
  constexpr std::size_t most = 12, steps = 200;
  const snapshot_key key = must(snapshot_key::copy_of(bytes(32, 1)));
  std::vector<std::size_t> outside;
  std::set<std::size_t> durable;  // those who keep snapshots, which come before each message
  std::map<std::string, int> done;

  for (std::size_t step = 0; step < steps; ++step) {
    const auto members = p.inside();
    const std::size_t actor = members[dice.below(members.size())], other = members[dice.below(members.size())];
    const std::size_t kind = dice.below(12);
    CAPTURE(step, kind, actor, other);
    const auto save = [&](std::size_t i) {
      if (durable.contains(i)) must(p[i].snapshot(p.env, key));
    };
    const auto newcomer = [&] {
      // half of those who come have been here before, with the same signature key
      if (!outside.empty() && dice.below(2) == 0) {
        const std::size_t again = outside.back();
        outside.pop_back();
        return again;
      }
      return p.arrive();
    };
    save(actor);
    if (kind == 0) {
      p.deliver(actor, must(p[actor].propose_update(p.env)));
      ++done["update"];
      continue;
    }
    if (kind == 1 && actor != other && members.size() > 3) {
      p.deliver(actor, must(p[actor].propose_remove(p.env, p.leaf(other))));
      ++done["remove by reference"];
      continue;
    }
    if (kind == 2 && p[actor].pending_proposals() == 0) {
      const bytes message = must(p[actor].protect(p.env, as_bytes("step " + std::to_string(step)), {}));
      for (event& e : p.deliver(actor, message)) {
        const auto heard = as<application_message>(std::move(e));
        REQUIRE(text_of(heard) == "step " + std::to_string(step));
        REQUIRE(heard.sender == p.leaf(actor));
      }
      ++done["message"];
      continue;
    }
    if (kind == 9 && members.size() < most) {
      const std::size_t who = newcomer();
      p.enter(who, actor);
      durable.erase(who);
      ++done["external commit"];
    } else if (kind == 10 && other != actor) {
      p.enter(other, actor);  // in its own place
      durable.erase(other);
      ++done["resync"];
    } else if (kind == 11) {
      const bytes sealed = must(p[other].snapshot(p.env, key));
      p.who(other).room.emplace(must(group::restore(p.env, key, p[other].sequence(), sealed, p.options().policy)));
      durable.insert(other);
      ++done["restore"];
    } else {
      changes what;
      what.path = dice.below(4) != 0;
      if (kind <= 5 && members.size() < most)
        for (std::size_t n = 1 + dice.below(3); n > 0; --n) what.add.push_back(newcomer());
      if (kind >= 5 && kind <= 7 && members.size() > 3 && other != actor) what.remove.push_back(other);
      std::optional<group::pending> loser;
      if (kind == 8 && other != actor) {
        save(other);
        loser.emplace(p.prepare(other));
        ++done["race"];
      }
      for (const std::size_t i : what.add) durable.erase(i);
      p.commit(actor, what);
      if (loser && p[other].active())
        check_fails(p[other].apply(*std::move(loser)), errc::stale_epoch, rules::current_epoch);
      ++done["commit"];
    }
    for (const std::size_t i : members)
      if (!p[i].active() && std::ranges::find(outside, i) == outside.end()) outside.push_back(i);
    REQUIRE(p.disagreement() == "");
  }
  // each kind of step was taken
  CHECK(done.size() == 8);
  for (const auto& [what, count] : done) {
    INFO(what);
    CHECK(count >= 5);
  }
}

}  // namespace mls_test
