// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Guards against callers: what a program asks of a group that cannot be.
#include "scene.hpp"

#include <conclave/mls/external_proposal.hpp>

namespace mls_test {

namespace {

proposal of_some_type(proposal_type type) {
  proposal out;
  out.type = type;
  return out;
}

/// Allows everything, and counts the questions.
class counting_rules final : public commit_rules {
 public:
  std::size_t asked = 0;
  [[nodiscard]] status allow(const group_facts&, const commit_facts&) override {
    ++asked;
    return {};
  }
};

/// Forbids groups and proposals, and allows what is committed.
class narrow_rules final : public commit_rules {
 public:
  [[nodiscard]] status allow(const group_facts&, const commit_facts&) override { return {}; }
  [[nodiscard]] status allow_group(const group_facts&) override { return errc::refused; }
  [[nodiscard]] status allow_proposal(const group_facts&, const listed_proposal&) override { return errc::refused; }
};

/// Knows everybody, and lets nobody become somebody else.
class no_successors final : public identity_validator {
 public:
  [[nodiscard]] identity_state member(const presented_identity&, unix_time) override {
    return identity_state::verified_internal;
  }
  [[nodiscard]] identity_state external_sender(const presented_identity& who, unix_time now) override {
    return member(who, now);
  }
  [[nodiscard]] identity_state successor(const presented_identity&, const presented_identity&, unix_time) override {
    return identity_state::mismatch;
  }
  [[nodiscard]] result<bytes> identity(const presented_identity& who) override { return to_bytes(who.credential); }
};

/// A leaf extension that the client does not say it supports.
client boasting(client&& who) {
  client out = std::move(who);
  const std::array list{extension{extension_type{0xff01}, {}}};
  out.leaf_extensions = wire::encode_items(list);
  return out;
}

}  // namespace

TEST_CASE("a group that a member was removed from leads to no other") {
  party p(3);
  const auto package = make_package(p.env, p.who(1).who);
  const byte_view view = package.message;
  auto room = must(p[0].branch(p.env, p.who(0).who.clone(), as_bytes("side room"), {&view, 1}));
  p.commit(0, {{}, {1}});
  REQUIRE_FALSE(p[1].active());
  check_fails(
      p[1].join_successor(p.env, p.who(1).who.clone(), make_package(p.env, p.who(1).who), room.welcomes[0], {}, {}),
      errc::misuse);
  check_fails(p[1].branch(p.env, p.who(1).who.clone(), as_bytes("side room"), {}), errc::misuse);
  check_fails(p[1].reinitialize(p.env, p.who(1).who.clone(), {}), errc::misuse);
  check_fails(p[1].group_info(p.env, {true, true}), errc::misuse);
}

TEST_CASE("a group goes on as another one after a ReInit, and branches before it") {
  party p(2);
  const auto package = make_package(p.env, p.who(1).who);
  const byte_view view = package.message;
  check_fails(p[0].reinitialize(p.env, p.who(0).who.clone(), {&view, 1}), errc::misuse);
  CHECK(p[0].branch(p.env, p.who(0).who.clone(), as_bytes("side room"), {&view, 1}));
  commit_request request;
  request.reinit_as = reinit{as_bytes("next"), protocol_version::mls10, suite_1, {}};
  p.publish(0, must(p[0].commit(p.env, request)));
  check_fails(p[0].branch(p.env, p.who(0).who.clone(), as_bytes("side room"), {&view, 1}), errc::misuse);
  CHECK(p[0].reinitialize(p.env, p.who(0).who.clone(), {&view, 1}));
}

TEST_CASE("proposals that have a function of their own, or belong to nobody who is in the group") {
  party p(2);
  const bytes before = whole_state(p[0]);
  for (const auto type : {proposal_type::update, proposal_type::external_init})
    check_fails(p[0].propose(p.env, of_some_type(type)), errc::misuse);
  for (const auto type : {proposal_type::remove, proposal_type::psk, proposal_type::self_remove}) {
    const proposal custom = of_some_type(type);
    commit_request request;
    request.custom = {&custom, 1};
    check_fails(p[0].commit(p.env, request), errc::misuse);
  }
  CHECK((whole_state(p[0]) == before));
}

TEST_CASE("each message is given to the function it is for") {
  party p(2);
  const std::size_t newcomer = p.arrive();
  const bytes package = to_bytes(p.package(newcomer)), info = must(p[0].group_info(p.env, {true, true}));
  const byte_view view{info};
  check_fails(p[0].commit(p.env, {{&view, 1}, {}, {}, true}), errc::malformed, rules::known_wire_format);
  check_fails(p[0].propose_add(p.env, info), errc::malformed, rules::known_wire_format);
  check_fails(group::join_external(p.env, p.who(newcomer).who.clone(), package, {}, {}), errc::misuse,
              rules::known_wire_format);
  check_fails(group::join(p.env, p.who(newcomer).who.clone(), make_package(p.env, p.who(newcomer).who), info, {}, {}),
              errc::misuse, rules::known_wire_format);
}

TEST_CASE("an application message longer than a message may be") {
  party p(2);
  constexpr std::size_t half = limits::message_bytes / 2 + 1;
  const auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(half);  // nobody looks at it
  const byte_view large{memory.get(), half};
  check_fails(p[0].protect(p.env, large, large), errc::over_limit);
}

TEST_CASE("clients whose leaf nobody would accept") {
  party p(2);
  const bytes before = whole_state(p[0]);
  const client new_self = boasting(p.who(0).who.clone());
  commit_request request;
  request.becomes = &new_self;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::leaf_extensions_supported);
  CHECK((whole_state(p[0]) == before));
  const bytes info = must(p[0].group_info(p.env, {true, true}));
  check_fails(group::join_external(p.env, boasting(make_client(p.env, "joiner")), info, {}, {}), errc::refused,
              rules::leaf_extensions_supported);
  client broken = make_client(p.env, "broken");
  broken.leaf_extensions = {1};
  check_fails(make_key_package<provider>(p.env, p[0].suite(), broken, {}), errc::misuse);
}

