// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The validator as MLS asks it, what it remembers, and what it does with anything that is not a certificate.
#include "trial.hpp"

namespace identity_test {

namespace {

presented_identity basic(std::string_view who) {
  return {credential_type::basic, as_bytes(who), {}, {}, signature_scheme::ed25519};
}

}  // namespace

TEST_CASE("a successor has the same identity, and an authority no lower") {
  trial external;
  external.issue();
  trial internal;
  internal.kind = anchor_kind::internal;
  internal.root() = an_authority("company", signature_scheme::ecdsa_secp384r1_sha384);
  internal.member().key = make_key("alice's other key", signature_scheme::ed25519);
  internal.issue();
  trial bob;
  bob.member() = a_member("bob@example.org");
  bob.issue();
  trial renewed;
  renewed.member().key = make_key("alice's new key", signature_scheme::ed25519);
  renewed.issue();
  trial old;
  old.member().to = now - day;
  old.issue();

  x509::trust t;
  REQUIRE(t.add_anchor(external.root_der, anchor_kind::external));
  REQUIRE(t.add_anchor(internal.root_der, anchor_kind::internal));
  x509_validator v(std::move(t), external.settings);
  const auto then = [&](const presented_identity& before, const presented_identity& after) {
    return v.check_successor(before, after, now);
  };
  CHECK(then(external.shown(), renewed.shown()).state == identity_state::verified_external);
  CHECK(then(old.shown(), renewed.shown()).state == identity_state::verified_external);
  CHECK(then(renewed.shown(), old.shown()).state == identity_state::expired);
  CHECK(then(internal.shown(), external.shown()).state == identity_state::verified_external);
  CHECK(then(external.shown(), internal.shown()).broken == &rules::successor_not_lower);
  CHECK(then(external.shown(), internal.shown()).state == identity_state::mismatch);
  CHECK(then(external.shown(), bob.shown()).broken == &rules::successor_identity);
  CHECK(then(external.shown(), bob.shown()).state == identity_state::mismatch);
  CHECK(then(external.shown(), basic(alice)).broken == &rules::successor_not_lower);
  CHECK(then(external.shown(), basic("bob@example.org")).broken == &rules::successor_identity);
  CHECK(then(basic(alice), external.shown()).state == identity_state::verified_external);
  CHECK(then(basic(alice), basic(alice)).state == identity_state::unverified);
  CHECK(v.successor(external.shown(), bob.shown(), now) == identity_state::mismatch);
}

TEST_CASE("a basic credential is a claim, and unknown ones nothing") {
  trial t;
  t.issue();
  auto v = t.validator();
  CHECK(v.member(basic(alice), now) == identity_state::unverified);
  CHECK(v.external_sender(basic("server"), now) == identity_state::unverified);
  CHECK(as_text(*v.identity(basic(alice))) == alice);
  CHECK(v.check(basic("mallory"), now, alice).state == identity_state::mismatch);
  const presented_identity strange{credential_type{7}, as_bytes(alice), {}, {}, signature_scheme::ed25519};
  CHECK(v.member(strange, now) == identity_state::unverified);
  CHECK(v.identity(strange).error() == errc::malformed);
  CHECK(v.external_sender(t.shown(), now) == identity_state::verified_external);
}

TEST_CASE("M10: a certificate is shown with its issuers, and with nothing that deceives the eye") {
  trial t;
  t.member().subject =
      seq({tlv(der::set, seq({oid({0x55, 4, 6}), tlv(der::printable_string, std::string_view("DE"))})),
           tlv(der::set, seq({oid({0x55, 4, 10}), tlv(der::utf8_string, std::string_view("Müller, "
                                                                                         "Söhne"))})),
           tlv(der::set, seq({oid({0x55, 4, 3}), tlv(der::utf8_string, std::string_view("al\xe2\x80\xae"
                                                                                        "ice\n\xff"))}))});
  t.issue();
  auto v = t.validator();
  const auto shown = v.show_certificate(t.shown());
  REQUIRE(shown);
  REQUIRE(shown->certificates.size() == 3);
  CHECK(shown->anchor == anchor_kind::external);
  const auto& own = shown->certificates[0];
  CHECK(own.subject == "CN=al\\E2\\80\\AEice\\0A\\FF,O=Müller\\, Söhne,C=DE");
  CHECK(own.issuer == "CN=authority");
  CHECK(own.names == std::vector<std::string>{"email:alice@example.org"});
  CHECK(own.not_before == now - day);
  CHECK(own.not_after == now + 30 * day);
  CHECK(own.serial == "66");
  CHECK(own.key == "Ed25519");
  CHECK(shown->certificates[1].key == "ECDSA P-256");
  CHECK(shown->certificates[2].subject == "CN=root");
  CHECK(shown->certificates[2].key == "ECDSA P-384");
  const folder files;
  const answer openssl =
      run("openssl x509 -noout -fingerprint -sha256 -in " + files.pem("authority.pem", "CERTIFICATE", {t.chain[1]}));
  CHECK(openssl.text.find(shown->certificates[1].fingerprint) != std::string::npos);

  auto stranger = x509_validator(x509::trust{});
  const auto unanchored = stranger.show_certificate(t.shown());
  REQUIRE(unanchored);
  CHECK_FALSE(unanchored->anchor);
  CHECK(unanchored->certificates.size() == 2);
  CHECK(v.show_certificate(basic(alice)).error() == errc::malformed);
  // of a chain that is refused, all that it names is shown, as a claim
  trial refused;
  refused.with_root = true;
  refused.authority().name_constraints = constraints({email("example.com")}, {});
  refused.issue();
  auto w = refused.validator();
  CHECK(w.member(refused.shown(), now) == identity_state::untrusted);
  const auto claimed = w.show_certificate(refused.shown());
  REQUIRE(claimed);
  CHECK_FALSE(claimed->anchor);
  REQUIRE(claimed->certificates.size() == 3);
  CHECK(claimed->certificates[2].subject == "CN=root");
  t.chain[1].pop_back();
  CHECK(v.show_certificate(t.shown()).error() == errc::malformed);
}

TEST_CASE("what has no width, or no ink, or another direction is escaped where names are shown") {
  const auto utf8 = [](std::uint32_t c) {
    const auto tail = [&](unsigned shift) { return static_cast<std::uint8_t>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) return bytes{static_cast<std::uint8_t>(c)};
    if (c < 0x800) return bytes{static_cast<std::uint8_t>(0xc0 | c >> 6), tail(0)};
    if (c < 0x10000) return bytes{static_cast<std::uint8_t>(0xe0 | c >> 12), tail(6), tail(0)};
    return bytes{static_cast<std::uint8_t>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
  };
  const auto escaped = [&](std::uint32_t c) { return x509::detail::printable(utf8(c))[0] == '\\'; };
  // Default_Ignorable_Code_Point of Unicode, controls and separators of lines, the blank of Braille
  const std::pair<std::uint32_t, std::uint32_t> hidden[] = {
      {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
      {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
      {0x2060, 0x206f}, {0x2800, 0x2800}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
      {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
  };
  for (const auto& [first, last] : hidden) {
    INFO(first);
    for (std::uint32_t c = first; c <= last; ++c) REQUIRE(escaped(c));
    if (first > 0) CHECK_FALSE(escaped(first - 1));
    if (last < 0xfff0) CHECK_FALSE(escaped(last + 1));  // from there on, some more is escaped
  }
  for (const std::uint32_t c : {0x1bc9fU, 0x1bca4U, 0x1d172U, 0x1d17bU, 0x1f600U, 0x10000U}) CHECK_FALSE(escaped(c));
  CHECK(x509::detail::printable(as_bytes("alice\xe3\x85\xa4")) == "alice\\E3\\85\\A4");
}

TEST_CASE("what is remembered of issuers helps nobody else") {
  trial t;
  t.issue();
  auto v = t.validator();
  for (int i = 0; i < 3; ++i) CHECK(v.member(t.shown(), now) == identity_state::verified_external);
  trial forged = t;
  forged.member().sign = make_key("mallory", signature_scheme::ecdsa_secp256r1_sha256).sign;
  forged.issue();
  CHECK(v.check(forged.shown(), now).broken == &rules::signature);
  CHECK(v.member(t.shown(), now + 60 * day) == identity_state::expired);
  trial impostor = t;
  impostor.authority().key = make_key("mallory", signature_scheme::ecdsa_secp256r1_sha256);
  impostor.authority().sign = impostor.authority().key.sign;
  impostor.issue();
  CHECK(v.check(impostor.shown(), now).broken == &rules::signature);
  CHECK(v.member(t.shown(), now) == identity_state::verified_external);
}

TEST_CASE("certificate_format: no prefix, no bit and no length of a certificate makes anybody verified") {
  trial t;
  t.issue();
  auto v = t.validator();
  const bytes good = t.chain[0];
  for (std::size_t n = 0; n < good.size(); ++n) {
    t.chain[0] = bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
    REQUIRE_FALSE(is_verified(v.member(t.shown(), now)));
  }
  t.chain[0] = good;
  t.chain[0].push_back(0);
  CHECK(v.check(t.shown(), now).broken == &rules::certificate_format);
  for (std::size_t bit = 0; bit < 8 * good.size(); bit += 3) {
    t.chain[0] = good;
    t.chain[0][bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const verdict found = v.check(t.shown(), now);
    INFO(bit);
    REQUIRE_FALSE(is_verified(found.state));
    REQUIRE(found.broken != nullptr);
  }
  t.chain[0] = tlv(der::sequence, bytes(limits::certificate_bytes));
  CHECK(v.check(t.shown(), now).broken == &rules::certificate_size);
}

TEST_CASE("certificate_format: what DER forbids") {
  const auto broken = [](const std::function<void(draft&)>& change) {
    trial t;
    change(t.member());
    return t.judge().broken;
  };
  const bytes any = oid({0x2b, 6, 1});
  const auto with = [&](const bytes& raw_extension_value) {
    return broken([&](draft& d) { d.more.push_back({oid({0x55, 0x1d, 32}), false, raw_extension_value}); });
  };
  CHECK(with(bytes{0x30, 0}) == nullptr);
  CHECK(with(bytes{0x30, 0x80, 0, 0}) == &rules::certificate_format);  // indefinite length
  CHECK(with(bytes{0x30, 0x81, 0}) == &rules::certificate_format);     // not the shortest
  CHECK(with(bytes{0x30, 1}) == &rules::certificate_format);           // too short
  CHECK(with(bytes{0x30, 0, 0}) == &rules::certificate_format);        // something behind
  CHECK(with(bytes{0x1f, 0x81, 0, 0}) == &rules::certificate_format);  // a long tag
  CHECK(broken([&](draft& d) { d.more.push_back({oid({0x55, 0x1d, 15}), false, bytes{3, 1, 0}}); }) != nullptr);
  CHECK(broken([&](draft& d) {
          for (std::uint8_t i = 0; i < limits::certificate_extensions; ++i)
            d.more.push_back({oid({0x2b, 6, 1, i}), false, bytes{5, 0}});
        }) == &rules::certificate_size);
  CHECK(broken([&](draft& d) {
          d.ca = false;
          d.path_length = 1;  // for authorities only
        }) == &rules::certificate_format);
}

TEST_CASE("times are read as RFC 5280 writes them") {
  const auto read = [](std::uint8_t tag, std::string_view text) {
    const bytes whole = tlv(tag, text);
    return der::time(*der::only(whole, tag));
  };
  CHECK(*read(der::utc_time, "700101000000Z") == unix_time{});
  CHECK(*read(der::utc_time, "250615150640Z") == now);
  CHECK(*read(der::generalized_time, "20250615150640Z") == now);
  CHECK(*read(der::utc_time, "491231235959Z") == unix_time{std::chrono::seconds{2'524'607'999}});
  CHECK(*read(der::utc_time, "500101000000Z") == unix_time{std::chrono::seconds{-631'152'000}});
  CHECK(*read(der::generalized_time, "99991231235959Z") == unix_time{std::chrono::seconds{253'402'300'799}});
  CHECK(*read(der::generalized_time, "20240229000000Z") == unix_time{std::chrono::seconds{1'709'164'800}});
  for (const char* bad : {"250615150640", "2506151506Z", "250615150640+0000", "251315150640Z", "250230150640Z",
                          "250615240640Z", "250615156040Z", "250615150660Z", "2506151506 0Z", ""}) {
    INFO(bad);
    CHECK_FALSE(read(der::utc_time, bad));
  }
  CHECK_FALSE(read(der::generalized_time, "20250615150640.5Z"));
  CHECK_FALSE(read(der::generalized_time, "20230229000000Z"));
  CHECK_FALSE(read(der::octet_string, "250615150640Z"));
}

TEST_CASE("each difference from openssl is one of a chain in these tests") {
  std::string sources;
  for (const char* file : {"chains.cpp", "names.cpp", "revocation.cpp"}) {
    std::ifstream in(std::filesystem::path(CONCLAVE_VECTORS) / "../tests/identity" / file);
    REQUIRE(in);
    sources.append(std::istreambuf_iterator<char>(in), {});
  }
  for (const difference& d : differences) {
    INFO(d.chain);
    CHECK(sources.find(", \"" + std::string{d.chain} + "\", rules::") != std::string::npos);
  }
}

}  // namespace identity_test
