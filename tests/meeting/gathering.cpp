// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wishes and the commits they are gathered into.
#include "gathering.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace gathering_test {

TEST_CASE("M20: at rest a wish is due at once, then one commit per slot takes all that has come") {
  gathering wishes;
  const members in = crowd(10);
  person ada("ada"), bela("bela"), chidi("chidi");
  CHECK(wishes.due() == steady_time::max());
  CHECK_FALSE(wishes.take(steady_time{0}, in));

  REQUIRE(wishes.join(ada.knocks(), steady_time{1000}));
  CHECK(wishes.due() == steady_time{1000});
  const auto first = wishes.take(steady_time{1000}, in);
  REQUIRE(first);
  CHECK(first->joins.size() == 1);
  CHECK(wishes.due() == steady_time::max());  // under way
  REQUIRE(wishes.join(bela.knocks(), steady_time{1010}));
  wishes.accepted(change_of({}), in, steady_time{1050});

  REQUIRE(wishes.join(chidi.knocks(), steady_time{1060}));
  REQUIRE(wishes.remove(leaf(4), steady_time{1070}));
  wishes.refresh(steady_time{1080});
  CHECK_FALSE(wishes.take(steady_time{1299}, in));
  const auto second = wishes.take(steady_time{1300}, in);
  REQUIRE(second);
  CHECK(second->joins.size() == 2);
  CHECK(second->removals == std::vector{leaf(4)});
  CHECK(second->path);
  wishes.accepted(change_of({leaf(4)}), in, steady_time{1310});
  CHECK(wishes.waiting() == 0);
  CHECK(wishes.due() == steady_time::max());
  CHECK(wishes.dropped() == 0);
}

TEST_CASE("M20: under steady pressure there are at most four commits a second") {
  gathering wishes;
  const members in = crowd(1000);
  std::size_t commits = 0, removed = 0;
  for (std::uint32_t ms = 0; ms < 10'000; ++ms) {
    const steady_time now{ms};
    if (ms % 50 == 0) REQUIRE(wishes.remove(leaf(ms / 50), now));
    if (const auto todo = wishes.take(now, in)) {
      ++commits;
      removed += todo->removals.size();
      REQUIRE(wishes.remove(leaf(500 + ms / 50), now));  // while it is under way
      wishes.accepted(change_of(todo->removals), in, now + milliseconds{0});
    }
  }
  CHECK(commits == 40);
  CHECK(removed >= 200 + 39 - 5);
}

TEST_CASE("M20: a removal waits for one slot at most, whatever others commit") {
  gathering wishes;
  const members in = crowd(10);
  person late("late");
  wishes.follow(change_of({}), in, steady_time{1000});
  REQUIRE(wishes.remove(leaf(7), steady_time{1010}));
  REQUIRE(wishes.join(late.knocks(), steady_time{1010}));
  CHECK(wishes.due() == steady_time{1000} + slot);
  // somebody else commits whenever it would have been our turn
  wishes.follow(change_of({}), in, steady_time{1249});
  CHECK(wishes.due() == steady_time{1010} + slot);
  const auto todo = wishes.take(steady_time{1010} + slot, in);
  REQUIRE(todo);
  CHECK(todo->removals == std::vector{leaf(7)});
  // and overtakes us: no further wait
  wishes.overtaken();
  CHECK(wishes.due() == steady_time::max());  // not before the winner was seen
  wishes.follow(change_of({}), in, steady_time{1300});
  CHECK(wishes.due() <= steady_time{1300});
  const auto again = wishes.take(steady_time{1300}, in);
  REQUIRE(again);
  CHECK(again->removals == std::vector{leaf(7)});
  CHECK(again->joins.size() == 1);
}

TEST_CASE("M20: a proposal to leave is as urgent, and is over with any commit") {
  gathering wishes;
  const members in = crowd(10);
  wishes.follow(change_of({}), in, steady_time{1000});
  wishes.proposed(mls::proposal_type::remove, steady_time{1010});
  wishes.follow(change_of({}), in, steady_time{1100});  // it took the proposal along
  CHECK(wishes.due() == steady_time::max());
  wishes.proposed(mls::proposal_type::self_remove, steady_time{1110});
  CHECK(wishes.due() == steady_time{1100} + slot);
  const auto todo = wishes.take(steady_time{1100} + slot, in);
  REQUIRE(todo);
  CHECK(todo->joins.empty());
  CHECK(todo->removals.empty());
  CHECK(todo->path);
}

