// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rules of a verification run, one test each. Who tries to break it is in interceptor.cpp.
#include "support.hpp"

using namespace sas_test;

namespace {

void check_refused(const status& outcome, const rule& broken) {
  REQUIRE_FALSE(outcome);
  INFO(outcome.error().message());
  CHECK(outcome.error().code() == errc::refused);
  CHECK(outcome.error().broken_rule() == &broken);
}
template <class T>
void check_fails(const result<T>& outcome, errc code, const rule& broken) {
  REQUIRE_FALSE(outcome);
  INFO(outcome.error().message());
  CHECK(outcome.error().code() == code);
  CHECK(outcome.error().broken_rule() == &broken);
}

/// fail_once(room): a run of 0 and 1 in which 1 is not heard to reveal.
void fail_once(hall& room) {
  room.silent = 1;
  REQUIRE(room.start(0, {1}));
  room.agree();
  REQUIRE(room[0].phase() == phase::revealing);
  room.now += limits::verification_phase;
  REQUIRE(room[0].tick(room.now));
  REQUIRE(room[1].cancel(room.now));
  (void)room[0].take_messages();
  (void)room[1].take_messages();
  room.silent.reset();
}

TEST_CASE("nobody says that codes differ before there is one, and who is removed says nothing any more") {
  deterministic_environment env(30);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  room.deliver();
  const auto run = wire::decode<message>(room.log[0].data)->run_id;
  const bytes lie = encoded(message_type::result, run, [](message& m) { m.match = false; });
  check_fails(room[1].receive(2, 7, lie, room.now), errc::refused, sas::rules::in_phase);
  CHECK(room[1].results().empty());
  // nor of a run that came to nothing before
  REQUIRE(room[0].cancel(room.now));
  room.deliver();
  check_fails(room[0].receive(2, 7, lie, room.now), errc::refused, sas::rules::in_phase);
  check_fails(room[1].receive(2, 7, lie, room.now), errc::unknown_key, sas::rules::known_run);  // was only invited

  room.now += limits::verification_restart;
  REQUIRE(room.start(0, {1, 2}));
  room.agree();
  REQUIRE(room[1].phase() == phase::ready);
  const auto second = room[1].contributors();
  REQUIRE(second == leaves{0, 1, 2});
  REQUIRE(room[1].show(room.now));
  REQUIRE(room[1].decide(true, room.now));
  REQUIRE(room[2].show(room.now));
  REQUIRE(room[2].decide(false, room.now));
  room.deliver();
  REQUIRE(room[1].results().size() == 1);
  CHECK(room[1].results()[0].leaf == 2);
  CHECK_FALSE(room[1].verified());
  room[1].forget(0);
  CHECK(room[1].results().size() == 1);
  room[1].forget(2);
  CHECK(room[1].results().empty());
}

TEST_CASE("failed attempts are written down and read again, and a run that is on is one of them") {
  deterministic_environment env(31);
  hall room(env, {0, 1, 2});
  const auto saved = [](const sas::verification& app) {
    bytes out;
    writer w{out};
    app.save(w);
    return out;
  };
  const auto loaded = [](byte_view from, std::uint64_t epoch = 7) {
    sas::verification out(26);
    reader in{from};
    REQUIRE(out.load(in));
    REQUIRE(in.empty());
    out.enter_epoch(make_epoch(0, 0, epoch), begin);
    return out;
  };
  CHECK(loaded(saved(room[0])).failures().empty());
  room.silent = 2;
  REQUIRE(room.start(0, {1, 2}));
  CHECK(loaded(saved(room[0])).failures().size() == 1);  // committed: it may reveal before the next snapshot
  room.agree();
  room.now += limits::verification_phase;
  CHECK(room[0].tick(room.now));
  const bytes stored = saved(room[0]);
  const auto again = loaded(stored);
  REQUIRE(again.failures().size() == 1);
  CHECK(again.failures_in_epoch() == 1);
  CHECK(again.failures()[0].missing == leaves{2});
  CHECK(again.failures()[0].contributors == leaves{0, 1, 2});
  CHECK(again.failures()[0].aborted.why.reason == abort_reason::missing);
  CHECK(again.last()->run_id == room[0].last()->run_id);
  CHECK(saved(again) == stored);
  CHECK(loaded(stored, 8).failures_in_epoch() == 0);

  // what is cut off, or of another version, is not taken
  for (std::size_t n = 0; n < stored.size(); ++n) {
    sas::verification fresh(26);
    reader in{byte_view{stored}.first(n)};
    CHECK_FALSE(fresh.load(in));
    CHECK(fresh.failures().empty());
  }
  bytes newer = stored;
  newer[0] = 2;
  sas::verification fresh(26);
  reader in{newer};
  CHECK(fresh.load(in).error().broken_rule() == &sas::rules::known_save);
}

TEST_CASE("more failed attempts than the limit are not read") {
  bytes stored;
  writer w{stored};
  w.number(std::uint8_t{1});
  w.vector([&] {
    for (std::uint8_t i = 0; i < 100; ++i)
      sas::outcome{sas::run_id{i}, i, {0, 1}, sas::ending::undecided, {}, {}, true, false}.save(w);
  });
  w.number(std::uint8_t{1});
  sas::verification app(26);
  reader in{stored};
  REQUIRE(app.load(in));
  CHECK(app.failures().size() == limits::verification_failures_per_meeting);
  CHECK(app.failures().back().epoch == 99);

  const auto loaded = [](const leaves& contributors, sas::ending how, const leaves& missing) {
    bytes one;
    writer c{one};
    c.number(std::uint8_t{1});
    c.vector([&] { sas::outcome{{}, 1, contributors, how, {}, missing, true, false}.save(c); });
    c.number(std::uint8_t{0});
    reader from{one};
    const auto done = sas::verification(26).load(from);
    return done ? errc{} : done.error().code();
  };
  using enum sas::ending;
  const leaves most(limits::verification_contributors), crowd(limits::verification_contributors + 1);
  CHECK(loaded(most, epoch_over, most) == errc{});
  CHECK(loaded(crowd, undecided, {}) == errc::over_limit);
  CHECK(loaded({0, 1}, undecided, crowd) == errc::over_limit);
  CHECK(loaded({0, 1}, sas::ending{static_cast<std::uint8_t>(epoch_over) + 1}, {}) == errc::malformed);
}

}  // namespace

