// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Revocation by lists (RFC 5280, section 6.3) and by stapled OCSP responses (RFC 6960), and how old news may be.
#include "trial.hpp"

namespace identity_test {

namespace {

constexpr auto verified = identity_state::verified_external;
constexpr auto unknown = identity_state::revocation_unknown;
constexpr auto p256 = signature_scheme::ecdsa_secp256r1_sha256;

/// A trial that requires news, with lists of both authorities.
struct news_trial : trial {
  list_draft of_root, of_authority;

  news_trial() {
    settings.revocation = revocation_rule::required;
    issue();
  }
  news_trial& publish() {
    lists = {of_root.signed_by(root()), of_authority.signed_by(authority())};
    return *this;
  }
};

/// What openssl makes of a response about the member. Times it holds against the machine's clock too, and only warns.
bool openssl_takes(const trial& t, const bytes& response) {
  const folder files;
  const answer got =
      run("openssl ocsp -no-CApath -no-CAstore -attime " + std::to_string(now.time_since_epoch().count()) +
          " -CAfile " + files.pem("root.pem", "CERTIFICATE", {t.root_der}) + " -verify_other " +
          files.pem("others.pem", "CERTIFICATE", {t.chain[1]}) + " -issuer " +
          files.pem("issuer.pem", "CERTIFICATE", {t.chain[1]}) + " -cert " +
          files.pem("leaf.pem", "CERTIFICATE", {t.chain[0]}) + " -respin " + files.raw("response.der", response));
  UNSCOPED_INFO("openssl: " << got.text);
  return got.text.find("Response verify OK") != std::string::npos && got.text.find("good\n") != std::string::npos;
}

void fails_for_room(const status& outcome) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == errc::over_limit);
  CHECK(outcome.error().broken_rule() == &rules::room_for_news);
}

/// As if all of it were signed.
void sign_all(x509::trust& t) {
  const auto of = [](auto& all) {
    for (auto& piece : all) REQUIRE(piece.is_signed_by({}, [] { return true; }));
  };
  of(t.lists());
  of(t.responses());
}

/// An extension that nobody knows may be as long as it likes.
list_draft long_list(list_draft list, std::size_t size) {
  list.extensions = seq({oid({0x2a, 3, 4}), tlv(der::octet_string, bytes(size))});
  return list;
}

/// counting_provider: how many signatures it was asked to verify.
struct counting_provider : default_provider {
  static inline std::size_t verified = 0;

  [[nodiscard]] static status verify(signature_scheme scheme, byte_view key, byte_view message, byte_view signature) {
    ++verified;
    return default_provider::verify(scheme, key, message, signature);
  }
};

}  // namespace

TEST_CASE("fresh lists of everybody in a chain verify it") {
  news_trial t;
  t.publish();
  holds(t);
}

TEST_CASE("revocation_known: without fresh news nobody is verified") {
  news_trial none;
  CHECK(none.judge().state == unknown);
  CHECK(none.judge().broken == &rules::revocation_known);
  for (const bool of_member : {false, true}) {
    news_trial half;
    half.publish();
    half.lists.erase(half.lists.begin() + of_member);
    breaks(half, "one list", rules::revocation_known, unknown);
  }
  news_trial old;
  old.of_authority.from = now - 2 * day;
  old.of_authority.next = now - std::chrono::seconds{1};
  old.publish();
  breaks(old, "overdue list", rules::revocation_known, unknown);
  news_trial future;
  future.of_authority.from = now + std::chrono::seconds{1};
  future.publish();
  breaks(future, "list from the future", rules::revocation_known, unknown);
  news_trial forged;
  forged.publish();
  draft impostor = forged.authority();
  impostor.key = make_key("mallory", p256);
  forged.lists[1] = forged.of_authority.signed_by(impostor);
  breaks(forged, "forged list", rules::revocation_known, unknown);
  news_trial usage;
  usage.chain.clear();
  usage.authority().usage = cert_sign;
  usage.publish();
  breaks(usage, "list of one who may not sign lists", rules::revocation_known, unknown);
}

