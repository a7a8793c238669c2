// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What travels into an authenticator: Base32 and otpauth URIs.
#include "support.hpp"

#include <botan/base32.h>

using namespace conclave_test;

namespace {

std::string encoded(byte_view in) {
  bytes out(otp::base32_size(in.size()));
  REQUIRE(otp::base32_encode(in, out));
  return std::string{as_text(out)};
}
std::optional<bytes> decoded(std::string_view in) {
  bytes out(otp::base32_bytes(in.size()), 0xa5);
  const auto good = otp::base32_decode(as_bytes(in), out);
  if (good) return out;
  CHECK(fails(good, errc::malformed, otp::rules::base32_form));
  CHECK(std::ranges::all_of(out, [](std::uint8_t b) { return b == 0; }));
  return std::nullopt;
}

const bytes rfc_secret = from_hex("3132333435363738393031323334353637383930");
constexpr const char* rfc_base32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

std::string uri(const otp::label& who, const otp::parameters& p = {}) {
  const auto out = otp::make_uri(who, *otp::shared_secret::copy_of(rfc_secret), p);
  REQUIRE(out);
  return std::string{as_text(*out)};
}

/// with(label, query): a URI around the secret of the RFC.
std::string with(const std::string& label, const std::string& rest) {
  return "otpauth://totp/" + label + "?secret=" + rfc_base32 + rest;
}

void refused(const std::string& text, errc code, const rule& broken) {
  INFO(text);
  CHECK(fails(otp::read_uri(text), code, broken));
}

}  // namespace

TEST_CASE("T2: Base32 is that of RFC 4648, section 10, without padding") {
  const std::pair<const char*, const char*> known[] = {{"", ""},
                                                       {"f", "MY"},
                                                       {"fo", "MZXQ"},
                                                       {"foo", "MZXW6"},
                                                       {"foob", "MZXW6YQ"},
                                                       {"fooba", "MZXW6YTB"},
                                                       {"foobar", "MZXW6YTBOI"}};
  for (const auto& [text, base32] : known) {
    CHECK(encoded(as_bytes(text)) == base32);
    CHECK(decoded(base32) == to_bytes(as_bytes(text)));
  }
}

TEST_CASE("T2: Base32 is that of Botan, for random bytes of every length") {
  deterministic_environment env(4648);
  for (std::size_t size = 0; size <= 64; ++size) {
    bytes raw(size);
    REQUIRE(env.random(raw));
    std::string expected = Botan::base32_encode(raw);
    expected.erase(std::min(expected.find('='), expected.size()));
    CHECK(encoded(raw) == expected);
    CHECK(decoded(expected) == raw);
  }
}

TEST_CASE("T2: Base32 has one form: each character in each place, each length, bits left over") {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  for (int c = 0; c < 256; ++c) {
    std::string text(8, 'A');
    text[static_cast<std::size_t>(c) % 8] = static_cast<char>(c);
    CHECK(decoded(text).has_value() == (alphabet.find(static_cast<char>(c)) != std::string_view::npos));
  }
  for (std::size_t size = 0; size <= 16; ++size)
    CHECK(decoded(std::string(size, 'A')).has_value() == (size % 8 != 1 && size % 8 != 3 && size % 8 != 6));
  // the last character of "MY" has 3 bits of the byte and 2 that are zero
  std::size_t accepted = 0;
  for (const char c : alphabet) accepted += decoded(std::string("M") + c).has_value() ? 1 : 0;
  CHECK(accepted == 8);
  for (const char* text : {"MY======", "mzxw6", "MZXW 6", "MZXW-6", "MZXW1", "MZXW0", "MZXW8"}) {
    INFO(text);
    CHECK_FALSE(decoded(text));
  }
  bytes small(1), large(9);
  CHECK(otp::base32_encode(bytes(5), small).error() == errc::misuse);
  CHECK(otp::base32_decode(as_bytes("MZXW6YTB"), large).error() == errc::misuse);
}