TEST_CASE("five people see the same code and say so") {
  deterministic_environment env(1);
  hall room(env, {0, 1, 2, 3, 4});
  REQUIRE(room.start(2, {4, 3, 1, 0, 1}));
  CHECK(room[2].contributors() == leaves{0, 1, 2, 3, 4});
  room.agree();
  const auto code = *room[0].show(room.now);
  for (auto& s : room.seats()) {
    CHECK(s.app.phase() == (s.leaf == 0 ? phase::comparing : phase::ready));
    CHECK(*s.app.show(room.now) == code);
    CHECK_FALSE(s.app.verified());
    REQUIRE(s.app.decide(true, room.now));
  }
  CHECK(code.epoch() == 7);
  room.deliver();
  for (auto& s : room.seats()) {
    REQUIRE(s.app.verified());
    CHECK(s.app.verified()->contributors == leaves{0, 1, 2, 3, 4});
    CHECK(s.app.verified()->epoch == 7);
    CHECK(s.app.results().size() == 4);
    CHECK(s.app.last()->how == ending::matched);
    CHECK(s.app.failures().empty());
  }
}

TEST_CASE("each run has another code") {
  deterministic_environment env(2);
  hall room(env, {0, 1});
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(room.start(0, {1}));
    room.agree();
    values.push_back(room[0].show(room.now)->value());
    CHECK(room[1].show(room.now)->value() == values.back());
    REQUIRE(room[0].decide(true, room.now));
    REQUIRE(room[1].decide(true, room.now));
    room.deliver();
  }
  CHECK(values[0] != values[1]);
  CHECK(values[1] != values[2]);
}

