// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What outlives whom: roles and the people who had them, keys and the credentials that replace them.
#include "support.hpp"

#include <conclave/mls/external_proposal.hpp>

namespace meeting_test {
namespace succession {

/// unruled: a member whose client asks nobody what it may do.
struct unruled {
  identity who;
  mls::group group;

  static unruled in(table& t, const std::string& name) {
    auto who = *identity::generate(t.env, name);
    const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
    auto package = *mls::make_key_package(t.env, suite, client_of(who), {std::chrono::hours{24}, false});
    auto add = *t[0].admit(package.message);
    auto group = *mls::group::join(t.env, client_of(who), std::move(package), add.welcome(), {}, {});
    t.commit(0, std::move(add));
    return {std::move(who), std::move(group)};
  }
  /// follow(t, from, change): it and everybody else.
  void follow(table& t, std::size_t from, meeting::change&& change) {
    REQUIRE(group.process(t.env, change.commit()));
    t.commit(from, std::move(change));
  }
  bytes commit(table& t, const mls::commit_request& request) {
    auto made = group.commit(t.env, request);
    REQUIRE(made);
    return to_bytes(made->message());
  }
  bytes extensions(const std::function<encoded_roles(const meeting_parameters&)>& roles) {
    const auto context = *wire::decode<mls::group_context>(group.group_context());
    auto p = *meeting_parameters::of(context.extensions);
    const encoded_roles changed = roles(p);
    p.roles = changed.list();
    return with_parameters(context.extensions, p);
  }
};

/// judge_of_names: a validator that lets nobody become somebody else.
class judge_of_names final : public identity_validator {
 public:
  identity_state member(const presented_identity&, unix_time) override { return identity_state::verified_internal; }
  identity_state external_sender(const presented_identity& who, unix_time now) override { return member(who, now); }
  identity_state successor(const presented_identity& before, const presented_identity& after, unix_time now) override {
    return equal(before.credential, after.credential) ? member(after, now) : identity_state::mismatch;
  }
  result<bytes> identity(const presented_identity& who) override { return to_bytes(who.credential); }
};

}  // namespace succession

using namespace succession;

TEST_CASE("M13: who leaves loses the role, whoever commits it, and does not come in with it again") {
  table t(4);
  t.commit(0, *t[0].set_role(t[2].own_leaf(), role::co_host));
  t.commit(0, *t[0].set_role(t[3].own_leaf(), role::co_host));
  t.deliver(2, *t[2].leave());
  t.commit(1, *t[1].refresh());  // a participant commits it
  CHECK_FALSE(t[2].active());
  t.commit(1, *t[1].refresh());  // and another one tidies up
  CHECK(t[0].parameters().roles.size() == 2);
  const auto again = *knock::create(t.env, t.seats[2].who);
  t.commit(3, *t[3].admit(again.key_package()));
  const auto leaf = *t[0].find("person 2");
  CHECK(t[0].role_of(leaf) == role::participant);
  CHECK(t[3].role_of(t[3].own_leaf()) == role::co_host);

  // or all of it at once: who removes, and who admits, tidies up on the way
  t.commit(0, *t[0].remove(t[3].own_leaf()));
  CHECK(t[0].parameters().roles.size() == 1);
}

TEST_CASE("M13: a role that was left behind is refused to whoever comes with its key, by everybody") {
  table t(4);
  auto helper = unruled::in(t, "helper");
  helper.follow(t, 0, *t[0].set_role(helper.group.own_leaf(), role::co_host));
  helper.follow(t, 0, *t[0].set_role(t[2].own_leaf(), role::co_host));
  const bytes leaving = *t[2].leave();
  t.deliver(2, leaving);
  REQUIRE(helper.group.process(t.env, leaving));
  helper.follow(t, 1, *t[1].refresh());
  REQUIRE(t[0].parameters().roles.size() == 3);

  // by an Add
  const auto knocks = *knock::create(t.env, t.seats[2].who);
  const byte_view package = knocks.key_package();
  mls::commit_request add;
  add.add = {&package, 1};
  t.refused_by_all(2, helper.commit(t, add), rules::roles_are_given);
  // by taking the key over
  const auto former = client_of(t.seats[2].who);
  mls::commit_request takes;
  takes.becomes = &former;
  t.refused_by_all(2, helper.commit(t, takes), rules::roles_are_given);
  // who tidies up takes nothing from anybody who is in, and gives nothing
  const auto rewritten = [&](auto&& roles, const rule& broken) {
    mls::commit_request change;
    const bytes items = helper.extensions(roles);
    change.extensions = items;
    t.refused_by_all(2, helper.commit(t, change), broken);
  };
  rewritten(
      [&](const meeting_parameters& p) { return with_role(p.roles, t.seats[1].who.key().public_view(), role::host); },
      rules::may_change);
  rewritten(
      [&](const meeting_parameters& p) {
        return with_role(p.roles, helper.who.key().public_view(), role::participant);
      },
      rules::may_change);

  // the door is open: who comes by itself
  t.commit(0, *t[0].set_door(door::open));
  const auto role_is_left = t[0].parameters().roles.size() == 3;
  CHECK(role_is_left);  // a commit that sets parameters sets those
  fails_by(meeting::enter(t.env, t.seats[2].who, *t[0].entrance()), rules::roles_are_given);
  t.commit(3, *t[3].refresh());
  auto entered = *meeting::enter(t.env, t.seats[2].who, *t[0].entrance());
  t.deliver(2, entered.commit);
  CHECK(entered.room.state().own_role == role::participant);
}

TEST_CASE("M13: a role is for somebody who is in") {
  table t(3);
  const auto stranger = *identity::generate(t.env, "stranger");
  auto p = t[0].parameters();
  const auto roles = with_role(p.roles, stranger.key().public_view(), role::co_host);
  p.roles = roles.list();
  fails_by(t[0].change_parameters(p), rules::roles_are_given);
}

TEST_CASE("M18: who comes along into a room keeps the role, and nobody who comes later has one waiting") {
  table t(4);
  auto wish = *knock::create(t.env, t.seats[0].who);
  const byte_view package = wish.key_package();
  t.commit(0, *t[0].set_role(t[3].own_leaf(), role::co_host));
  auto opened = *t[1].open_room({&package, 1}, "corner");
  auto guest = *t[0].enter_room(std::move(wish), opened.welcome);
  CHECK(guest.state().own_role == role::host);
  CHECK(opened.room.state().own_role == role::host);
  CHECK(opened.room.parameters().roles.size() == 2);
}

TEST_CASE("M9: who renews its credential and key stays who it is, with its role, for everybody") {
  table t(4);
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::co_host));
  for (std::size_t i = 0; i < 4; ++i) (void)t[i].take_events();
  auto renewed = *identity::generate(t.env, "Dr. person 1");
  const auto leaf = t[1].own_leaf();
  t.commit(1, *t[1].become(renewed));
  for (std::size_t i = 0; i < 4; ++i) {
    const auto events = t[i].take_events();
    REQUIRE(events.size() == 3);
    CHECK(events[0].what == kind::identity_changed);
    CHECK(events[0].leaf == leaf);
    CHECK(events[0].name == "Dr. person 1");
    CHECK(t[i].role_of(leaf) == role::co_host);
    CHECK(t[i].parameters().roles.size() == 2);
    CHECK(t[i].roster()[1].since < t[i].epoch());
  }
  t.say(1, "it is still me");
  CHECK(t[3].chat().messages().back().name == "Dr. person 1");
  REQUIRE(t.bring("new", 1));  // whose Welcome is signed by the new key

  // the key of before is of no use any more, the new one brings it back
  CHECK(meeting::come_back(t.env, t.seats[1].who, *t[0].entrance()).error().code() == errc::unknown_key);
  const auto key = *mls::snapshot_key::copy_of(bytes(32, 7));
  const bytes stored = *t[1].snapshot(key);
  CHECK(meeting::restore(t.env, key, 1, stored, t.seats[1].who).error().code() == errc::misuse);
  CHECK(meeting::restore(t.env, key, 1, stored, renewed));
  auto back = *t[1].come_back(*t[0].entrance());
  REQUIRE(back.room.continue_from(std::move(t[1])));
  t.deliver(1, back.commit);
  CHECK(back.room.state().own_role == role::co_host);
}

