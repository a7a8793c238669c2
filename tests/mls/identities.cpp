// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The identity hook (RFC 9420, section 5.3.1): asked at every moment the RFC names, strict for whom a member brings in,
// shown and no more for what others commit.
#include "scene.hpp"

#include <conclave/mls/sender_rules.hpp>

#include <map>

namespace mls_test {

namespace {

/// Knows names, and until when they are good. A renamed member is somebody else.
class register_of_names final : public identity_validator {
 public:
  std::map<std::string, identity_state, std::less<>> names;
  std::map<std::string, unix_time, std::less<>> good_until;
  identity_state others = identity_state::verified_internal;
  std::vector<std::string> asked;

  [[nodiscard]] identity_state member(const presented_identity& who, unix_time now) override {
    return look_up("member", who, now);
  }
  [[nodiscard]] identity_state external_sender(const presented_identity& who, unix_time now) override {
    return look_up("external sender", who, now);
  }
  [[nodiscard]] identity_state successor(const presented_identity& before, const presented_identity& after,
                                         unix_time now) override {
    const auto state = look_up("successor", after, now);
    return equal(before.credential, after.credential) ? state : identity_state::mismatch;
  }
  [[nodiscard]] result<bytes> identity(const presented_identity& who) override { return to_bytes(who.credential); }

  [[nodiscard]] std::size_t times(std::string_view what) const {
    return static_cast<std::size_t>(std::ranges::count(asked, what));
  }

 private:
  identity_state look_up(std::string_view role, const presented_identity& who, unix_time now) {
    CHECK(who.type == credential_type::basic);
    CHECK(who.certificates.empty());
    CHECK(who.scheme == signature_scheme::ed25519);
    CHECK(who.signature_key.size() == 32);
    const std::string name{as_text(who.credential)};
    asked.push_back(std::string{role} + " " + name);
    if (const auto end = good_until.find(name); end != good_until.end() && now > end->second)
      return identity_state::expired;
    const auto at = names.find(name);
    return at == names.end() ? others : at->second;
  }
};

party_options judged_by(identity_validator& judge) {
  party_options out;
  out.policy.identities = &judge;
  return out;
}

constexpr std::array not_admitted{identity_state::revoked, identity_state::mismatch, identity_state::untrusted,
                                  identity_state::expired, identity_state::revocation_unknown};

bytes one_external_sender(const client& who) {
  bytes senders, items;
  writer s{senders};
  s.vector(
      [&] { wire::write(s, external_sender{who.signer.public_view(), {credential_type::basic, who.credential}}); });
  writer w{items};
  wire::write(w, extension{extension_type::external_senders, senders});
  return items;
}

bool same_verdicts(const std::vector<judged_identity>& a, const std::vector<judged_identity>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.leaf == y.leaf && x.state == y.state; });
}

}  // namespace

TEST_CASE("identity_admitted") {
  register_of_names names;
  party p(3, judged_by(names));
  const std::size_t newcomer = p.arrive();
  const byte_view package = p.package(newcomer);
  for (const identity_state state : not_admitted) {
    names.names["person 3"] = state;
    const bytes before = whole_state(p[0]);
    check_fails(p[0].commit(p.env, {{&package, 1}}), errc::refused, rules::identity_admitted);
    check_fails(p[0].propose_add(p.env, package), errc::refused, rules::identity_admitted);
    CHECK((whole_state(p[0]) == before));
  }
  names.names["person 3"] = identity_state::unverified;  // as good as the policy asks for
  const epoch_change change = p.commit(0, {{newcomer}, {}});
  CHECK(same_verdicts(change.identities, {{leaf_index{3}, identity_state::unverified}}));

  party_options strict = judged_by(names);
  strict.policy.admits = identity_state::verified_external;
  names.others = identity_state::verified_external;
  party q(2, strict);
  names.others = identity_state::verified_internal;
  const byte_view other = q.package(q.arrive());
  check_fails(q[0].commit(q.env, {{&other, 1}}), errc::refused, rules::identity_admitted);
}