TEST_CASE("a code appears only when its user asks, and the user decides only about a code that was seen") {
  deterministic_environment env(3);
  hall room(env, {0, 1});
  check_fails(room[0].show(room.now), errc::refused, sas::rules::in_phase);
  REQUIRE(room.start(0, {1}));
  check_fails(room[0].show(room.now), errc::refused, sas::rules::in_phase);
  room.agree();
  CHECK(room[0].phase() == phase::ready);
  check_refused(room[0].decide(true, room.now), sas::rules::in_phase);
  REQUIRE(room[0].show(room.now));
  REQUIRE(room[0].show(room.now));
  REQUIRE(room[0].decide(true, room.now));
  check_refused(room[0].decide(true, room.now), sas::rules::in_phase);
  check_fails(room[0].show(room.now), errc::refused, sas::rules::in_phase);
}

TEST_CASE("nobody takes part without their user") {
  deterministic_environment env(4);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  room.deliver();
  CHECK(room[1].phase() == phase::invited);
  CHECK(room[1].contributors() == leaves{0, 1, 2});
  CHECK(room[0].waiting_for() == leaves{1, 2});
  REQUIRE(room[1].decline(room.now));
  room.deliver();
  for (auto& s : room.seats()) {
    CHECK(s.app.phase() == phase::idle);
    CHECK(s.app.failures().empty());
  }
  CHECK(room[0].last()->how == ending::aborted);
  CHECK(room[0].last()->aborted.by == 1);
  CHECK(room[0].last()->aborted.why.reason == abort_reason::declined);
  for (const std::uint32_t invited : {1U, 2U}) CHECK_FALSE(room[invited].last());
}

TEST_CASE("bystanders see that others verify, and no code") {
  deterministic_environment env(5);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1}));
  room.collect();
  const auto seen = room[2].receive(0, 7, room.log[0].data, room.now);
  CHECK(*seen == notice::others);
  (void)room[1].receive(0, 7, room.log[0].data, room.now).has_value();
  (void)room[1].receive(0, 7, room.log[1].data, room.now).has_value();
  room.agree();
  CHECK(room[0].phase() == phase::ready);
  CHECK(room[2].phase() == phase::idle);
  check_fails(room[2].show(room.now), errc::refused, sas::rules::in_phase);
  REQUIRE(room[0].show(room.now));
  REQUIRE(room[0].decide(true, room.now));
  room.deliver();
  CHECK_FALSE(room[2].verified());

  // and cannot disturb it
  REQUIRE(room[1].phase() == phase::ready);
  const auto run = room[1].show(room.now)->run_id();
  for (const auto type : {message_type::commit, message_type::reveal, message_type::abort}) {
    const bytes commitment(32);
    const bytes data = encoded(type, run, [&](message& m) { m.commitment = commitment; });
    check_fails(room[1].receive(2, 7, data, room.now), errc::refused, sas::rules::from_contributor);
  }
  const bytes verdict = encoded(message_type::result, run, [](message&) {});
  check_fails(room[1].receive(2, 7, verdict, room.now), errc::unknown_key, sas::rules::known_run);
  CHECK(room[1].phase() == phase::comparing);
}

TEST_CASE("one run at a time") {
  deterministic_environment env(6);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  check_refused(room.start(0, {1}), sas::rules::one_run_at_a_time);
  room.deliver();
  check_refused(room.start(1, {2}), sas::rules::one_run_at_a_time);

  // somebody else's run with 1 in it is refused at once, and the first goes on
  const sas::run_id other{9};
  check_fails(room[1].receive(2, 7, start_of(other, {1, 2}), room.now), errc::refused, sas::rules::one_run_at_a_time);
  const auto answer = room[1].take_messages();
  REQUIRE(answer.size() == 1);
  const auto said = *wire::decode<message>(answer[0]);
  CHECK(said.type == message_type::abort);
  CHECK(said.run_id == other);
  CHECK(said.abort.reason == abort_reason::busy);
  room.agree();
  CHECK(room[0].phase() == phase::ready);
  CHECK(room[1].phase() == phase::ready);
}

