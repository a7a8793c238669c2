// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lobby: who knocks, what the host sees, and what becomes of them.
#include "support.hpp"

namespace meeting_test {
namespace at_the_door {

/// A visitor with a client of some kind.
struct visitor_with {
  identity who;
  knock wish;

  visitor_with(environment& env, const std::string& name, const client_claims& claims)
      : who{*identity::generate(env, name)}, wish{*knock::create(env, who, with(claims))} {}
  static meeting_options with(const client_claims& claims) {
    meeting_options out;
    out.client = claims;
    return out;
  }
};

client_claims a_client(platform on, audio_route sound = audio_route::computer, client_version version = {{50, 0}}) {
  client_claims out;
  out.platform = on;
  out.audio = sound;
  out.version = version;
  return out;
}

admission_rules of_webex() {
  admission_rules out = rules_of(preset::webex).admission;
  out.least_identity = identity_state::unverified;
  return out;
}

}  // namespace at_the_door

using namespace at_the_door;

TEST_CASE("M9, M13: the host sees who waits and with what, agrees or turns away, and the answer says why") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  visitor_with ada(t.env, "ada", a_client(platform::desktop_macos)),
      bela(t.env, "bela", a_client(platform::mobile_ios));
  const auto first = *hall.knock(t[0], ada.wish.key_package());
  const auto second = *hall.knock(t[0], bela.wish.key_package());
  CHECK(first.decision.verdict == admission_verdict::lobby);
  CHECK(first.decision.reason == admission_reason::waits_unverified);
  REQUIRE(hall.waiting().size() == 2);
  CHECK(hall.waiting()[0].who.name == "ada");
  CHECK(hall.waiting()[0].who.identity == identity_state::unverified);
  CHECK(hall.waiting()[1].who.client.platform == platform::mobile_ios);
  CHECK(hall.take(t[0]).admitted.empty());

  REQUIRE(hall.agree(first.ticket));
  const auto refusal = *hall.turn_away(second.ticket);
  const bytes travels = wire::encode(admission_answer{refusal.decision});
  const auto read = *wire::decode<admission_answer>(travels);
  CHECK(explain(read.decision) == "Refused: a host has decided so.");
  for (std::size_t n = 0; n < travels.size(); ++n)
    CHECK_FALSE(wire::decode<admission_answer>(byte_view{travels}.first(n)));
  const auto out = hall.take(t[0]);
  REQUIRE(out.admitted.size() == 1);
  CHECK(out.admitted[0].ticket == first.ticket);
  CHECK(equal(out.key_packages()[0], ada.wish.key_package()));
  CHECK(hall.waiting().empty());
  CHECK(hall.agree(first.ticket).error().code() == errc::unknown_key);
  CHECK(hall.turn_away(first.ticket).error().code() == errc::unknown_key);

  auto add = *t[0].admit(out.key_packages());
  auto there = *meeting::join(std::move(ada.wish), add.welcome());
  REQUIRE(t[0].apply(std::move(add)));
  CHECK(there.roster()[1].client.platform == platform::desktop_macos);
  CHECK(t[0].roster()[1].client == there.roster()[1].client);
}

TEST_CASE("M14, M16: what the rules refuse is refused at the door, with the reason") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  const auto refused = [&](const client_claims& claims, admission_reason why) {
    visitor_with v(t.env, "visitor", claims);
    const auto got = *hall.knock(t[0], v.wish.key_package());
    CHECK(got.decision.verdict == admission_verdict::refused);
    CHECK(got.decision.reason == why);
    CHECK(got.ticket == 0);
  };
  refused(a_client(platform::web), admission_reason::web);
  refused(a_client(platform::sip), admission_reason::sip);
  refused(a_client(platform::desktop_windows, audio_route::call_in), admission_reason::audio_call_in);
  refused(a_client(platform::desktop_windows, audio_route::computer, {{41, 6}}), admission_reason::version_too_old);
  refused({}, admission_reason::platform_unknown);
  CHECK(hall.waiting().empty());
}

