// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A meeting always has a host who is in: whatever hosts do at the same time, and whatever a patched client commits.
#include "support.hpp"

namespace meeting_test {
namespace last_host {

[[nodiscard]] std::size_t hosts_in(meeting& room) {
  std::size_t out = 0;
  room.tree().for_each_leaf([&](mls::leaf_index i) { out += room.role_of(i) == role::host ? 1U : 0U; });
  return out;
}

/// The first two are hosts.
struct two_hosts : table {
  explicit two_hosts(std::size_t people) : table(people) {
    commit(0, *seats[0].room.set_role(seats[1].room.own_leaf(), role::host));
  }
};

}  // namespace last_host

using namespace last_host;

TEST_CASE("M13: of two hosts who leave at the same time, one stays until there is another") {
  const std::size_t committer = GENERATE(1U, 2U);
  two_hosts t(3);
  const bytes first = *t[0].leave(), second = *t[1].leave();
  t.deliver(0, first);
  t.deliver(1, second);
  auto change = *t[committer].refresh();
  CHECK(change.facts().removed.size() == 1);
  t.commit(committer, std::move(change));
  CHECK_FALSE(t[0].active());
  CHECK(t[1].leaving());
  CHECK(hosts_in(t[2]) == 1);
  REQUIRE(t.bring("new", 1));
  CHECK(t[2].parameters().roles.size() == 1);  // nothing is left behind

  fails_by(t[1].leave(), rules::a_host_stays);
  t.commit(1, *t[1].set_role(t[2].own_leaf(), role::host));
  t.deliver(1, *t[1].leave());
  t.commit(2, *t[2].refresh());
  CHECK_FALSE(t[1].active());
  REQUIRE(t.bring("another", 2));
}

TEST_CASE("M13: a host who is leaving is none to rely on") {
  two_hosts t(3);
  t.deliver(0, *t[0].leave());
  fails_by(t[1].leave(), rules::a_host_stays);
  CHECK_FALSE(t[1].leaving());
  fails_by(t[1].set_role(t[1].own_leaf(), role::participant), rules::a_host_stays);
  fails_by(t[1].set_role(t[1].own_leaf(), role::co_host), rules::a_host_stays);
  CHECK(t[1].set_role(t[1].own_leaf(), role::host));
  CHECK(t[1].set_role(t[2].own_leaf(), role::co_host));
  CHECK(t[0].leave());  // asked once more, it relies on the other one
  t.commit(2, *t[2].refresh());
  CHECK_FALSE(t[0].active());
  CHECK(hosts_in(t[2]) == 1);
}

TEST_CASE("M13: where everybody leaves, the last host does") {
  two_hosts t(4);
  const bytes first = *t[0].leave(), second = *t[1].leave();
  t.deliver(0, first);
  t.deliver(1, second);
  fails_by(t[1].leave(), rules::a_host_stays);
  for (const std::size_t other : {2U, 3U}) t.deliver(other, *t[other].leave());  // who is no host may always go
  t.deliver(0, *group_of(t[0]).propose_remove(t.env, t[2].own_leaf()));          // and goes once
  CHECK(t[1].leave());
  t.commit(1, *t[1].refresh());
  CHECK(t[1].size() == 1);
  CHECK(hosts_in(t[1]) == 1);
  CHECK(t[1].leave());
}

TEST_CASE("M13: a host lays its role down where another one is") {
  table t(2);
  fails_by(t[0].set_role(t[0].own_leaf(), role::participant), rules::a_host_stays);
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::host));
  t.commit(0, *t[0].set_role(t[0].own_leaf(), role::participant));
  CHECK(t[0].state().own_role == role::participant);
  CHECK(hosts_in(t[0]) == 1);
}

TEST_CASE("M13: nobody follows a commit that leaves a meeting without a host") {
  two_hosts t(3);
  auto who = *identity::generate(t.env, "mallory");
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto package = *mls::make_key_package(t.env, suite, client_of(who), {std::chrono::hours{24}, false});
  auto add = *t[0].admit(package.message);
  auto patched = *mls::group::join(t.env, client_of(who), std::move(package), add.welcome(), {}, {});
  t.commit(0, std::move(add));
  const bytes first = *t[0].leave(), second = *t[1].leave();
  for (const bytes* wish : {&first, &second}) REQUIRE(patched.process(t.env, *wish));
  t.deliver(0, first);
  t.deliver(1, second);
  const auto both = *patched.commit(t.env, {});
  REQUIRE(both.change().removed.size() == 2);
  t.refused_by_all(9, both.message(), rules::a_host_stays);
}

TEST_CASE("M13: the only host renews its key, comes back, and is the host") {
  table t(2);
  const auto renewed = *identity::generate(t.env, "person 0");
  t.commit(0, *t[0].become(renewed));
  CHECK(t[1].role_of(t[0].own_leaf()) == role::host);
  auto back = *t[0].come_back(*t[1].entrance());
  REQUIRE(t[1].receive(back.commit));
  CHECK(back.room.state().own_role == role::host);
}

}  // namespace meeting_test