TEST_CASE("two who start at once refuse each other") {
  deterministic_environment env(7);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  REQUIRE(room.start(1, {0, 2}));
  room.deliver();
  for (auto& s : room.seats()) {
    CHECK(s.app.phase() == phase::idle);
    CHECK(s.app.failures().empty());
  }
  for (const std::uint32_t starter : {0U, 1U}) CHECK(room[starter].last()->aborted.why.reason == abort_reason::busy);
}

TEST_CASE("nobody can make a member answer without end") {
  deterministic_environment env(8);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  (void)room[0].take_messages();
  for (std::uint8_t i = 0; i < 200; ++i)
    (void)room[0].receive(1, 7, start_of(sas::run_id{i}, {0, 1}), room.now).has_value();
  CHECK(room[0].take_messages().size() == limits::verification_refusals);
}

TEST_CASE("an abort names who is missing, and who did not reveal is left out of the next run") {
  deterministic_environment env(9);
  hall room(env, {0, 1, 2, 3});
  room.silent = 2;
  REQUIRE(room.start(0, {1, 2, 3}));
  room.agree();
  for (const std::uint32_t i : {0U, 1U, 3U}) CHECK(room[i].phase() == phase::revealing);
  CHECK(room[0].waiting_for() == leaves{2});
  room.now += limits::verification_phase - steady_time{1};
  CHECK_FALSE(room[0].tick(room.now));
  room.now += steady_time{1};
  CHECK(room[0].tick(room.now));
  const auto abort = *wire::decode<message>(room[0].take_messages().at(0));
  CHECK(abort.abort.reason == abort_reason::missing);
  CHECK(abort.abort.leaf == 2);
  CHECK(room[0].last()->missing == leaves{2});
  CHECK(room[0].failures().size() == 1);
  CHECK(room[0].failures()[0].missing == leaves{2});
  CHECK(room[0].left_out() == leaves{2});

  room.now += limits::verification_restart;
  REQUIRE(room.start(0, {1, 2, 3}));
  CHECK(room[0].contributors() == leaves{0, 1, 3});
  CHECK(room[0].left_out().empty());
  REQUIRE(room[0].cancel(room.now));
  room.now += limits::verification_restart;
  REQUIRE(room.start(0, {1, 2, 3}));
  CHECK(room[0].contributors() == leaves{0, 1, 2, 3});
}

TEST_CASE("who aborts instead of revealing is left out as well") {
  deterministic_environment env(10);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.deliver();
  REQUIRE(room[1].take_part(env, room.now));
  room.give(1, room[1].take_messages()[0]);
  REQUIRE(room[0].phase() == phase::revealing);
  REQUIRE(room[1].cancel(room.now));
  room.deliver();
  CHECK(room[0].failures().size() == 1);
  CHECK(room[0].left_out() == leaves{1});
  room.now += limits::verification_restart;
  check_refused(room.start(0, {1}), sas::rules::two_contributors);
}

TEST_CASE("without all commitments nobody reveals") {
  deterministic_environment env(11);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  room.deliver();
  REQUIRE(room[1].take_part(env, room.now));
  room.deliver();
  CHECK(room[0].phase() == phase::committing);
  CHECK(room[1].phase() == phase::committing);
  room.now += limits::verification_phase;
  for (auto& s : room.seats()) {
    CHECK(s.app.tick(room.now));
    CHECK(s.app.failures().empty());
  }
  for (const std::uint32_t waited : {0U, 1U}) CHECK(room[waited].last()->missing == leaves{2});
  for (const auto& one : room.log) CHECK(wire::decode<message>(one.data)->type != message_type::reveal);
}

