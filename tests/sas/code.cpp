// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/hex.hpp>

#include <conclave/crypto/provider.hpp>
#include <conclave/sas/fingerprint.hpp>
#include <conclave/sas/forms.hpp>

#include <catch2/catch.hpp>

#include <numeric>
#include <set>

using namespace conclave;
using conclave_test::to_hex;

namespace {

[[nodiscard]] bytes counting() {
  bytes out(32);
  std::iota(out.begin(), out.end(), std::uint8_t{1});
  return out;
}

}  // namespace

// Expected digits: Python, '%05d' % (int.from_bytes(a[5*g:5*g+5], 'big') % 100000) for g in 0..5.
TEST_CASE("thirty digits are six groups of five bytes, big-endian, modulo 100000") {
  CHECK(sas::security_code::make(counting(), 0)->digits() == "19365 70890 22415 73940 25465 76990");
  CHECK(sas::security_code::make(bytes(32, 0xff), 0)->digits() == "27775 27775 27775 27775 27775 27775");
  CHECK(sas::security_code::make(bytes(30), 0)->digits() == "00000 00000 00000 00000 00000 00000");
}

// Expected values: Python's hmac and hashlib, HKDF-Expand over struct { uint16 60; "MLS 1.0 conclave code"; form }.
TEST_CASE("the longer forms are expanded from the authenticator") {
  const auto digits = sas::long_security_code::make<default_provider>(hash_id::sha256, counting(), 7);
  CHECK(digits.digits() == "84759 28396 31298 85550 89901 98203 80819 08065 88637 18493 10260 34467");
  const auto machine = sas::machine_code::make<default_provider>(hash_id::sha256, counting(), 7);
  CHECK(to_hex(machine.payload()) ==
        "010000000000000007c795ffc49fb55251b04c030f691b635aeed7b697a28012905aff1740b3c189ff");
}

TEST_CASE("a code belongs to its epoch") {
  const bytes authenticator(32, 7);
  const auto code = [](byte_view a, std::uint64_t epoch) { return *sas::security_code::make(a, epoch); };
  CHECK(code(authenticator, 3) == code(authenticator, 3));
  CHECK_FALSE(code(authenticator, 3) == code(authenticator, 4));
  CHECK(compare(code(authenticator, 3), code(authenticator, 3)) == sas::comparison::same);
  CHECK(compare(code(authenticator, 3), code(bytes(32, 8), 3)) == sas::comparison::different);
  CHECK(compare(code(authenticator, 3), code(authenticator, 4)) == sas::comparison::another_epoch);
}

TEST_CASE("an authenticator too short for thirty digits is misuse") {
  CHECK(sas::security_code::make(bytes(29), 0).error() == errc::misuse);
  CHECK(sas::security_code::make({}, 0).error() == errc::misuse);
}

TEST_CASE("each form says what it is worth") {
  // half of log2(10^30) and log2(10^60), as somebody in between needs a collision
  STATIC_REQUIRE(sas::security_code::strength_bits() == 49);
  STATIC_REQUIRE(sas::long_security_code::strength_bits() == 99);
  STATIC_REQUIRE(sas::machine_code::strength_bits() == 128);
  STATIC_REQUIRE(sas::fingerprint::strength_bits() == 74);
}

TEST_CASE("a camera reads the payload of another screen") {
  const auto shown = sas::machine_code::make<default_provider>(hash_id::sha256, counting(), 7);
  const auto seen = *sas::machine_code::read(shown.payload());
  CHECK(compare(seen, shown) == sas::comparison::same);
  CHECK(seen.epoch() == 7);
  CHECK(compare(seen, sas::machine_code::make<default_provider>(hash_id::sha256, counting(), 8)) ==
        sas::comparison::another_epoch);
  CHECK(compare(seen, sas::machine_code::make<default_provider>(hash_id::sha256, bytes(32), 7)) ==
        sas::comparison::different);

  bytes payload = to_bytes(shown.payload());
  CHECK(sas::machine_code::read(byte_view{payload}.first(40)).error() == errc::malformed);
  payload[0] = 2;
  CHECK(sas::machine_code::read(payload).error() == errc::unsupported);
  payload.push_back(0);
  CHECK(sas::machine_code::read(payload).error() == errc::malformed);
}

