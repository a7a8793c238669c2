// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who may do what, and that a client which does it all the same is followed by nobody. Such a client is an MLS group
// without the rules of meetings, in the hands of somebody whom the host has let in.
#include "support.hpp"

#include <conclave/mls/external_proposal.hpp>

namespace meeting_test {
namespace rights {

/// A member whose client asks nobody what it may do.
class patched_client {
 public:
  explicit patched_client(table& t, std::string_view name = "mallory")
      : env_{&t.env}, who_{*identity::generate(t.env, name)} {
    const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
    auto package = *mls::make_key_package(t.env, suite, client_of(who_), {std::chrono::hours{24}, false});
    auto add = *t[0].admit(package.message);
    group_.emplace(*mls::group::join(t.env, client_of(who_), std::move(package), add.welcome(), {}, {}));
    t.commit(0, std::move(add));
  }
  mls::group& operator*() { return *group_; }
  mls::group* operator->() { return &*group_; }

  bytes commit(const mls::commit_request& request) { return to_bytes((*(*group_).commit(*env_, request)).message()); }
  /// extensions(change): those of the group with its parameters changed.
  bytes extensions(const std::function<void(meeting_parameters&)>& change) {
    const auto context = *wire::decode<mls::group_context>(group_->group_context());
    auto p = *meeting_parameters::of(context.extensions);
    change(p);
    return with_parameters(context.extensions, p);
  }

 private:
  environment* env_;
  identity who_;
  std::optional<mls::group> group_;
};

bytes a_key_package(table& t, std::string_view name = "friend") {
  return to_bytes((*knock::create(t.env, *identity::generate(t.env, name))).key_package());
}

}  // namespace rights

using namespace rights;

TEST_CASE("M13: a host admits and removes, a participant does neither, and may be made a co-host") {
  table t(3);
  const bytes package = a_key_package(t);
  fails_by(t[1].admit(package), rules::may_admit);
  fails_by(t[1].remove(t[2].own_leaf()), rules::may_remove);
  fails_by(t[1].set_door(door::locked), rules::may_change);
  fails_by(t[1].set_role(t[1].own_leaf(), role::host), rules::may_change);

  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::co_host));
  CHECK(t[2].role_of(t[1].own_leaf()) == role::co_host);
  CHECK(t[1].state().own_role == role::co_host);
  REQUIRE(t.bring("person 3", 1));
  t.commit(1, *t[1].set_door(door::locked));
  t.commit(1, *t[1].remove(t[2].own_leaf()));
  CHECK_FALSE(t[2].active());
  // but not what is for hosts
  fails_by(t[1].remove(t[0].own_leaf()), rules::may_remove);
  fails_by(t[1].set_role(t[3].own_leaf(), role::co_host), rules::may_change);
  auto larger = t[1].parameters();
  larger.capacity = 3;
  fails_by(t[1].change_parameters(larger), rules::may_change);
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::participant));
  fails_by(t[1].set_door(door::lobby), rules::may_change);
}

TEST_CASE("M13: whoever wants to leave goes, whoever commits it; whoever takes the place has no role from it") {
  table t(4);
  t.commit(0, *t[0].set_role(t[2].own_leaf(), role::host));
  const auto place = t[2].own_leaf();
  t.deliver(2, *t[2].leave());
  t.commit(1, *t[1].refresh());  // a participant
  CHECK_FALSE(t[2].active());
  REQUIRE(t.bring("somebody else"));
  CHECK(t[4].own_leaf() == place);
  CHECK(t[0].role_of(place) == role::participant);
  fails_by(t[4].admit(a_key_package(t)), rules::may_admit);
}

TEST_CASE("M13: a role is for a leaf that somebody has") {
  table t(1);
  for (const std::uint32_t blank : {1U, 1000U})
    CHECK(t[0].set_role(mls::leaf_index{blank}, role::co_host).error().code() == errc::misuse);
}

