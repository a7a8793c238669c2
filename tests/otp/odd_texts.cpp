// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts and records that are almost right.
#include "support.hpp"

using namespace conclave_test;

namespace {
namespace odd_texts {

bool labels(std::string_view account) {
  const auto secret = *otp::shared_secret::copy_of(bytes(20, 1));
  return otp::make_uri({"Example", std::string{account}}, secret, {}).has_value();
}

}  // namespace odd_texts
}  // namespace

TEST_CASE("a label is UTF-8 as RFC 3629 has it") {
  using odd_texts::labels;
  CHECK(labels("\xf4\x8f\xbf\xbf"));        // U+10FFFF
  CHECK_FALSE(labels("\xf4\x90\x80\x80"));  // beyond it
  CHECK_FALSE(labels("\xf8\x90\x80\x80"));  // five bytes, cut
  CHECK_FALSE(labels("\xc3("));             // no continuation
  CHECK_FALSE(labels("\xc3\xc3\x80"));
}

TEST_CASE("a URI has a query, and percent signs stand before two digits") {
  const std::string secret = "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  CHECK(otp::read_uri("otpauth://totp/X:a?" + secret));
  CHECK(otp::read_uri("otpauth://totp/X:%41?" + secret));
  CHECK(fails(otp::read_uri("otpauth://totp/" + secret), errc::malformed, otp::rules::uri_form));
  for (const char* label : {"%G1", "%1G", "%4"})
    CHECK(fails(otp::read_uri("otpauth://totp/X:" + std::string{label} + '?' + secret), errc::malformed,
                otp::rules::uri_encoding));
}

TEST_CASE("a record holds no longer secret than there is") {
  // version, state, wanted, algorithm, digits, period, length of the secret
  const auto with = [&](std::size_t size) {
    bytes out = from_hex("0001020102082d");
    out.push_back(static_cast<std::uint8_t>(0x40U | size >> 8U));
    out.push_back(static_cast<std::uint8_t>(size));
    out.resize(out.size() + size, 0x42);
    append(out, from_hex("00000000499602d201000000000273ef070000000300000000499602d3"));
    return otp::decode_record(out).has_value();
  };
  CHECK(with(otp::shared_secret::capacity));
  CHECK_FALSE(with(otp::shared_secret::capacity + 1));
}