TEST_CASE("a screen is updating until an epoch has settled") {
  sas::code_screen screen;
  const steady_time start{5000};
  CHECK_FALSE(screen.visible(start));
  const auto first = *sas::security_code::make(counting(), 1), second = *sas::security_code::make(bytes(32), 2);
  screen.enter(first, start);
  CHECK_FALSE(screen.visible(start));
  CHECK_FALSE(screen.visible(start + limits::code_settling - steady_time{1}));
  CHECK(screen.visible(start + limits::code_settling) == first);
  screen.enter(second, start + steady_time{9000});
  CHECK_FALSE(screen.visible(start + steady_time{9000}));
  CHECK(screen.visible(start + steady_time{20'000}) == second);
}

// ---- short codes -------------------------------------------------------------------------------------------------

namespace {

[[nodiscard]] sas::short_code short_code(sas::form form, std::uint64_t value) {
  return *sas::short_code::make(form, value, 1, {});
}

}  // namespace

TEST_CASE("a short code is written in its form") {
  CHECK(short_code(sas::form::digits_8, 1234567).text() == "0123 4567");
  CHECK(short_code(sas::form::digits_9, 987654321).text() == "987 654 321");
  CHECK(short_code(sas::form::words_3, 1).text() ==
        std::string(sas::word(0)) + ' ' + std::string(sas::word(0)) + ' ' + std::string(sas::word(1)));
  CHECK(short_code(sas::form::words_3, (5ULL << 22U) + (6U << 11U) + 7).text() ==
        std::string(sas::word(5)) + ' ' + std::string(sas::word(6)) + ' ' + std::string(sas::word(7)));
  const auto emoji = short_code(sas::form::emoji_5, (1U << 24U) + (2U << 18U) + (3U << 12U) + (4U << 6U) + 63U);
  CHECK(emoji.text() == "🦊 🐝 🦉 🐢 🎁");
  CHECK(emoji.spoken(sas::language::english) == "fox, bee, owl, turtle, gift");
  CHECK(emoji.spoken(sas::language::swedish) == "räv, bi, uggla, sköldpadda, present");
  CHECK(emoji.spoken(sas::language::dutch) == "vos, bij, uil, schildpad, cadeau");
  CHECK(short_code(sas::form::emoji_7, (1ULL << 42U) - 1).text() == "🎁 🎁 🎁 🎁 🎁 🎁 🎁");
}

TEST_CASE("forms state their own strength") {
  for (const auto form :
       {sas::form::digits_8, sas::form::digits_9, sas::form::words_3, sas::form::emoji_5, sas::form::emoji_7}) {
    const auto p = *sas::parameters(form);
    std::uint64_t codes = 1;
    for (unsigned i = 0; i < p.symbols; ++i) codes *= p.alphabet;
    CHECK(p.codes == codes);
    CHECK((p.codes >> p.bits) == 1);
    const bool whole = codes == std::uint64_t{1} << p.bits;
    CHECK(p.material_bytes == (p.bits + (whole ? 0U : 1U) + 7) / 8 + 8);
    CHECK(p.material_bytes <= sas::max_material_bytes);
    CHECK(sas::short_code::make(form, p.codes, 1, {}).error() == errc::misuse);
    CHECK(sas::short_code::make(form, p.codes - 1, 1, {}));
  }
  CHECK_FALSE(sas::parameters(sas::form{0}));
  CHECK_FALSE(sas::parameters(sas::form{6}));
}

TEST_CASE("64 emoji look and sound different") {
  std::set<std::string> pictures;
  for (const auto& e : sas::emoji_table) pictures.insert(e.picture);
  CHECK(pictures.size() == sas::emoji_count);
  for (const auto in : {sas::language::english, sas::language::swedish, sas::language::dutch}) {
    std::set<std::string> names;
    for (const auto& e : sas::emoji_table) names.insert(e.name(in));
    CHECK(names.size() == sas::emoji_count);
  }
}

TEST_CASE("2048 words, each told by its first four letters") {
  std::set<std::string> beginnings;
  for (std::size_t i = 0; i < sas::word_count; ++i) {
    const auto word = sas::word(i);
    beginnings.insert(std::string(word.substr(0, 4)));
    if (word.size() < 3 || word.size() > 8) FAIL(word);
    if (i > 0 && !(sas::word(i - 1) < word)) FAIL(word);
  }
  CHECK(beginnings.size() == sas::word_count);
}

// ---- fingerprints ------------------------------------------------------------------------------------------------

// Expected digits: Botan 2.19's Argon2id, 64 MiB, three passes, one lane.
TEST_CASE("two identities have one fingerprint, whoever computes it") {
  const bytes key_a(32, 0x11), key_b(32, 0x22);
  const sas::long_lived_identity alice{as_bytes("alice@example.org"), signature_scheme::ed25519, key_a};
  const sas::long_lived_identity bob{as_bytes("bob@example.org"), signature_scheme::ed25519, key_b};
  const auto ours = *sas::fingerprint::make(alice, bob);
  CHECK(ours.digits() == "72546 67457 07831 00434 55262 13847 46988 49045 82214");
  CHECK(*sas::fingerprint::make(bob, alice) == ours);
  CHECK(!(*sas::fingerprint::make(alice, {bob.name, bob.scheme, key_a}) == ours));

  CHECK(sas::fingerprint::make(alice, alice).error() == errc::misuse);
  CHECK(sas::fingerprint::make(alice, {}).error() == errc::misuse);
  CHECK(sas::fingerprint::make(alice, {bob.name, bob.scheme, bytes(200)}).error() == errc::over_limit);
  CHECK(sas::fingerprint::make(alice, {bytes(300, 'a'), bob.scheme, key_b}).error() == errc::over_limit);
}

TEST_CASE("a memory-hard hash checks its sizes") {
  bytes out(32, 7), salt(16), input(3);
  CHECK(sodium::memory_hard_hash(1, 8192, salt, input, byte_span{out}.first(15)).error() == errc::misuse);
  CHECK(sodium::memory_hard_hash(0, 8192, salt, input, out).error() == errc::misuse);
  CHECK(sodium::memory_hard_hash(1, 8191, salt, input, out).error() == errc::misuse);
  CHECK(sodium::memory_hard_hash(1, 8192, byte_view{salt}.first(15), input, out).error() == errc::misuse);
  CHECK(out == bytes(32));
  CHECK(sodium::memory_hard_hash(1, 8192, salt, input, out));
  CHECK(out != bytes(32));
}