TEST_CASE("M20: the commit that came before is noticed in either order") {
  gathering wishes;
  const members in = crowd(10);
  REQUIRE(wishes.remove(leaf(3), steady_time{0}));
  REQUIRE(wishes.take(steady_time{0}, in));
  wishes.follow(change_of({}), in, steady_time{20});  // before the delivery service has answered
  wishes.overtaken();
  CHECK(wishes.due() <= steady_time{0} + slot);
  const auto todo = wishes.take(steady_time{0} + slot, in);
  REQUIRE(todo);
  CHECK(todo->removals.size() == 1);
}

TEST_CASE("M20: wishes that became void drop out") {
  gathering wishes;
  members in = crowd(10);
  person ada("ada"), bela("bela");
  const bytes older = ada.knocks(), newer = ada.knocks();
  REQUIRE(wishes.join(older, steady_time{0}));
  REQUIRE(wishes.join(bela.knocks(), steady_time{0}));
  REQUIRE(wishes.join(newer, steady_time{0}));  // the same person again
  CHECK(wishes.waiting() == 2);
  REQUIRE(wishes.remove(leaf(3), steady_time{0}));
  REQUIRE(wishes.remove(leaf(3), steady_time{0}));
  REQUIRE(wishes.remove(leaf(5), steady_time{0}));
  wishes.follow(change_of({leaf(3)}), in, steady_time{0});  // somebody else removed it
  in.leaves.erase(leaf(5));                                 // and it is not there
  in.keys.emplace(bela.key(), leaf(9));                     // bela is in already
  const auto todo = wishes.take(steady_time{1000}, in);
  REQUIRE(todo);
  CHECK(todo->removals.empty());
  REQUIRE(todo->joins.size() == 1);
  CHECK(equal(todo->joins[0], older));
  CHECK(wishes.dropped() == 2);
  REQUIRE(wishes.join(older, steady_time{1001}));  // on its way in
  REQUIRE(wishes.join(newer, steady_time{1001}));
  wishes.accepted(change_of({}, {leaf(3)}), in, steady_time{1010});
  CHECK(wishes.waiting() == 0);
}

TEST_CASE("M20: whoever stops waiting is not let in") {
  gathering wishes;
  const members in = crowd(4);
  person ada("ada"), bela("bela");
  for (person* p : {&ada, &bela}) REQUIRE(wishes.join(p->knocks(), steady_time{0}));
  wishes.withdraw(as_bytes(ada.key()));
  wishes.withdraw(as_bytes("nobody"));
  const auto todo = wishes.take(steady_time{0}, in);
  REQUIRE(todo);
  CHECK(todo->joins.size() == 1);
  wishes.withdraw(as_bytes(bela.key()));  // too late
  wishes.accepted(change_of({}), in, steady_time{0});
  CHECK(wishes.waiting() == 0);
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  wishes.withdraw(as_bytes(ada.key()));
  CHECK_FALSE(wishes.take(steady_time{1000}, in));
  CHECK(wishes.due() == steady_time::max());
}

TEST_CASE("M20: somebody who comes back takes the place of itself in one commit") {
  gathering wishes;
  members in = crowd(4);
  person ada("ada");
  in.keys.emplace(ada.key(), leaf(2));
  REQUIRE(wishes.remove(leaf(2), steady_time{0}));
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  const auto todo = wishes.take(steady_time{0}, in);
  REQUIRE(todo);
  CHECK(todo->joins.size() == 1);
  CHECK(todo->removals.size() == 1);
}