TEST_CASE("what comes out of turn ends the run") {
  deterministic_environment env(12);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1, 2}));
  room.deliver();
  REQUIRE(room[1].take_part(env, room.now));
  const bytes commit = room[1].take_messages()[0];
  const auto run = wire::decode<message>(commit)->run_id;
  const bytes reveal = encoded(message_type::reveal, run, [](message&) {});
  CHECK(*room[0].receive(1, 7, commit, room.now) == notice::nothing);

  SECTION("a second commitment") { CHECK(*room[0].receive(1, 7, commit, room.now) == notice::ended); }
  SECTION("a reveal before all commitments") { CHECK(*room[0].receive(1, 7, reveal, room.now) == notice::ended); }
  SECTION("a second reveal") {
    (void)room[2].receive(1, 7, commit, room.now).has_value();
    REQUIRE(room[2].take_part(env, room.now));
    const auto both = room[2].take_messages();
    REQUIRE(both.size() == 2);
    for (const bytes& m : both) CHECK(room[0].receive(2, 7, m, room.now));
    REQUIRE(room[0].phase() == phase::revealing);
    CHECK(*room[0].receive(2, 7, both[1], room.now) == notice::ended);
    CHECK(room[0].failures().size() == 1);
    CHECK(room[0].last()->aborted.why.leaf == 2);
    return;
  }
  CHECK(room[0].last()->how == ending::aborted);
  CHECK(room[0].last()->aborted.why.reason == abort_reason::out_of_turn);
  CHECK(room[0].last()->aborted.why.leaf == 1);
  CHECK(room[0].failures().empty());
}

TEST_CASE("a reveal that does not fit its commitment ends the run and names the leaf") {
  deterministic_environment env(13);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.deliver();
  REQUIRE(room[1].take_part(env, room.now));
  auto messages = room[1].take_messages();
  messages[1].back() ^= 1;
  for (const bytes& m : messages) room.give(1, m);
  CHECK(room[0].last()->aborted.why.reason == abort_reason::wrong_commitment);
  CHECK(room[0].last()->aborted.why.leaf == 1);
  CHECK(room[0].failures().size() == 1);
}

TEST_CASE("failed attempts are limited in an epoch and in a meeting, with a pause after each") {
  deterministic_environment env(14);
  hall room(env, {0, 1});
  for (std::size_t failed = 1; failed <= limits::verification_failures_per_meeting; ++failed) {
    fail_once(room);
    CHECK(room[0].failures().size() == failed);
    room.now += limits::verification_restart;
    room.enter(7 + failed, static_cast<std::uint8_t>(failed));  // with new members 1 is no longer left out
  }
  room.enter(100, 1);
  check_refused(room.start(0, {1}), sas::rules::few_failures);
  // and nobody else can start one with this member
  check_fails(room[0].receive(1, 100, start_of({}, {0, 1}, form::emoji_5, 26, 100), room.now), errc::refused,
              sas::rules::few_failures);
  const auto answer = *wire::decode<message>(room[0].take_messages().at(0));
  CHECK(answer.abort.reason == abort_reason::too_many_failures);
}

TEST_CASE("three failures spend an epoch, and the next one begins anew") {
  deterministic_environment env(15);
  hall room(env, {0, 1, 2});
  for (std::size_t i = 0; i < limits::verification_failures_per_epoch; ++i) {
    // the others have not failed: they run against 0 in turns
    const std::uint32_t other = 1 + static_cast<std::uint32_t>(i % 2);
    REQUIRE(room.start(0, {other}));
    room.deliver();
    REQUIRE(room[other].take_part(env, room.now));
    room.give(other, room[other].take_messages()[0]);
    REQUIRE(room[0].cancel(room.now));
    CHECK(room[0].failures_in_epoch() == i + 1);
    room.deliver();
    room.now += limits::verification_restart - steady_time{1};
    if (i + 1 < limits::verification_failures_per_epoch) check_refused(room.start(0, {1, 2}), sas::rules::back_off);
    room.now += steady_time{1};
  }
  check_refused(room.start(0, {1}), sas::rules::few_failures);
  room.enter(8);
  CHECK(room[0].failures_in_epoch() == 0);
  CHECK(room[0].failures().size() == 3);
  CHECK(room.start(0, {1, 2}));
}