TEST_CASE("M13: a locked meeting lets nobody new in, not even by the hand of its host") {
  table t(2);
  t.commit(0, *t[0].set_door(door::locked));
  CHECK(t[1].state().door == door::locked);
  fails_by(t[0].admit(a_key_package(t)), rules::door_open);
  t.commit(0, *t[0].set_door(door::lobby));
  CHECK(t.bring("late"));
}

TEST_CASE("M13: a patched client that adds somebody without the right to, or into a locked meeting, is alone with it") {
  table t(4);
  patched_client mallory(t);
  const bytes package = a_key_package(t);
  const byte_view view = package;
  mls::commit_request add;
  add.add = {&view, 1};
  t.refused_by_all(4, mallory.commit(add), rules::may_admit);
  const auto proposal = *mallory->propose_add(t.env, package);
  t.refused_by_all(4, proposal, rules::may_admit);
  CHECK(t[0].commit({}));

  // even one who has the right to admit, when the door is locked
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::co_host));
  patched_client helper(t, "helper");
  const auto make_co_host = [&](mls::group& g) {
    auto change = *t[0].set_role(g.own_leaf(), role::co_host);
    REQUIRE(g.process(t.env, change.commit()));
    t.commit(0, std::move(change));
  };
  make_co_host(*helper);
  auto locked = *t[0].set_door(door::locked);
  REQUIRE(helper->process(t.env, locked.commit()));
  t.commit(0, std::move(locked));
  t.refused_by_all(5, helper.commit(add), rules::door_open);
  const bytes open = helper.extensions([](meeting_parameters& p) { p.door = door::lobby; });
  mls::commit_request unlock_and_add = add;
  unlock_and_add.extensions = open;
  t.refused_by_all(5, helper.commit(unlock_and_add), rules::door_open);
  t.refused_by_all(5, *helper->propose_add(t.env, package), rules::door_open);
  CHECK(t[0].size() == 6);
}

TEST_CASE("M13: nor may it remove people, or rewrite what all agree on") {
  table t(3);
  patched_client mallory(t);
  mls::commit_request remove;
  const std::array target{t[1].own_leaf()};
  remove.remove = target;
  t.refused_by_all(3, mallory.commit(remove), rules::may_remove);

  const auto rewritten = [&](bytes items, const rule& broken) {
    mls::commit_request change;
    change.extensions = items;
    t.refused_by_all(3, mallory.commit(change), broken);
  };
  rewritten(mallory.extensions([](meeting_parameters& p) { p.door = door::open; }), rules::may_change);
  rewritten(mallory.extensions([](meeting_parameters& p) { p.capacity = 1; }), rules::may_change);
  rewritten(mallory.extensions([](meeting_parameters& p) { p.code_bits = 30; }), rules::may_change);
  rewritten(mallory.extensions([](meeting_parameters& p) { p.epoch_bits = 9; }), rules::media_stands);
  encoded_roles roles;
  rewritten(mallory.extensions([&](meeting_parameters& p) {
    roles = with_role(p.roles, mallory->tree().leaf(mallory->own_leaf())->signature_key, role::host);
    p.roles = roles.list();
  }),
            rules::may_change);
  rewritten({}, rules::parameters_present);
  CHECK(t[0].parameters().door == door::lobby);
  t.refused_by_all(3, *mallory->propose_remove(t.env, t[0].own_leaf()), rules::may_remove);
}

TEST_CASE("M13: what nobody may propose does not keep others from committing") {
  table t(3);
  patched_client mallory(t);
  t.refused_by_all(3, *mallory->propose_remove(t.env, t[1].own_leaf()), rules::may_remove);
  t.deliver(2, *t[2].leave());
  t.commit(0, *t[0].refresh());
  CHECK_FALSE(t[2].active());
  CHECK(t[1].active());
}

TEST_CASE("M13: a stranger cannot make everybody hold a proposal") {
  table t(2);
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  const auto who = client_of(*identity::generate(t.env, "stranger"));
  const auto package = *mls::make_key_package(t.env, suite, who, {std::chrono::hours{24}, false});
  const auto proposal = *mls::new_member_add(t.env, suite, t[0].group_id(), t[0].epoch(), who, package);
  t.refused_by_all(9, proposal, rules::strangers_knock);
  CHECK(t[0].say(as_bytes("nothing waits for a commit")));
}

