// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Certificates, lists and responses in which one value is other than RFC 5280 and RFC 6960 have it: each is refused, and
// the same without the change is not. Nothing is signed anew, because all this is decided before a signature is looked at.
#include "trial.hpp"

namespace identity_test {

namespace strictness {

using x509::certificate;
using x509::ocsp_response;
using x509::revocation_list;
using path = std::vector<std::size_t>;
using edit = std::function<bytes(const der::element&)>;

/// edited(value, path, change): the value with one of those inside it changed; every step of the path is a place in a
/// content, of an OCTET STRING too.
bytes edited(byte_view value, std::span<const std::size_t> where, const edit& change) {
  der::reader r(value);
  const der::element e = *r.next();
  if (where.empty()) return change(e);
  bytes content;
  std::size_t i = 0;
  for (der::reader in(e.content); !in.empty(); ++i) {
    const der::element part = *in.next();
    append(content, i == where[0] ? edited(part.whole, where.subspan(1), change) : to_bytes(part.whole));
  }
  REQUIRE(i > where[0]);
  return tlv(e.tag, content);
}

/// The changes: one value more inside; another content; another tag; gone.
bytes with_more(const der::element& e) { return tlv(e.tag, joined({to_bytes(e.content), bytes{5, 0}})); }
edit with(const bytes& content) {
  return [=](const der::element& e) { return tlv(e.tag, content); };
}
edit tagged(std::uint8_t tag) {
  return [=](const der::element& e) { return tlv(tag, to_bytes(e.content)); };
}
bytes without(const der::element&) { return {}; }

bytes a_certificate() {
  draft d = a_member(alice);
  d.issuer = name("authority");
  d.purposes = {4};
  return d.signed_by(make_key("authority"));
}

/// rsa(modulus, exponent): a key of it in a certificate.
bytes with_rsa(const bytes& modulus, const bytes& exponent, const bytes& more = {}) {
  const bytes key = seq({tlv(der::integer, modulus), tlv(der::integer, exponent), more});
  const bytes algorithm = seq({oid({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}), bytes{5, 0}});
  return edited(a_certificate(), path{0, 6}, [&](const der::element&) { return seq({algorithm, bits(key)}); });
}
bytes modulus(std::size_t bytes_of_it) {
  bytes out(bytes_of_it + 1, 0xff);
  out[0] = 0;
  return out;
}

/// with_extension(extension): one more in the list.
bytes with_extension(const bytes& extension) {
  return edited(a_certificate(), path{0, 7, 0},
                [&](const der::element& e) { return tlv(e.tag, joined({to_bytes(e.content), extension})); });
}
bytes an_extension(const bytes& id, const bytes& value) { return seq({id, tlv(der::octet_string, value)}); }
/// without_extension(n, value): the known extension 2.5.29.n with this value, and no other of that kind.
bytes with_value(std::uint8_t n, const bytes& value) {
  const bytes id = oid({0x55, 0x1d, n});
  return edited(a_certificate(), path{0, 7, 0}, [&](const der::element& e) {
    bytes list;
    for (der::reader in(e.content); !in.empty();) {
      const der::element one = *in.next();
      if (!equal(one.content.first(id.size()), id)) append(list, one.whole);
    }
    return tlv(e.tag, joined({list, an_extension(id, value)}));
  });
}

bytes a_list() {
  list_draft d;
  d.serials = {5, 6};
  return d.signed_by(an_authority("authority", signature_scheme::ecdsa_secp256r1_sha256));
}

bytes a_response() {
  const draft authority = an_authority("authority", signature_scheme::ecdsa_secp256r1_sha256);
  response_draft d;
  d.responder = a_certificate();
  return d.signed_by(authority, authority.key);
}

template <class T>
void all_refused(const bytes& good, std::initializer_list<std::pair<path, edit>> changes) {
  REQUIRE(T::read(good));
  for (const auto& [where, change] : changes) {
    std::string place;
    for (const std::size_t step : where) place += std::to_string(step) + ' ';
    CAPTURE(place);
    CHECK_FALSE(T::read(edited(good, where, change)));
  }
}

}  // namespace strictness

using namespace strictness;

TEST_CASE("lengths and tags of DER have one form") {
  const auto reads = [](bytes head, std::size_t content) {
    head.resize(head.size() + content, 1);
    der::reader in(head);
    return in.next().has_value();
  };
  CHECK(reads({0x30, 0x81, 0x80}, 0x80));
  CHECK_FALSE(reads({0x30, 0x81, 0x7f}, 0x7f));
  CHECK(reads({0x30, 0x82, 0x01, 0x00}, 0x100));
  CHECK_FALSE(reads({0x30, 0x82, 0x00, 0x80}, 0x80));
  CHECK_FALSE(reads({0x30, 0x80}, 0));
  CHECK_FALSE(reads({0x30, 0x84, 0x01, 0x00, 0x00, 0x00}, 0x1000000));
  CHECK(reads({0x1e, 0x01}, 1));
  CHECK_FALSE(reads({0x1f, 0x01}, 1));
}

TEST_CASE("values of DER have one form") {
  const auto natural = [](const bytes& content) { return der::natural(content).has_value(); };
  CHECK(natural({0}));
  CHECK(natural({0, 0x80}));
  CHECK_FALSE(natural({}));
  CHECK_FALSE(natural({0x80}));
  CHECK_FALSE(natural({0, 0x7f}));
  CHECK(der::small_natural(bytes{0x7f, 0xff, 0xff, 0xff}).has_value());
  CHECK_FALSE(der::small_natural(bytes{1, 0, 0, 0, 0}).has_value());
  CHECK(der::whole_bytes(bytes{0}).has_value());
  CHECK_FALSE(der::whole_bytes(bytes{}).has_value());
  CHECK_FALSE(der::whole_bytes(bytes{1, 0x80}).has_value());
  CHECK(der::is_object_identifier(bytes{0x55, 0x81, 0x00}));
  for (const bytes& none : {bytes{}, bytes{0x80, 0x55}, bytes{0x55, 0x80, 0x01}, bytes{0x55, 0x81}})
    CHECK_FALSE(der::is_object_identifier(none));
  for (const bytes& truth : {bytes{0xff}, bytes{0x01}, bytes{0xff, 0xff}}) {
    const bytes whole = tlv(der::boolean, truth);
    der::reader in(whole);
    CHECK(der::true_or_absent(in).has_value() == (truth == bytes{0xff}));
  }
  const auto time = [](std::uint8_t tag, std::string_view text) {
    return der::time(der::element{tag, as_bytes(text), {}}).has_value();
  };
  CHECK(time(der::generalized_time, "20250615150640Z"));
  CHECK_FALSE(time(der::utf8_string, "20250615150640Z"));
  CHECK_FALSE(time(der::generalized_time, "20250615150640A"));
}

TEST_CASE("a certificate with one value too many, too few or of another form is none") {
  const bytes shorter_key = seq({seq({oid({0x2b, 0x65, 0x70})}), bits(bytes(31, 1))});
  all_refused<certificate>(a_certificate(),
                           {{{}, with_more},
                            {{0}, with_more},
                            {{0, 0}, with_more},
                            {{0, 0, 0}, with({1})},
                            {{0, 0, 0}, with({2, 2})},
                            {{0, 1}, with(bytes(22, 1))},
                            {{0, 2}, [](const der::element&) { return seq({oid({0x2b, 0x65, 0x71})}); }},
                            {{0, 4}, with_more},
                            {{0, 6}, with_more},
                            {{0, 6}, [&](const der::element&) { return shorter_key; }},
                            {{0, 7}, with_more},
                            {{0, 7, 0}, with({})},
                            {{0, 7, 0, 0}, with_more},
                            {{2}, with({1, 0})}});
}

TEST_CASE("a key in a certificate is of a known kind, and an RSA key is one") {
  const auto other = certificate::read(edited(a_certificate(), path{0, 6}, [](const der::element&) {
    return seq({seq({oid({0x2b, 0x65, 0x6e})}), bits(bytes(32, 1))});
  }));
  REQUIRE_FALSE(other);
  CHECK(other.error().broken_rule() == &rules::strong_key);

  const bytes exponent{1, 0, 1};
  CHECK(certificate::read(with_rsa(modulus(256), exponent)));
  CHECK(certificate::read(with_rsa(modulus(1024), exponent)));
  CHECK_FALSE(certificate::read(with_rsa(modulus(255), exponent)));
  CHECK_FALSE(certificate::read(with_rsa(modulus(1025), exponent)));
  CHECK_FALSE(certificate::read(with_rsa(modulus(256), {0x81})));
  CHECK_FALSE(certificate::read(with_rsa(modulus(256), exponent, {5, 0})));
  CHECK_FALSE(certificate::read(with_rsa({0}, exponent)));
}

TEST_CASE("an extension that is known is read as it has to be, and no other one as if it were known") {
  const bytes garbage{1, 2, 3};
  for (const bytes& id : {oid({0x55, 0x1d, 0x0f, 1}), oid({0x56, 0x1d, 0x0f}), oid({0x55, 0x1e, 0x0f})})
    CHECK(certificate::read(with_extension(an_extension(id, garbage))));
  CHECK_FALSE(certificate::read(with_extension(an_extension(oid({0x55, 0x1d, 32}), {}))));
  CHECK_FALSE(certificate::read(with_extension(an_extension(oid({0x55, 0x1d, 32}), {5, 0, 5, 0}))));
  const auto usage = [](const bytes& content) {
    return certificate::read(with_value(15, tlv(der::bit_string, content))).has_value();
  };
  CHECK(usage({7, 0x80}));
  CHECK(usage({7, 0, 0x80}));
  CHECK_FALSE(usage({0}));
  CHECK_FALSE(usage({0, 1, 2, 3}));
  CHECK_FALSE(usage({8, 0x80}));
  const bytes yes = tlv(der::boolean, bytes{0xff});
  CHECK(certificate::read(with_value(19, seq({yes, number(1)}))));
  CHECK_FALSE(certificate::read(with_value(19, seq({number(1)}))));
  CHECK_FALSE(certificate::read(with_value(19, seq({yes, number(1), bytes{5, 0}}))));
  for (const std::uint8_t n : {std::uint8_t{17}, std::uint8_t{30}, std::uint8_t{37}})
    CHECK_FALSE(certificate::read(with_value(n, seq({}))));
  const bytes no_purpose{5, 0};
  CHECK_FALSE(x509::allows(no_purpose, {2}));
  CHECK_FALSE(x509::allows_any(no_purpose));
}

TEST_CASE("a list of revocations with one value too many, too few or of another form is none") {
  const bytes critical =
      seq({oid({0x55, 0x1d, 21}), tlv(der::boolean, bytes{0xff}), tlv(der::octet_string, bytes{5, 0})});
  const auto also = [](const bytes& part) -> edit {
    return [=](const der::element& e) { return tlv(e.tag, joined({to_bytes(e.content), part})); };
  };
  all_refused<revocation_list>(a_list(), {{{}, with_more},
                                          {{0}, with_more},
                                          {{0, 0}, with({1, 1})},
                                          {{0, 0}, with({0})},
                                          {{0, 1}, [](const der::element&) { return seq({oid({0x2b, 0x65, 0x71})}); }},
                                          {{0, 5, 0, 1}, without},
                                          {{0, 5, 0}, also(seq({critical}))},
                                          {{0, 5, 0}, also(joined({seq({}), bytes{5, 0}}))},
                                          {{0, 6}, with_more},
                                          {{2}, with({1, 0})}});
  const auto huge = revocation_list::read(bytes(limits::revocation_list_bytes + 1));
  REQUIRE_FALSE(huge);
  CHECK(huge.error().code() == errc::over_limit);
}

TEST_CASE("an OCSP response with one value too many, too few or of another form is none") {
  const path basic{1, 0, 1, 0}, tbs{1, 0, 1, 0, 0}, single{1, 0, 1, 0, 0, 2, 0};
  const auto below = [](path base, std::initializer_list<std::size_t> steps) {
    base.insert(base.end(), steps);
    return base;
  };
  const bytes response = a_response();
  all_refused<ocsp_response>(
      response, {{{}, with_more},
                 {{0}, with({0, 0})},
                 {{0}, with({1})},
                 {{1}, with_more},
                 {{1, 0}, with_more},
                 {{1, 0, 0}, [](const der::element&) { return oid({0x2b, 6, 1, 5, 5, 7, 48, 1, 2}); }},
                 {basic, with_more},
                 {below(basic, {3}), with_more},
                 {below(tbs, {0}), tagged(der::octet_string)},
                 {below(tbs, {1}), without},
                 {below(single, {0}), with_more},
                 {below(single, {0, 0, 0}), [](const der::element&) { return oid({0x2b, 0x0e, 3, 2, 0x1b}); }},
                 {below(single, {1}), tagged(der::context(3))},
                 {below(single, {3}), with_more},
                 {single, with_more}});
  const auto crowded = ocsp_response::read(edited(response, below(tbs, {2}), [](const der::element& e) {
    bytes many;
    for (std::size_t i = 0; i <= limits::certificates; ++i) append(many, e.content);
    return tlv(e.tag, many);
  }));
  REQUIRE_FALSE(crowded);
  CHECK(crowded.error().code() == errc::over_limit);
}

TEST_CASE("a responder that was not made one, by this issuer and for this time, answers for nobody") {
  trial t;
  t.settings.revocation = revocation_rule::required;
  t.issue();
  const auto judged = [&](const draft& responder) {
    t.lists = {list_draft{}.signed_by(t.root())};
    auto v = t.validator();
    response_draft good;
    good.serial = 102;
    good.responder = responder.signed_by(t.authority().key);
    REQUIRE(v.trust().add_ocsp_response(good.signed_by(t.authority(), responder.key)));
    return v.check(t.shown(), now).state;
  };
  draft responder;
  responder.subject = name("responder");
  responder.issuer = t.authority().subject;
  responder.key = make_key("responder", signature_scheme::ecdsa_secp256r1_sha256);
  responder.ca = false;
  responder.purposes = {9};
  CHECK(judged(responder) == identity_state::verified_external);
  const std::pair<const char*, std::function<void(draft&)>> faults[] = {
      {"another issuer's name", [](draft& d) { d.issuer = name("another authority"); }},
      {"a critical extension that nobody knows", [](draft& d) { d.more = {{oid({0x2b, 1}), true, {5, 0}}}; }},
      {"not for signatures", [](draft& d) { d.usage = cert_sign; }},
      {"not valid when it answered", [](draft& d) { d.from = now - std::chrono::minutes{1}; }},
      {"no certificate", [](draft& d) { d.more = {{oid({0x55, 0x1d, 32}), false, {}}}; }}};
  for (const auto& [what, fault] : faults) {
    CAPTURE(what);
    draft other = responder;
    fault(other);
    CHECK(judged(other) == identity_state::revocation_unknown);
  }
}

TEST_CASE("names are compared only where it is clear what they mean") {
  const auto covers = [](name_form form, std::string_view limit, std::string_view value) {
    return x509::name_constraint{{form, as_bytes(limit)}}.covers({form, as_bytes(value)});
  };
  CHECK(covers(name_form::email, "x.org", "a@x.org") == true);
  CHECK(covers(name_form::email, "y.org", "a@x.org") == false);
  for (const std::string_view unclear : {"x.org", "@x.org", "a@", "a@b@x.org", "a\x01@x.org"})
    CHECK_FALSE(covers(name_form::email, "x.org", unclear).has_value());
  CHECK(covers(name_form::uri, "x.org", "sip://a@x.org:5060/b") == true);
  for (const std::string_view unclear :
       {"//x.org", "mailto:a@x.org", "sip://[::1]/", "sip:///b", "sip://10.0.0.1/", "sip://x.org\x01/"})
    CHECK_FALSE(covers(name_form::uri, "x.org", unclear).has_value());
  CHECK(covers(name_form::dns, "x.org", "a.x.org") == true);
  CHECK(covers(name_form::dns, "", "x.org") == true);  // all of them
  CHECK_FALSE(covers(name_form::email, "", "a@x.org").has_value());
  CHECK_FALSE(covers(name_form::uri, "", "sip://x.org").has_value());
  CHECK_FALSE(covers(name_form::dns, "x.org", "a\x01.x.org").has_value());
  CHECK_FALSE(covers(name_form::dns, "x\x01.org", "x.org").has_value());
  CHECK_FALSE(covers(name_form::dns, "a@x.org", "x.org").has_value());
  const bytes somebody = name("somebody");
  CHECK(covers(name_form::directory, as_text(somebody), as_text(somebody)) == true);
  CHECK_FALSE(covers(name_form::directory, as_text(somebody), "no name").has_value());
  CHECK_FALSE(covers(name_form::directory, "no name", as_text(somebody)).has_value());

  const bytes good = constraints({email("x.org")}, {dns("y.org")});
  const byte_view content = der::only(good, der::sequence)->content;
  CHECK(x509::name_constraints::read(content));
  CHECK_FALSE(x509::name_constraints::read(joined({to_bytes(content), bytes{5, 0}})));
  const bytes certified = edited(a_certificate(), path{0, 5, 0, 0}, with_more);
  CHECK_FALSE(x509::constrained_names(*certificate::read(certified)));
  CHECK(x509::constrained_names(*certificate::read(a_certificate())));
}

TEST_CASE("a name that cannot be read is neither shown nor within constraints") {
  const auto attribute = [](const bytes& more) {
    return tlv(der::set, seq({oid({0x55, 4, 3}), tlv(der::utf8_string, std::string_view("a")), more}));
  };
  CHECK(*x509::name_text(seq({attribute({})})) == "CN=a");
  const bytes odd = seq({attribute({5, 0})});
  CHECK(x509::name_text(odd).error() == errc::malformed);

  trial t;
  t.member().subject = odd;
  CHECK(t.judge().state == identity_state::verified_external);
  t.chain.clear();
  t.authority().name_constraints = constraints({email("example.org")}, {});
  CHECK(t.judge().broken == &rules::name_constraints);
  t.chain.clear();
  t.member().subject = seq({attribute({})});
  CHECK(t.judge().state == identity_state::verified_external);
}

TEST_CASE("the second opinion is about the whole path, up to this anchor") {
  using library = x509::botan_certificates;
  trial t;
  t.issue();
  trial other;
  other.root() = an_authority("another root", signature_scheme::ecdsa_secp384r1_sha384);
  other.authority() = an_authority("another authority", signature_scheme::ecdsa_secp256r1_sha256);
  other.issue();
  const byte_view authority = t.chain[1], stranger = other.chain[1];
  CHECK(library::confirm({&authority, 1}, t.root_der));
  CHECK(library::confirm({&authority, 1}, other.root_der).error() == errc::refused);
  CHECK(library::confirm(std::array{authority, stranger}, t.root_der).error() == errc::refused);
}

TEST_CASE("what holds no certificate has no identity to show") {
  trial t;
  t.issue();
  auto v = t.validator();
  CHECK(v.identity(t.shown()));
  CHECK(v.show_certificate(t.shown()));
  presented_identity no_chain = t.shown(), no_certificate = t.shown(), another_type = t.shown();
  no_chain.certificates = {};
  const bytes garbage{1, 2, 3};
  no_certificate.certificates = {garbage};
  another_type.type = credential_type{0x0a0a};
  for (const presented_identity* const none : {&no_chain, &no_certificate, &another_type}) {
    CHECK_FALSE(v.identity(*none));
    CHECK_FALSE(v.show_certificate(*none));
    CHECK(v.check_successor(*none, t.shown(), now).broken == &rules::successor_identity);
    CHECK(v.check_successor(t.shown(), *none, now).broken == &rules::successor_identity);
  }
  t.levels.back().alternative_names = dns("x.org");
  t.issue();
  CHECK_FALSE(v.identity(t.shown()));
}

}  // namespace identity_test