TEST_CASE("news has to be as fresh as the settings ask, whatever its issuer promises") {
  for (const bool promised : {true, false}) {
    news_trial t;
    t.of_authority.from = now - limits::revocation_age;
    if (promised)
      t.of_authority.next = now + 365 * day;
    else
      t.of_authority.next.reset();
    CHECK(t.publish().judge().state == verified);
    t.of_authority.from -= std::chrono::seconds{1};
    CHECK(t.publish().judge().state == unknown);
    t.settings.revocation_age += std::chrono::seconds{1};
    CHECK(t.publish().judge().state == verified);
  }
}

TEST_CASE("revoked") {
  news_trial member;
  member.of_authority.serials = {7, 102, 1'000'000};
  member.publish();
  breaks(member, "revoked member", rules::revoked, identity_state::revoked);
  news_trial authority;
  authority.of_root.serials = {101};
  authority.publish();
  breaks(authority, "revoked authority", rules::revoked, identity_state::revoked);
  // the same number at another issuer is somebody else
  news_trial other;
  other.of_root.serials = {102};
  other.of_authority.serials = {101};
  other.publish();
  holds(other);
  // who does not ask for news still believes it
  news_trial relaxed;
  relaxed.settings.revocation = revocation_rule::when_known;
  relaxed.of_authority.serials = {102};
  relaxed.publish();
  breaks(relaxed, "revoked, known by chance", rules::revoked, identity_state::revoked);
  // expired as well
  news_trial both;
  both.chain.clear();
  both.member().to = now - std::chrono::seconds{1};
  both.of_authority.serials = {102};
  both.publish();
  breaks(both, "revoked and expired", rules::revoked, identity_state::revoked);
  // and stays so when the list gets old
  news_trial old;
  old.of_authority.serials = {102};
  old.of_authority.from = now - 60 * day;
  old.of_authority.next = now - 50 * day;
  CHECK(old.publish().judge().state == identity_state::revoked);
}

TEST_CASE("the newest list decides") {
  news_trial t;
  t.of_authority.serials = {102};
  t.of_authority.from = now - day;
  t.publish();
  t.of_authority.serials = {};
  t.of_authority.from = now - std::chrono::hours{1};
  t.lists.push_back(t.of_authority.signed_by(t.authority()));  // a hold that was lifted
  CHECK(t.judge().state == verified);
  std::swap(t.lists[1], t.lists[2]);
  CHECK(t.judge().state == verified);
  // unless nobody entitled has signed it
  draft impostor = t.authority();
  impostor.key = make_key("mallory", p256);
  news_trial u;
  u.of_authority.serials = {102};
  u.publish();
  u.of_authority.serials = {};
  u.of_authority.from = now;
  u.lists.push_back(u.of_authority.signed_by(impostor));
  CHECK(u.judge().state == identity_state::revoked);
}

TEST_CASE("of news of the same second the worse decides, whichever came first") {
  constexpr std::uint64_t nobody = 7, member = 102;
  news_trial t;
  t.publish();
  const auto of_lists = [&](std::initializer_list<std::uint64_t> listed) {
    auto v = t.validator();
    v.trust().forget_revocations();
    REQUIRE(v.trust().add_revocation_list(t.lists[0]));
    for (const std::uint64_t serial : listed) {
      t.of_authority.serials = {serial};
      REQUIRE(v.trust().add_revocation_list(t.of_authority.signed_by(t.authority())));
    }
    const identity_state out = v.check(t.shown(), now).state;
    CHECK(v.trust().lists()[1].counts());  // of the same second, so not replaced
    return out;
  };
  CHECK(of_lists({nobody, nobody}) == verified);
  CHECK(of_lists({nobody, member}) == identity_state::revoked);
  CHECK(of_lists({member, nobody}) == identity_state::revoked);

  constexpr std::uint8_t good = der::context(0), revoked = der::nested(1), no_idea = der::context(2);
  const auto of_responses = [&](std::initializer_list<std::uint8_t> answers) {
    auto v = t.validator();
    v.trust().forget_revocations();
    REQUIRE(v.trust().add_revocation_list(t.lists[0]));
    for (const std::uint8_t status : answers) {
      response_draft answer;
      answer.serial = member;
      answer.status = status;
      REQUIRE(v.trust().add_ocsp_response(answer.signed_by(t.authority(), t.authority().key)));
    }
    const identity_state out = v.check(t.shown(), now).state;
    CHECK(v.trust().responses()[0].counts());
    return out;
  };
  CHECK(of_responses({good, good}) == verified);
  CHECK(of_responses({good, revoked}) == identity_state::revoked);
  CHECK(of_responses({revoked, good}) == identity_state::revoked);
  CHECK(of_responses({no_idea, good}) == unknown);
  CHECK(of_responses({good, no_idea}) == unknown);
}

