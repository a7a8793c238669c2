// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the header shows, and what a meeting tells: events, the icon, the code, the door.
#include "support.hpp"

namespace meeting_test {
namespace header {

/// names_of(room, what): the names in its events of one kind.
std::vector<std::string> names_of(meeting& room, kind what) {
  std::vector<std::string> out;
  for (const meeting_event& e : room.take_events())
    if (e.what == what) out.push_back(e.name);
  return out;
}

/// A validator that says of each name what it is told to.
class opinions final : public identity_validator {
 public:
  std::map<std::string, identity_state, std::less<>> of;

  identity_state member(const presented_identity& who, unix_time) override {
    const auto at = of.find(as_text(who.credential));
    return at == of.end() ? identity_state::verified_internal : at->second;
  }
  identity_state external_sender(const presented_identity& who, unix_time now) override { return member(who, now); }
  identity_state successor(const presented_identity&, const presented_identity& after, unix_time now) override {
    return member(after, now);
  }
  result<bytes> identity(const presented_identity& who) override { return to_bytes(who.credential); }
};

/// start_of(run, leaves, in): a verification that begins in this epoch.
bytes start_of(std::uint8_t run, const std::vector<std::uint32_t>& leaves, const meeting& in) {
  sas::message out;
  out.type = sas::message_type::start;
  out.run_id[0] = run;
  const bytes items = wire::encode_items(leaves);
  out.start = {in.epoch(), sas::form::words_3, in.parameters().code_bits,
               wire::list<std::uint32_t>::of(items, leaves.size())};
  return wire::encode(out);
}

}  // namespace header

using namespace header;

TEST_CASE("M7: everybody has the same code in an epoch, and a new one whenever anybody comes or goes") {
  table t(3);  // agree() compares the codes after each change
  std::set<std::string> seen{t[0].code().digits()};
  const auto is_new = [&] { return seen.insert(t[0].code().digits()).second; };
  REQUIRE(t.bring("one"));
  CHECK(is_new());
  t.commit(0, *t[0].remove(t[3].own_leaf()));
  CHECK(is_new());
  t.commit(1, *t[1].refresh());
  CHECK(is_new());

  // another meeting of the same people, as somebody in between would have to make it, has another code
  table other(3, {}, 2);
  CHECK(compare(*other[0].long_code(), *t[0].long_code()) != sas::comparison::same);
  CHECK(other[0].code().digits() != t[0].code().digits());
}

TEST_CASE("M7: while an epoch settles, the screen shows no code") {
  table t(2);
  t.env.advance(std::chrono::seconds{2});
  CHECK(t[1].state().code == t[0].code());
  t.commit(0, *t[0].refresh());
  CHECK_FALSE(t[1].state().code);
  t.env.advance(std::chrono::seconds{1});
  CHECK_FALSE(t[1].state().code);
  t.env.advance(std::chrono::seconds{1});
  CHECK(t[1].state().code == t[0].code());
}

TEST_CASE("M6: the icon is one state with its reasons, and changes of it are told") {
  opinions judge;
  judge.of["person 2"] = identity_state::expired;
  meeting_options options;
  options.group.identities = &judge;
  options.group.admits = identity_state::revoked;
  options.expects = identity_state::verified_internal;
  table t(2, options);
  CHECK(t[0].state().level == security_level::end_to_end_encrypted);
  CHECK(t[0].state().reasons.empty());
  CHECK(t[0].state().people == 2);

  REQUIRE(t.bring("person 2"));
  CHECK(events_of(t[0]) == std::vector{kind::joined, kind::code_changed, kind::degraded});
  CHECK(t[0].state().level == security_level::degraded);
  REQUIRE(t[0].state().reasons.size() == 1);
  CHECK(text(t[0].state().reasons[0]) == "1 person: certificate not valid now");

  judge.of["person 2"] = identity_state::verified_external;
  t[0].judge_again();
  CHECK(events_of(t[0]) == std::vector{kind::identity_changed, kind::secured});
  judge.of["person 1"] = identity_state::revoked;
  t[0].judge_again();
  CHECK(events_of(t[0]) == std::vector{kind::identity_changed, kind::degraded});
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  CHECK(events_of(t[0]) == std::vector{kind::left, kind::code_changed, kind::secured});

  CHECK(t[1].state().level == security_level::not_encrypted);
  CHECK_FALSE(t[1].state().code);
  const auto last = events_of(t[1]);
  REQUIRE(last.size() >= 2);
  CHECK(last[last.size() - 2] == kind::over);
  CHECK(last.back() == kind::degraded);
}

TEST_CASE("events say who came and went, and what was changed") {
  table t(3);
  REQUIRE(t.bring("ada"));
  CHECK(names_of(t[1], kind::joined) == std::vector<std::string>{"ada"});
  t.commit(0, *t[0].remove(t[3].own_leaf()));
  CHECK(names_of(t[1], kind::left) == std::vector<std::string>{"ada"});
  t.commit(0, *t[0].set_door(door::locked));
  const auto events = t[1].take_events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].what == kind::door_changed);
  CHECK(events[0].door == door::locked);
  CHECK(events[0].epoch == t[1].epoch());
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::host));
  CHECK(events_of(t[1]) == std::vector{kind::parameters_changed, kind::code_changed});
  CHECK(events_of(t[1]).empty());
}

