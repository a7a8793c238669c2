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

/// An attribute of a name (id-at), and a relative name of several.
bytes attribute(std::uint8_t type, std::uint8_t tag, std::string_view text) {
  return seq({oid({0x55, 4, type}), tlv(tag, text)});
}
bytes relative(std::initializer_list<bytes> attributes) { return tlv(der::set, joined(attributes)); }
constexpr std::uint8_t common_name = 3, country = 6, unit = 11, teletex_string = 0x14;

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

TEST_CASE("name constraints: a directory is the same in other letters, spaces and types of strings") {
  const struct {
    std::uint8_t tag;
    std::string_view text;
    bool same;
  } spellings[] = {
      {der::utf8_string, "a member", true},        {der::printable_string, "a member", true},
      {der::ia5_string, "a member", true},         {der::utf8_string, "A  Member", true},
      {der::printable_string, " A MEMBER ", true}, {der::utf8_string, "\ta \n member\r", true},
      {der::utf8_string, "amember", false},        {der::utf8_string, "a member \xc3\xa9", false},
      {der::printable_string, "a membe", false},
  };
  for (const auto& [tag, text, same] : spellings) {
    INFO(int{tag} << " '" << text << '\'');
    for (const bool permitted : {true, false}) {
      trial t =
          constrained(permitted ? constraints({directory("a member")}, {}) : constraints({}, {directory("a member")}),
                      email(alice));
      t.member().subject = seq({relative({attribute(common_name, tag, text)})});
      if (same == permitted)
        holds(t);
      else
        breaks(t, "directory in another spelling", rules::name_constraints, untrusted);
    }
  }
  trial other = constrained(constraints({}, {directory("b member")}), email(alice));
  other.member().subject = seq({relative({attribute(common_name, teletex_string, "a member")})});
  breaks(other, "excluded directory, and a name in another alphabet", rules::name_constraints, untrusted);
}

TEST_CASE("name constraints: directories are compared by their relative names, each of them a set") {
  using opinion = std::optional<bool>;
  const bytes a = attribute(common_name, der::utf8_string, "a"), a_again = attribute(common_name, der::ia5_string, "A"),
              b = attribute(common_name, der::utf8_string, "b"), of_unit = attribute(unit, der::utf8_string, "u"),
              in_country = attribute(country, der::printable_string, "DE"),
              same_country = attribute(country, der::utf8_string, "de"),
              foreign = attribute(common_name, teletex_string, "a"),
              latin = attribute(common_name, der::printable_string, "\xe9"),
              same_latin = attribute(common_name, der::utf8_string, "\xc3\xa9"),
              number_of = seq({oid({0x55, 4, unit}), number(1)}), broken = seq({oid({0x55, 4, unit})});
  bytes most, too_many;
  for (std::uint8_t i = 0; i <= limits::name_attributes; ++i) {
    most = too_many;
    append(too_many, attribute(20 + i, der::utf8_string, "x"));
  }
  const struct {
    const char* what;
    bytes limit, name;
    opinion below;
  } cases[] = {
      {"nothing is above all", {}, relative({a}), true},
      {"itself", relative({a}), relative({a_again}), true},
      {"another", relative({a}), relative({b}), false},
      {"an attribute of another type", relative({a}), relative({of_unit}), false},
      {"below", relative({in_country}), joined({relative({same_country}), relative({a})}), true},
      {"above", joined({relative({in_country}), relative({a})}), relative({same_country}), false},
      {"another order", joined({relative({in_country}), relative({a})}),
       joined({relative({a}), relative({in_country})}), false},
      {"another order in a set", relative({a, in_country}), relative({same_country, a_again}), true},
      {"a part of a set", relative({a}), relative({a, in_country}), false},
      {"more than a set", relative({a, in_country}), relative({a}), false},
      {"two sets are not one", relative({a, in_country}), joined({relative({a}), relative({in_country})}), false},
      {"another in a set", relative({a, in_country}), relative({b, in_country}), false},
      {"in another alphabet", relative({b}), relative({foreign}), std::nullopt},
      {"from another alphabet", relative({foreign}), relative({b}), std::nullopt},
      {"below none", joined({relative({}), relative({a})}), relative({a}), std::nullopt},
      {"as it stands", relative({foreign}), relative({foreign}), true},
      {"Latin-1 for ASCII", relative({same_latin}), relative({latin}), std::nullopt},
      {"a number", relative({of_unit}), relative({number_of}), std::nullopt},
      {"a number and another", relative({of_unit, a}), relative({number_of, b}), false},
      {"a number, then another", joined({relative({of_unit}), relative({a})}),
       joined({relative({number_of}), relative({b})}), false},
      {"a number, then the same", joined({relative({of_unit}), relative({a})}),
       joined({relative({number_of}), relative({a})}), std::nullopt},
      {"two of a type", relative({a, in_country}), relative({a, b}), std::nullopt},
      {"none", relative({a}), joined({relative({}), relative({a})}), std::nullopt},
      {"half of one", relative({of_unit}), relative({broken}), std::nullopt},
      {"more than two", relative({a}), relative({seq({oid({0x55, 4, common_name}), number(1), number(2)})}),
       std::nullopt},
      {"as many as may be", relative({most}), relative({most}), true},
      {"too many", relative({too_many}), relative({too_many}), std::nullopt},
      {"no set", a, a, std::nullopt},
  };
  for (const auto& [what, limit, name, below] : cases) {
    INFO(what);
    CHECK(x509::name_below(seq({name}), seq({limit})) == below);
  }
  CHECK(x509::name_below(a, bytes{}) == std::nullopt);
  CHECK(x509::name_below(bytes{}, seq({})) == std::nullopt);
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