TEST_CASE("lists about a part of the certificates, or in part, are refused") {
  const auto issuer = an_authority("root", p256);
  const auto added = [&](const bytes& extension_of_list, std::uint8_t version = 1) {
    list_draft d;
    d.extensions = extension_of_list;
    bytes der = d.signed_by(issuer);
    if (version != 1) der[std::size_t(std::ranges::search(der, bytes{2, 1, 1}).begin() - der.begin()) + 2] = version;
    x509::trust t;
    return t.add_revocation_list(der);
  };
  CHECK(added({}));
  for (const std::uint8_t id : {std::uint8_t{27}, std::uint8_t{28}})
    for (const bool critical : {false, true}) {
      const auto done = added(seq({oid({0x55, 0x1d, id}), critical ? tlv(der::boolean, bytes{0xff}) : bytes{},
                                   tlv(der::octet_string, bytes{0x30, 0})}));
      REQUIRE_FALSE(done);
      CHECK(done.error().broken_rule() == &rules::list_format);
    }
  CHECK_FALSE(added(seq({oid({0x2b, 6, 1}), tlv(der::boolean, bytes{0xff}), tlv(der::octet_string, bytes{5, 0})})));
  CHECK_FALSE(added({}, 2));
  const bytes whole = list_draft{}.signed_by(issuer);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    x509::trust t;
    CHECK_FALSE(t.add_revocation_list(byte_view{whole}.first(n)));
  }
}

TEST_CASE("stapled responses") {
  news_trial t;
  const auto judged = [&](const bytes& response) {
    t.lists = {t.of_root.signed_by(t.root())};
    auto v = t.validator();
    REQUIRE(v.trust().add_ocsp_response(response));
    return v.check(t.shown(), now);
  };
  response_draft good;
  good.serial = 102;
  const bytes plain = good.signed_by(t.authority(), t.authority().key);
  CHECK(judged(plain).state == verified);
  CHECK(openssl_takes(t, plain));

  response_draft revoked = good;
  revoked.status = der::nested(1);
  CHECK(judged(revoked.signed_by(t.authority(), t.authority().key)).state == identity_state::revoked);
  CHECK_FALSE(openssl_takes(t, revoked.signed_by(t.authority(), t.authority().key)));
  response_draft ignorant = good;
  ignorant.status = der::context(2);
  CHECK(judged(ignorant.signed_by(t.authority(), t.authority().key)).state == unknown);

  const key_pair mallory = make_key("mallory", p256);
  CHECK(judged(good.signed_by(t.authority(), mallory)).state == unknown);
  CHECK_FALSE(openssl_takes(t, good.signed_by(t.authority(), mallory)));
  response_draft other = good;
  other.serial = 103;
  CHECK(judged(other.signed_by(t.authority(), t.authority().key)).state == unknown);
  CHECK(judged(good.signed_by(t.root(), t.authority().key)).state == unknown);  // of the same number elsewhere

  response_draft old = good;
  old.from = now - limits::revocation_age;
  old.next = now + 365 * day;
  CHECK(judged(old.signed_by(t.authority(), t.authority().key)).state == verified);
  old.from -= std::chrono::seconds{1};
  CHECK(judged(old.signed_by(t.authority(), t.authority().key)).state == unknown);
  old.from = now + std::chrono::seconds{1};
  CHECK(judged(old.signed_by(t.authority(), t.authority().key)).state == unknown);
  old.from = now - std::chrono::hours{2};
  old.next = now - std::chrono::hours{1};
  CHECK(judged(old.signed_by(t.authority(), t.authority().key)).state == unknown);
}

