// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the adapters make of libraries that fail, and who is asked.
#include "crypto.hpp"

#include <conclave/crypto/hpke.hpp>

#include <new>

using namespace conclave_test;

namespace {

/// broken_cipher: writes something and then fails, in one of two ways.
struct broken_cipher {
  static inline bool out_of_memory = false;
  static bool supports(aead_id) noexcept { return true; }
  static result<broken_cipher> make(aead_id, byte_view) { return broken_cipher{}; }
  static status seal(byte_view, byte_view, byte_view, byte_span out, byte_span tag) {
    std::ranges::fill(tag, std::uint8_t{0x11});
    return fail(out, errc::misuse);
  }
  static status open(byte_view, byte_view, byte_view, byte_view, byte_span out) { return fail(out, errc::unauthentic); }
  static status fail(byte_span out, errc code) {
    std::ranges::fill(out, std::uint8_t{0x11});
    if (out_of_memory) throw std::bad_alloc();
    return code;
  }
};

/// witness<Name>: libsodium, counting who asks.
template <char Name>
struct witness : sodium {
  static inline int hashes = 0, dhs = 0;
  static void hash(hash_id id, byte_parts parts, byte_span out) noexcept {
    ++hashes;
    sodium::hash(id, parts, out);
  }
  static status dh(kem_id kem, byte_view sk, byte_view pk, byte_span out) noexcept {
    ++dhs;
    return sodium::dh(kem, sk, pk, out);
  }
};
struct without_hashes : witness<'a'> {
  using sodium::supports;
  static bool supports(hash_id) noexcept { return false; }
};

/// many: a provider with its own derive_many.
struct many : default_provider {
  static inline int calls = 0;
  static status derive_many(kem_id, std::span<const byte_view>, std::span<hpke::key_pair>) {
    ++calls;
    return {};
  }
};

}  // namespace

TEST_CASE("AEAD: what a library wrote before it failed is zeroed, also out of memory") {
  auto key = *detail::checked_aead<broken_cipher>::make(aead_id::aes_128_gcm, bytes(16));
  bytes sealed = dirty(56), opened = dirty(40);
  SECTION("an error") {
    broken_cipher::out_of_memory = false;
    CHECK(key.seal(bytes(12), {}, bytes(40), sealed).error() == errc::misuse);
    CHECK(key.open(bytes(12), {}, bytes(56), opened).error() == errc::unauthentic);
  }
  SECTION("out of memory") {
    broken_cipher::out_of_memory = true;
    CHECK_THROWS_AS((void)key.seal(bytes(12), {}, bytes(40), sealed), std::bad_alloc);
    CHECK_THROWS_AS((void)key.open(bytes(12), {}, bytes(56), opened), std::bad_alloc);
  }
  CHECK(all_zero(sealed));
  CHECK(all_zero(opened));
}

#if CONCLAVE_WITH_BOTAN
TEST_CASE("Botan: its exceptions end at the border, out of memory does not") {
  const auto run = [](auto&& exception) {
    return detail::within_botan(errc::malformed, [&]() -> status { throw exception; });
  };
  CHECK(run(Botan::Invalid_Argument("x")).error() == errc::malformed);
  CHECK(run(Botan::Internal_Error("x")).error() == errc::malformed);
  CHECK(run(std::runtime_error("x")).error() == errc::malformed);
  CHECK_THROWS_AS(run(std::bad_alloc()), std::bad_alloc);
}
#endif

TEST_CASE("prefer asks the first provider for what it supports, and the second for the rest") {
  using first = without_hashes;
  using second = witness<'b'>;
  using both = prefer<first, second>;
  static_assert(crypto_provider<both>);
  REQUIRE(both::ready());
  CHECK(both::supports(hash_id::sha256));
  CHECK_FALSE(both::supports(hash_id::sha1));
  CHECK_FALSE(both::supports(kem_id::dhkem_x448_sha512));

  bytes out(32), pk(32);
  both::hash(hash_id::sha256, {}, out);
  CHECK(first::hashes == 0);
  CHECK(second::hashes == 1);
  REQUIRE(both::dh_public_key(kem_id::dhkem_x25519_sha256, bytes(32, 1), pk));
  REQUIRE(both::dh(kem_id::dhkem_x25519_sha256, bytes(32, 1), pk, out));
  CHECK(first::dhs == 1);
  CHECK(second::dhs == 0);
}

TEST_CASE("HPKE: derive_many goes to a provider that offers it") {
  std::array<hpke::key_pair, 1> out;
  const bytes ikm(32, 1);
  const std::array<byte_view, 1> ikms{ikm};
  REQUIRE(hpke::derive_many<many>(kem_id::dhkem_x25519_sha256, ikms, out));
  CHECK(many::calls == 1);
  CHECK(hpke::derive_many<many>(kem_id::dhkem_x25519_sha256, {}, out).error() == errc::misuse);
  CHECK(hpke::derive_many<many>(kem_id{0x7777}, ikms, out).error() == errc::unsupported);
  CHECK(many::calls == 1);
}