TEST_CASE("M20: a leaf that has a new member is not removed by an old wish") {
  gathering wishes;
  const members in = crowd(4);
  REQUIRE(wishes.remove(leaf(1), steady_time{0}));
  if (GENERATE(true, false)) {  // another host removed the old one
    wishes.follow(change_of({leaf(1)}, {leaf(1)}), in, steady_time{10});
  } else {  // our own commit did, by reference
    wishes.proposed(mls::proposal_type::remove, steady_time{0});
    REQUIRE(wishes.take(steady_time{0}, in));
    REQUIRE(wishes.remove(leaf(2), steady_time{5}));
    wishes.accepted(change_of({leaf(1), leaf(2)}, {leaf(2)}), in, steady_time{10});
  }
  CHECK_FALSE(wishes.take(steady_time{10'000}, in));
  CHECK(wishes.waiting() == 0);
}

TEST_CASE("M20: whoever another host let in, and left again, is not let in by an old wish") {
  gathering second;
  members in = crowd(4);
  person ada("ada");
  REQUIRE(second.join(ada.knocks(), steady_time{0}));
  in.leaves.insert(leaf(4));
  in.keys.emplace(ada.key(), leaf(4));
  second.follow(change_of({}, {leaf(4)}), in, steady_time{10});
  in = crowd(4);
  second.follow(change_of({leaf(4)}), in, steady_time{20});
  CHECK(second.waiting() == 0);
  CHECK_FALSE(second.take(steady_time{10'000}, in));
}

TEST_CASE("M20: who comes back by an external commit does not escape its removal") {
  gathering wishes;
  const members in = crowd(8);
  REQUIRE(wishes.remove(leaf(6), steady_time{0}));
  auto resync = change_of({leaf(6)}, {leaf(1)});
  resync.committer = leaf(1);
  wishes.follow(resync, in, steady_time{10});
  const auto todo = wishes.take(steady_time{10} + slot, in);
  REQUIRE(todo);
  CHECK(todo->removals == std::vector{leaf(1)});
}

TEST_CASE("M20: what waits is bounded, and a commit takes so many and no more") {
  gathering wishes;
  const crowd_at_the_door door;
  CHECK(wishes.join(door.package().first(40), steady_time{0}).error() == errc::malformed);
  CHECK(wishes.remove(leaf(limits::leaves), steady_time{0}).error() == errc::over_limit);
  for (std::uint32_t i = 0; i < limits::waiting_joins; ++i) REQUIRE(wishes.join(door.knocks(i), steady_time{0}));
  CHECK(wishes.join(door.knocks(limits::waiting_joins), steady_time{0}).error() == errc::over_limit);
  CHECK(wishes.join(door.knocks(5), steady_time{0}));  // has its place
  steady_time now{0};
  const members in = crowd(1);
  std::uint32_t expected = 0;
  for (int commit = 0; commit < 3; ++commit, now += slot) {
    const auto todo = wishes.take(now, in);
    REQUIRE(todo);
    REQUIRE(todo->joins.size() == limits::gathered_joins);
    for (const byte_view joins : todo->joins) CHECK(door.who(joins) == expected++);
    wishes.accepted(change_of({}), in, now);
  }
}

TEST_CASE("M20: whatever happens to the commits of two hosts, each wish is fulfilled once") {
  const crowd_at_the_door door;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 dice(seed);
    const auto one_in = [&](std::uint32_t n) { return dice() % n == 0; };
    std::array<gathering, 2> hosts{gathering{}, gathering{{.turn = 1}}};
    std::array<std::optional<gathered>, 2> under_way;
    members in = crowd(40);  // nobody of those is at the door
    std::set<std::uint32_t> inside, bad;
    std::set<mls::leaf_index> to_go;
    std::uint32_t next = 0;
    const auto everybody_follows = [&](std::size_t winner, const mls::epoch_change& change, steady_time now) {
      for (std::size_t h = 0; h < 2; ++h) {
        under_way[h].reset();
        h == winner ? hosts[h].accepted(change, in, now) : hosts[h].follow(change, in, now);
      }
    };
    for (steady_time now{0}; now < steady_time{60'000}; now += milliseconds{10}) {
      const bool calm = now > steady_time{30'000};
      if (!calm && one_in(20)) {
        const std::uint32_t who = next++;
        if (one_in(10)) bad.insert(who);
        for (gathering& host : hosts) REQUIRE(host.join(door.knocks(who), now));
      }
      if (!calm && one_in(20) && !in.leaves.empty()) {
        const auto goes = *std::next(in.leaves.begin(), static_cast<std::ptrdiff_t>(dice() % in.leaves.size()));
        to_go.insert(goes);
        for (gathering& host : hosts) REQUIRE(host.remove(goes, now));
      }
      for (std::size_t h = 0; h < 2; ++h) {
        gathering& host = hosts[h];
        if (!under_way[h]) {
          auto todo = host.take(now, in);
          if (!todo) continue;
          bool fine = true;
          for (const byte_view p : todo->joins) fine = fine && !bad.contains(door.who(p));
          for (const mls::leaf_index i : todo->removals) REQUIRE(in.contains(i));
          if (!fine)
            host.refused(now);
          else
            under_way[h] = std::move(todo);
          continue;
        }
        if (!one_in(4)) continue;  // the answer takes its time
        if (!calm && one_in(5)) {
          host.retry();  // it did not get there
          under_way[h].reset();
          continue;
        }
        auto change = change_of(under_way[h]->removals);
        for (const mls::leaf_index i : change.removed) {
          in.leaves.erase(i);
          std::erase_if(in.keys, [&](const auto& entry) { return entry.second == i; });
          CHECK(to_go.erase(i) == 1);
        }
        for (const byte_view p : under_way[h]->joins) {
          CHECK(inside.insert(door.who(p)).second);  // nobody comes in twice
          std::uint32_t blank = 0;
          while (in.leaves.contains(leaf(blank))) ++blank;
          in.leaves.insert(leaf(blank));
          in.keys.emplace(door.key(door.who(p)), leaf(blank));
          change.added.push_back(leaf(blank));
        }
        if (one_in(3) && under_way[1 - h]) {  // the other one hears of it from the delivery service first
          hosts[1 - h].overtaken();
          CHECK(hosts[1 - h].due() == steady_time::max());
        }
        everybody_follows(h, change, now);
      }
    }
    CHECK(inside.size() == next - bad.size());
    CHECK(to_go.empty());
    for (const gathering& host : hosts) CHECK(host.waiting() <= bad.size());
    CHECK(hosts[0].waiting() == 0);
  }
}

TEST_CASE("M20: commits that only add go without a path where the host wants it, others never") {
  gathering wishes({.lean_joins = true});
  const members in = crowd(10);
  person ada("ada"), bela("bela");
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  const auto lean = wishes.take(steady_time{0}, in);
  REQUIRE(lean);
  CHECK_FALSE(lean->path);
  wishes.accepted(change_of({}), in, steady_time{0});
  REQUIRE(wishes.join(bela.knocks(), steady_time{0}));
  wishes.refresh(steady_time{0});
  const auto full = wishes.take(steady_time{0} + slot, in);
  REQUIRE(full);
  CHECK(full->path);
}

TEST_CASE("M20: while people compare codes nobody is added, and whoever goes still goes") {
  gathering wishes;
  const members in = crowd(10);
  person ada("ada");
  wishes.hold_joins(true);
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  CHECK(wishes.due() == steady_time::max());
  REQUIRE(wishes.remove(leaf(3), steady_time{0}));
  const auto todo = wishes.take(steady_time{0}, in);
  REQUIRE(todo);
  CHECK(todo->joins.empty());
  CHECK(todo->request().remove.size() == 1);
  wishes.accepted(change_of({leaf(3)}), in, steady_time{0});
  wishes.hold_joins(false);
  const auto later = wishes.take(steady_time{0} + slot, in);
  REQUIRE(later);
  CHECK(later->request().add.size() == 1);
}

TEST_CASE("M20: of two hosts the second steps in only where the first is gone") {
  gathering first, second({.turn = 1});
  const members in = crowd(10);
  for (gathering* host : {&first, &second}) {
    host->follow(change_of({}), in, steady_time{0});
    REQUIRE(host->remove(leaf(3), steady_time{10}));
  }
  const auto todo = first.take(steady_time{0} + slot, in);
  REQUIRE(todo);
  CHECK_FALSE(second.take(steady_time{0} + slot, in));
  SECTION("the first is there") {
    first.accepted(change_of(todo->removals), in, steady_time{260});
    second.follow(change_of(todo->removals), in, steady_time{300});
    CHECK(second.due() == steady_time::max());
  }
  SECTION("the first is gone") {
    CHECK_FALSE(second.take(slot + limits::commit_turn - milliseconds{1}, in));
    CHECK(second.take(slot + limits::commit_turn, in));
  }
}

static_assert(!std::is_copy_constructible_v<gathering> && !std::is_copy_assignable_v<gathering>);

TEST_CASE("a gathering that has moved holds the same wishes") {
  person ada("ada"), bela("bela");
  gathering first;
  REQUIRE(first.join(ada.knocks(), milliseconds{0}));
  gathering second = std::move(first);
  REQUIRE(second.join(bela.knocks(), milliseconds{0}));
  REQUIRE(second.join(ada.knocks(), milliseconds{0}));  // known already
  CHECK(second.waiting() == 2);
  second.withdraw(ada.who.key().public_view());
  const auto todo = second.take(milliseconds{1}, crowd(1));
  REQUIRE(todo);
  CHECK(todo->joins.size() == 1);
}

}  // namespace gathering_test
