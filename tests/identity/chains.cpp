// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chain for each check of x509.hpp, which breaks that check and no other (RFC 5280, section 6.1; RFC 9420, 5.3).
#include "trial.hpp"

namespace identity_test {

namespace {

constexpr auto untrusted = identity_state::untrusted;
constexpr auto mismatch = identity_state::mismatch;
constexpr auto p256 = signature_scheme::ecdsa_secp256r1_sha256;
constexpr auto p384 = signature_scheme::ecdsa_secp384r1_sha384;

/// Keys of Botan's, for signatures that MLS does not make.
key_pair ecdsa_key(signature_scheme scheme, std::uint8_t hash, const char* padding, std::string_view seed = "Botan") {
#if BOTAN_VERSION_MAJOR >= 3
  constexpr auto format = Botan::Signature_Format::DerSequence;
#else
  constexpr auto format = Botan::DER_SEQUENCE;
#endif
  const auto same = make_key(seed, scheme);
  const auto key = std::make_shared<const Botan::ECDSA_PrivateKey>(
      conclave::detail::botan_curve::of(scheme).private_key<Botan::ECDSA_PrivateKey>(
          same.of_mls->private_key().reveal()));
  const bytes sha1 = oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1}), sha2 = oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, hash});
  return make_key(key, seq({hash == 1 ? sha1 : sha2}), padding, format);
}
key_pair rsa_key(std::size_t length) {
#if BOTAN_VERSION_MAJOR >= 3
  constexpr auto format = Botan::Signature_Format::Standard;
#else
  constexpr auto format = Botan::IEEE_1363;
#endif
  return make_key(std::make_shared<const Botan::RSA_PrivateKey>(Botan::system_rng(), length),
                  seq({oid({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11}), bytes{5, 0}}), "EMSA3(SHA-256)", format);
}

const bytes unknown_extension = oid({0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x7f});

}  // namespace

TEST_CASE("a chain in order is verified, by the kind of its anchor") {
  for (const auto scheme : {signature_scheme::ed25519, p256, p384}) {
    trial t;
    t.member() = a_member(alice, scheme);
    holds(t);
    CHECK(as_text(*t.validator().identity(t.shown())) == alice);
  }
  trial internal;
  internal.kind = anchor_kind::internal;
  internal.levels.erase(internal.levels.begin() + 1);  // the root signs itself
  holds(internal, identity_state::verified_internal);
  trial named;
  named.with_root = true;
  holds(named);
  trial deep;
  for (int i = 0; i < 3; ++i)
    deep.levels.insert(deep.levels.begin() + 2, an_authority("authority " + std::to_string(i), p256));
  for (std::size_t i = 2; i < deep.levels.size(); ++i) deep.levels[i].issuer.clear();
  deep.levels[0].path_length = 4;
  deep.expected = alice;
  holds(deep);
}

TEST_CASE("leaf_key") {
  trial t;
  t.shown_key = make_key("somebody else", signature_scheme::ed25519);
  breaks(t, "wrong key", rules::leaf_key, mismatch);
  trial u;
  u.member() = a_member(alice, p256);
  u.issue();
  presented_identity who = u.shown();
  who.scheme = signature_scheme::ed25519;
  CHECK(u.validator().check(who, now).broken == &rules::leaf_key);
  u.shown_key = make_key(alice, p384);
  breaks(u, "scheme of another curve", rules::leaf_key, mismatch);
}

TEST_CASE("leaf_not_ca") {
  trial t;
  t.member().ca = true;
  t.member().usage = digital_signature | cert_sign;
  breaks(t, "authority as member", rules::leaf_not_ca, untrusted);
  trial u;  // it says that it is none, and that it signs certificates
  u.member().usage = digital_signature | cert_sign;
  breaks(u, "half an authority as member", rules::leaf_not_ca, untrusted);
  trial v;  // it says that it is one, and that it signs none
  v.member().ca = true;
  breaks(v, "an idle authority as member", rules::leaf_not_ca, untrusted);
}

TEST_CASE("certificate_format: an object identifier is complete") {
  for (const std::uint8_t last : bytes{0x80, 0x8b}) {
    trial t;
    t.member().more.push_back({oid({0x55, 0x1d, last}), false, {}});
    breaks(t, "half an object identifier", rules::certificate_format, untrusted);
  }
}

