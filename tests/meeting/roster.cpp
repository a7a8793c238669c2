// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meetings of people with certificates: whom a host lets in, what each roster shows, and what the icon makes of it.
#include <identity/authority.hpp>

#include <conclave/conclave.hpp>

#include <catch2/catch.hpp>

namespace roster_test {

using namespace identity_test;

namespace {

using conclave_test::deterministic_environment;
using x509::anchor_kind;
using x509::name_form;
using x509::revocation_rule;

/// organisation: a root and an authority that issues for people, and what its members trust.
class organisation {
 public:
  organisation() {
    authority_.issuer = root_.subject;
    authority_.serial = 2;
    root_der_ = root_.signed_by(root_.key);
    authority_der_ = authority_.signed_by(root_.key);
  }

  /// person(address, change): somebody with a certificate, which `change` may spoil.
  identity person(std::string_view address, const std::function<void(draft&)>& change = [](draft&) {}) {
    draft d = a_member(address);
    d.issuer = authority_.subject;
    d.serial = next_serial_++;
    const auto key = d.key.of_mls;
    change(d);
    const bytes chain[] = {d.signed_by(authority_.key), authority_der_};
    return *identity::certified(address, key->clone(), chain);
  }
  x509_validator validator(const list_draft& list = {}) const {
    x509::trust t;
    REQUIRE(t.add_anchor(root_der_, anchor_kind::internal));
    REQUIRE(t.add_revocation_list(list.signed_by(authority_)));
    return x509_validator(std::move(t), {name_form::email, revocation_rule::when_known});
  }

