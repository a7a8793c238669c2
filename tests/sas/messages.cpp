// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <set>

using namespace sas_test;

namespace {

const sas::run_id counting{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

void check_refused(byte_view input, errc code, const rule& broken) {
  const auto read = wire::decode<message>(input);
  REQUIRE_FALSE(read);
  INFO(read.error().message());
  CHECK(read.error().code() == code);
  CHECK(read.error().broken_rule() == &broken);
}

}  // namespace

// Expected bytes: written down by hand from the structures, with Python's int.to_bytes.
TEST_CASE("messages have the encoding of their structures") {
  CHECK(to_hex(start_of(counting, {0, 1, 5}, form::digits_8)) ==
        "637361730101000102030405060708090a0b0c0d0e0f0000000000000007011a0c000000000000000100000005");
  CHECK(to_hex(encoded(message_type::commit, counting, [](message& m) {
          static const bytes c{0xaa, 0xbb};
          m.commitment = c;
        })) == "637361730102000102030405060708090a0b0c0d0e0f02aabb");
  CHECK(to_hex(encoded(message_type::reveal, counting, [](message& m) { m.nonce.fill(0xcc); })) ==
        "637361730103000102030405060708090a0b0c0d0e0f" + std::string(64, 'c'));
  CHECK(to_hex(encoded(message_type::abort, counting, [](message& m) { m.abort = {abort_reason::missing, 258}; })) ==
        "637361730104000102030405060708090a0b0c0d0e0f0300000102");
  CHECK(to_hex(encoded(message_type::result, counting, [](message& m) { m.match = true; })) ==
        "637361730105000102030405060708090a0b0c0d0e0f01");
}

TEST_CASE("what is read is written again, byte for byte, and nothing may follow") {
  const std::vector<bytes> all{start_of(counting, {3, 9}), encoded(message_type::commit, counting, [](message&) {}),
                               encoded(message_type::reveal, counting, [](message&) {}),
                               encoded(message_type::abort, counting, [](message&) {}),
                               encoded(message_type::result, counting, [](message&) {})};
  for (const bytes& one : all) {
    const auto read = wire::decode<message>(one);
    REQUIRE(read);
    CHECK(wire::encode(*read) == one);
    CHECK(message::is(one));
    for (std::size_t n = 0; n < one.size(); ++n) CHECK_FALSE(wire::decode<message>(byte_view{one}.first(n)));
    bytes longer = one;
    longer.push_back(0);
    CHECK_FALSE(wire::decode<message>(longer));
  }
  CHECK_FALSE(message::is(as_bytes("cs")));
  CHECK_FALSE(message::is(as_bytes("chat")));
}

TEST_CASE("unknown versions, types and forms are unsupported") {
  bytes one = start_of(counting, {3, 9});
  one[4] = 2;
  check_refused(one, errc::unsupported, sas::rules::known_message);
  one[4] = 1, one[5] = 0;
  check_refused(one, errc::unsupported, sas::rules::known_message);
  one[5] = 6;
  check_refused(one, errc::unsupported, sas::rules::known_message);
  one[5] = 1, one[0] = 'C';
  check_refused(one, errc::malformed, sas::rules::known_message);
  check_refused(start_of(counting, {3, 9}, form{9}), errc::unsupported, sas::rules::known_form);
  check_refused(from_hex("637361730105000102030405060708090a0b0c0d0e0f02"), errc::malformed, sas::rules::known_result);
}

TEST_CASE("contributors are at least two, in order, different, and not too many") {
  for (const leaves& bad : {leaves{}, leaves{1}, leaves{2, 2}, leaves{3, 1}, leaves{1, 5, 4}})
    check_refused(start_of(counting, bad), errc::malformed, sas::rules::sorted_contributors);
  leaves many(limits::verification_contributors);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::uint32_t>(i);
  CHECK(wire::decode<message>(start_of(counting, many)));
  many.push_back(5000);
  check_refused(start_of(counting, many), errc::over_limit, sas::rules::few_contributors);
}

// Expected values: Python's hashlib and hmac, written from the description of the protocol.
TEST_CASE("views, commitments and codes agree with an independent implementation") {
  const raw_view raw(1, 7);
  sas::view view = raw.view;
  const bytes tree(32, 0x11), authenticator(32, 0x33);
  view.tree_hash = tree;
  view.epoch_authenticator = authenticator;
  const digest vh = sas::view_hash<default_provider>(sha256, view);
  CHECK(to_hex(vh.view()) == "30bced69679bbbe461265eaf27d50d829aa40eb098222f181538f7812169e72b");

  const std::pair<form, std::uint64_t> expected[] = {{form::digits_8, 93361875},
                                                     {form::digits_9, 378765065},
                                                     {form::words_3, 3999608188},
                                                     {form::emoji_5, 803272452},
                                                     {form::emoji_7, 3596590708650}};
  for (const auto& [f, value] : expected) {
    const bytes start = start_of(counting, {0, 1, 5}, f);
    sas::run_binding run{sha256, counting, digest(32), vh};
    const byte_view start_view{start};
    default_provider::hash(sha256, byte_parts{&start_view, 1}, run.start.writable());
    std::vector<sas::contribution> all;
    for (const auto& [leaf, octet] : {std::pair<std::uint32_t, std::uint8_t>{0, 0xa0}, {1, 0xb1}, {5, 0xc5}}) {
      sas::nonce r;
      r.fill(octet);
      all.push_back({leaf, sas::commitment<default_provider>(run, leaf, r), r});
    }
    if (f == form::digits_8)
      CHECK(to_hex(all[2].commitment->view()) == "0f66d46c169d692f1916ad0ab2fda99af72303c1748e3e1ac7db168abb7c835d");
    CHECK(sas::code_value<default_provider>(run, f, all) == value);
  }
}

TEST_CASE("the members of a meeting are other ones when anybody comes, leaves, or has another key or credential") {
  const bytes key(32, 1), other(32, 2), alice = to_bytes(as_bytes("alice")), bob = to_bytes(as_bytes("bob"));
  using members = std::vector<sas::member>;
  const auto hash = [](const members& m) {
    const digest out = sas::members_hash<default_provider>(sha256, m);
    return to_hex(out.view());
  };
  const members before{{0, key, 1, alice}, {1, other, 1, bob}};
  CHECK(hash(before) == hash(members(before)));
  std::set<std::string> seen{hash(before)};
  for (const members& after :
       {members{{0, key, 1, alice}}, members{{0, key, 1, alice}, {2, other, 1, bob}},
        members{{0, key, 1, alice}, {1, key, 1, bob}}, members{{0, key, 1, alice}, {1, other, 2, bob}},
        members{{0, key, 1, alice}, {1, other, 1, alice}},
        members{{0, key, 1, alice}, {1, other, 1, bob}, {2, key, 1, alice}}, members{}})
    CHECK(seen.insert(hash(after)).second);
}