TEST_CASE("leaf_not_self_signed") {
  trial t;
  t.member().subject = name("lonely");
  t.member().issuer = t.member().subject;
  t.keep_issuers = true;
  t.levels[1].issuer = t.levels[0].subject;
  t.member().sign = t.member().key.sign;
  t.member().algorithm = t.member().key.algorithm;
  t.issue();
  t.chain.resize(1);
  breaks(t, "self-signed", rules::leaf_not_self_signed, untrusted);
}

TEST_CASE("leaf_key_usage") {
  trial t;
  t.member().usage = 0x08;  // keyAgreement
  breaks(t, "key usage", rules::leaf_key_usage, untrusted);
  trial u;
  u.member().usage = 0;
  breaks(u, "key usage unlimited", rules::leaf_key_usage, untrusted);
}

TEST_CASE("purpose") {
  trial good;
  good.member().purposes = {1, 4};
  holds(good);
  trial t;
  t.member().purposes = {1};  // a web server
  breaks(t, "purpose", rules::purpose, untrusted);
  trial u;
  u.authority().purposes = {1};
  breaks(u, "purpose of an authority", rules::purpose, untrusted);
}

TEST_CASE("one_identity") {
  trial none;
  none.member().alternative_names = {};
  none.expected = alice;
  breaks(none, "no alternative name", rules::one_identity, untrusted);
  trial other;
  other.member().alternative_names = dns("example.org");
  breaks(other, "no name of that kind", rules::one_identity, untrusted);
  trial two;
  two.member().alternative_names = joined({email(alice), email("bob@example.org")});
  breaks(two, "two e-mail addresses", rules::one_identity, untrusted);
}

TEST_CASE("plain_identity") {
  trial wildcard;
  wildcard.settings.identity = name_form::dns;
  wildcard.member().alternative_names = dns("*.example.org");
  breaks(wildcard, "wildcard", rules::plain_identity, untrusted);
  trial odd;
  odd.member().alternative_names = email(std::string_view("alice@example.org\0.evil.example", 31));
  breaks(odd, "odd characters", rules::plain_identity, untrusted);
  for (const char* address : {"", "alice", "@example.org", "alice@", "a@b@c", "al ice@example.org", "alice@*.org",
                              "alice@example.org.", "alice@.org", "alice@example..org"}) {
    INFO(address);
    trial t;
    t.member().alternative_names = email(address);
    CHECK(t.judge().broken == &rules::plain_identity);
  }
}

TEST_CASE("names of the other kinds, and of hosts in any case, are identities") {
  trial host;
  host.settings.identity = name_form::dns;
  host.member().alternative_names = joined({dns("Room-7.Example.org"), email(alice)});
  holds(host);
  CHECK(as_text(*host.validator().identity(host.shown())) == "room-7.example.org");
  trial resource;
  resource.settings.identity = name_form::uri;
  resource.member().alternative_names = uri("im:alice@example.org");
  holds(resource);
  CHECK(as_text(*resource.validator().identity(resource.shown())) == "im:alice@example.org");
  trial mail;
  mail.member().alternative_names = email("Alice@EXAMPLE.org");
  holds(mail);
  CHECK(as_text(*mail.validator().identity(mail.shown())) == "Alice@example.org");
}

TEST_CASE("expected_identity") {
  trial t;
  t.expected = "bob@example.org";
  breaks(t, "wrong name", rules::expected_identity, mismatch);
  // the common name is nobody's identity
  trial u;
  u.member().subject = name(alice);
  u.member().alternative_names = email("mallory@example.org");
  u.expected = alice;
  breaks(u, "name in the subject", rules::expected_identity, mismatch);
}

TEST_CASE("chain_length") {
  trial t;
  for (int i = 0; i < 7; ++i)
    t.levels.insert(t.levels.begin() + 2, an_authority("authority " + std::to_string(i), signature_scheme::ed25519));
  t.levels.erase(t.levels.begin() + 1);
  for (std::size_t i = 1; i < t.levels.size(); ++i) t.levels[i].issuer.clear();
  holds(t);  // eight
  t.levels.insert(t.levels.begin() + 1, an_authority("one more", signature_scheme::ed25519));
  for (std::size_t i = 1; i < t.levels.size(); ++i) t.levels[i].issuer.clear();
  t.chain.clear();
  breaks(t, "chain too long", rules::chain_length, untrusted);

  trial twice;
  twice.issue();
  twice.chain.push_back(twice.chain[1]);
  breaks(twice, "certificate twice", rules::chain_length, untrusted);

  trial nothing;
  nothing.issue();
  presented_identity who = nothing.shown();
  who.certificates.clear();
  CHECK(nothing.validator().check(who, now).broken == &rules::chain_length);
}