TEST_CASE("M9: a change of key that is dropped has changed nothing, and one to another's key is none") {
  table t(3);
  const auto renewed = *identity::generate(t.env, "person 1");
  {
    const auto dropped = *t[1].become(renewed);
    CHECK(!dropped.commit().empty());
  }
  t.say(1, "with the old key");
  t.commit(1, *t[1].refresh());
  CHECK(equal(t[0].tree().leaf(t[1].own_leaf())->signature_key, t.seats[1].who.key().public_view()));
  fails_by(t[1].become(t.seats[2].who), mls::rules::unique_keys);
}

TEST_CASE("M9: nobody becomes whom the own validator takes for somebody else") {
  judge_of_names validator;
  meeting_options options;
  options.group.identities = &validator;
  table t(2, options);
  const auto same = *identity::generate(t.env, "person 1"), other = *identity::generate(t.env, "somebody else");
  fails_by(t[1].become(other), mls::rules::identity_admitted);
  t.commit(1, *t[1].become(same));
  CHECK(t[0].roster()[1].identity == identity_state::verified_internal);
}

TEST_CASE("M13: what an external sender proposes waits only where a host might commit it") {
  table t(3);
  const auto server = *identity::generate(t.env, "server");
  const bytes sender =
      wire::encode(mls::external_sender{server.key().public_view(), {server.type(), server.credential()}});
  bytes list;
  writer w{list};
  w.opaque(sender);
  const bytes entrance = *t[0].entrance();
  std::vector<mls::extension> items;
  const auto info = *mls::message::decode(entrance);
  for (const mls::extension e : info.group_info->context.extensions) items.push_back(e);
  items.push_back({mls::extension_type::external_senders, list});
  const bytes with_sender = wire::encode_items(items);
  mls::commit_request entitles;
  entitles.extensions = with_sender;
  t.commit(0, *t[0].commit(entitles));
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  const auto proposes = [&](const mls::proposal& what) {
    return *mls::external_proposal(t.env, suite, t[0].group_id(), t[0].epoch(), {mls::sender_type::external, 0},
                                   server.key(), what);
  };
  mls::proposal psk;
  psk.type = mls::proposal_type::psk;
  psk.psk.type = mls::psk_type::external;
  psk.psk.psk_id = as_bytes("mine alone");
  const bytes nonce(32);
  psk.psk.psk_nonce = nonce;
  t.refused_by_all(9, proposes(psk), rules::no_pre_shared_keys);
  mls::proposal end;
  end.type = mls::proposal_type::reinit;
  end.reinit = {as_bytes("another"), mls::protocol_version::mls10, meeting_options{}.suite, {}};
  t.refused_by_all(9, proposes(end), rules::meeting_stands);
  CHECK(t[0].say(as_bytes("nothing waits for a commit")));

  // a removal waits for somebody with the right to
  mls::proposal remove;
  remove.type = mls::proposal_type::remove;
  remove.remove = t[2].own_leaf();
  t.deliver(9, proposes(remove));
  t.commit(0, *t[0].refresh());
  CHECK_FALSE(t[2].active());
}