TEST_CASE("whom others add is shown and accepted, whatever the verdict, and left out of the own commits") {
  register_of_names names;
  party_options options = judged_by(names);
  options.policy.handshakes = wire_format::public_message;  // so that it can be heard again
  party p(3, options);
  const std::size_t newcomer = p.arrive();
  const bytes wish = must(p[1].propose_add(p.env, p.package(newcomer)));  // to the proposer it is in order
  for (const identity_state state : not_admitted) {
    CAPTURE(static_cast<int>(state));
    names.names["person 3"] = state;
    for (const std::size_t i : {0U, 2U}) {
      const auto heard = as<received_proposal>(must(p[i].process(p.env, wish)));
      REQUIRE(heard.identity);
      CHECK(*heard.identity == state);
    }
    CHECK(must(p[0].commit(p.env, {})).change().added.empty());
  }
  names.names["person 3"] = identity_state::verified_internal;
  auto pending = p.prepare(1);  // the proposer's own verdict
  names.names["person 3"] = identity_state::revoked;
  const bytes message = to_bytes(pending.message());
  for (const std::size_t i : {0U, 2U}) {
    const auto change = as<epoch_change>(must(p[i].process(p.env, message)));
    CHECK(change.added == std::vector{leaf_index{3}});
    CHECK(same_verdicts(change.identities, {{leaf_index{3}, identity_state::revoked}}));
    CHECK(p[i].identities(p.env.wall()).back().state == identity_state::revoked);
  }
  CHECK(same_verdicts(must(p[1].apply(std::move(pending))).identities,
                      {{leaf_index{3}, identity_state::verified_internal}}));
  CHECK(p.disagreement() == "");
}

TEST_CASE("a new credential is judged as the successor of the old one, in Updates and in Commits") {
  register_of_names names;
  scene s(judged_by(names));
  names.asked.clear();
  // the same credential and key: nothing to ask
  const bytes plain = s.mallory.update_leaf({});
  CHECK_FALSE(as<received_proposal>(must(s.p[0].process(s.p.env, plain))).identity);
  CHECK(names.asked.empty());
  const auto rename = [](leaf_draft& leaf) { leaf.credential_data = to_bytes(as_bytes("somebody else")); };
  const bytes update = s.mallory.update_leaf(rename);
  const auto heard = as<received_proposal>(must(s.p[0].process(s.p.env, update)));
  REQUIRE(heard.identity);
  CHECK(*heard.identity == identity_state::mismatch);
  CHECK(names.times("successor somebody else") == 1);
  // the update is not ours to refuse
  const auto committed = must(s.p[0].commit(s.p.env, {}));
  CHECK(committed.change().updated == std::vector{leaf_index{4}});
  CHECK(same_verdicts(committed.change().identities, {{leaf_index{4}, identity_state::mismatch}}));

  commit_draft draft;
  draft.leaf = rename;
  for (const std::size_t i : {1U, 2U}) {
    const auto change = as<epoch_change>(must(s.p[i].process(s.p.env, s.mallory.commit(draft))));
    CHECK(same_verdicts(change.identities, {{leaf_index{4}, identity_state::mismatch}}));
  }
}

TEST_CASE("who has expired still commits and updates, and is shown as expired") {
  register_of_names names;
  party p(3, judged_by(names));
  names.good_until["person 1"] = p.env.wall() + std::chrono::hours{1};
  const auto state_of = [&](std::size_t i) { return p[0].identities(p.env.wall())[i].state; };
  CHECK(state_of(1) == identity_state::verified_internal);
  p.env.advance(std::chrono::hours{2});
  CHECK(state_of(1) == identity_state::expired);
  CHECK(state_of(0) == identity_state::verified_internal);
  CHECK_FALSE(is_verified(state_of(1)));
  CHECK(p.commit(1).identities.empty());
  p.deliver(1, must(p[1].propose_update(p.env)));
  CHECK(p.commit(2).updated == std::vector{leaf_index{1}});
  CHECK(p.disagreement() == "");
}