TEST_CASE("M3: a room device that comes too late is refused, also where it came in time and waited too long") {
  table t(1);
  admission_rules rules = of_webex();
  rules.devices_among_first = 3;
  lobby hall(rules, meeting_kind::scheduled);
  visitor_with ada(t.env, "ada", a_client(platform::desktop_macos)),
      bela(t.env, "bela", a_client(platform::desktop_macos)), device(t.env, "room 5", a_client(platform::room_device));
  const auto device_place = *hall.knock(t[0], device.wish.key_package());
  CHECK(device_place.decision.verdict == admission_verdict::lobby);
  for (const auto* v : {&ada, &bela}) {
    auto add = *t[0].admit(v->wish.key_package());
    REQUIRE(t[0].apply(std::move(add)));
  }
  REQUIRE(hall.agree(device_place.ticket));
  const auto out = hall.take(t[0]);
  CHECK(out.admitted.empty());
  REQUIRE(out.answers.size() == 1);
  CHECK(out.answers[0].decision.reason == admission_reason::device_too_late);
}

TEST_CASE("M2: those who come in together count each other") {
  table t(1);
  admission_rules rules = of_webex();
  rules.participants = 3;
  lobby hall(rules, meeting_kind::scheduled);
  std::deque<visitor_with> all;
  for (int i = 0; i < 3; ++i) {
    all.emplace_back(t.env, "visitor " + std::to_string(i), a_client(platform::desktop_macos));
    REQUIRE(hall.agree(hall.knock(t[0], all.back().wish.key_package())->ticket));
  }
  const auto out = hall.take(t[0]);
  CHECK(out.admitted.size() == 2);
  CHECK(out.answers.back().decision.reason == admission_reason::full);
}

TEST_CASE("M13: in a locked meeting everybody waits, whatever the host has agreed to") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  visitor_with ada(t.env, "ada", a_client(platform::desktop_macos));
  t.commit(0, *t[0].set_door(door::locked));
  const auto place = *hall.knock(t[0], ada.wish.key_package());
  CHECK(place.decision.reason == admission_reason::locked);
  REQUIRE(hall.agree(place.ticket));
  CHECK(hall.take(t[0]).admitted.empty());
  CHECK(hall.waiting().size() == 1);
  t.commit(0, *t[0].set_door(door::lobby));
  CHECK(hall.take(t[0]).admitted.size() == 1);
}

TEST_CASE("what is no key package, or a forged one, has no place in the lobby") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  visitor_with ada(t.env, "ada", a_client(platform::desktop_macos));
  bytes forged = to_bytes(ada.wish.key_package());
  const auto at = std::search(forged.begin(), forged.end(), as_bytes("ada").begin(), as_bytes("ada").end());
  *at = 'e';
  CHECK(hall.knock(t[0], forged).error().code() == errc::unauthentic);
  CHECK_FALSE(hall.knock(t[0], as_bytes("hello")));
  CHECK(hall.knock(t[0], (*t[0].refresh()).commit()).error().code() == errc::malformed);
  CHECK(t[0].visitor((*t[0].refresh()).commit()).error().code() == errc::malformed);
  CHECK(hall.waiting().empty());
}

TEST_CASE("M13: a key package with the keys of somebody who is in has no place, and one of another time neither") {
  table t(1);
  // randomness that repeats itself: the same keys to encrypt to, under two names
  deterministic_environment same(77), again(77);
  const auto ada = *identity::generate(t.env, "ada"), bela = *identity::generate(t.env, "bela");
  const auto first = *knock::create(same, ada), second = *knock::create(again, bela);
  CHECK(t[0].visitor(first.key_package()));
  CHECK(t[0].visitor(second.key_package()));
  t.commit(0, *t[0].admit(first.key_package()));
  fails_by(t[0].visitor(second.key_package()), mls::rules::unique_keys);
  fails_by(t[0].visitor((*knock::create(t.env, ada)).key_package()), mls::rules::unique_keys);

  const auto carol = *knock::create(t.env, *identity::generate(t.env, "carol"));
  CHECK(t[0].visitor(carol.key_package()));
  t.env.advance(limits::key_package_lifetime);
  fails_by(t[0].visitor(carol.key_package()), mls::rules::lifetime_is_current);
}

