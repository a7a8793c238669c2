// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What needs no library, for CPUs that have other words than x86-64: it is linked alone and runs in an emulator.
#define CATCH_CONFIG_MAIN
#define CATCH_CONFIG_FAST_COMPILE
#include "codec/varint.cpp"
#include "codec/wire.cpp"
#include "mls/tree_math.cpp"

#include <conclave/crypto/native.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/otp/base32.hpp>
#include <conclave/secret.hpp>
#include <conclave/sframe/header.hpp>

#include <nlohmann/json.hpp>

#include <fstream>

namespace portable_test {

TEST_CASE("numbers are big-endian in memory") {
  std::uint8_t out[8];
  store_be(std::uint64_t{0x0123456789abcdef}, out);
  CHECK(conclave_test::to_hex(out) == "0123456789abcdef");
  CHECK(load_be<std::uint16_t>(out) == 0x0123);
  CHECK(load_be<std::uint32_t>(out) == 0x01234567);
  CHECK(load_be<std::uint64_t>(out) == 0x0123456789abcdef);
}

TEST_CASE("the SFrame headers of RFC 9605") {
  std::ifstream in(CONCLAVE_VECTORS "/sframe-rfc9605.json");
  REQUIRE(in);
  const auto headers = nlohmann::json::parse(in).at("header");
  REQUIRE(headers.size() > 200);
  for (const auto& h : headers) {
    const sframe::header head{h.at("kid"), h.at("ctr")};
    const std::string encoded = h.at("encoded");
    std::uint8_t out[sframe::max_header_size];
    CHECK(conclave_test::to_hex(head.encode(out)) == encoded);
    const auto back = sframe::header::decode(from_hex(encoded));
    REQUIRE(back);
    CHECK(*back == head);
  }
}

TEST_CASE("Base32 of RFC 4648, section 10") {
  std::uint8_t out[8], back[5];
  REQUIRE(otp::base32_encode(as_bytes("fooba"), out));
  CHECK(as_text(out) == "MZXW6YTB");
  REQUIRE(otp::base32_decode(out, back));
  CHECK(as_text(back) == "fooba");
}

TEST_CASE("secrets are compared and wiped") {
  std::uint8_t a[5] = {1, 2, 3, 4, 5}, b[5] = {1, 2, 3, 4, 5};
  CHECK(detail::ct_equal(a, b));
  b[4] ^= 0x80;
  CHECK_FALSE(detail::ct_equal(a, b));
  detail::secure_wipe(a);
  CHECK(detail::ct_is_zero(a));
}

}  // namespace portable_test