TEST_CASE("who may answer in the place of an issuer") {
  news_trial t;
  const auto judged = [&](const draft& responder, const key_pair& by) {
    t.lists = {t.of_root.signed_by(t.root())};
    auto v = t.validator();
    response_draft good;
    good.serial = 102;
    good.responder = responder.signed_by(by);
    const bytes response = good.signed_by(t.authority(), responder.key);
    REQUIRE(v.trust().add_ocsp_response(response));
    const identity_state state = v.check(t.shown(), now).state;
    CHECK(openssl_takes(t, response) == (state == verified));
    return state;
  };
  draft responder;
  responder.subject = name("responder");
  responder.issuer = t.authority().subject;
  responder.key = make_key("responder", p256);
  responder.ca = false;
  responder.purposes = {9};
  CHECK(judged(responder, t.authority().key) == verified);
  draft unentitled = responder;
  unentitled.purposes = {4};
  CHECK(judged(unentitled, t.authority().key) == unknown);
  CHECK(judged(responder, make_key("mallory", p256)) == unknown);
  draft of_root = responder;
  of_root.issuer = t.root().subject;
  CHECK(judged(of_root, t.root().key) == unknown);
}

TEST_CASE("what is no OCSP response is not kept") {
  news_trial t;
  response_draft good;
  const bytes whole = good.signed_by(t.authority(), t.authority().key);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    x509::trust empty;
    CHECK_FALSE(empty.add_ocsp_response(byte_view{whole}.first(n)));
  }
  x509::trust empty;
  const auto later = empty.add_ocsp_response(seq({tlv(der::enumerated, bytes{3})}));  // tryLater
  REQUIRE_FALSE(later);
  CHECK(later.error().code() == errc::refused);
  CHECK(later.error().broken_rule() == &rules::response_format);
}

TEST_CASE("news is bounded, and can be forgotten") {
  news_trial t;
  t.of_authority.serials = {102};
  auto v = t.publish().validator();
  CHECK(v.check(t.shown(), now).state == identity_state::revoked);
  v.trust().forget_revocations();
  CHECK(v.check(t.shown(), now).state == unknown);
  for (std::size_t i = 0; i < limits::revocation_lists; ++i) REQUIRE(v.trust().add_revocation_list(t.lists[0]));
  sign_all(v.trust());
  fails_for_room(v.trust().add_revocation_list(t.lists[0]));
  CHECK(v.trust().add_ocsp_response(bytes(limits::ocsp_response_bytes + 1)).error().code() == errc::over_limit);
  const bytes response = response_draft{}.signed_by(t.authority(), t.authority().key);
  for (std::size_t i = 0; i < limits::ocsp_responses; ++i) REQUIRE(v.trust().add_ocsp_response(response));
  sign_all(v.trust());
  fails_for_room(v.trust().add_ocsp_response(response));
}

TEST_CASE("room_for_news: lists that are allowed one by one are not allowed without end") {
  news_trial t;
  const bytes small = t.publish().lists[0];
  x509::trust kept;
  const auto add = [&](const bytes& list) {
    REQUIRE(kept.add_revocation_list(list));
    sign_all(kept);
  };
  std::size_t room = limits::revocation_total_bytes;
  for (std::size_t size = limits::revocation_list_bytes - 1000; size > 1000; size /= 2) {
    const bytes list = long_list(t.of_root, size).signed_by(t.root());
    for (; room >= list.size(); room -= list.size()) add(list);
    fails_for_room(kept.add_revocation_list(list));
  }
  for (; room >= small.size(); room -= small.size()) add(small);
  fails_for_room(kept.add_ocsp_response(response_draft{}.signed_by(t.authority(), t.authority().key)));
  kept.forget_revocations();
  CHECK(kept.add_revocation_list(small));
}