TEST_CASE("external senders are judged when their list changes, and brought in only if admitted") {
  register_of_names names;
  party p(3, judged_by(names));
  const client moderator = make_client(p.env, "moderator");
  const bytes items = one_external_sender(moderator);
  commit_request request;
  request.extensions = items;
  proposal change;
  change.type = proposal_type::group_context_extensions;
  change.group_context_extensions = must(extension_list::check(items));

  names.names["moderator"] = identity_state::untrusted;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::identity_admitted);
  check_fails(p[0].propose(p.env, change), errc::refused, rules::identity_admitted);
  names.names["moderator"] = identity_state::verified_external;
  const bytes wish = must(p[1].propose(p.env, change));
  names.names["moderator"] = identity_state::expired;
  CHECK(as<received_proposal>(must(p[0].process(p.env, wish))).identity == identity_state::expired);
  CHECK(must(p[0].commit(p.env, {})).change().external_senders.empty());

  names.names["moderator"] = identity_state::verified_external;
  auto pending = must(p[2].commit(p.env, request));
  CHECK(pending.change().external_senders == std::vector{identity_state::verified_external});
  names.names["moderator"] = identity_state::revoked;
  for (const event& e : p.deliver(2, pending.message())) {
    CHECK(std::get<epoch_change>(e).external_senders == std::vector{identity_state::revoked});
    CHECK(std::get<epoch_change>(e).identities.empty());
  }
  must(p[2].apply(std::move(pending)));
  // once it stands, it stands: only a change is judged
  request.extensions = items;
  CHECK(must(p[0].commit(p.env, request)).change().external_senders.empty());
}

TEST_CASE("joiners see whom they join, and are seen by whom they join") {
  register_of_names names;
  names.names["person 1"] = identity_state::unverified;
  party p(3, judged_by(names));
  names.names["person 2"] = identity_state::revoked;
  const std::size_t guest = p.arrive();
  p.commit(0, {{guest}, {}});
  const std::vector<judged_identity> expected{{leaf_index{0}, identity_state::verified_internal},
                                              {leaf_index{1}, identity_state::unverified},
                                              {leaf_index{2}, identity_state::revoked},
                                              {leaf_index{3}, identity_state::verified_internal}};
  CHECK(same_verdicts(p[guest].identities(p.env.wall()), expected));
  CHECK(same_verdicts(observer_of(p.env, p[0], p.options().policy).identities(p.env.wall()), expected));

  const std::size_t stranger = p.arrive();
  names.names["person 4"] = identity_state::untrusted;  // comes by external Commit, which nobody can refuse for it
  CHECK(same_verdicts(p.enter(stranger, 0).identities, {{leaf_index{4}, identity_state::untrusted}}));
  CHECK(p[stranger].identities(p.env.wall()).size() == 5);
  CHECK(p.disagreement() == "");
}

TEST_CASE("a validator is asked at the caller's time, and nobody is verified without one") {
  register_of_names names;
  party p(2, judged_by(names)), q(2);
  const bytes message = must(p[1].protect(p.env, as_bytes("x"), {}));
  CHECK(p[0].process(message).error() == errc::misuse);
  CHECK(p[0].process(p.env, message));
  observer server = observer_of(p.env, p[0], p.options().policy);
  CHECK(server.process(message).error() == errc::misuse);
  CHECK(q[0].process(must(q[1].protect(q.env, as_bytes("x"), {}))));
  for (const judged_identity& who : q[0].identities(q.env.wall())) CHECK(who.state == identity_state::unverified);
  CHECK(same_verdicts(q.commit(0, {{q.arrive()}, {}}).identities, {{leaf_index{2}, identity_state::unverified}}));
  party_options demanding;
  demanding.policy.admits = identity_state::verified_internal;
  party alone(1, demanding);
  const byte_view package = alone.package(alone.arrive());
  check_fails(alone[0].commit(alone.env, {{&package, 1}}), errc::refused, rules::identity_admitted);
}

TEST_CASE("a validator gets the certificates of an X.509 credential one by one") {
  bytes chain;
  writer w{chain};
  w.opaque(as_bytes("leaf"));
  w.opaque(as_bytes("issuer"));
  const auto seen = present(signature_scheme::ed25519, {credential_type::x509, chain}, as_bytes("key"));
  REQUIRE(seen.certificates.size() == 2);
  CHECK(as_text(seen.certificates[0]) == "leaf");
  CHECK(as_text(seen.certificates[1]) == "issuer");
  CHECK(as_text(seen.signature_key) == "key");
  CHECK(present(signature_scheme::ed25519, {credential_type{7}, chain}, {}).certificates.empty());
}

}  // namespace mls_test