TEST_CASE("a ring of authorities leads to no anchor") {
  trial t;
  draft first = an_authority("first", p256), second = an_authority("second", p256);
  first.issuer = second.subject;
  second.issuer = first.subject;
  t.issue();
  t.member().issuer = first.subject;
  t.chain = {t.member().signed_by(first.key), first.signed_by(second.key), second.signed_by(first.key)};
  breaks(t, "ring", rules::anchor, untrusted);
  first.serial = 2;
  t.chain.push_back(first.signed_by(second.key));
  second.serial = 2;
  t.chain.push_back(second.signed_by(first.key));
  breaks(t, "ring, twice around", rules::anchor, untrusted);
}

TEST_CASE("name_chain") {
  trial t;
  t.levels.insert(t.levels.begin() + 1, an_authority("upper", p256));
  t.levels[1].issuer.clear();
  t.issue();
  std::swap(t.chain[1], t.chain[2]);
  breaks(t, "order", rules::name_chain, untrusted);
  trial u;
  u.member().issuer = name("another authority");
  breaks(u, "name of the issuer", rules::name_chain, untrusted);
}

TEST_CASE("anchor") {
  trial t;
  t.issue();
  t.root_der = [] {
    const draft other = an_authority("another root", p384);
    return other.signed_by(other.key);
  }();
  breaks(t, "unknown root", rules::anchor, untrusted);
  // it is no better for bringing its root along
  trial u;
  u.with_root = true;
  u.issue();
  u.root_der = t.root_der;
  breaks(u, "unknown root, brought along", rules::anchor, untrusted);
}

TEST_CASE("signature") {
  const auto mallory = make_key("mallory", p256), mallory_384 = make_key("mallory", p384);
  trial t;
  t.member().sign = mallory.sign;
  breaks(t, "forged member", rules::signature, untrusted);
  trial u;
  u.authority().sign = mallory_384.sign;
  breaks(u, "forged authority", rules::signature, untrusted);
  trial v;
  v.levels.insert(v.levels.begin() + 1, an_authority("upper", p256));
  v.levels[1].issuer.clear();
  v.levels[2].issuer.clear();
  v.levels[2].sign = mallory.sign;
  breaks(v, "forged in the middle", rules::signature, untrusted);
  // an anchor of the same name and another key
  trial w;
  w.issue();
  draft impostor = an_authority("root", p384);
  impostor.key = mallory_384;
  w.root_der = impostor.signed_by(mallory_384);
  breaks(w, "impostor of a root", rules::signature, untrusted);
  for (std::size_t i = 0; i < 3; ++i) {  // and anybody's bit
    trial x;
    x.issue();
    x.chain[i % 2][x.chain[i % 2].size() - 1 - i] ^= 1U;
    CHECK(x.judge().state == untrusted);
  }
}

TEST_CASE("issuer_is_ca") {
  trial t;
  t.authority().ca = false;
  breaks(t, "member as authority", rules::issuer_is_ca, untrusted);
  trial u;
  u.authority().ca.reset();
  breaks(u, "basicConstraints missing", rules::issuer_is_ca, untrusted);
}

TEST_CASE("issuer_key_usage") {
  trial t;
  t.authority().usage = digital_signature | crl_sign;
  breaks(t, "keyCertSign missing", rules::issuer_key_usage, untrusted);
}

TEST_CASE("path_length") {
  trial t;
  t.root().path_length = 0;
  breaks(t, "path too long, by the root", rules::path_length, untrusted);
  trial u;
  u.levels.insert(u.levels.begin() + 2, an_authority("lower", p256));
  u.levels[1].path_length = 0;
  for (std::size_t i = 2; i < u.levels.size(); ++i) u.levels[i].issuer.clear();
  breaks(u, "path too long", rules::path_length, untrusted);
  u.levels[1].path_length = 1;
  u.chain.clear();
  holds(u);
  // an authority that changes its key issues for itself, which does not count
  trial v;
  v.levels.insert(v.levels.begin() + 2, v.levels[1]);
  v.levels[2].key = make_key("the new key", p256);
  v.levels[2].issuer = v.levels[1].subject;
  v.levels[1].issuer = v.root().subject;
  v.levels[1].path_length = 0;
  v.member().issuer = v.levels[2].subject;
  v.keep_issuers = true;
  holds(v);
}

