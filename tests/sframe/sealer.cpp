// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/fake.hpp>
#include <sframe/support.hpp>
#include <support/sframe_reference.hpp>

using namespace sframe_test;
using sframe::sealer;

static_assert(!std::is_copy_constructible_v<sealer<default_provider>>, "two counters on one key");
static_assert(!std::is_copy_assignable_v<sealer<default_provider>>);
static_assert(std::is_nothrow_move_constructible_v<sealer<default_provider>>);
static_assert(std::is_nothrow_move_assignable_v<sealer<default_provider>>);

TEST_CASE("sealed frames are those of the vectors") {
  for_each_served([]<class P>(cipher_suite suite) {
    const auto cases = vectors_of(suite);
    CHECK(has_vectors(suite) == !cases.empty());
    for (const auto& v : cases) {
      auto mic = sealer<P>::make(suite, v.at("kid"), base_from(from_hex(text_of(v, "base_key"))), v.at("ctr"));
      REQUIRE(mic);
      CHECK(to_hex(sealed(*mic, from_hex(text_of(v, "pt")), from_hex(text_of(v, "metadata")))) == text_of(v, "ct"));
    }
  });
}

TEST_CASE("sealed frames equal those of a slow second implementation") {
  for_each_served([]<class P>(cipher_suite suite) {
    const auto base = numbered_base(7);
    auto mic = sealer<P>::make(suite, 0x5007, base, 0);
    REQUIRE(mic);
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 31U, 160U, 255U, 256U, 1200U, 16384U}) {
      for (const std::size_t extra : {0U, 1U, 14U, 300U, 1024U}) {
        const std::uint64_t ctr = mic->counter();
        const bytes plaintext = noise(size, ctr);
        const bytes metadata = noise(extra, ctr + 1);
        const bytes expected =
            sframe_reference::encrypt(static_cast<int>(suite), base.reveal(), 0x5007, ctr, metadata, plaintext);
        REQUIRE(equal(sealed(*mic, plaintext, metadata), expected));
      }
    }
  });
}

TEST_CASE("every frame takes the next counter, and headers grow with it") {
  auto mic = sealer_for(3, 10, 2);
  for (std::uint64_t expected = 0; expected < 300; ++expected) {
    REQUIRE(mic.counter() == expected);
    REQUIRE(mic.header_size() == sframe::header_size(mic.kid(), expected));
    const auto head = sframe::header::decode(sealed(mic, noise(20)));
    REQUIRE(head);
    REQUIRE(*head == sframe::header{kid_of(3, 10, 2), expected});
  }
}

TEST_CASE("the end of the counters is an error and no panic, and for ever after") {
  auto mic = sealer_for(3, 10, 2, 0, suite4, limits::frames_per_key - 2);
  (void)sealed(mic, noise(5));
  (void)sealed(mic, noise(5));
  bytes out(100, 0xaa);
  for (int i = 0; i < 3; ++i) {
    CHECK(outcome(mic.seal(noise(5), {}, out)) == errc::exhausted);
    CHECK(mic.counter() == limits::frames_per_key);
    CHECK(out == bytes(100, 0xaa));
  }
  for (const std::uint64_t first : {limits::frames_per_key, ~std::uint64_t{0}})
    CHECK(outcome(sealer<default_provider>::make(suite4, 1, numbered_base(1), first)) == errc::exhausted);
}

TEST_CASE("a sealer refuses after as many blocks as one key may encrypt") {
  auto mic = sealer<fake_provider>::make(suite4, 1, numbered_base(1), 0);
  REQUIRE(mic);
  const bytes plaintext(limits::frame_bytes);
  bytes out(sframe::sealed_size(plaintext.size()));
  const std::uint64_t fit = limits::blocks_per_key / (limits::frame_bytes / 16 + 1);
  for (std::uint64_t i = 0; i < fit; ++i) REQUIRE(mic->seal(plaintext, {}, out));
  CHECK(outcome(mic->seal(plaintext, {}, out)) == errc::exhausted);
  CHECK(mic->counter() == fit);
  CHECK(mic->seal(byte_view{plaintext}.first(16), {}, out));  // a small frame still fits
}

TEST_CASE("a sealer continues where another one ended") {
  auto first = sealer_for(3, 10, 2);
  for (int i = 0; i < 9; ++i) (void)sealed(first, noise(5));
  auto second = sealer_for(3, 10, 2, 0, suite4, first.counter());
  CHECK(sframe::header::decode(sealed(second, noise(5)))->ctr == 9);
}

TEST_CASE("two counters never run on one key: a moved-from sealer is exhausted") {
  auto from = sealer_for(3, 10, 2);
  (void)sealed(from, noise(5));
  auto to = std::move(from);
  bytes out(100);
  CHECK(outcome(from.seal(noise(5), {}, out)) == errc::exhausted);
  CHECK(sframe::header::decode(sealed(to, noise(5)))->ctr == 1);
  auto other = sealer_for(4, 10, 2);
  other = std::move(to);
  CHECK(outcome(to.seal(noise(5), {}, out)) == errc::exhausted);
  CHECK(*sframe::header::decode(sealed(other, noise(5))) == sframe::header{kid_of(3, 10, 2), 2});
}

