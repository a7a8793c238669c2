// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who may join: each reason is reached by a visitor in whom exactly that is wrong.
#include "support.hpp"

#include <conclave/limits.hpp>

#include <set>

using namespace rules_test;
using reason = admission_reason;

TEST_CASE("M2: the reference meetings have room for 200, which is a value") {
  for (const preset p : reference) {
    expect_admitted(decide(p, welcome(), {.present = 199}));
    const auto full = decide(p, welcome(), {.present = 200});
    expect_refused(full, reason::full);
    CHECK(full.limit == 200);
    CHECK(explain(full) == "Refused: the meeting is full; it has room for 200.");
  }
  expect_admitted(decide(preset::open, welcome(), {.present = limits::leaves - 1}));
  expect_refused(decide(preset::open, welcome(), {.present = limits::leaves}), reason::full);
  auto mine = rules_of(preset::teams).admission;
  mine.participants = 10'000;
  expect_admitted(decide_admission(mine, {.present = 9'999}, welcome()));
  expect_refused(decide_admission(mine, {.present = 10'000}, welcome()), reason::full);
}

TEST_CASE("M2: where a room device came first, a Teams meeting has room for 50") {
  expect_admitted(decide(preset::teams, welcome(), {.present = 49, .device_came_first = true}));
  const auto full = decide(preset::teams, welcome(), {.present = 50, .device_came_first = true});
  expect_refused(full, reason::full_after_device);
  CHECK(full.limit == 50);
  expect_admitted(decide(preset::teams, welcome(), {.present = 50}));
  expect_admitted(decide(preset::webex, welcome(), {.present = 50, .device_came_first = true}));
}

TEST_CASE("M3: room devices join only among the first 25 participants of any kind") {
  expect_admitted(decide(preset::webex, welcome(platform::room_device), {.present = 24}));
  const auto late = decide(preset::webex, welcome(platform::room_device), {.present = 25});
  expect_refused(late, reason::device_too_late);
  CHECK(late.limit == 25);
  CHECK(explain(late).find("transcode") != std::string::npos);
  CHECK(explain(late).find("the first 25 count") != std::string::npos);
  for (const platform p :
       {platform::desktop_windows, platform::desktop_macos, platform::mobile_ios, platform::mobile_android})
    expect_admitted(decide(preset::webex, welcome(p), {.present = 25}));
  auto mine = rules_of(preset::open).admission;
  mine.devices_among_first = 25;
  for (const platform p : {platform::room_device, platform::sx_series, platform::dx_series, platform::mx_series}) {
    expect_admitted(decide_admission(mine, {.present = 24}, welcome(p)));
    expect_refused(decide_admission(mine, {.present = 25}, welcome(p)), reason::device_too_late);
    expect_admitted(decide(preset::open, welcome(p), {.present = 5'000}));
  }
}

TEST_CASE("M4: an older app joins only as one of 20, in the preset that says so") {
  auto app = welcome();
  app.claims.experience = client_experience::app;
  expect_admitted(decide(preset::webex, app, {.present = 150, .app_present = 19}));
  const auto full = decide(preset::webex, app, {.present = 20, .app_present = 20});
  expect_refused(full, reason::full_of_apps);
  CHECK(full.limit == 20);
  expect_admitted(decide(preset::webex, welcome(), {.present = 20, .app_present = 20}));
  expect_admitted(decide(preset::teams, app, {.present = 20, .app_present = 20}));
  expect_admitted(decide(preset::open, app, {.present = 20, .app_present = 20}));
  auto mine = rules_of(preset::webex).admission;
  mine.app_participants = 21;
  expect_admitted(decide_admission(mine, {.present = 20, .app_present = 20}, app));
}

TEST_CASE("M5: each preset covers its kinds of meetings, and only the open one webinars and town halls") {
  struct {
    meeting_kind kind;
    bool webex, teams;
  } const table[] = {{meeting_kind::personal_room, true, false},
                     {meeting_kind::scheduled, true, true},
                     {meeting_kind::channel, false, true},
                     {meeting_kind::webinar, false, false},
                     {meeting_kind::town_hall, false, false}};
  REQUIRE(std::size(table) == count<meeting_kind>());
  for (const auto& line : table) {
    const bool covered[] = {line.webex, line.teams, true};
    for (const preset p : every) {
      INFO(name(p) << ": " << name(line.kind));
      const bool expected = covered[static_cast<std::size_t>(p)];
      CHECK(rules_of(p).admission.covers(line.kind) == expected);
      const auto got = decide(p, welcome(), {.kind = line.kind});
      expected ? expect_admitted(got) : expect_refused(got, reason::kind_not_covered);
    }
  }
  CHECK_FALSE(rules_of(preset::open).admission.covers(static_cast<meeting_kind>(99)));
}

TEST_CASE("M14: what the reference presets refuse to run on, each with its own reason") {
  struct {
    platform on;
    reason why;
  } const table[] = {{platform::unknown, reason::platform_unknown},
                     {platform::desktop_linux, reason::platform_desktop},
                     {platform::sx_series, reason::sx_series},
                     {platform::dx_series, reason::dx_series},
                     {platform::mx_series, reason::mx_series},
                     {platform::web, reason::web},
                     {platform::vdi, reason::vdi},
                     {platform::cvi, reason::cvi},
                     {platform::sip, reason::sip},
                     {platform::pstn, reason::pstn}};
  for (const preset p : reference) {
    for (const auto& line : table) expect_refused(decide(p, welcome(line.on)), line.why);
    for (const platform good : {platform::desktop_windows, platform::desktop_macos, platform::mobile_ios,
                                platform::mobile_android, platform::room_device})
      expect_admitted(decide(p, welcome(good)));
    expect_refused(decide(p, welcome(static_cast<platform>(200))), reason::platform_unknown);
  }
  auto none = rules_of(preset::teams).admission;
  none.platforms = {};
  expect_refused(decide_admission(none, {}, welcome(platform::mobile_ios)), reason::platform_mobile);
  expect_refused(decide_admission(none, {}, welcome(platform::room_device)), reason::room_device);
}

TEST_CASE("M14: the open preset takes every platform but the gateways, which no rule can admit") {
  auto all = rules_of(preset::open).admission;
  all.platforms.fill(platform_rule::any());
  for (std::size_t i = 0; i < count<platform>(); ++i) {
    const auto on = static_cast<platform>(i);
    const bool gateway = on == platform::cvi || on == platform::sip || on == platform::pstn;
    for (const auto& got : {decide(preset::open, welcome(on)), decide_admission(all, {}, welcome(on))}) {
      INFO(name(on));
      CHECK((got.verdict == admission_verdict::refused) == gateway);
    }
  }
}

TEST_CASE("M14: a client older than its platform's first version is refused, and told which one that is") {
  struct {
    platform on;
    client_version too_old, first;
  } const table[] = {{platform::desktop_windows, {{41, 6, 9}}, {{41, 7}}},
                     {platform::desktop_macos, {{40, 9}}, {{41, 7}}},
                     {platform::mobile_ios, {{41}}, {{41, 7}}},
                     {platform::mobile_android, {{}}, {{41, 7}}},
                     {platform::room_device, {{10, 6, 0, 99}}, {{10, 6, 1}}}};
  for (const auto& line : table) {
    auto v = welcome(line.on);
    v.claims.version = line.too_old;
    const auto got = decide(preset::webex, v);
    expect_refused(got, reason::version_too_old);
    CHECK(got.least == line.first);
    CHECK(explain(got) == "Refused: the client is too old and needs an update; the first version that can join is " +
                              text(line.first) + ".");
    v.claims.version = line.first;
    expect_admitted(decide(preset::webex, v));
    v.claims.version = {};
    expect_admitted(decide(preset::teams, v));
  }
}

TEST_CASE("M14: clients with the UCF experience are refused by the reference presets") {
  auto v = welcome();
  v.claims.experience = client_experience::ucf;
  for (const preset p : reference) expect_refused(decide(p, v), reason::ucf);
  expect_admitted(decide(preset::open, v));
  v.claims.experience = static_cast<client_experience>(7);
  for (const preset p : every) expect_refused(decide(p, v), reason::experience_unknown);
}

TEST_CASE("M15: who must be recorded for compliance cannot join, whoever says so") {
  for (const preset p : every) {
    auto directory = welcome(), own = welcome();
    directory.must_be_recorded = true;
    own.claims.must_be_recorded = true;
    expect_refused(decide(p, directory), reason::must_be_recorded);
    expect_refused(decide(p, own), reason::must_be_recorded);
    auto mine = rules_of(p).admission;
    mine.admits_must_be_recorded = true;
    expect_admitted(decide_admission(mine, {}, directory));
  }
}

TEST_CASE("M16: only the computer's audio is encrypted; telephones are refused under all rules") {
  for (const preset p : every) {
    auto v = welcome();
    v.claims.audio = audio_route::none;
    expect_admitted(decide(p, v));
    v.claims.audio = audio_route::call_me;
    expect_refused(decide(p, v), reason::audio_call_me);
    v.claims.audio = audio_route::call_in;
    expect_refused(decide(p, v), reason::audio_call_in);
    v.claims.audio = static_cast<audio_route>(9);
    expect_refused(decide(p, v), reason::audio_unknown);
  }
}

TEST_CASE("P5: a room device is refused where devices are switched off, with who has switched them off") {
  const auto at = [](device_permission d) { return meeting_facts{.devices = d}; };
  const auto device = welcome(platform::room_device);
  expect_refused(decide(preset::webex, device, at(device_permission::off_for_site)), reason::devices_off_for_site);
  expect_refused(decide(preset::webex, device, at(device_permission::off_for_user)), reason::devices_off_for_user);
  expect_refused(decide(preset::webex, device, at(device_permission::off_for_both)), reason::devices_off_for_both);
  expect_admitted(decide(preset::webex, device, at(device_permission::allowed)));
  expect_admitted(decide(preset::webex, welcome(), at(device_permission::off_for_both)));
}

TEST_CASE("M9: who shows a bad certificate stays out, who shows none waits for a host") {
  struct {
    identity_state state;
    reason why;
  } const bad[] = {{identity_state::revoked, reason::identity_revoked},
                   {identity_state::mismatch, reason::identity_mismatch},
                   {identity_state::untrusted, reason::identity_untrusted},
                   {identity_state::expired, reason::identity_expired}};
  for (const preset p : every) {
    auto v = welcome();
    for (const auto& line : bad) {
      v.identity = line.state;
      for (const bool agrees : {false, true}) {
        v.host_agrees = agrees;
        expect_refused(decide(p, v), line.why);
      }
    }
    for (const identity_state s : {identity_state::revocation_unknown, identity_state::unverified}) {
      v.identity = s;
      v.host_agrees = false;
      expect(decide(p, v), admission_verdict::lobby, reason::waits_unverified);
      v.host_agrees = true;
      expect_admitted(decide(p, v));
    }
    v.host_agrees = false;
    v.identity = identity_state::verified_external;
    expect_admitted(decide(p, v));
  }
  auto strict = rules_of(preset::open).admission;
  strict.least_identity = identity_state::verified_external;
  const std::pair<identity_state, reason> weak[] = {
      {identity_state::revocation_unknown, reason::identity_revocation_unknown},
      {identity_state::unverified, reason::identity_unverified},
      {identity_state::verified_internal, reason::identity_internal}};
  for (const auto& [state, why] : weak) {
    auto v = welcome();
    v.identity = state;
    expect_refused(decide_admission(strict, {}, v), why);
  }
}

TEST_CASE("M13: the lobby: nobody, who is not verified, or everybody waits, and all wait before a locked meeting") {
  auto rules = rules_of(preset::open).admission;
  const meeting_facts locked{.locked = true};
  auto stranger = welcome();
  stranger.identity = identity_state::unverified;
  rules.lobby = lobby_rule::nobody;
  expect_admitted(decide_admission(rules, {}, stranger));
  expect(decide_admission(rules, locked, stranger), admission_verdict::lobby, reason::locked);
  expect(decide_admission(rules, locked, welcome()), admission_verdict::lobby, reason::locked);
  rules.lobby = lobby_rule::everybody;
  expect(decide_admission(rules, {}, welcome()), admission_verdict::lobby, reason::waits_with_everybody);
  auto agreed = stranger;
  agreed.host_agrees = true;
  expect_admitted(decide_admission(rules, locked, agreed));
  // a host's word ends the wait, and nothing else
  expect_refused(decide_admission(rules, {.present = limits::leaves}, agreed), reason::full);
  agreed.claims.platform = platform::pstn;
  expect_refused(decide_admission(rules, {}, agreed), reason::pstn);
}

TEST_CASE("every reason has words of its own, and rules that list nothing refuse everybody") {
  std::set<std::string> words;
  for (std::size_t i = 0; i < count<admission_reason>(); ++i) {
    CHECK(from_name<admission_reason>(name(static_cast<reason>(i))) == static_cast<reason>(i));
    words.insert(text(static_cast<reason>(i)));
  }
  CHECK(words.size() == count<admission_reason>());
  CHECK_FALSE(words.contains(text(static_cast<reason>(count<admission_reason>()))));
  auto v = welcome();
  v.identity = identity_state::verified_external;
  v.host_agrees = true;
  expect_refused(decide_admission({}, {}, v), reason::kind_not_covered);
}

namespace {

/// What can be wrong, one thing at a time. Rules, meeting and visitor start as those of the Webex preset with everything
/// in order.
struct scene {
  admission_rules rules = rules_of(preset::webex).admission;
  meeting_facts meeting;
  visitor_facts visitor = welcome();
  [[nodiscard]] admission_decision decide() const { return decide_admission(rules, meeting, visitor); }
};
struct fault {
  reason why;
  void (*make)(scene&);
};

template <platform P>
void runs_on(scene& s) {
  s.visitor.claims.platform = P;
}
template <identity_state S>
void is(scene& s) {
  s.visitor.identity = S;
}
template <identity_state S>
void is_below(scene& s) {
  s.visitor.identity = S;
  s.rules.least_identity = identity_state::verified_external;
}
template <device_permission D>
void is_a_device_where(scene& s) {
  s.visitor.claims.platform = platform::room_device;
  s.meeting.devices = D;
}

constexpr fault faults[] = {
    {reason::kind_not_covered, [](scene& s) { s.meeting.kind = meeting_kind::town_hall; }},
    {reason::platform_unknown, runs_on<platform::unknown>},
    {reason::platform_desktop, runs_on<platform::desktop_linux>},
    {reason::platform_mobile,
     [](scene& s) {
       s.visitor.claims.platform = platform::mobile_ios;
       s.rules.platforms[static_cast<std::size_t>(platform::mobile_ios)] = {};
     }},
    {reason::room_device,
     [](scene& s) {
       s.visitor.claims.platform = platform::room_device;
       s.rules.platforms[static_cast<std::size_t>(platform::room_device)] = {};
     }},
    {reason::sx_series, runs_on<platform::sx_series>},
    {reason::dx_series, runs_on<platform::dx_series>},
    {reason::mx_series, runs_on<platform::mx_series>},
    {reason::web, runs_on<platform::web>},
    {reason::vdi, runs_on<platform::vdi>},
    {reason::cvi, runs_on<platform::cvi>},
    {reason::sip, runs_on<platform::sip>},
    {reason::pstn, runs_on<platform::pstn>},
    {reason::experience_unknown, [](scene& s) { s.visitor.claims.experience = static_cast<client_experience>(3); }},
    {reason::ucf, [](scene& s) { s.visitor.claims.experience = client_experience::ucf; }},
    {reason::version_too_old, [](scene& s) { s.visitor.claims.version = {{9, 9}}; }},
    {reason::devices_off_for_site, is_a_device_where<device_permission::off_for_site>},
    {reason::devices_off_for_user, is_a_device_where<device_permission::off_for_user>},
    {reason::devices_off_for_both, is_a_device_where<device_permission::off_for_both>},
    {reason::audio_unknown, [](scene& s) { s.visitor.claims.audio = static_cast<audio_route>(4); }},
    {reason::audio_call_me, [](scene& s) { s.visitor.claims.audio = audio_route::call_me; }},
    {reason::audio_call_in, [](scene& s) { s.visitor.claims.audio = audio_route::call_in; }},
    {reason::must_be_recorded, [](scene& s) { s.visitor.must_be_recorded = true; }},
    {reason::identity_revoked, is<identity_state::revoked>},
    {reason::identity_mismatch, is<identity_state::mismatch>},
    {reason::identity_untrusted, is<identity_state::untrusted>},
    {reason::identity_expired, is<identity_state::expired>},
    {reason::identity_revocation_unknown, is_below<identity_state::revocation_unknown>},
    {reason::identity_unverified, is_below<identity_state::unverified>},
    {reason::identity_internal, is_below<identity_state::verified_internal>},
    {reason::full, [](scene& s) { s.meeting.present = 200; }},
    {reason::full_after_device,
     [](scene& s) {
       s.meeting.device_came_first = true;
       s.meeting.present = s.rules.participants_if_device_first = 50;
     }},
    {reason::full_of_apps,
     [](scene& s) {
       s.visitor.claims.experience = client_experience::app;
       s.meeting.app_present = 20;
     }},
    {reason::device_too_late,
     [](scene& s) {
       s.visitor.claims.platform = platform::room_device;
       s.meeting.present = 25;
     }},
    {reason::locked, [](scene& s) { s.meeting.locked = true; }},
    {reason::waits_unverified, is<identity_state::unverified>},
    {reason::waits_with_everybody, [](scene& s) { s.rules.lobby = lobby_rule::everybody; }},
};

}  // namespace

TEST_CASE("each reason is reached by the one thing that is wrong") {
  REQUIRE(std::size(faults) == static_cast<std::size_t>(reason::turned_away) - 1);  // which is a host's own word
  expect_admitted(scene{}.decide());
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    scene s;
    faults[i].make(s);
    CHECK(name(faults[i].why) == name(static_cast<reason>(i + 1)));
    expect(s.decide(), faults[i].why >= reason::locked ? admission_verdict::lobby : admission_verdict::refused,
           faults[i].why);
  }
}

TEST_CASE("two things that are wrong are never better than one") {
  std::size_t admitted = 0, only_lobby = 0;
  for (const fault& one : faults)
    for (const fault& other : faults) {
      scene s;
      one.make(s);
      other.make(s);
      const auto got = s.decide();
      admitted += got.verdict == admission_verdict::admitted;
      // the later one wins where both set the same fact; it is what still holds for certain
      only_lobby += got.verdict == admission_verdict::lobby && other.why < reason::locked;
    }
  CHECK(admitted == 0);
  CHECK(only_lobby == 0);
}

TEST_CASE("who has everything wrong hears the reasons in their order, one after the other is mended") {
  scene s;
  s.meeting = {.kind = meeting_kind::town_hall,
               .present = 200,
               .app_present = 20,
               .device_came_first = true,
               .locked = true,
               .devices = device_permission::off_for_both};
  s.rules.participants_if_device_first = 50;
  s.rules.lobby = lobby_rule::everybody;
  s.visitor.claims = {platform::sip, client_experience::ucf, audio_route::call_in, true, {}};
  s.visitor.identity = identity_state::expired;
  const std::pair<reason, void (*)(scene&)> mended[] = {
      {reason::kind_not_covered, [](scene& x) { x.meeting.kind = meeting_kind::scheduled; }},
      {reason::sip, [](scene& x) { x.visitor.claims.platform = platform::room_device; }},
      {reason::ucf, [](scene& x) { x.visitor.claims.experience = client_experience::app; }},
      {reason::version_too_old, [](scene& x) { x.visitor.claims.version = {{11}}; }},
      {reason::devices_off_for_both, [](scene& x) { x.meeting.devices = device_permission::allowed; }},
      {reason::audio_call_in, [](scene& x) { x.visitor.claims.audio = audio_route::computer; }},
      {reason::must_be_recorded, [](scene& x) { x.visitor.claims.must_be_recorded = false; }},
      {reason::identity_expired, [](scene& x) { x.visitor.identity = identity_state::unverified; }},
      {reason::full, [](scene& x) { x.meeting.present = 199; }},
      {reason::full_after_device, [](scene& x) { x.meeting.device_came_first = false; }},
      {reason::full_of_apps, [](scene& x) { x.meeting.app_present = 19; }},
      {reason::device_too_late, [](scene& x) { x.meeting.present = 24; }},
      {reason::locked, [](scene& x) { x.meeting.locked = false; }},
      {reason::waits_with_everybody, [](scene& x) { x.rules.lobby = lobby_rule::unverified; }},
      {reason::waits_unverified, [](scene& x) { x.visitor.host_agrees = true; }},
  };
  for (const auto& [why, mend] : mended) {
    const auto got = s.decide();
    INFO(explain(got));
    CHECK(name(got.reason) == name(why));
    mend(s);
  }
  expect_admitted(s.decide());
}
