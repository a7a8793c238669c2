// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a client says of itself: on the wire, and versions.
#include "support.hpp"

#include <support/hex.hpp>

using namespace rules_test;

namespace {

// written by hand from docs/rules.md: format, platform, experience, audio, recording, four numbers of the version
constexpr const char* encoded =
    "01"
    "06"
    "01"
    "03"
    "01"
    "0000000a"
    "00000006"
    "00000001"
    "ffffffff";

client_claims a_device() {
  client_claims c;
  c.platform = platform::room_device;
  c.experience = client_experience::app;
  c.audio = audio_route::none;
  c.must_be_recorded = true;
  c.version = {{10, 6, 1, 0xffffffff}};
  return c;
}

}  // namespace

TEST_CASE("M14: what a client says of itself has one encoding") {
  const bytes expected = conclave_test::from_hex(encoded);
  REQUIRE(expected.size() == client_claims::size);
  CHECK(wire::encode(a_device()) == expected);
  const auto got = wire::decode<client_claims>(expected);
  REQUIRE(got);
  CHECK(*got == a_device());
}

TEST_CASE("M14: malformed claims are refused: cut, too long, of another format, with another flag") {
  const bytes good = conclave_test::from_hex(encoded);
  for (std::size_t n = 0; n < good.size(); ++n) {
    const auto cut = wire::decode<client_claims>(byte_view{good}.first(n));
    REQUIRE_FALSE(cut);
    CHECK(cut.error() == errc::malformed);
  }
  bytes longer = good;
  longer.push_back(0);
  CHECK(wire::decode<client_claims>(longer).error().broken_rule() == &rules::no_trailing_bytes);
  for (unsigned value = 0; value < 256; ++value) {
    bytes changed = good;
    changed[0] = static_cast<std::uint8_t>(value);
    const auto format = wire::decode<client_claims>(changed);
    CHECK(format.has_value() == (value == 1));
    if (!format) CHECK(format.error() == errc::unsupported);
    changed = good;
    changed[4] = static_cast<std::uint8_t>(value);
    const auto flag = wire::decode<client_claims>(changed);
    CHECK(flag.has_value() == (value < 2));
    if (!flag) CHECK(flag.error().broken_rule() == &rules::claims_flag);
  }
}

TEST_CASE("M14: what newer clients name by numbers unknown here arrives as it was, and is not admitted") {
  bytes newer = conclave_test::from_hex(encoded);
  newer[1] = newer[2] = newer[3] = 0xee;
  const auto got = wire::decode<client_claims>(newer);
  REQUIRE(got);
  CHECK_FALSE(known(got->platform));
  CHECK_FALSE(known(got->experience));
  CHECK_FALSE(known(got->audio));
  CHECK(name(got->platform).empty());
  CHECK(wire::encode(*got) == newer);
  auto v = welcome();
  v.claims = *got;
  expect_refused(decide(preset::teams, v), admission_reason::platform_unknown);
  expect_refused(decide(preset::open, v), admission_reason::experience_unknown);
}

TEST_CASE("M14: versions are read strictly, compared from the left, and written without zeros at the end") {
  const auto parsed = [](std::string_view s) {
    const auto v = client_version::parse(s);
    REQUIRE(v);
    return *v;
  };
  CHECK(parsed("41.7") == client_version{{41, 7}});
  CHECK(parsed("41.7.0.0") == parsed("41.7"));
  CHECK(parsed("4294967295.0.1.2") == client_version{{4294967295, 0, 1, 2}});
  CHECK(parsed("41.10") > parsed("41.9.9"));
  CHECK(parsed("9") < parsed("10"));
  CHECK(parsed("0") == client_version{});
  for (const char* bad : {"", ".", "41.", ".7", "41..7", "1.2.3.4.5", "1.2.3.4.", "v1", "1a", " 1", "1 ", "-1", "+1",
                          "01", "1.00", "4294967296", "99999999999999999999999", "1a2"}) {
    INFO(bad);
    CHECK_FALSE(client_version::parse(bad));
  }
  CHECK(client_version::parse("x").error().broken_rule() == &rules::version_number);
  CHECK(text(parsed("41.7.0")) == "41.7");
  CHECK(text(parsed("0.0.1")) == "0.0.1");
  CHECK(text(client_version{}) == "0");
}

TEST_CASE("names of what travels and of what stands in files are each known once, and found again") {
  const auto check = []<class E>(E) {
    for (std::size_t i = 0; i < count<E>(); ++i) {
      const auto e = static_cast<E>(i);
      CHECK_FALSE(name(e).empty());
      CHECK(from_name<E>(name(e)) == e);
    }
    CHECK_FALSE(from_name<E>("no such name"));
    CHECK(name(static_cast<E>(count<E>())).empty());
  };
  check(platform{});
  check(client_experience{});
  check(audio_route{});
  check(meeting_kind{});
  check(lobby_rule{});
  check(identity_state{});
  check(encryption_policy{});
  check(encryption_rule{});
  check(directive{});
  check(feature{});
  check(feature_use{});
  check(feature_reason{});
  check(preset{});
  for (std::size_t i = 1; i < count<platform>(); ++i)
    CHECK(std::string{text(static_cast<platform>(i))} != text(platform::unknown));
}