TEST_CASE("a member that wants shorter lifetimes adds less, and follows the others all the same") {
  meeting_options strict;
  strict.group.max_lifetime = std::chrono::hours{2};
  table t(2);
  const auto who = *identity::generate(t.env, "strict");
  strict.key_package_valid_for = std::chrono::minutes{30};
  auto wish = *knock::create(t.env, who, strict);
  auto add = *t[0].admit(wish.key_package());
  auto room = *meeting::join(std::move(wish), add.welcome());
  t.commit(0, std::move(add));
  auto promotion = *t[0].set_role(room.own_leaf(), role::co_host);
  REQUIRE(room.receive(promotion.commit()));
  t.commit(0, std::move(promotion));

  const auto long_lived = *knock::create(t.env, *identity::generate(t.env, "for a day"));
  fails_by(room.admit(long_lived.key_package()), mls::rules::lifetime_not_too_long);
  CHECK_FALSE(room.visitor(long_lived.key_package()));
  auto added = *t[0].admit(long_lived.key_package());
  REQUIRE(room.receive(added.commit()));
  t.commit(0, std::move(added));
  CHECK(room.code() == t[0].code());

  // and nobody accepts more than what all accept
  meeting_options lax;
  lax.group.max_lifetime = std::chrono::seconds::max();
  auto host = *meeting::create(t.env, t.seats[0].who, "lax", lax);
  meeting_options for_ever;
  for_ever.key_package_valid_for = std::chrono::hours{24 * 365};
  const auto eternal = *knock::create(t.env, who, for_ever);
  fails_by(host.admit(eternal.key_package()), mls::rules::lifetime_not_too_long);
}

TEST_CASE("M19: a crash forgives no failed verification") {
  table t(2);
  const auto key = *mls::snapshot_key::copy_of(bytes(32, 7));
  const auto pass_on = [&](std::size_t from) {
    for (const bytes& message : *t[from].take_messages()) t.deliver(from, message);
  };
  for (std::size_t i = 0; i < limits::verification_failures_per_epoch; ++i) {
    REQUIRE(t[0].verification().start(t.env, sas::form::words_3, std::vector{number(t[1].own_leaf())}, t.env.steady()));
    pass_on(0);
    REQUIRE(t[1].verification().take_part(t.env, t.env.steady()));
    pass_on(1);
    REQUIRE(t[0].verification().cancel(t.env.steady()));
    pass_on(0);
    t.env.advance(std::chrono::seconds{4});
  }
  const bytes stored = *t[0].snapshot(key);
  auto again = *meeting::restore(t.env, key, 1, stored, t.seats[0].who, "test");
  CHECK(again.verification().failures().size() == limits::verification_failures_per_epoch);
  const auto outcome =
      again.verification().start(t.env, sas::form::words_3, std::vector{number(t[1].own_leaf())}, t.env.steady());
  fails_by(result<int>(outcome ? result<int>(0) : result<int>(outcome.error())), sas::rules::few_failures);
}

}  // namespace meeting_test