TEST_CASE("after a failure a member does not take part too soon either") {
  deterministic_environment env(16);
  hall room(env, {0, 1});
  fail_once(room);
  room.now += limits::verification_back_off - steady_time{1};
  check_fails(room[0].receive(1, 7, start_of({}, {0, 1}), room.now), errc::refused, sas::rules::back_off);
  CHECK(wire::decode<message>(room[0].take_messages().at(0))->abort.reason == abort_reason::backing_off);
  CHECK(*room[0].receive(1, 7, start_of({}, {0, 1}), room.now + steady_time{1}) == notice::invitation);
}

TEST_CASE("the meeting says how strong a code must be") {
  deterministic_environment env(17);
  hall room(env, {0, 1}, 0, 30);
  check_refused(room.start(0, {1}, form::digits_8), sas::rules::strong_enough);
  check_refused(room.start(0, {1}, form::digits_9), sas::rules::strong_enough);
  CHECK(room.start(0, {1}, form::emoji_5));
  check_fails(room[1].receive(0, 7, start_of({}, {0, 1}, form::digits_8, 30), room.now), errc::refused,
              sas::rules::strong_enough);
  check_fails(room[1].receive(0, 7, start_of({}, {0, 1}, form::emoji_7, 26), room.now), errc::refused,
              sas::rules::strong_enough);
  CHECK(wire::decode<message>(room[1].take_messages().at(0))->abort.reason == abort_reason::too_weak);
  CHECK(*room[1].receive(0, 7, start_of({}, {0, 1}, form::emoji_7, 30), room.now) == notice::invitation);
}

TEST_CASE("a start from somebody who takes no part, or for another epoch, is refused") {
  deterministic_environment env(18);
  hall room(env, {0, 1, 2});
  check_fails(room[0].receive(2, 7, start_of({}, {0, 1}), room.now), errc::refused, sas::rules::starter_contributes);
  check_fails(room[0].receive(1, 7, start_of({}, {0, 1}, form::emoji_5, 26, 8), room.now), errc::malformed,
              sas::rules::known_run);
  check_fails(room[0].receive(0, 7, start_of({}, {0, 1}), room.now), errc::refused, sas::rules::from_others);
  CHECK(room[0].receive(1, 6, start_of({}, {0, 1}), room.now).error() == errc::stale_epoch);
  CHECK(room[0].receive(1, 8, start_of({}, {0, 1}), room.now).error() == errc::early);
  CHECK(room[0].phase() == phase::idle);
  CHECK(room[0].take_messages().empty());
}

TEST_CASE("messages of runs that are not on change nothing") {
  deterministic_environment env(19);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  const bytes commitment(32), short_one(31);
  for (const auto type : {message_type::commit, message_type::reveal, message_type::abort, message_type::result}) {
    const bytes data = encoded(type, sas::run_id{1}, [&](message& m) { m.commitment = commitment; });
    check_fails(room[0].receive(1, 7, data, room.now), errc::unknown_key, sas::rules::known_run);
    check_fails(room[1].receive(0, 7, data, room.now), errc::unknown_key, sas::rules::known_run);
  }
  room.deliver();
  const auto run = wire::decode<message>(room.log[0].data)->run_id;
  const bytes bad = encoded(message_type::commit, run, [&](message& m) { m.commitment = short_one; });
  CHECK(room[0].receive(1, 7, bad, room.now).error() == errc::malformed);
  CHECK(room[0].receive(1, 7, as_bytes("csas"), room.now).error() == errc::malformed);
  CHECK(room[0].phase() == phase::committing);
  room.agree();
  CHECK(room[0].phase() == phase::ready);
}

