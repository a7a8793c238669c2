// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Name constraints (RFC 5280, section 4.2.1.10), and three cases that Botan's own evaluation gets wrong in 2.19.3.
#include "trial.hpp"

namespace identity_test {

namespace {

constexpr auto untrusted = identity_state::untrusted;

/// Botan's own path validation of all of a chain.
bool botan_takes(const trial& t) {
  std::vector<Botan::X509_Certificate> chain;
  for (const bytes& der : t.chain) chain.emplace_back(der);
  const Botan::Certificate_Store_In_Memory roots{Botan::X509_Certificate(t.root_der)};
  return Botan::x509_path_validate(chain, Botan::Path_Validation_Restrictions{}, roots, "",
                                   Botan::Usage_Type::UNSPECIFIED, std::chrono::system_clock::time_point{now})
      .successful_validation();
}

constexpr bool known_botan = BOTAN_VERSION_MAJOR == 2 && BOTAN_VERSION_MINOR == 19 && BOTAN_VERSION_PATCH == 3;

trial constrained(const bytes& limits, const bytes& names, name_form form = name_form::email) {
  trial t;
  t.settings.identity = form;
  t.authority().name_constraints = limits;
  t.member().alternative_names = names;
  return t;
}

}  // namespace

TEST_CASE("name constraints: an e-mail address that a critical constraint excludes") {
  trial t = constrained(constraints({}, {email("evil.example")}), email("mallory@evil.example"));
  breaks(t, "excluded address", rules::name_constraints, untrusted);
  if (known_botan) CHECK(botan_takes(t));
}

TEST_CASE("name constraints: an e-mail address outside what a constraint that is not critical permits") {
  trial t = constrained(constraints({email("example.org")}, {}), email("mallory@evil.example"));
  t.authority().name_constraints_critical = false;
  breaks(t, "address not permitted", rules::name_constraints, untrusted);
  if (known_botan) CHECK(botan_takes(t));
}

TEST_CASE("name constraints: an e-mail address inside what a critical constraint permits") {
  trial t = constrained(constraints({email("example.org")}, {}), email(alice));
  holds(t);
  if (known_botan) CHECK_FALSE(botan_takes(t));
}

TEST_CASE("name constraints of every form, held by all and broken by all") {
  const struct {
    const char* what;
    bytes limits, names;
    name_form form;
    bool allowed;
  } cases[] = {
      {"one address", constraints({email(alice)}, {}), email(alice), name_form::email, true},
      {"another address", constraints({email("bob@example.org")}, {}), email(alice), name_form::email, false},
      {"case of a host", constraints({email("EXAMPLE.org")}, {}), email(alice), name_form::email, true},
      {"a host, not those below", constraints({email("org")}, {}), email(alice), name_form::email, false},
      {"those below", constraints({email(".org")}, {}), email(alice), name_form::email, true},
      {"those below, not itself", constraints({email(".example.org")}, {}), email(alice), name_form::email, false},
      {"ends alike", constraints({email("ample.org")}, {}), email(alice), name_form::email, false},
      {"of nobody", constraints({email("")}, {}), email(alice), name_form::email, false},
      {"of two", constraints({email("example.com"), email("example.org")}, {}), email(alice), name_form::email, true},
      {"permitted and excluded", constraints({email("example.org")}, {email(alice)}), email(alice), name_form::email,
       false},
      {"a second name", constraints({dns("example.org")}, {}), joined({email(alice), dns("evil.example")}),
       name_form::email, false},
      {"another form", constraints({dns("example.org")}, {}), email(alice), name_form::email, true},
      {"host", constraints({dns("example.org")}, {}), dns("example.org"), name_form::dns, true},
      {"host below", constraints({dns("example.org")}, {}), dns("room.Example.ORG"), name_form::dns, true},
      {"host not below", constraints({dns("example.org")}, {}), dns("badexample.org"), name_form::dns, false},
      {"host excluded", constraints({}, {dns("example.org")}), dns("room.example.org"), name_form::dns, false},
      {"all hosts excluded", constraints({}, {dns("")}), dns("room.example.org"), name_form::dns, false},
      {"hosts of a wildcard", constraints({dns("example.org")}, {}), joined({email(alice), dns("*.example.org")}),
       name_form::email, true},
      {"a dot before a host", constraints({}, {dns(".example.org")}), joined({email(alice), dns(".example.org")}),
       name_form::email, false},
      {"resource", constraints({uri("example.org")}, {}), uri("https://example.org:443/x"), name_form::uri, true},
      {"resource below", constraints({uri(".example.org")}, {}), uri("sip://pbx.example.org"), name_form::uri, true},
      {"resource elsewhere", constraints({uri("example.org")}, {}), uri("https://evil.example/example.org"),
       name_form::uri, false},
      {"user, not host", constraints({uri("example.org")}, {}), uri("https://example.org@evil.example/"),
       name_form::uri, false},
      {"resource excluded", constraints({}, {uri("example.org")}), uri("https://example.org/"), name_form::uri, false},
      {"resource without host", constraints({uri("example.org")}, {}), uri("im:alice@example.org"), name_form::uri,
       false},
      {"directory", constraints({directory("a member")}, {}), email(alice), name_form::email, true},
      {"other directory", constraints({directory("b member")}, {}), email(alice), name_form::email, false},
      {"directory excluded", constraints({}, {directory("a member")}), email(alice), name_form::email, false},
      {"address of a machine", constraints({}, {tlv(der::context(7), bytes(8, 0))}),
       joined({email(alice), tlv(der::context(7), bytes{10, 0, 0, 1})}), name_form::email, false},
      {"unhandled form, not used", constraints({}, {tlv(der::context(7), bytes(8, 0))}), email(alice), name_form::email,
       true},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    trial t = constrained(c.limits, c.names, c.form);
    if (c.allowed)
      holds(t);
    else
      breaks(t, c.what, rules::name_constraints, untrusted);
  }
}

TEST_CASE("name constraints: what is no host, in a name or a constraint, is outside what is allowed") {
  trial name = constrained(constraints({}, {dns("example.org")}), joined({email(alice), dns("example.org.")}));
  breaks(name, "a dot behind a host", rules::name_constraints, untrusted);
  trial limit = constrained(constraints({}, {email("example.org.")}), email(alice));
  breaks(limit, "a dot behind a constraint", rules::name_constraints, untrusted);
  const x509::name_constraint of_resources{{name_form::uri, as_bytes("example.org")}};
  for (const char* odd : {"https://example.org/a b", "https://[example.org]/", "https://example.org./", "https:///x"}) {
    INFO(odd);
    CHECK(of_resources.covers({name_form::uri, as_bytes(odd)}) == std::nullopt);
  }
}

TEST_CASE("name constraints: unhandled forms, minimum and maximum fail") {
  const bytes other = tlv(
      der::nested(0), joined({oid({0x2b, 6, 1, 5, 5, 7, 8, 9}), tlv(der::nested(0), tlv(der::utf8_string, alice))}));
  const bytes limits_alike = constraints({other}, {});
  trial t = constrained(limits_alike, joined({email(alice), other}));
  CHECK(t.judge().state == untrusted);
  if (known_botan) CHECK(t.judge().broken == &rules::second_opinion);  // it cannot even read them
  const auto alike = x509::name_constraints::read(der::only(limits_alike, der::sequence)->content);
  REQUIRE(alike);
  const x509::general_name same{static_cast<name_form>(der::nested(0)), der::only(other, der::nested(0))->content};
  CHECK_FALSE(alike->allow(same));
  CHECK(alike->allow({name_form::email, as_bytes(alice)}));

  const bytes minimum = tlv(der::nested(0), seq({email("example.org"), tlv(der::context(0), bytes{1})}));
  trial u = constrained(tlv(der::sequence, minimum), email(alice));
  CHECK(u.judge().state == untrusted);
  CHECK_FALSE(u.openssl_takes());
  CHECK_FALSE(x509::name_constraints::read(minimum));
}

TEST_CASE("name constraints of anybody above count, the root's too, and those for authorities between") {
  trial root;
  root.root().name_constraints = constraints({email("example.com")}, {});
  breaks(root, "constraint of the root", rules::name_constraints, untrusted);
  trial upper;
  upper.levels.insert(upper.levels.begin() + 2, an_authority("lower", signature_scheme::ed25519));
  for (std::size_t i = 1; i < upper.levels.size(); ++i) upper.levels[i].issuer.clear();
  upper.levels[1].name_constraints = constraints({}, {directory("lower")});
  breaks(upper, "an excluded authority", rules::name_constraints, untrusted);
  // an e-mail address in the subject is no identity, and yet must be allowed
  trial subject;
  subject.authority().name_constraints = constraints({email("example.org")}, {});
  subject.member().subject =
      seq({tlv(der::set, seq({oid({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}),
                              tlv(der::ia5_string, std::string_view("mallory@evil.example"))}))});
  breaks(subject, "address in the subject", rules::name_constraints, untrusted);
}

TEST_CASE("names without end are not compared") {
  bytes many;
  for (std::size_t i = 0; i <= limits::certificate_names; ++i) append(many, dns("h" + std::to_string(i) + ".org"));
  trial t = constrained({}, joined({email(alice), many}));
  breaks(t, "names without end", rules::certificate_size, untrusted);
  trial u;
  bytes subtrees;
  for (std::size_t i = 0; i <= limits::certificate_names; ++i) append(subtrees, seq({dns(std::to_string(i) + ".org")}));
  u.authority().name_constraints = tlv(der::sequence, tlv(der::nested(1), subtrees));
  CHECK(u.judge().broken == &rules::name_constraints);
}

}  // namespace identity_test
