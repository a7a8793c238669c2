// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which features there are: the whole table, written by hand.
#include "support.hpp"

using namespace rules_test;

namespace {

/// One letter for each of: webex, teams, open. a: available, s: needs a server, n: not when encrypted.
struct line {
  feature what;
  const char* encrypted;
  bool needs_server;
};
constexpr line table[] = {
    {feature::chat, "aaa", false},
    {feature::notes, "aaa", false},
    {feature::local_recording, "ana", false},
    {feature::breakout_rooms, "nna", false},
    {feature::assistant, "sss", true},
    {feature::live_captions, "sss", true},
    {feature::transcription, "sss", true},
    {feature::cloud_recording, "sss", true},
    {feature::cloud_notes, "sss", true},
    {feature::phone_dial_in, "sss", true},
    {feature::excel_live, "sss", true},
    {feature::powerpoint_live, "sss", true},
    {feature::request_control, "sss", true},
    {feature::together_mode, "sss", true},
    {feature::companion_mode, "sss", true},
    {feature::large_gallery, "sss", true},
    {feature::transcoding, "sss", true},
};

char letter(feature_reason r) {
  return r == feature_reason::available             ? 'a'
         : r == feature_reason::needs_server_access ? 's'
         : r == feature_reason::not_when_encrypted  ? 'n'
                                                    : 'o';
}

}  // namespace

TEST_CASE("M17: the table of features, for each preset, encrypted and not") {
  REQUIRE(std::size(table) == count<feature>());
  for (const line& l : table) {
    INFO(name(l.what));
    CHECK(needs_server_access(l.what) == l.needs_server);
    for (const preset p : every) {
      const feature_rules& rules = rules_of(p).features;
      CHECK(letter(availability(rules, l.what, true)) == l.encrypted[static_cast<std::size_t>(p)]);
      CHECK(letter(availability(rules, l.what, false)) == 'a');
    }
  }
}

TEST_CASE("M17: what needs a server is not there in an encrypted meeting, whatever the rules say") {
  feature_rules all, none;
  all.uses.fill(feature_use::always);
  for (const line& l : table) {
    INFO(name(l.what));
    CHECK(letter(availability(all, l.what, true)) == (l.needs_server ? 's' : 'a'));
    CHECK(letter(availability(all, l.what, false)) == 'a');
    CHECK(letter(availability(none, l.what, false)) == 'o');
    CHECK(letter(availability(none, l.what, true)) == (l.needs_server ? 's' : 'o'));
  }
  CHECK(availability(all, static_cast<feature>(99), false) == feature_reason::off);
  CHECK(availability(all, static_cast<feature>(99), true) == feature_reason::needs_server_access);
}

TEST_CASE("M17: why a feature is missing, in words") {
  CHECK(explain(feature::live_captions, feature_reason::needs_server_access) ==
        "Live captions: not available, because a server would have to hear what is said, and the meeting is end-to-end "
        "encrypted.");
  CHECK(explain(feature::breakout_rooms, feature_reason::not_when_encrypted) ==
        "Breakout rooms: not available, because these rules offer it only in meetings that are not end-to-end "
        "encrypted.");
  CHECK(explain(feature::chat, feature_reason::off) == "Chat: not available, because it is switched off.");
  CHECK(explain(feature::chat, feature_reason::available) == "Chat: available.");
}

TEST_CASE("M18: breakout rooms are there under the open preset, because a branch of the group needs no server") {
  CHECK(availability(rules_of(preset::open).features, feature::breakout_rooms, true) == feature_reason::available);
}
