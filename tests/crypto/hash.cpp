// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "vectors.hpp"

#include <conclave/crypto/hkdf.hpp>

using namespace conclave_test;

namespace {

hash_id hash_of(const json& c) {
  const auto name = c.at("hash").get<std::string>();
  if (name == "sha1") return hash_id::sha1;
  if (name == "sha256") return hash_id::sha256;
  if (name == "sha384") return hash_id::sha384;
  REQUIRE(name == "sha512");
  return hash_id::sha512;
}

// How many of default_provider, sodium, botan and openssl serve a hash.
int servers(hash_id hash) {
  const int others = CONCLAVE_WITH_BOTAN + CONCLAVE_WITH_OPENSSL;
  const int in_sodium = hash == hash_id::sha256 || hash == hash_id::sha512;
  return in_sodium + others == 0 ? 0 : 1 + in_sodium + others;
}

}  // namespace

TEST_CASE("FIPS 180-4: hashes, in one piece and in several") {
  for (const json& c : own_cases("fips180-hashes.json")) {
    const hash_id hash = hash_of(c);
    bytes message;
    if (c.contains("repeat"))
      message.assign(c["repeat"][0].get<std::size_t>(), unhex(c["repeat"][1])[0]);
    else
      message = hex(c, "message");
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      bytes out(hash_size(hash), 0xa5);
      const byte_view view = message;
      P::hash(hash, std::array{view}, out);
      CHECK(out == hex(c, "digest"));
      for (const std::size_t cut : {std::size_t{0}, view.size() / 3, view.size()}) {
        P::hash(hash, std::array{view.first(cut), byte_view{}, view.subspan(cut)}, out);
        CHECK(out == hex(c, "digest"));
      }
      if (message.empty()) {
        P::hash(hash, {}, out);
        CHECK(out == hex(c, "digest"));
      }
      return true;
    });
    CHECK(served == servers(hash));
  }
}

TEST_CASE("RFC 4231, RFC 2202: HMAC, in one piece and in several") {
  for (const json& c : own_cases("rfc4231-hmac.json")) {
    INFO(c.at("section"));
    const hash_id hash = hash_of(c);
    const bytes key = hex(c, "key"), message = hex(c, "message");
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      bytes out(hash_size(hash), 0xa5);
      const byte_view view = message;
      P::hmac(hash, key, std::array{view}, out);
      CHECK(out == hex(c, "mac"));
      P::hmac(hash, key, std::array{view.first(3), byte_view{}, view.subspan(3)}, out);
      CHECK(out == hex(c, "mac"));
      bytes shared = key;  // the output may be where the key is
      shared.resize(std::max(key.size(), out.size()));
      P::hmac(hash, byte_view{shared}.first(key.size()), std::array{view}, byte_span{shared}.first(out.size()));
      CHECK(equal(byte_view{shared}.first(out.size()), hex(c, "mac")));
      return true;
    });
    CHECK(served == servers(hash));
  }
}

TEST_CASE("RFC 5869: HKDF") {
  for (const json& c : own_cases("rfc5869-hkdf.json")) {
    INFO(c.at("section"));
    const hash_id hash = hash_of(c);
    const bytes ikm = hex(c, "ikm"), salt = hex(c, "salt"), info = hex(c, "info"), okm = hex(c, "okm");
    const int served = for_each_provider([&]<class P>() {
      if (!P::supports(hash)) return false;
      bytes prk(hash_size(hash), 0xa5), out(okm.size(), 0xa5);
      hkdf_extract<P>(hash, salt, std::array{byte_view{ikm}.first(5), byte_view{ikm}.subspan(5)}, prk);
      CHECK(prk == hex(c, "prk"));
      const std::size_t cut = info.size() / 2;
      hkdf_expand<P>(hash, prk, std::array{byte_view{info}.first(cut), byte_view{info}.subspan(cut)}, out);
      CHECK(out == okm);
      // a shorter output is a prefix of a longer one, at every boundary of a block
      for (std::size_t n = 0; n < okm.size(); ++n) {
        bytes part(n, 0xa5);
        hkdf_expand<P>(hash, prk, std::array{byte_view{info}}, part);
        CHECK(equal(part, byte_view{okm}.first(n)));
      }
      return true;
    });
    CHECK(served == servers(hash));
  }
}

TEST_CASE("HKDF: 255 blocks, the longest output, end with block 255") {
  const bytes prk(32, 1);
  bytes out(255 * 32), block;
  hkdf_expand<default_provider>(hash_id::sha256, prk, {}, out);
  for (unsigned n = 1; n <= 255; ++n) {  // RFC 5869 2.3 from the definition
    const bytes previous = block;
    const std::array counter{static_cast<std::uint8_t>(n)};
    block.resize(32);
    default_provider::hmac(hash_id::sha256, prk, std::array<byte_view, 2>{previous, counter}, block);
    CHECK(equal(block, byte_view{out}.subspan(32 * (n - 1), 32)));
  }
}

TEST_CASE("SipHash-2-4: the reference vectors") {
  bytes key(16), message(63);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  for (const json& c : own_cases("siphash-2-4.json")) {
    bytes expected = hex(c, "output");
    std::ranges::reverse(expected);
    const int served = for_each_provider([&]<class P>() {
      CHECK(P::short_hash(key, byte_view{message}.first(c.at("length"))) == load_be<std::uint64_t>(expected));
      return true;
    });
    CHECK(served == 2 + CONCLAVE_WITH_BOTAN + CONCLAVE_WITH_OPENSSL);
  }
}