TEST_CASE("M2: a meeting is as large as its capacity, whoever counts") {
  meeting_options small;
  small.parameters.capacity = 3;
  table t(3, small);
  fails_by(t.bring("one too many"), rules::within_capacity);
  // out and in at once stays within it
  auto wish = *knock::create(t.env, *identity::generate(t.env, "instead"));
  const byte_view package = wish.key_package();
  const std::array out{t[2].own_leaf()};
  mls::commit_request swap;
  swap.add = {&package, 1};
  swap.remove = out;
  t.commit(0, *t[0].commit(swap));
  CHECK(t[0].size() == 3);

  auto p = t[0].parameters();
  p.capacity = limits::leaves + 1;
  CHECK(t[0].change_parameters(p).error().code() == errc::over_limit);
  p.capacity = 4;
  t.commit(0, *t[0].change_parameters(p));
  CHECK(t[1].parameters().capacity == 4);
}

TEST_CASE("parameters that nobody can hold to are refused") {
  deterministic_environment env(1);
  const auto me = *identity::generate(env, "me");
  const auto refused = [&](auto&& spoil) {
    meeting_options options;
    spoil(options.parameters);
    const auto made = meeting::create(env, me, "test", options);
    CHECK_FALSE(made);
  };
  refused([](meeting_parameters& p) { p.version = 2; });
  refused([](meeting_parameters& p) { p.door = door{4}; });
  refused([](meeting_parameters& p) { p.admits = role{3}; });
  refused([](meeting_parameters& p) { p.capacity = 0; });
  refused([](meeting_parameters& p) { p.code_bits = limits::spoken_code_bits - 1; });
  refused([](meeting_parameters& p) { p.code_bits = limits::spoken_code_bits_most + 1; });
  refused([](meeting_parameters& p) { p.media = sframe::cipher_suite{9}; });
  refused([](meeting_parameters& p) { p.epoch_bits = 6; });

  // on the wire: every length cut off, every role list that is no list of roles
  meeting_parameters p;
  const encoded_roles one = with_role({}, as_bytes("key"), role::host);
  p.roles = one.list();
  const bytes good = wire::encode(p);
  CHECK(meeting_parameters::decode(good));
  for (std::size_t n = 0; n < good.size(); ++n) CHECK_FALSE(meeting_parameters::decode(byte_view{good}.first(n)));
  const auto with = [&](const encoded_roles& roles) {
    p.roles = roles.list();
    return meeting_parameters::decode(wire::encode(p)).has_value();
  };
  CHECK_FALSE(with({}));
  CHECK_FALSE(with(with_role({}, as_bytes("key"), role::co_host)));
  encoded_roles twice = one;
  twice.items.insert(twice.items.end(), one.items.begin(), one.items.end());
  twice.count = 2;
  CHECK_FALSE(with(twice));
}

TEST_CASE("a group without the parameters of a meeting is not joined") {
  deterministic_environment env(1);
  const auto bob = *identity::generate(env, "bob");
  auto wish = *knock::create(env, bob);
  const auto mallory = *identity::generate(env, "mallory");
  auto group = *mls::group::create(env, meeting_options{}.suite, client_of(mallory), as_bytes("id"), {}, {});
  const byte_view package = wish.key_package();
  const auto add = *group.commit(env, {{&package, 1}});
  fails_by(meeting::join(std::move(wish), add.welcome()), rules::parameters_present);
}

TEST_CASE("a client that knows no meetings is not admitted") {
  table t(2);
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto stranger = client_of(*identity::generate(t.env, "stranger"));
  stranger.extensions = {};
  const auto package = *mls::make_key_package(t.env, suite, stranger, {std::chrono::hours{24}, false});
  CHECK_FALSE(t[0].admit(package.message));
  CHECK_FALSE(t[0].visitor(package.message));
}

}  // namespace meeting_test