TEST_CASE("news that nobody has signed takes the room of no other, however much there is of it") {
  news_trial t;
  t.settings.revocation = revocation_rule::when_known;
  auto v = t.validator();
  draft impostor = t.authority();
  impostor.key = make_key("mallory", p256);
  list_draft junk;
  junk.from = now;  // newer than what is true
  const bytes small = junk.signed_by(impostor),
              large = long_list(junk, limits::revocation_list_bytes - 1000).signed_by(impostor);
  const auto flood = [&](const bytes& list, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) REQUIRE(v.trust().add_revocation_list(list));
  };
  flood(small, limits::revocation_lists);
  flood(large, 4);
  CHECK(v.check(t.shown(), now).state == verified);
  t.of_authority.serials = {102};
  REQUIRE(v.trust().add_revocation_list(t.of_authority.signed_by(t.authority())));
  flood(small, limits::revocation_lists - 1);  // what is older goes first
  CHECK(v.check(t.shown(), now).state == identity_state::revoked);
  flood(small, limits::revocation_lists);  // and what was found to be signed stays
  flood(large, 5);
  CHECK(v.check(t.shown(), now).state == identity_state::revoked);
  CHECK(v.trust().lists().size() == 5);
}

TEST_CASE("news that nobody is known to have signed goes in the order in which it came, lists and responses alike") {
  news_trial t;
  const bytes large = long_list(t.of_root, limits::revocation_list_bytes - 1000).signed_by(t.root());
  const bytes small = t.publish().lists[0];
  const bytes response = response_draft{}.signed_by(t.authority(), t.authority().key);
  x509::trust kept;
  const auto add_list = [&](const bytes& list) { REQUIRE(kept.add_revocation_list(list)); };
  const auto has = [&](std::size_t lists, std::size_t responses) {
    return kept.lists().size() == lists && kept.responses().size() == responses;
  };
  add_list(large);
  REQUIRE(kept.add_ocsp_response(response));
  for (int i = 0; i < 3; ++i) add_list(large);
  CHECK(has(4, 1));
  add_list(large);
  CHECK(has(4, 1));
  add_list(large);
  CHECK(has(4, 0));
  REQUIRE(kept.add_ocsp_response(response));
  CHECK(has(4, 1));
  // what does not fit in the place of all that may go displaces nothing
  kept.forget_revocations();
  for (int i = 0; i < 3; ++i) add_list(large);
  sign_all(kept);
  add_list(long_list(t.of_root, limits::revocation_list_bytes / 2).signed_by(t.root()));
  sign_all(kept);
  REQUIRE(kept.add_ocsp_response(response));
  add_list(small);
  fails_for_room(kept.add_revocation_list(large));
  CHECK(has(5, 1));
}

TEST_CASE("news that newer news of its issuer has replaced makes room, and no other that is signed") {
  news_trial t;
  t.settings.revocation = revocation_rule::when_known;
  auto v = t.validator();
  const auto add = [&](unsigned minutes) {
    t.of_authority.from = now - day + std::chrono::minutes{minutes};
    REQUIRE(v.trust().add_revocation_list(t.of_authority.signed_by(t.authority())));
  };
  // as they were published, by somebody who has kept them
  for (unsigned i = 0; i < limits::revocation_lists; ++i) add(i);
  CHECK(v.check(t.shown(), now).state == verified);
  t.of_authority.serials = {102};
  add(limits::revocation_lists);
  CHECK(v.check(t.shown(), now).state == identity_state::revoked);
  const auto& lists = v.trust().lists();
  CHECK(lists.size() == limits::revocation_lists);
  CHECK(std::ranges::count_if(lists, [](const auto& list) { return list.counts(); }) == 1);
  CHECK(lists.back().counts());

  response_draft answer;
  answer.serial = 102;
  const auto answered = [&](unsigned minutes, bool of_two) {
    response_draft other = answer;
    other.serial = 103;
    answer.from = now - day + std::chrono::minutes{minutes};
    answer.more = of_two ? other.entry(t.authority()) : bytes{};
    REQUIRE(v.trust().add_ocsp_response(answer.signed_by(t.authority(), t.authority().key)));
  };
  answered(1, false);
  answered(2, true);  // says more than what the newer one says
  answered(3, false);
  CHECK(v.check(t.shown(), now).state == identity_state::revoked);
  const auto& responses = v.trust().responses();
  CHECK_FALSE(responses[0].counts());
  CHECK(responses[1].counts());
  CHECK(responses[2].counts());
}