TEST_CASE("what a verification has to say waits while nobody may speak") {
  table t(3);
  REQUIRE(t[1].verification().start(t.env, sas::form::words_3, std::vector{number(t[0].own_leaf())}, t.env.steady()));
  t.deliver(2, *t[2].leave());
  CHECK(t[1].take_messages().error().code() == errc::refused);
}

TEST_CASE("no flood of words and verifications hides who comes and goes") {
  opinions judge;
  meeting_options options;
  options.group.identities = &judge;
  table t(4, options);
  const std::size_t half = limits::meeting_events / 2;
  // an application that takes no events, and certificates that change their minds
  for (std::size_t told = 0; told + 2 < half; ++told) {
    judge.of["person 1"] = told % 2 == 0 ? identity_state::verified_external : identity_state::verified_internal;
    t[0].judge_again();
  }
  const bytes start = start_of(1, {number(t[2].own_leaf()), number(t[3].own_leaf())}, t[2]);
  t.say(3, "and now");
  for (int i = 0; i < 5; ++i) t.deliver(2, *t[2].say(start));
  t.say(3, "and then");
  t.env.advance(std::chrono::minutes{1});
  REQUIRE(t.bring("ada"));
  const auto events = events_of(t[0]);
  REQUIRE(events.size() == half + 2);
  CHECK(std::vector(events.end() - 4, events.end()) ==
        std::vector{kind::said, kind::verification, kind::joined, kind::code_changed});
}

TEST_CASE("a verification with somebody who is not there is no event, holds nobody out and asks nobody") {
  table t(4);
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  (void)t[0].take_events();
  const std::uint32_t starter = number(t[3].own_leaf()), own = number(t[0].own_leaf());
  for (const std::uint32_t nobody : {number(t[1].own_leaf()), 77'777U}) {
    std::vector<std::uint32_t> leaves{own, starter, nobody};
    std::ranges::sort(leaves);
    REQUIRE(t[0].receive(*t[3].say(start_of(1, leaves, t[3]))));
    CHECK(events_of(t[0]).empty());
    CHECK_FALSE(t[0].admissions_held());
    CHECK_FALSE(t[0].verification().running());
  }
  REQUIRE(t[0].receive(*t[3].say(as_bytes("csas"))));  // nor is what is no message of one
  CHECK(events_of(t[0]).empty());
  REQUIRE(t[0].receive(*t[3].say(start_of(1, {own, starter}, t[3]))));
  CHECK(events_of(t[0]) == std::vector{kind::verification});
  CHECK(t[0].verification().running());
}

TEST_CASE("nobody is admitted while a verification is on, by its contributors or by others") {
  table t(4);
  auto who = *identity::generate(t.env, "late");
  auto wish = *knock::create(t.env, who);
  const auto pass_on = [&](std::size_t from) {
    for (const bytes& message : *t[from].take_messages()) t.deliver(from, message);
  };
  REQUIRE(t[1].verification().start(t.env, sas::form::words_3, std::vector{number(t[2].own_leaf())}, t.env.steady()));
  pass_on(1);
  CHECK(t[0].admissions_held());
  const byte_view package = wish.key_package();
  mls::commit_request in_another_way;
  in_another_way.add = {&package, 1};
  fails_by(t[0].commit(in_another_way), rules::no_verification_on);
  fails_by(t[0].admit(wish.key_package()), rules::no_verification_on);
  fails_by(t[1].admit(wish.key_package()), rules::no_verification_on);
  CHECK(t[0].remove(t[3].own_leaf()));  // whoever must go, goes
  REQUIRE(t[2].verification().take_part(t.env, t.env.steady()));
  pass_on(2);
  pass_on(1);
  pass_on(2);
  REQUIRE(t[1].verification().show(t.env.steady()));
  REQUIRE(t[2].verification().show(t.env.steady()));
  REQUIRE(t[1].verification().decide(true, t.env.steady()));
  CHECK_FALSE(t[1].admissions_held());
  // the host took no part, and waits as long as a run may take to reveal
  t.env.advance(std::chrono::seconds{19});
  CHECK(t[0].admissions_held());
  t.env.advance(std::chrono::seconds{1});
  CHECK(t[0].admit(wish.key_package()));

  // who starts one after the other does not keep the door shut for good
  REQUIRE(t[2].verification().decide(true, t.env.steady()));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(t[3].verification().start(t.env, sas::form::words_3, std::vector{number(t[2].own_leaf())}, t.env.steady()));
    pass_on(3);
    REQUIRE(t[3].verification().cancel(t.env.steady()));
    pass_on(3);
    t.env.advance(std::chrono::seconds{5});
  }
  // the last of these, which alone would have, was the fourth in this epoch
  t.env.advance(std::chrono::seconds{10});
  CHECK(t[0].admit(wish.key_package()));
}