TEST_CASE("T2: the URI is the one that authenticators read") {
  CHECK(uri({"conclave", "ann@example.com"}) ==
        "otpauth://totp/conclave:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=conclave"
        "&algorithm=SHA1&digits=6&period=30");
  CHECK(uri({"Caf\xc3\xa9 & Co", "b+c/d?e=f#g%h"}, {otp::algorithm::sha512, 8, 60s}) ==
        "otpauth://totp/Caf%C3%A9%20%26%20Co:b%2Bc%2Fd%3Fe%3Df%23g%25h?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Caf%C3%A9%20%26%20Co&algorithm=SHA512&digits=8&period=60");
}

TEST_CASE("T2: issuer and account are text without colons, and not too long") {
  const std::string longest(limits::otp_label_bytes, 'x');
  const otp::shared_secret k(20);
  const auto good = [&](const std::string& part) {
    const bool as_issuer = otp::make_uri({part, "a"}, k, {}).has_value();
    const auto as_account = otp::make_uri({"i", part}, k, {});
    CHECK(as_issuer == as_account.has_value());
    if (!as_account) CHECK(fails(as_account, errc::refused, otp::rules::label_text));
    return as_issuer;
  };
  for (const std::string& part :
       {std::string{"a"}, longest, std::string{"Ann B"}, std::string{"\xc3\xbc"}, std::string{"\xe2\x82\xac"},
        std::string{"\xf0\x9f\x94\x91"}, std::string{"\xed\x9f\xbf"}, std::string{"\xf4\x8f\xbf\xbf"}}) {
    INFO(part);
    CHECK(good(part));
    const auto back = otp::read_uri(uri({part, part}));
    REQUIRE(back);
    CHECK(back->label == otp::label{part, part});
  }
  const std::string bad[] = {"",
                             longest + "x",
                             "a:b",
                             " a",
                             "a ",
                             std::string("a\0b", 3),
                             "a\nb",
                             "\x7f",
                             "\xc2\x80",  // a control character
                             "\xff",
                             "\x80",
                             "\xc3",
                             "\xc0\xaf",
                             "\xc1\xbf",
                             "\xe0\x80\xaf",
                             "\xed\xa0\x80",
                             "\xf0\x80\x80\xaf",
                             "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80",
                             "\xe2\x82",
                             "\xc3 "};
  for (const std::string& part : bad) {
    INFO(to_hex(as_bytes(part)));
    CHECK_FALSE(good(part));
  }
  CHECK(fails(otp::make_uri({"i", "a"}, otp::shared_secret(19), {}), errc::refused, otp::rules::secret_size));
  CHECK(fails(otp::make_uri({"i", "a"}, k, {otp::algorithm::sha1, 7}), errc::refused, otp::rules::parameters_served));
}

TEST_CASE("T2: the longest label still makes a URI that is read") {
  const std::string longest(limits::otp_label_bytes, '/');
  const auto made = otp::make_uri({longest, longest}, otp::shared_secret(64), {otp::algorithm::sha512, 8, 60s});
  REQUIRE(made);
  CHECK(made->size() <= limits::otp_uri_bytes);
  REQUIRE(otp::read_uri(as_text(*made)));
}

TEST_CASE("T2: what is read may omit, reorder and add, and says the same") {
  const otp::label ann{"conclave", "ann@example.com"};
  for (const std::string& text :
       {with("conclave:ann@example.com", ""), with("conclave%3Aann%40example.com", ""),
        with("conclave%3aann%40example.com", "&issuer=conclave"), with("conclave:%20%20ann@example.com", ""),
        with("ann@example.com", "&issuer=conclave"), with("ann@example.com", "&image=https%3A%2F%2Fx&issuer=conclave"),
        with("conclave:ann@example.com", "&period=30&digits=6&algorithm=SHA1"),
        std::string("otpauth://totp/conclave:ann@example.com?issuer=conclave&secret=") + rfc_base32}) {
    INFO(text);
    const auto read = otp::read_uri(text);
    REQUIRE(read);
    CHECK(read->label == ann);
    CHECK(equal(read->secret.reveal(), rfc_secret));
    CHECK(read->parameters == otp::parameters{});
  }
  const auto other = otp::read_uri(with("i:a", "&algorithm=SHA256&digits=8&period=45"));
  REQUIRE(other);
  CHECK(other->parameters == otp::parameters{otp::algorithm::sha256, 8, 45s});
}

