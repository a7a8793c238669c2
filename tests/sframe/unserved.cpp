// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Suites that are not served, and ciphers that fail.
#include <sframe/support.hpp>
#include <support/lacking_provider.hpp>

#include <conclave/sframe/sender_keys.hpp>

namespace sframe_test {
namespace unserved {

using conclave_test::lacking_provider;
using conclave_test::without;
using conclave_test::without_libraries;
constexpr auto suite1 = cipher_suite::aes_128_ctr_hmac_sha256_80;

/// stalling_provider: AES in counter mode fails when it is told to.
struct stalling_provider : default_provider {
  static inline bool stalls = false;
  class ctr_key {
   public:
    [[nodiscard]] static result<ctr_key> make(ctr_id id, byte_view raw) {
      CONCLAVE_TRY(auto key, default_provider::ctr_key::make(id, raw));
      return ctr_key(std::move(key));
    }
    [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
      if (!stalls) return key_.xor_keystream(counter, in, out);
      std::ranges::fill(out, std::uint8_t{0});
      return errc::misuse;
    }

   private:
    explicit ctr_key(default_provider::ctr_key key) : key_{std::move(key)} {}
    default_provider::ctr_key key_;
  };
};
static_assert(crypto_provider<stalling_provider>);

errc extracted(cipher_suite suite) { return outcome(sframe::extract<lacking_provider>(suite, numbered_base(1))); }
errc ear_made() { return outcome(sframe::opener<lacking_provider>::make(8)); }
errc sender_ear_made(cipher_suite suite) {
  return outcome(sframe::sender_key_opener<lacking_provider>::make(suite, 3));
}

}  // namespace unserved

using namespace unserved;

TEST_CASE("nothing is made without the libraries it needs, or for a suite they do not serve") {
  CHECK(extracted(suite4) == errc{});
  CHECK(ear_made() == errc{});
  CHECK(sender_ear_made(suite4) == errc{});
  {
    const without_libraries now;
    CHECK(extracted(suite4) == errc::unsupported);
    CHECK(ear_made() == errc::unsupported);
    CHECK(sender_ear_made(suite4) == errc::unsupported);
  }
  {
    const without now(hash_id::sha256);
    CHECK_FALSE(sframe::supports<lacking_provider>(suite4));
    CHECK(sframe::supports<lacking_provider>(suite5));
    CHECK(extracted(suite4) == errc::unsupported);
    CHECK(sender_ear_made(suite4) == errc::unsupported);
    CHECK(sender_ear_made(suite5) == errc{});
  }
  const without now(aead_id::aes_128_gcm);
  CHECK_FALSE(sframe::supports<lacking_provider>(suite4));
  CHECK(sframe::supports<lacking_provider>(suite1));
}

TEST_CASE("only a compound suite has a cipher of its own, and its key has its size") {
  CHECK(sframe::ctr_of(suite1) == ctr_id::aes_128_ctr);
  CHECK_FALSE(sframe::ctr_of(suite4));
  CHECK_FALSE(sframe::ctr_of(cipher_suite{99}));
  using compound = sframe::ctr_hmac_key<default_provider>;
  CHECK(outcome(compound::make(suite1, bytes(48))) == errc{});
  CHECK(outcome(compound::make(suite1, bytes(47))) == errc::misuse);
  CHECK(outcome(compound::make(suite1, bytes(49))) == errc::misuse);
  CHECK(outcome(compound::make(suite4, bytes(16))) == errc::unsupported);
}

TEST_CASE("a cipher that fails seals nothing and opens nothing") {
  auto mic = sealer_for<stalling_provider>(300, tree_size, 5, 0, suite1);
  auto ear = opener_for<stalling_provider>(300, tree_size, 0, suite1);
  const bytes plaintext = noise(40);
  REQUIRE(open_code(ear, sealed(mic, plaintext)) == errc{});
  const bytes frame = sealed(mic, plaintext);
  bytes out(sframe::sealed_size(40), 0xaa);
  stalling_provider::stalls = true;
  const auto made = mic.seal(plaintext, {}, out);
  const errc opened = open_code(ear, frame);
  stalling_provider::stalls = false;
  CHECK(outcome(made) == errc::misuse);
  CHECK(equal(byte_view{out}.first(40), bytes(40)));
  CHECK(opened == errc::misuse);
  CHECK(mic.counter() == 3);
}

TEST_CASE("a frame in pieces needs a counter like any other") {
  auto mic = sealer_for(300, tree_size, 5, 0, suite4, limits::frames_per_key - 1);
  bytes header(sframe::max_header_size), body(40), tag(16);
  CHECK(outcome(mic.seal_scattered(noise(40), {}, {header, body, tag})) == errc{});
  CHECK(outcome(mic.seal_scattered(noise(40), {}, {header, body, tag})) == errc::exhausted);
}

}  // namespace sframe_test