TEST_CASE("while a verification is on, whoever another host has proposed to add is left out of commits") {
  table t(4);
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::co_host));
  const bytes start = start_of(1, {number(t[2].own_leaf()), number(t[3].own_leaf())}, t[2]);
  const auto who = *identity::generate(t.env, "late");
  const auto wish = *knock::create(t.env, who);
  const bool held = GENERATE(false, true);
  if (held) t.deliver(2, *t[2].say(start));
  REQUIRE(t[0].admissions_held() == held);
  t.deliver(1, *group_of(t[1]).propose_add(t.env, wish.key_package()));
  t.deliver(3, *t[3].leave());
  const auto change = t[0].refresh();
  REQUIRE(change);
  CHECK(change->facts().added.size() == (held ? 0 : 1));
  CHECK(change->facts().removed == std::vector{t[3].own_leaf()});  // whoever wants to go, goes
  // who wants it so can have it always
  mls::commit_request request;
  request.proposed_adds = false;
  CHECK((*t[0].commit(request)).facts().added.empty());
}

TEST_CASE("nobody holds admissions for ever, epoch after epoch, and another one still does") {
  table t(5);
  t.commit(0, *t[0].remove(t[1].own_leaf()));  // the first place that somebody who comes back finds
  std::uint8_t runs = 0;
  const auto held_by = [&](std::size_t starter, std::size_t other) {
    std::vector<std::uint32_t> leaves{number(t[starter].own_leaf()), number(t[other].own_leaf())};
    std::ranges::sort(leaves);
    t.deliver(starter, *t[starter].say(start_of(++runs, leaves, t[starter])));
    const bool held = t[0].admissions_held();
    t.env.advance(std::chrono::seconds{20});
    CHECK_FALSE(t[0].admissions_held());
    return held;
  };
  for (std::size_t i = 0; i < limits::verification_holds; ++i) {
    if (i % limits::verification_failures_per_epoch == 2) t.commit(4, *t[4].refresh());
    CHECK(held_by(4, 2));
  }
  t.commit(4, *t[4].refresh());
  CHECK_FALSE(held_by(4, 2));

  const auto before = t[4].own_leaf();
  auto back = *t[4].come_back(*t[0].entrance());
  for (const std::size_t i : {0U, 2U, 3U}) REQUIRE(t[i].receive(back.commit));
  t.seats[4].room = std::move(back.room);
  REQUIRE(t[4].own_leaf() != before);
  CHECK_FALSE(held_by(4, 2));
  CHECK(held_by(3, 2));

  // who has gone takes along what was counted
  t.commit(0, *t[0].remove(t[4].own_leaf()));
  REQUIRE(t.bring("somebody else"));
  REQUIRE(t[5].own_leaf() == t[4].own_leaf());
  CHECK(held_by(5, 2));
}

TEST_CASE("M8, M19: a code weaker than the meeting asks for is not even started") {
  meeting_options strict;
  strict.parameters.code_bits = 33;
  table t(3, strict);
  const std::vector others{number(t[1].own_leaf())};
  const auto weak = t[0].verification().start(t.env, sas::form::digits_9, others, t.env.steady());
  REQUIRE_FALSE(weak);
  CHECK(weak.error().broken_rule() == &sas::rules::strong_enough);
  CHECK(t[0].verification().start(t.env, sas::form::words_3, others, t.env.steady()));
  // the host may ask for more, from the next epoch on
  auto p = t[0].parameters();
  p.code_bits = 42;
  t.commit(0, *t[0].change_parameters(p));
  t.env.advance(std::chrono::seconds{10});
  CHECK_FALSE(t[1].verification().start(t.env, sas::form::words_3, others, t.env.steady()));
}

}  // namespace meeting_test