TEST_CASE("a member may admit key packages for a shorter time than others do") {
  party_options options;
  options.policy.admits_lifetime = std::chrono::hours{2};
  party p(1, options);
  const client newcomer = make_client(p.env, "newcomer");
  const auto long_lived = make_package(p.env, newcomer, suite_1, std::chrono::hours{1} + std::chrono::seconds{1});
  const auto enough = make_package(p.env, newcomer, suite_1, std::chrono::hours{1});  // and the hour before
  const byte_view view{long_lived.message}, other{enough.message};
  check_fails(p[0].commit(p.env, {{&view, 1}}), errc::refused, rules::lifetime_not_too_long);
  check_fails(p[0].propose_add(p.env, view), errc::refused, rules::lifetime_not_too_long);
  CHECK(p[0].commit(p.env, {{&other, 1}}));
}

TEST_CASE("a request that is wrong by itself is refused without a search among what others have proposed") {
  counting_rules counted;
  party_options options;
  options.policy.rules = &counted;
  party p(5, options);
  for (const std::size_t i : {1U, 2U, 3U, 4U}) p.deliver(i, must(p[i].propose_update(p.env)));
  counted.asked = 0;
  const leaf_index nobody{77};
  commit_request request;
  request.remove = {&nobody, 1};
  check_fails(p[0].commit(p.env, request), errc::refused, rules::remove_target);
  CHECK(counted.asked == 2);  // with their proposals, and without them
}

TEST_CASE("the application's rules can forbid a group to a joiner, and a proposal before it waits") {
  narrow_rules narrow;
  group_policy policy;
  policy.rules = &narrow;
  party p(2);
  client newcomer = make_client(p.env, "newcomer");
  auto package = make_package(p.env, newcomer);
  const byte_view view = package.message;
  const auto pending = must(p[0].commit(p.env, {{&view, 1}}));
  check_fails(group::join(p.env, newcomer.clone(), std::move(package), pending.welcome(), {}, policy), errc::refused,
              rules::commit_rules);
  CHECK(group::join(p.env, newcomer.clone(), std::move(package), pending.welcome(), {}, {}));  // it was not used up

  party_options options;
  options.policy.rules = &narrow;
  party alone(1, options);
  check_fails(alone[0].propose_add(p.env, make_package(p.env, newcomer).message), errc::refused, rules::commit_rules);
  CHECK(alone[0].pending_proposals() == 0);
}

TEST_CASE("nobody becomes whom the own validator takes for somebody else") {
  no_successors validator;
  party_options options;
  options.policy.identities = &validator;
  party p(2, options);
  const bytes before = whole_state(p[0]);
  const client other = make_client(p.env, "somebody else");
  commit_request request;
  request.becomes = &other;
  check_fails(p[0].commit(p.env, request), errc::refused, rules::identity_admitted);
  CHECK((whole_state(p[0]) == before));
}

TEST_CASE("nobody speaks for a member through a proposal from outside") {
  party p(2);
  const client outside = make_client(p.env, "outside");
  for (const auto type : {sender_type::member, sender_type::new_member_commit})
    check_fails(external_proposal(p.env, p[0].suite(), p[0].group_id(), p[0].epoch_number(), {type, 0}, outside.signer,
                                  remove_of(leaf_index{1})),
                errc::misuse);
}

#if CONCLAVE_WITH_BOTAN || CONCLAVE_WITH_OPENSSL
TEST_CASE("a signature key of another scheme than the suite's") {
  deterministic_environment env(1);
  const auto suite = must(basic_suite<provider>::make(cipher_suite::mls_128_dhkemp256_aes128gcm_sha256_p256));
  const client other = make_client(env, "of suite 1");
  check_fails(make_key_package<provider>(env, suite, other, {}), errc::misuse);
  check_fails(external_proposal(env, suite, as_bytes("g"), 1, {sender_type::external, 0}, other.signer,
                                remove_of(leaf_index{1})),
              errc::misuse);
}
#endif

}  // namespace mls_test