TEST_CASE("known_critical_extensions") {
  for (const std::size_t level : {1U, 2U}) {
    trial t;
    t.levels[level].more.push_back({unknown_extension, true, bytes{5, 0}});
    breaks(t, "unknown critical extension", rules::known_critical_extensions, untrusted);
    t.levels[level].more[0].critical = false;
    t.chain.clear();
    holds(t);
  }
}

TEST_CASE("one_of_each_extension") {
  trial t;
  t.member().more.push_back({oid({0x55, 0x1d, 17}), false, seq({email("bob@example.org")})});
  breaks(t, "extension twice", rules::one_of_each_extension, untrusted);
}

TEST_CASE("strong_signature") {
  trial t;
  t.authority().key = ecdsa_key(p256, 1, "EMSA1(SHA-1)");
  breaks(t, "SHA-1", rules::strong_signature, untrusted);
  // a signature of another family than the key
  trial u;
  u.member().algorithm = make_key("any", signature_scheme::ed25519).algorithm;
  breaks(u, "algorithm of another key", rules::strong_signature, untrusted);
}

TEST_CASE("strong_key") {
  trial t;
  t.authority().key = rsa_key(1024);
  breaks(t, "RSA of 1024 bits", rules::strong_key, untrusted);
}

TEST_CASE("authorities may sign with what MLS does not have") {
  trial curve;
  curve.authority().key = ecdsa_key(p384, 2, "EMSA1(SHA-256)");
  holds(curve);
  curve.member().sign = ecdsa_key(p384, 2, "EMSA1(SHA-256)", "mallory").sign;
  curve.chain.clear();
  breaks(curve, "forged, P-384 with SHA-256", rules::signature, untrusted);
  trial rsa;
  rsa.authority().key = rsa_key(2048);
  holds(rsa);
  rsa.chain[0].back() ^= 1U;
  breaks(rsa, "forged, RSA", rules::signature, untrusted);
}

TEST_CASE("validity") {
  constexpr std::string_view names[] = {"expired root", "expired authority", "expired member"};
  for (std::size_t i = 0; i < 3; ++i) {
    trial t;
    t.levels[i].to = now - std::chrono::seconds{1};
    breaks(t, names[i], rules::validity, identity_state::expired);
    t.when =
        now - std::chrono::seconds{1};  // the last second is part of the period (RFC 5280 4.1.2.5), unless to openssl
    CHECK(t.judge().state == identity_state::verified_external);
    t.when = now - std::chrono::seconds{2};
    holds(t);
    trial u;
    u.levels[i].from = now + std::chrono::seconds{1};
    breaks(u, "not yet valid", rules::validity, identity_state::expired);
    u.when = now + std::chrono::seconds{1};
    holds(u);
  }
}

TEST_CASE("what is wrong for good counts more than what is out of date") {
  trial t;
  t.member().to = now - day;
  t.member().sign = make_key("mallory", p256).sign;
  breaks(t, "forged and expired", rules::signature, untrusted);
}

TEST_CASE("anchors are authorities that sign themselves") {
  const auto added = [](const draft& d, const key_pair& by) {
    x509::trust t;
    return t.add_anchor(d.signed_by(by), anchor_kind::internal);
  };
  draft good = an_authority("root", p256);
  CHECK(added(good, good.key));
  draft cross = good;
  cross.issuer = name("another");
  CHECK(added(cross, make_key("another")).error().broken_rule() == &rules::anchor);
  draft member = good;
  member.ca = false;
  CHECK(added(member, member.key).error().broken_rule() == &rules::issuer_is_ca);
  draft unused = good;
  unused.usage = crl_sign;
  CHECK(added(unused, unused.key).error().broken_rule() == &rules::issuer_key_usage);
  draft critical = good;
  critical.more.push_back({unknown_extension, true, bytes{5, 0}});
  CHECK(added(critical, critical.key).error().broken_rule() == &rules::known_critical_extensions);
  x509::trust t;
  CHECK(t.add_anchor(as_bytes("no certificate"), anchor_kind::internal).error().code() == errc::malformed);
  CHECK(t.anchors().empty());
}

}  // namespace identity_test