TEST_CASE("a new epoch ends the run, and counts it where this member had revealed") {
  deterministic_environment env(20);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.deliver();
  room.enter(8);
  CHECK(room[0].last()->how == ending::epoch_over);
  CHECK(room[0].failures().empty());
  room.now += limits::verification_restart;
  REQUIRE(room.start(0, {1}));
  room.agree();
  REQUIRE(room[0].show(room.now));
  room.enter(9);
  CHECK(room[0].last()->how == ending::epoch_over);
  CHECK(room[0].failures().size() == 1);
  CHECK(room[0].take_messages().empty());
  check_fails(room[0].show(room.now), errc::refused, sas::rules::in_phase);
}

TEST_CASE("nobody compares for ever") {
  deterministic_environment env(21);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.agree();
  REQUIRE(room[0].show(room.now));
  room.now += limits::verification_comparing;
  check_refused(room[0].decide(true, room.now), sas::rules::in_phase);
  CHECK(room[0].last()->how == ending::undecided);
  CHECK(room[0].failures().size() == 1);
  CHECK_FALSE(room[0].verified());
}

TEST_CASE("verified lasts while the members and their credentials do") {
  deterministic_environment env(22);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.agree();
  REQUIRE(room[0].show(room.now));
  REQUIRE(room[0].decide(true, room.now));
  room.enter(8);
  CHECK(room[0].verified());
  room.enter(9, 1);
  CHECK_FALSE(room[0].verified());
}

TEST_CASE("different codes are no verification, whoever says so") {
  deterministic_environment env(23);
  hall room(env, {0, 1});
  REQUIRE(room.start(0, {1}));
  room.agree();
  REQUIRE(room[0].show(room.now));
  REQUIRE(room[1].show(room.now));
  SECTION("the own user") {
    REQUIRE(room[0].decide(false, room.now));
    CHECK(room[0].last()->how == ending::differed);
    CHECK(room[0].failures().size() == 1);
  }
  SECTION("another one, before") {
    REQUIRE(room[1].decide(false, room.now));
    room.deliver();
    REQUIRE(room[0].decide(true, room.now));
  }
  SECTION("another one, afterwards") {
    REQUIRE(room[0].decide(true, room.now));
    CHECK(room[0].verified());
    REQUIRE(room[1].decide(false, room.now));
    room.deliver();
    CHECK_FALSE(room[0].results()[0].match);
  }
  CHECK_FALSE(room[0].verified());
}

TEST_CASE("that codes differed stands until this member commits to another run, whoever sends invitations") {
  deterministic_environment env(32);
  hall room(env, {0, 1, 2});
  const auto differ = [&](std::uint32_t one, std::uint32_t other) {
    REQUIRE(room.start(one, {other}));
    room.agree();
    for (const std::uint32_t who : {one, other}) REQUIRE(room[who].show(room.now));
    for (const std::uint32_t who : {one, other}) REQUIRE(room[who].decide(false, room.now));
    room.deliver();
  };
  differ(0, 1);
  const auto warned = [&](const sas::verification& app) {
    return app.last() && app.last()->how == ending::differed && app.results().size() == 1 && !app.results()[0].match;
  };
  const auto both_warned = [&] { return warned(room[0]) && warned(room[1]); };
  REQUIRE(both_warned());
  const auto first = room[0].last()->run_id;
  room.now += limits::verification_restart;

  const auto ends = GENERATE(0, 1, 2, 3);
  REQUIRE(room.start(2, {0, 1}));
  room.deliver();
  REQUIRE(room[0].phase() == phase::invited);
  CHECK(both_warned());
  // a snapshot of now says so as well
  bytes saved;
  writer w{saved};
  room[0].save(w);
  sas::verification again(26);
  reader in{saved};
  REQUIRE(again.load(in));
  CHECK(again.last()->how == ending::differed);

  if (ends == 0) REQUIRE(room[2].cancel(room.now));
  if (ends == 1) REQUIRE(room[0].decline(room.now));
  if (ends == 2) room.enter(8);
  if (ends == 3) room.now += limits::verification_phase;
  for (auto& s : room.seats()) (void)s.app.tick(room.now);
  room.deliver();
  CHECK(room[0].phase() == phase::idle);
  CHECK(both_warned());
  CHECK(room[0].last()->run_id == first);

  // who takes part in another one, or starts it, has left it behind
  room.now += limits::verification_restart;
  REQUIRE(room.start(1, {0}));
  CHECK(room[1].results().empty());
  room.deliver();
  CHECK(room[0].results().size() == 1);
  REQUIRE(room[0].take_part(env, room.now));
  CHECK(room[0].results().empty());
}

