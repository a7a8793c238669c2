// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crypto.hpp"

#include <numeric>

using namespace conclave_test;

namespace {

constexpr std::array all_aeads{aead_id::aes_128_gcm, aead_id::aes_256_gcm, aead_id::chacha20_poly1305};

/// for_each_key(work): work(key, aead) for every provider and AEAD; the number of calls.
template <class F>
int for_each_key(F&& work) {
  int calls = 0;
  for (const aead_id aead : all_aeads) {
    in_every_provider([&]<class P>() {
      if (!P::supports(aead)) return false;
      auto key = P::aead_key::make(aead, bytes(aead_key_size(aead), 7));
      REQUIRE(key);
      work(*key, aead);
      ++calls;
      return true;
    });
  }
  return calls;
}

}  // namespace

TEST_CASE("AEAD: providers agree at every length around a block") {
  bytes plaintext(200), nonce(aead_nonce_size, 3);
  std::iota(plaintext.begin(), plaintext.end(), std::uint8_t{0});
  for (const aead_id aead : all_aeads) {
    std::vector<bytes> expected;
    in_every_provider([&]<class P>() {
      if (!P::supports(aead)) return false;
      auto key = P::aead_key::make(aead, bytes(aead_key_size(aead), 7));
      REQUIRE(key);
      for (std::size_t n = 0; n <= plaintext.size(); ++n) {
        bytes sealed(n + aead_tag_size), opened(n);
        REQUIRE(key->seal(nonce, byte_view{plaintext}.first(n / 2), byte_view{plaintext}.first(n), sealed));
        if (expected.size() == n) expected.push_back(sealed);
        CHECK(sealed == expected[n]);
        REQUIRE(key->open(nonce, byte_view{plaintext}.first(n / 2), sealed, opened));
        CHECK(equal(opened, byte_view{plaintext}.first(n)));
      }
      return true;
    });
  }
}

TEST_CASE("AEAD: whatever is altered, nothing opens, the output is zeroed and the key still works") {
  const int calls = for_each_key([](auto& key, aead_id) {
    const bytes nonce(12, 1), aad(20, 2), plaintext(100, 3);
    bytes sealed(116), out(100);
    REQUIRE(key.seal(nonce, aad, plaintext, sealed));
    const auto refuses = [&](byte_view n, byte_view a, byte_view c) {
      out.assign(c.size() < aead_tag_size ? 0 : c.size() - aead_tag_size, 0xa5);
      return key.open(n, a, c, out).error() == errc::unauthentic && all_zero(out);
    };
    const auto altered = [](bytes b, std::size_t i) {
      b[i] ^= 0x80;
      return b;
    };
    for (std::size_t i = 0; i < sealed.size(); ++i) CHECK(refuses(nonce, aad, altered(sealed, i)));
    for (std::size_t i = 0; i < aad.size(); ++i) CHECK(refuses(nonce, altered(aad, i), sealed));
    for (std::size_t i = 0; i < nonce.size(); ++i) CHECK(refuses(altered(nonce, i), aad, sealed));
    for (std::size_t n = 0; n < sealed.size(); ++n) CHECK(refuses(nonce, aad, byte_view{sealed}.first(n)));
    CHECK(refuses(nonce, byte_view{aad}.first(19), sealed));

    bytes in_place = altered(sealed, 115);
    CHECK(key.open(nonce, aad, in_place, byte_span{in_place}.first(100)).error() == errc::unauthentic);
    CHECK(all_zero(byte_view{in_place}.first(100)));

    out.assign(100, 0xa5);
    CHECK(key.open(nonce, aad, sealed, out));
    CHECK(out == plaintext);
  });
  CHECK(calls >= 2);
}

TEST_CASE("AEAD: wrong sizes and overlaps are misuse, and the output is zeroed") {
  const int calls = for_each_key([](auto& key, aead_id) {
    const bytes nonce(12, 1), plaintext(40, 3);
    bytes sealed(56), out;
    REQUIRE(key.seal(nonce, {}, plaintext, sealed));
    const auto misused = [&](const status& s) { return s.error() == errc::misuse && all_zero(out); };
    for (const std::size_t n : {0U, 8U, 11U, 13U, 16U}) {
      out.assign(56, 0xa5);
      CHECK(misused(key.seal(bytes(n), {}, plaintext, out)));
      out.assign(40, 0xa5);
      CHECK(misused(key.open(bytes(n), {}, sealed, out)));
    }
    for (const std::size_t n : {0U, 40U, 55U, 57U}) {
      out.assign(n, 0xa5);
      CHECK(misused(key.seal(nonce, {}, plaintext, out)));
    }
    for (const std::size_t n : {0U, 39U, 41U, 56U}) {
      out.assign(n, 0xa5);
      CHECK(misused(key.open(nonce, {}, sealed, out)));
    }
    bytes buffer(100, 0xa5);
    CHECK(key.seal(nonce, {}, byte_view{buffer}.first(40), byte_span{buffer}.subspan(1, 56)).error() == errc::misuse);
    CHECK(all_zero(byte_view{buffer}.subspan(1, 56)));
    CHECK(key.open(nonce, {}, byte_view{buffer}.first(56), byte_span{buffer}.subspan(16, 40)).error() == errc::misuse);
  });
  CHECK(calls >= 2);
}

TEST_CASE("AEAD: keys of a wrong length are misuse, other algorithms are unsupported") {
  in_every_provider([&]<class P>() {
    for (const aead_id aead : all_aeads) {
      if (!P::supports(aead)) continue;
      for (const std::size_t n : {0U, 15U, 17U, 24U, 31U, 33U})
        CHECK(P::aead_key::make(aead, bytes(n)).error() == errc::misuse);
    }
    CHECK_FALSE(P::supports(aead_id{0xffff}));
    CHECK(P::aead_key::make(aead_id{0xffff}, bytes(32)).error() == errc::unsupported);
    return true;
  });
}

TEST_CASE("AEAD: a key that moved keeps working") {
  for_each_key([](auto& key, aead_id) {
    const bytes nonce(12, 1), plaintext(40, 3);
    bytes before(56), after(56), out(40);
    REQUIRE(key.seal(nonce, {}, plaintext, before));
    auto moved = std::move(key);
    REQUIRE(moved.seal(nonce, {}, plaintext, after));
    CHECK(before == after);
    REQUIRE(moved.open(nonce, {}, after, out));
    CHECK(out == plaintext);
    key = std::move(moved);
    REQUIRE(key.open(nonce, {}, after, out));
  });
}