TEST_CASE("T2: what readers could understand differently is refused") {
  const auto& form = otp::rules::uri_form;
  const auto& encoding = otp::rules::uri_encoding;
  const auto& parameter = otp::rules::uri_parameter;
  for (const std::string& text :
       {std::string{}, std::string{"otpauth://totp/"}, std::string{"otpauth://totp/i:a"},
        std::string{"otpauth://hotp/i:a?secret="} + rfc_base32 + "&counter=1",
        std::string{"OTPAUTH://totp/i:a?secret="} + rfc_base32, std::string{"otpauth:/totp/i:a?secret="} + rfc_base32,
        " " + with("i:a", ""), with("i:a", "&"), with("i:a", "&issuer")})
    refused(text, errc::malformed, form);
  for (const std::string& text :
       {with("i:a%", ""), with("i:a%4", ""), with("i:a%4g", ""), with("i:a b", ""), with("i:a/b", ""),
        with("i:a+b", ""), with("i:a\xc3\xbc", ""), with("i:a", "&issuer=i+i"), with("i:a", "&issuer=i#x"),
        with("i:a", "&x=a b"), with("a", "&issuer=i=j")})
    refused(text, errc::malformed, encoding);
  for (const std::string& text :
       {with("i:a", std::string("&secret=") + rfc_base32), with("i:a", "&issuer=i&issuer=i"),
        with("i:a", "&digits=6&digits=6"), with("i:a", "&digits=7"), with("i:a", "&digits=06"), with("i:a", "&digits="),
        with("i:a", "&algorithm=sha1"), with("i:a", "&algorithm=MD5"), with("i:a", "&algorithm=SHA384"),
        with("i:a", "&period=030"), with("i:a", "&period=3"), with("i:a", "&period=-9"), with("i:a", "&period=3a"),
        with("i:a", "&period=300"), with("i:a", "&period=05"), with("i:a", "&Secret=AAAA"),
        with("i:a", "&%73ecret=AAAA"), with("i:a", "&=x"), std::string{"otpauth://totp/i:a?issuer=i"}})
    refused(text, errc::malformed, parameter);
  refused(with("a", ""), errc::malformed, otp::rules::uri_issuer);
  refused(with("i:a", "&issuer=j"), errc::malformed, otp::rules::uri_issuer);
  refused(with(":a", "&issuer=i"), errc::malformed, otp::rules::uri_issuer);
  for (const std::string& text :
       {with("", "&issuer=i"), with(":a", ""), with("i:", ""), with("i:a:b", ""), with("i:%20", ""), with("i:a%20", ""),
        with("%20i:a", ""), with("i:a%00", ""), with("i:a%FF", ""), with("i:a%3Ab", "")})
    refused(text, errc::malformed, otp::rules::label_text);
  refused(with("i:a", "&period=10"), errc::refused, otp::rules::parameters_served);
  refused(with("i:a", "&period=90"), errc::refused, otp::rules::parameters_served);
}

TEST_CASE("T2: secrets that are too short, too long or not in their one form are refused") {
  const auto of = [](const std::string& base32) { return "otpauth://totp/i:a?secret=" + base32; };
  refused(of(encoded(bytes(19))), errc::refused, otp::rules::secret_size);
  CHECK(otp::read_uri(of(encoded(bytes(20)))).has_value());
  CHECK(otp::read_uri(of(encoded(bytes(64)))).has_value());
  refused(of(encoded(bytes(65))), errc::refused, otp::rules::secret_size);
  refused(of(""), errc::refused, otp::rules::secret_size);
  refused(of("gezdgnbvgy3tqojqgezdgnbvgy3tqojq"), errc::malformed, otp::rules::base32_form);
  refused(of(encoded(bytes(21)) + "======"), errc::malformed, otp::rules::base32_form);
  refused(of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQAB"), errc::malformed, otp::rules::base32_form);
  refused(of(std::string(limits::otp_uri_bytes, 'A')), errc::over_limit, otp::rules::uri_form);
}