TEST_CASE("who is invited to another run still hears what was said of the last one, and of no other") {
  deterministic_environment env(33);
  hall room(env, {0, 1, 2});
  REQUIRE(room.start(0, {1}));
  room.agree();
  for (const std::uint32_t who : {0U, 1U}) REQUIRE(room[who].show(room.now));
  REQUIRE(room[0].decide(true, room.now));
  REQUIRE(room[0].verified());
  const auto run = room[0].last()->run_id;
  const bytes differs = encoded(message_type::result, run, [](message& m) { m.match = false; });
  const sas::run_id next = GENERATE_COPY(values({sas::run_id{9}, run}));  // or one that claims to be the same
  REQUIRE(*room[0].receive(2, 7, start_of(next, {0, 2}), room.now) == notice::invitation);
  CHECK(room[0].receive(2, 7, differs, room.now).error().code() == (next == run ? errc::refused : errc::unknown_key));
  CHECK(room[0].verified());
  CHECK(*room[0].receive(1, 7, differs, room.now) == notice::result);
  CHECK_FALSE(room[0].verified());
}

TEST_CASE("without randomness nothing changes") {
  deterministic_environment env(24);
  hall room(env, {0, 1});
  for (std::uint64_t calls = 0; calls < 2; ++calls) {
    env.fail_once_after(calls);
    CHECK(room.start(0, {1}).error() == errc::no_entropy);
    CHECK(room[0].phase() == phase::idle);
    CHECK(room[0].take_messages().empty());
  }
  env.recover();
  REQUIRE(room.start(0, {1}));
  room.deliver();
  env.fail_after(0);
  CHECK(room[1].take_part(env, room.now).error() == errc::no_entropy);
  CHECK(room[1].phase() == phase::invited);
  env.recover();
  room.agree();
  CHECK(room[1].phase() == phase::ready);
}

TEST_CASE("a contract of the interface that is broken is misuse") {
  deterministic_environment env(25);
  sas::verification early(26);
  CHECK(early.start(env, form::emoji_5, leaves{1}, begin).error() == errc::misuse);
  CHECK(early.receive(1, 0, start_of({}, {0, 1}), begin).error() == errc::misuse);
  hall room(env, {0, 1});
  CHECK(room.start(0, {1}, form{77}).error() == errc::misuse);
  check_refused(room.start(0, {}), sas::rules::two_contributors);
  check_refused(room.start(0, {0}), sas::rules::two_contributors);
  check_refused(room[0].take_part(env, begin), sas::rules::in_phase);
  check_refused(room[0].decline(begin), sas::rules::in_phase);
  check_refused(room[0].cancel(begin), sas::rules::in_phase);
  leaves many(limits::verification_contributors + 1);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::uint32_t>(i);
  CHECK(room.start(0, many).error() == errc::over_limit);
}