TEST_CASE("a buffer that is too small costs nothing") {
  auto mic = sealer_for(3, 10, 2);
  const bytes plaintext = noise(40);
  const std::size_t exact = mic.header_size() + plaintext.size() + 16;
  for (std::size_t n = 0; n < exact; ++n) {
    bytes out(n, 0xaa);
    REQUIRE(outcome(mic.seal(plaintext, {}, out)) == errc::no_space);
    REQUIRE(out == bytes(n, 0xaa));
  }
  CHECK(mic.counter() == 0);
  bytes out(exact);
  const auto frame = mic.seal(plaintext, {}, out);
  REQUIRE(frame);
  CHECK(frame->data() == out.data());
  CHECK(frame->size() == exact);
}

TEST_CASE("only the frame's part of the buffer is written") {
  auto mic = sealer_for(3, 10, 2);
  bytes out(200, 0xaa);
  const auto frame = mic.seal(noise(40), {}, out);
  REQUIRE(frame);
  for (std::size_t i = frame->size(); i < out.size(); ++i) CHECK(out[i] == 0xaa);
}

TEST_CASE("sealing in place gives the same frame") {
  auto apart = sealer_for(3, 10, 2);
  auto within = sealer_for(3, 10, 2);
  for (int round = 0; round < 300; ++round) {
    const bytes plaintext = noise(100, static_cast<std::uint64_t>(round));
    bytes buffer(sframe::sealed_size(plaintext.size()));
    const byte_span room = byte_span{buffer}.subspan(within.header_size(), plaintext.size());
    std::ranges::copy(plaintext, room.begin());
    const auto frame = within.seal(room, as_bytes("m"), buffer);
    REQUIRE(frame);
    REQUIRE(equal(*frame, sealed(apart, plaintext, as_bytes("m"))));
  }
}

TEST_CASE("any other overlap is misuse and costs nothing") {
  auto mic = sealer_for(3, 10, 2);
  bytes buffer(300);
  const byte_span out = byte_span{buffer}.subspan(100, 100);  // a frame of 40 bytes is written to [100, 159)
  const std::size_t head = mic.header_size();
  const auto at = [&](std::size_t offset, std::size_t n) { return byte_view{buffer}.subspan(offset, n); };
  for (const std::size_t offset : {std::size_t{61}, std::size_t{100}, 100 + head - 1, 100 + head + 1, std::size_t{150}})
    CHECK(outcome(mic.seal(at(offset, 40), {}, out)) == errc::misuse);
  CHECK(outcome(mic.seal(noise(40), at(99, 2), out)) == errc::misuse);
  CHECK(outcome(mic.seal(noise(40), at(120, 2), out)) == errc::misuse);
  CHECK(mic.counter() == 0);
  CHECK(buffer == bytes(300));
  // beside the frame is not in it, even within the buffer given
  CHECK(mic.seal(at(60, 40), at(100 + head + 40 + 16, 3), out));
  CHECK(mic.seal(at(100 + head + 40 + 16, 40), at(90, 10), out));
}

TEST_CASE("too large a frame or too much metadata is over the limit and costs nothing") {
  auto mic = sealer_for(3, 10, 2);
  const bytes large(limits::frame_bytes + 1);
  bytes out(sframe::sealed_size(large.size()));
  CHECK(outcome(mic.seal(large, {}, out)) == errc::over_limit);
  CHECK(outcome(mic.seal({}, byte_view{large}.first(limits::frame_metadata_bytes + 1), out)) == errc::over_limit);
  CHECK(mic.counter() == 0);
  CHECK(
      mic.seal(byte_view{large}.first(limits::frame_bytes), byte_view{large}.first(limits::frame_metadata_bytes), out));
}

TEST_CASE("a failure of the AEAD costs the counter and leaves zeros") {
  auto mic = sealer<fake_provider>::make(suite4, 9, numbered_base(1), 0);
  REQUIRE(mic);
  bytes out(100, 0xaa);
  fake_provider::seal_fails = true;
  const auto failed = mic->seal(noise(20), {}, out);
  fake_provider::seal_fails = false;
  CHECK(outcome(failed) == errc::misuse);
  CHECK(mic->counter() == 1);
  for (std::size_t i = 0; i < 2 + 20 + 16; ++i) CHECK(out[i] == 0);
  CHECK(out[2 + 20 + 16] == 0xaa);
  CHECK(sframe::header::decode(*mic->seal(noise(20), {}, out))->ctr == 1);
}

TEST_CASE("what no provider serves is unsupported") {
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{0, 9, 0xf000, 0xffff}) {
    CHECK_FALSE(sframe::supports<default_provider>(cipher_suite{number}));
    CHECK(outcome(sealer<default_provider>::make(cipher_suite{number}, 1, numbered_base(1), 0)) == errc::unsupported);
  }
  for (const cipher_suite suite : all_suites)
    if (suite != suite5) CHECK(outcome(sealer<sodium>::make(suite, 1, numbered_base(1), 0)) == errc::unsupported);
  CHECK(outcome(sealer<default_provider>::make(suite4, 1, {}, 0)) == errc::misuse);
}