TEST_CASE("M13: whoever was to be admitted by a commit that comes to nothing has the same place again") {
  table t(2);
  lobby hall(of_webex(), meeting_kind::scheduled);
  std::deque<visitor_with> all;
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back(t.env, "visitor " + std::to_string(i), a_client(platform::desktop_macos));
    tickets.push_back(hall.knock(t[0], all.back().wish.key_package())->ticket);
    if (i != 1) REQUIRE(hall.agree(tickets.back()));
  }
  auto out = hall.take(t[0]);
  REQUIRE(out.admitted.size() == 3);
  REQUIRE(hall.waiting().size() == 1);
  auto late = *t[0].admit(out.key_packages());
  t.commit(1, *t[1].refresh());  // faster
  CHECK(t[0].apply(std::move(late)).error().code() == errc::stale_epoch);
  CHECK(hall.give_back(std::move(out)).empty());
  REQUIRE(hall.waiting().size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(hall.waiting()[i].ticket == tickets[i]);
  CHECK_FALSE(hall.waiting()[1].agreed);

  const auto again = hall.take(t[0]);
  CHECK(again.admitted.size() == 3);
  t.commit(0, *t[0].admit(again.key_packages()));
  CHECK(t[0].size() == 5);
  CHECK(hall.waiting().size() == 1);
}

TEST_CASE("M13: a person has one place: the newest knock counts, and the host's word for what it has seen only") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  auto who = *identity::generate(t.env, "ada");
  const auto knock_of = [&](const identity& as, platform on = platform::desktop_macos) {
    t.env.advance(std::chrono::seconds{1});
    return *knock::create(t.env, as, visitor_with::with(a_client(on)));
  };
  const auto first = knock_of(who), second = knock_of(who), elsewhere = knock_of(who, platform::mobile_ios);
  const auto place = *hall.knock(t[0], first.key_package());
  CHECK(hall.knock(t[0], first.key_package())->ticket == place.ticket);
  REQUIRE(hall.agree(place.ticket));
  CHECK(hall.knock(t[0], second.key_package())->ticket == place.ticket);
  REQUIRE(hall.waiting().size() == 1);
  CHECK(equal(hall.waiting()[0].key_package, second.key_package()));
  CHECK(hall.waiting()[0].agreed);
  // a relay that repeats the first one takes no place away
  const auto repeated = hall.knock(t[0], first.key_package());
  REQUIRE_FALSE(repeated);
  CHECK(repeated.error().code() == errc::replayed);
  CHECK(repeated.error().broken_rule() == &rules::newest_knock);
  // refused by the rules: the place stays as it was
  CHECK(hall.knock(t[0], knock_of(who, platform::web).key_package())->ticket == 0);
  CHECK(equal(hall.waiting()[0].key_package, second.key_package()));
  // the host has agreed to the other device
  CHECK(hall.knock(t[0], elsewhere.key_package())->ticket == place.ticket);
  CHECK_FALSE(hall.waiting()[0].agreed);

  // the same key under another name
  REQUIRE(hall.agree(place.ticket));
  auto renamed = client_of(who, a_client(platform::mobile_ios));
  renamed.credential = to_bytes(as_bytes("the chairman"));
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  const auto package = *mls::make_key_package(t.env, suite, renamed, {std::chrono::hours{24}, false});
  CHECK(hall.knock(t[0], package.message)->ticket == place.ticket);
  CHECK(hall.waiting()[0].who.name == "the chairman");
  CHECK_FALSE(hall.waiting()[0].agreed);
}

