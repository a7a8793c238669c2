// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the delivery service can do to a group: drop, reorder and race; and what a failing machine can.
#include "support.hpp"

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

}  // namespace mls_test