 private:
  draft root_ = an_authority("root", signature_scheme::ecdsa_secp384r1_sha384);
  draft authority_ = an_authority("authority", signature_scheme::ecdsa_secp256r1_sha256);
  bytes root_der_, authority_der_;
  std::uint64_t next_serial_ = 100;
};

meeting_options judged_by(identity_validator& v) {
  meeting_options out;
  out.group.identities = &v;
  out.group.admits = identity_state::verified_internal;
  out.expects = identity_state::verified_internal;
  return out;
}

std::vector<identity_state> states(const meeting& room) {
  std::vector<identity_state> out;
  for (const participant& p : room.roster()) out.push_back(p.identity);
  return out;
}

constexpr auto internal = identity_state::verified_internal;

}  // namespace

TEST_CASE("M9: a host sees who knocks, and lets in only those whose certificates hold") {
  deterministic_environment env(1);
  organisation company;
  auto v = company.validator();
  auto room = *meeting::create(env, company.person("alice@example.org"), "standup", judged_by(v));

  const auto knocks = [&](const identity& who, identity_state expected, std::string_view name) {
    const auto wish = *knock::create(env, who);
    const auto seen = room.visitor(wish.key_package());
    REQUIRE(seen);
    CHECK(seen->identity == expected);
    CHECK(seen->name == name);
    const auto add = room.admit(wish.key_package());
    CHECK(add.has_value() == is_verified(expected));
    if (!add) CHECK(add.error().broken_rule() == &mls::rules::identity_admitted);
  };
  knocks(company.person("bob@example.org"), internal, "bob@example.org");
  knocks(company.person("bob@example.org", [](draft& d) { d.to = now - day; }), identity_state::expired,
         "bob@example.org");
  knocks(company.person("mallory@example.org",
                        [](draft& d) {
                          d.alternative_names = email("bob@example.org");
                          d.key = make_key("bob@example.org", signature_scheme::ed25519);  // not the one she signs with
                        }),
         identity_state::mismatch, "bob@example.org");
  knocks(company.person("mallory@example.org",
                        [](draft& d) {
                          d.alternative_names = email("bob@example.org");
                          d.sign = make_key("mallory").sign;
                        }),
         identity_state::untrusted, "bob@example.org");
  knocks(*identity::generate(env, "bob@example.org"), identity_state::unverified, "bob@example.org");
  CHECK(room.size() == 1);
  CHECK(room.epoch() == 0);

  auto wish = *knock::create(env, company.person("bob@example.org"));
  bytes forged = to_bytes(wish.key_package());
  forged.back() ^= 1U;
  CHECK(room.visitor(forged).error().code() == errc::unauthentic);
  CHECK_FALSE(room.visitor(as_bytes("hello")));
}

TEST_CASE("whom others let in is shown as one's own list says, and splits nothing") {
  deterministic_environment env(2);
  organisation company;
  list_draft list;
  list.serials = {102};
  auto alices = company.validator(), bobs = company.validator(list), carols = company.validator();
  auto room = *meeting::create(env, company.person("alice@example.org"), "standup", judged_by(alices));
  const auto bob = company.person("bob@example.org"), carol = company.person("carol@example.org");
  auto bobs_wish = *knock::create(env, bob, judged_by(bobs));
  auto carols_wish = *knock::create(env, carol, judged_by(carols));
  auto add = *room.admit(bobs_wish.key_package());
  auto bobs_room = *meeting::join(std::move(bobs_wish), add.welcome());
  REQUIRE(room.apply(std::move(add)));
  CHECK(bobs_room.security(bobs_room.roster()).level == security_level::end_to_end_encrypted);
  auto helper = *room.set_role(bobs_room.own_leaf(), role::co_host);
  REQUIRE(bobs_room.receive(helper.commit()));
  REQUIRE(room.apply(std::move(helper)));

  CHECK_FALSE(bobs_room.admit(carols_wish.key_package()));  // he knows that hers is revoked
  auto second = *room.admit(carols_wish.key_package());     // she does not
  const bytes message = to_bytes(second.commit());
  auto carols_room = *meeting::join(std::move(carols_wish), second.welcome());
  REQUIRE(room.apply(std::move(second)));
  const auto event = *bobs_room.receive(message);
  const auto& change = std::get<mls::epoch_change>(event);
  REQUIRE(change.identities.size() == 1);
  CHECK(change.identities[0].state == identity_state::revoked);

  CHECK(states(room) == std::vector{internal, internal, internal});
  CHECK(states(carols_room) == states(room));
  CHECK(states(bobs_room) == std::vector{internal, internal, identity_state::revoked});
  CHECK(bobs_room.code() == room.code());
  CHECK(carols_room.code() == room.code());
  CHECK(room.security(room.roster()).level == security_level::end_to_end_encrypted);
  const auto seen = bobs_room.security(bobs_room.roster());
  CHECK(seen.level == security_level::degraded);
  CHECK(seen.people == identity_state::revoked);
  REQUIRE(seen.reasons.size() == 1);
  CHECK(text(seen.reasons[0]) == "1 person: certificate revoked");
  // what he may do about it
  auto out = *bobs_room.remove(*bobs_room.find("carol@example.org"));
  REQUIRE(room.receive(out.commit()));
  REQUIRE(bobs_room.apply(std::move(out)));
  CHECK(bobs_room.security(bobs_room.roster()).level == security_level::end_to_end_encrypted);
}

TEST_CASE("who expires during a meeting stays in it and is shown as expired") {
  deterministic_environment env(3);
  organisation company;
  auto v = company.validator();
  auto room = *meeting::create(env, company.person("alice@example.org"), "standup", judged_by(v));
  const auto bob = company.person("bob@example.org", [](draft& d) { d.to = now + std::chrono::hours{1}; });
  auto wish = *knock::create(env, bob, judged_by(v));
  auto add = *room.admit(wish.key_package());
  auto there = *meeting::join(std::move(wish), add.welcome());
  REQUIRE(room.apply(std::move(add)));
  CHECK(states(room) == std::vector{internal, internal});
  env.advance(std::chrono::hours{1});
  CHECK(states(room) == std::vector{internal, internal});
  env.advance(std::chrono::seconds{1});
  CHECK(states(room) == std::vector{internal, identity_state::expired});
  CHECK(room.security(room.roster()).people == identity_state::expired);
  auto change = *there.refresh();
  REQUIRE(room.receive(change.commit()));
  REQUIRE(there.apply(std::move(change)));
  CHECK(room.code() == there.code());
  env.advance(60 * day);
  const auto late = room.security(room.roster());
  CHECK(late.level == security_level::degraded);
  REQUIRE(late.reasons.size() == 1);
  CHECK(text(late.reasons[0]) == "2 people: certificate not valid now");
}

TEST_CASE("a roster says since when, with what, and whose code was compared") {
  deterministic_environment env(4);
  const auto ada = *identity::generate(env, "ada"), bela = *identity::generate(env, "bela");
  auto room = *meeting::create(env, ada, "standup");
  const auto bring = [&](const identity& who) {
    auto wish = *knock::create(env, who);
    auto add = *room.admit(wish.key_package());
    REQUIRE(room.apply(std::move(add)));
  };
  bring(bela);
  auto people = room.roster();
  REQUIRE(people.size() == 2);
  CHECK(people[0].name == "ada");
  CHECK(people[0].since == 0);
  CHECK(people[1].name == "bela");
  CHECK(people[1].since == 1);
  CHECK(people[1].identity == identity_state::unverified);
  REQUIRE(room.apply(*room.refresh()));
  CHECK(room.roster()[1].since == 1);
  CHECK_FALSE(room.roster()[1].compared);
  CHECK(room.roster({{0, 1}, false})[1].compared);

  REQUIRE(room.apply(*room.remove(people[1].leaf)));
  bring(*identity::generate(env, "chidi"));
  people = room.roster();
  CHECK(people[1].name == "chidi");
  CHECK(people[1].since == 4);
  CHECK(room.find("chidi") == people[1].leaf);
  CHECK_FALSE(room.find("bela"));
}

TEST_CASE("who was never seen is found by nobody, and judged by nobody") {
  attendance who;
  CHECK(who.find(mls::leaf_index{3}) == nullptr);
  CHECK_FALSE(who.judge(mls::leaf_index{3}, identity_state::unverified));
  CHECK_FALSE(who.states().worst());
  who.add(mls::leaf_index{3}, {1, "ada", identity_state::unverified});
  CHECK(who.find(mls::leaf_index{3})->name == "ada");
  CHECK_FALSE(who.judge(mls::leaf_index{3}, identity_state::unverified));
  CHECK(who.judge(mls::leaf_index{3}, identity_state::revoked));
  CHECK(who.states().worst() == identity_state::revoked);
}

TEST_CASE("the icon is as good as the least of all members, and says why it is no better") {
  const auto person = [](identity_state s) { return participant{{}, {}, 0, s, {}, false}; };
  using enum identity_state;
  const std::vector all{person(verified_external), person(unverified), person(verified_internal), person(unverified)};
  const auto good = security_of(true, all, unverified, {});
  CHECK(good.level == security_level::end_to_end_encrypted);
  CHECK(good.people == unverified);
  CHECK(good.reasons.empty());
  const auto strict = security_of(true, all, verified_external, {});
  CHECK(strict.level == security_level::degraded);
  REQUIRE(strict.reasons.size() == 2);
  CHECK(text(strict.reasons[0]) == "2 people: not verified");
  CHECK(text(strict.reasons[1]) == "1 person: verified by the organisation");
  for (const identity_state s : {revoked, mismatch, untrusted, expired, revocation_unknown}) {
    const auto found = security_of(true, std::vector{person(verified_external), person(s)}, unverified, {});
    CHECK(found.level == security_level::degraded);
    CHECK(found.people == s);
    CHECK(std::string{text(s)} != text(verified_external));
  }
  const auto intercepted = security_of(true, all, unverified, {{}, true});
  CHECK(intercepted.level == security_level::degraded);
  CHECK(text(intercepted.reasons.at(0)) == "the spoken codes differ");
  CHECK(security_of(false, all, unverified, {}).level == security_level::not_encrypted);
  CHECK(security_of(true, {}, unverified, {}).level == security_level::not_encrypted);
}

}  // namespace roster_test