TEST_CASE("M13: who knocks again while a commit is made has one place, wherever that commit ends") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  auto who = *identity::generate(t.env, "ada");
  const auto options = visitor_with::with(a_client(platform::desktop_macos));
  const auto first = *knock::create(t.env, who, options), second = *knock::create(t.env, who, options);
  const auto place = *hall.knock(t[0], first.key_package());
  REQUIRE(hall.agree(place.ticket));
  auto out = hall.take(t[0]);
  REQUIRE(out.admitted.size() == 1);
  const auto newer = *hall.knock(t[0], second.key_package());
  CHECK(hall.give_back(std::move(out)) == std::vector{place.ticket});
  REQUIRE(hall.waiting().size() == 1);
  CHECK(hall.waiting()[0].ticket == newer.ticket);
  CHECK(hall.waiting()[0].agreed);

  // or she is in, and her wish void
  const byte_view package = first.key_package();
  t.commit(0, *t[0].admit(package));
  const auto rest = hall.take(t[0]);
  CHECK(rest.admitted.empty());
  CHECK(rest.lapsed == std::vector{newer.ticket});
  CHECK(hall.waiting().empty());
}

TEST_CASE("M13: a key package that has lapsed does not keep others out") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  const auto hurried = *identity::generate(t.env, "hurried"), patient = *identity::generate(t.env, "patient");
  auto options = visitor_with::with(a_client(platform::desktop_macos));
  const auto long_lived = *knock::create(t.env, patient, options);
  options.key_package_valid_for = std::chrono::hours{1};
  const auto short_lived = *knock::create(t.env, hurried, options);
  const auto lapses = hall.knock(t[0], short_lived.key_package())->ticket;
  REQUIRE(hall.agree(lapses));
  REQUIRE(hall.agree(hall.knock(t[0], long_lived.key_package())->ticket));
  t.env.advance(std::chrono::hours{2});
  const auto out = hall.take(t[0]);
  CHECK(out.lapsed == std::vector{lapses});
  REQUIRE(out.admitted.size() == 1);
  CHECK(t[0].admit(out.key_packages()));
}

TEST_CASE("a lobby that has filled up meanwhile takes back whom it knew first") {
  table t(1);
  admission_rules rules = of_webex();
  rules.participants = 10'000;
  lobby hall(rules, meeting_kind::scheduled);
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  const auto knock_of = [&](const std::string& name) {
    auto who = client_of(*identity::generate(t.env, name), a_client(platform::desktop_macos));
    who.credential.resize(limits::credential_bytes - 64, 'x');
    return (*mls::make_key_package(t.env, suite, who, {std::chrono::hours{24}, false})).message;
  };
  const auto first = *hall.knock(t[0], knock_of("first"));
  REQUIRE(hall.agree(first.ticket));
  auto out = hall.take(t[0]);
  REQUIRE(out.admitted.size() == 1);
  std::uint64_t last = 0;
  for (int i = 0;; ++i) {
    const auto got = hall.knock(t[0], knock_of("visitor " + std::to_string(i)));
    if (!got) {
      CHECK(got.error().code() == errc::over_limit);
      break;
    }
    last = got->ticket;
  }
  const auto full = hall.waiting().size();
  CHECK(hall.give_back(std::move(out)) == std::vector{last});
  CHECK(hall.waiting().size() == full);
  CHECK(hall.waiting().front().ticket == first.ticket);
}

TEST_CASE("a lobby has so many places, however small a knock is") {
  table t(1);
  lobby hall(of_webex(), meeting_kind::scheduled);
  lobby::outcome crowd;
  for (std::uint32_t i = 0; i < limits::waiting_joins; ++i) {
    crowd.admitted.emplace_back().signature_key.resize(4);
    store_be(i, crowd.admitted.back().signature_key);
  }
  CHECK(hall.give_back(std::move(crowd)).empty());
  visitor_with ada(t.env, "ada", a_client(platform::desktop_macos));
  CHECK(hall.knock(t[0], ada.wish.key_package()).error().code() == errc::over_limit);
}

static_assert(!std::is_copy_constructible_v<lobby> && std::is_move_assignable_v<lobby>);

}  // namespace meeting_test