TEST_CASE("a signature of news is looked at once for each issuer, forged or not") {
  news_trial t;
  draft impostor = t.authority();
  impostor.key = make_key("mallory", p256);
  list_draft junk;
  junk.from = now;
  response_draft junk_response;
  junk_response.serial = 102;
  // another authority of that name, and a member of it
  news_trial other;
  other.authority().key = make_key("the authority's new key", p256);
  other.chain.clear();
  other.issue();
  t.publish();
  x509::trust known;
  REQUIRE(known.add_anchor(t.root_der, anchor_kind::external));
  for (const bytes& list : {t.lists[0], t.lists[1], other.publish().lists[1], junk.signed_by(impostor)})
    REQUIRE(known.add_revocation_list(list));
  for (int i = 0; i < 3; ++i) REQUIRE(known.add_ocsp_response(junk_response.signed_by(t.authority(), impostor.key)));
  x509::basic_validator<x509::botan_certificates, counting_provider> v(std::move(known), t.settings);
  const auto judge = [&] {
    CHECK(v.check(t.shown(), now).state == verified);
    CHECK(v.check(other.shown(), now).state == verified);
  };
  judge();
  counting_provider::verified = 0;
  judge();
  CHECK(counting_provider::verified == 2);  // the members' own certificates
}

TEST_CASE("of a few issuers it is remembered whether they have signed a piece of news") {
  const bytes list = list_draft{}.signed_by(an_authority("root", p256));
  x509::news<x509::revocation_list> piece(*x509::owned<x509::revocation_list>::read(list), 0);
  int asked = 0;
  const auto signed_by = [&](std::uint8_t who, bool answer) {
    return piece.is_signed_by(*digest::copy_of(bytes{who}), [&] { return ++asked, answer; });
  };
  CHECK_FALSE(signed_by(0, false));
  CHECK_FALSE(signed_by(0, true));
  CHECK_FALSE(piece.counts());
  CHECK(signed_by(1, true));
  CHECK(signed_by(1, false));
  CHECK(asked == 2);
  for (std::uint8_t who = 2; who < limits::issuers_of_news; ++who) CHECK_FALSE(signed_by(who, false));
  CHECK(piece.counts());
  CHECK_FALSE(signed_by(0, true));
  CHECK(asked == limits::issuers_of_news);
  CHECK_FALSE(signed_by(limits::issuers_of_news, false));
  CHECK(signed_by(0, true));  // forgotten, and asked again
  CHECK(asked == limits::issuers_of_news + 2);
  CHECK(piece.counts());
}

TEST_CASE("an answer that one name of an issuer has not signed may be signed by another name of that key") {
  news_trial t;
  trial namesake;
  namesake.authority() = t.authority();
  namesake.authority().subject = name("its other name");
  namesake.authority().issuer.clear();
  namesake.issue();
  draft responder;
  responder.subject = name("responder");
  responder.issuer = namesake.authority().subject;
  responder.key = make_key("responder", p256);
  responder.ca = false;
  responder.purposes = {9};
  response_draft answer;
  answer.serial = 102;
  answer.status = der::nested(1);
  answer.responder = responder.signed_by(t.authority().key);
  answer.more = answer.entry(namesake.authority());
  t.settings.revocation = revocation_rule::when_known;
  auto v = t.validator();
  REQUIRE(v.trust().add_ocsp_response(answer.signed_by(t.authority(), responder.key)));
  CHECK(v.check(t.shown(), now).state == verified);
  CHECK(v.check(namesake.shown(), now).state == identity_state::revoked);
}

}  // namespace identity_test
