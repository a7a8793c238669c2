// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

using namespace conclave_test;

namespace {

found play_with(byte_view file, std::uint8_t who, byte_view key_slip) {
  memory_source from(file);
  auto tape = rec::player::open(from, person(who), key_slip);
  if (!tape) return {{}, how::refused, tape.error().code()};
  return play(*tape);
}

}  // namespace

TEST_CASE("M21: those whom a recording is made out to can open it, and nobody else") {
  const std::vector<std::uint8_t> three{1, 2, 3}, others{4, 5, 200};
  const taped tape = conclave_test::tape(10, 4, three);
  for (const std::uint8_t who : three) {
    const found got = play(tape.file, who);
    CHECK(got.end == how::complete);
    CHECK(got.lines.size() == 10);
  }
  for (const std::uint8_t who : others) {
    const found got = play(tape.file, who);
    CHECK(got.end == how::refused);
    CHECK(got.why == errc::unknown_key);
    CHECK(got.lines.empty());
  }
  // the file does not say for whom it is
  for (const std::uint8_t who : three) CHECK(std::ranges::search(tape.file, pub(who)).empty());
}

TEST_CASE("M21: a person who is given the key later opens the recording that is there already") {
  const taped tape = conclave_test::tape(10, 4, {1});
  memory_source from(tape.file);
  system_environment env;
  bytes slip;
  {
    const auto player = rec::player::open(from, person(1));
    REQUIRE(player);
    auto made = rec::make_key_slip(env, player->key(), pub(7));
    REQUIRE(made);
    slip = *std::move(made);
    CHECK(slip.size() == rec::key_slip_size);
    CHECK(rec::make_key_slip(env, player->key(), bytes(31)).error() == errc::malformed);
    CHECK(rec::make_key_slip(env, player->key(), bytes(32)).error() == errc::malformed);
  }
  CHECK(play(tape.file, 7).why == errc::unknown_key);  // without the slip
  const found got = play_with(tape.file, 7, slip);
  CHECK(got.end == how::complete);
  CHECK(got.lines.size() == 10);
  CHECK(is_prefix(got.lines));
  CHECK(play_with(tape.file, 8, slip).why == errc::unknown_key);  // somebody else's
  CHECK(play_with(tape.file, 1, slip).why == errc::unknown_key);
  CHECK(play_with(conclave_test::tape(10, 4, {1}, 2).file, 7, slip).why == errc::unknown_key);  // another recording

  // who was given it can give it on, and a cut recording opens as well
  auto again = rec::player::open(from, person(7), slip);
  REQUIRE(again);
  const auto next = rec::make_key_slip(env, again->key(), pub(8));
  REQUIRE(next);
  CHECK(play_with(byte_view{tape.file}.first(tape.chunks[1]), 8, *next).lines.size() == 4);

  for (std::size_t i = 0; i < slip.size(); ++i) {
    bytes bad = slip;
    bad[i] ^= 0x10;
    if (play_with(tape.file, 7, bad).end != how::refused) FAIL_CHECK("byte " << i << " of the slip does not matter");
  }
  for (std::size_t size = 0; size < slip.size(); ++size)
    if (play_with(tape.file, 7, byte_view{slip}.first(size)).why != errc::malformed) FAIL_CHECK(size << " bytes");
  append(slip, bytes{0});
  CHECK(play_with(tape.file, 7, slip).why == errc::malformed);
}

TEST_CASE("M21: a recording can be made out while it is being written") {
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  REQUIRE(tape->add(nth(0).view()));
  const auto slip = rec::make_key_slip(env, tape->key(), pub(9));
  REQUIRE(slip);
  REQUIRE(tape->add(nth(1).view()));
  REQUIRE(tape->close());
  CHECK(play_with(to.content, 9, *slip).lines.size() == 2);
}

TEST_CASE("M21: a recording has one key only, so that it cannot say different things to different persons") {
  const taped tape = conclave_test::tape(10, 4, {1});
  deterministic_environment env(3);
  const auto victim = person(7);
  // a slip, sealed as it should be, with another key than the one the recording was made with
  const byte_view id = byte_view{tape.file}.subspan(20, 32);
  bytes info = to_bytes(as_bytes("conclave recording 1 slip"));
  append(info, id);
  bytes forged = to_bytes(as_bytes("conclave key slip"));
  append(forged, bytes{0, 1});
  append(forged, id);
  bytes enc(32), sealed(48);
  REQUIRE(hpke::seal<default_provider>(env, rec::suite, info, {}, {victim.pub.view(), bytes(32, 0x66), enc, sealed}));
  append(forged, enc);
  append(forged, sealed);
  CHECK(play_with(tape.file, 7, forged).why == errc::unauthentic);
}

TEST_CASE("M21: a recording whose name does not follow from its key is refused") {
  // its recorder has put together a header where all fits but for the file id, which names another recording
  const bytes secret(32, 0x33), id(32, 0x77);
  bytes info = to_bytes(as_bytes("conclave recording 1 slip"));
  append(info, id);
  deterministic_environment env(3);
  bytes enc(32), sealed(48);
  REQUIRE(hpke::seal<default_provider>(env, rec::suite, info, {}, {pub(1), secret, enc, sealed}));
  const auto file_of = [&](byte_view name) {
    bytes file = to_bytes(as_bytes("conclave recording"));
    append(file, bytes{0, 1});
    append(file, name);
    append(file, bytes{0, 1});
    append(file, enc);
    append(file, sealed);
    const byte_view label = as_bytes("conclave recording 1 header"), covered = file;
    bytes key(32), mac(32);
    hkdf_expand<default_provider>(hash_id::sha256, secret, byte_parts{&label, 1}, key);
    default_provider::hmac(hash_id::sha256, key, byte_parts{&covered, 1}, mac);
    append(file, mac);
    return file;
  };
  CHECK(play(file_of(id)).why == errc::unauthentic);
  // and with the right one it opens: nothing else was wrong
  const byte_view label = as_bytes("conclave recording 1 id");
  bytes right(32);
  hkdf_expand<default_provider>(hash_id::sha256, secret, byte_parts{&label, 1}, right);
  info = to_bytes(as_bytes("conclave recording 1 slip"));
  append(info, right);
  REQUIRE(hpke::seal<default_provider>(env, rec::suite, info, {}, {pub(1), secret, enc, sealed}));
  CHECK(play(file_of(right)).end == how::truncated);
}
