// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Bugs of other implementations in the life of a group, as tests: what is kept, what is gone, what two groups share.
#include "scene.hpp"

#include <thread>

namespace mls_test {

namespace {

const snapshot_key& seal_key() {
  static const snapshot_key out = must(snapshot_key::copy_of(bytes(32, 9)));
  return out;
}

/// Person i goes on from a snapshot taken now.
void go_on_from_snapshot(party& p, std::size_t i) {
  const bytes sealed = must(p[i].snapshot(p.env, seal_key()));
  const std::uint64_t newest = p[i].sequence();
  p.who(i).room.emplace(must(group::restore(p.env, seal_key(), newest, sealed, p.options().policy)));
}

}  // namespace

TEST_CASE("bug: the secret tree is not stored after a message was opened") {
  party p(3);
  std::vector<bytes> sent;
  for (const char* text : {"0", "1", "2", "3"}) sent.push_back(must(p[1].protect(p.env, as_bytes(text), {})));
  must(p[0].process(sent[2]));
  go_on_from_snapshot(p, 0);
  check_fails(p[0].process(sent[2]), errc::replayed, rules::generation_used);
  CHECK(text_of(as<application_message>(must(p[0].process(sent[0])))) == "0");
  p.commit(2);
  go_on_from_snapshot(p, 0);  // the same in an epoch that is over
  for (const std::size_t n : {2U, 0U}) check_fails(p[0].process(sent[n]), errc::replayed, rules::generation_used);
  CHECK(text_of(as<application_message>(must(p[0].process(sent[1])))) == "1");
  CHECK(text_of(as<application_message>(must(p[0].process(sent[3])))) == "3");
}

TEST_CASE("bug: my own pending commit outlives the commit that removes me") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party_options options;
  options.policy.handshakes = format;
  party p(4, options);
  p.deliver(3, must(p[3].propose_update(p.env)));
  auto mine = p.prepare(1, {{p.arrive()}, {2}});
  const bytes message = to_bytes(mine.message());
  auto removal = p.prepare(0, {{}, {1}});
  const bytes out = to_bytes(removal.message());
  p.publish(0, std::move(removal));
  REQUIRE_FALSE(p[1].active());
  CHECK(p[1].pending_proposals() == 0);
  const bytes before = whole_state(p[1]);
  check_fails(p[1].apply(std::move(mine)), errc::misuse);
  check_fails(p[1].process(out), errc::misuse);
  check_fails(p[1].protect(p.env, {}, {}), errc::misuse);
  check_fails(p[1].commit(p.env, {}), errc::misuse);
  CHECK((whole_state(p[1]) == before));
  for (const std::size_t i : p.inside()) check_fails(p[i].process(message), errc::stale_epoch, rules::current_epoch);
  CHECK(p.disagreement() == "");
}

TEST_CASE("bug: last-resort key packages are deleted at the first Welcome") {
  party p(1), q(1, [] {
    party_options out;
    out.seed = 2;
    out.group_id = "another party";
    return out;
  }());
  client who = make_client(p.env, "seldom here");
  who.extensions = {extension_type::last_resort};
  for (const bool last_resort : {true, false}) {
    CAPTURE(last_resort);
    auto package = must(make_key_package<provider>(p.env, p[0].suite(), who, {std::chrono::hours{24}, last_resort}));
    const byte_view add = package.message;
    const auto first = must(p[0].commit(p.env, {{&add, 1}, {}, {}, true}));
    const auto second = must(q[0].commit(q.env, {{&add, 1}, {}, {}, true}));
    CHECK(group::join(p.env, who.clone(), std::move(package), first.welcome(), {}, {}).has_value());
    CHECK(package.init.secret.empty() != last_resort);
    CHECK(group::join(q.env, who.clone(), std::move(package), second.welcome(), {}, {}).has_value() == last_resort);
  }
}

TEST_CASE("bug: an existing group is replaced by a Welcome with its id") {
  party p(3), q(2, [] {
    party_options out;
    out.seed = 2;
    return out;
  }());
  // the other group has the same id and invites person 1 of this one
  auto package = make_package(q.env, p.who(1).who);
  const byte_view add = package.message, id = p[1].group_id();
  const auto pending = must(q[0].commit(q.env, {{&add, 1}, {}, {}, true}));
  join_options beside;
  beside.current_groups = {&id, 1};
  const bytes before = whole_state(p[1]);
  check_fails(group::join(q.env, p.who(1).who.clone(), std::move(package), pending.welcome(), beside, {}),
              errc::refused, rules::group_id_unique);
  CHECK_FALSE(package.init.secret.empty());
  CHECK((whole_state(p[1]) == before));
  // so does a GroupInfo
  external_join_options with;
  with.join = beside;
  check_fails(group::join_external(q.env, p.who(1).who.clone(), must(q[0].group_info(q.env, {true, true})), with, {}),
              errc::refused, rules::group_id_unique);
  p.commit(1);
  CHECK(p.disagreement() == "");
}

TEST_CASE("bug: zeroisation is optimised away") {
  // looked at from outside: what a secret leaves in the memory where it was
  alignas(sender_data_secret) std::array<std::uint8_t, sizeof(sender_data_secret)> memory{};
  const auto holds = [&] {
    const volatile std::uint8_t* at = memory.data();  // the compiler must not conclude what stands there
    std::size_t n = 0;
    for (std::size_t i = 0; i < memory.size(); ++i) n += at[i] == 0xa5 ? 1U : 0U;
    return n;
  };
  auto* dies = new (memory.data()) sender_data_secret(32);
  std::ranges::fill(dies->writable(), std::uint8_t{0xa5});
  CHECK(holds() == 32);
  SECTION("when it dies") {
    dies->~secret();
    CHECK(holds() == 0);
  }
  SECTION("when it is wiped") {
    dies->wipe();
    CHECK(holds() == 0);
  }
  SECTION("when it is moved from") {
    const sender_data_secret heir = std::move(*dies);
    CHECK(heir.size() == 32);
    CHECK(holds() == 0);
  }
  SECTION("when another takes its place") {
    *dies = sender_data_secret{};
    CHECK(holds() == 0);
  }
}

TEST_CASE("bug: independent groups share a random generator, and race for it") {
  // the same seed gives the same group, whatever other groups do at the same time
  const auto live = [](std::uint64_t seed) {
    party_options options;
    options.seed = seed;
    party p(4, options);
    for (std::size_t n = 0; n < 12; ++n) {
      p.commit(n % 4, {n % 3 == 0 ? std::vector{p.arrive()} : std::vector<std::size_t>{}, {}});
      p.deliver(1, must(p[1].protect(p.env, as_bytes("text"), {})));
    }
    return std::pair{whole_state(p[2]), p.disagreement()};
  };
  constexpr std::size_t count = 4;
  std::array<std::pair<bytes, std::string>, count> outcome;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&, i] { outcome[i] = live(i / 2); });
  for (auto& t : threads) t.join();
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(outcome[i].second == "");
    CHECK((outcome[i] == live(i / 2)));
  }
  CHECK_FALSE((outcome[0] == outcome[2]));
}

}  // namespace mls_test
