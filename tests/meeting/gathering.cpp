// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wishes and the commits they are gathered into; the cadence of key refresh.
#include <catch2/catch.hpp>
#include <conclave/conclave.hpp>

#include <random>

namespace gathering_test {

using namespace conclave;
using std::chrono::milliseconds;

constexpr milliseconds slot = limits::commit_slot;

/// Who is in, as the tree of a group would say.
struct members {
  std::set<mls::leaf_index> leaves;
  std::map<std::string, mls::leaf_index> keys;
  [[nodiscard]] byte_view signature_key(mls::leaf_index i) const {
    for (const auto& [key, leaf] : keys)
      if (leaf == i) return as_bytes(key);
    return {};
  }
  [[nodiscard]] bool contains(mls::leaf_index i) const { return leaves.contains(i); }
  [[nodiscard]] std::optional<mls::leaf_index> find_member(byte_view key) const {
    const auto at = keys.find(std::string{as_text(key)});
    return at == keys.end() ? std::nullopt : std::optional{at->second};
  }
};

members crowd(std::uint32_t n) {
  members out;
  for (std::uint32_t i = 0; i < n; ++i) out.leaves.insert(mls::leaf_index{i});
  return out;
}

/// People with several key packages each.
struct person {
  explicit person(const std::string& name) : who{*identity::generate(env, name)} {}
  [[nodiscard]] bytes knocks() { return to_bytes(knock::create(env, who)->key_package()); }
  [[nodiscard]] std::string key() {
    const bytes package = knocks();
    return std::string{as_text(mls::message::decode(package)->key_package->leaf->signature_key)};
  }
  system_environment env;
  identity who;
};

/// Many people, made from one: a gathering verifies no signature.
class crowd_at_the_door {
 public:
  explicit crowd_at_the_door() {
    const std::string key = one_.key();
    at_ = static_cast<std::size_t>(std::ranges::search(package_, as_bytes(key)).begin() - package_.begin());
    key_size_ = key.size();
  }
  [[nodiscard]] bytes knocks(std::uint32_t i) const {
    bytes other = package_;
    store_be(i, byte_span{other}.subspan(at_, 4));
    return other;
  }
  [[nodiscard]] std::string key(std::uint32_t i) const {
    return std::string{as_text(byte_view{knocks(i)}.subspan(at_, key_size_))};
  }
  [[nodiscard]] std::uint32_t who(byte_view package) const { return load_be<std::uint32_t>(package.subspan(at_)); }
  [[nodiscard]] byte_view package() const { return package_; }

 private:
  person one_{"ada"};
  bytes package_ = one_.knocks();
  std::size_t at_ = 0, key_size_ = 0;
};

mls::epoch_change change_of(std::vector<mls::leaf_index> removed, std::vector<mls::leaf_index> added = {}) {
  mls::epoch_change out;
  out.removed = std::move(removed);
  out.added = std::move(added);
  return out;
}

constexpr mls::leaf_index leaf(std::uint32_t i) { return mls::leaf_index{i}; }

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

TEST_CASE("M20: one bad wish keeps nobody else out") {
  gathering wishes;
  const members in = crowd(50);
  std::vector<std::unique_ptr<person>> people;
  std::vector<bytes> packages;
  for (int i = 0; i < 20; ++i) {
    people.push_back(std::make_unique<person>("p" + std::to_string(i)));
    packages.push_back(people.back()->knocks());
    REQUIRE(wishes.join(packages.back(), steady_time{0}));
  }
  std::set<std::size_t> every, bad_joins;
  for (std::size_t i = 0; i < packages.size(); ++i) every.insert(i);
  std::set<mls::leaf_index> bad_removals;
  switch (GENERATE(range(0, 5))) {
    case 0: bad_joins = {11}; break;
    case 1: bad_joins = {0, 19}; break;
    case 2: bad_joins = every; break;
    case 3: bad_removals = {leaf(42)}; break;
    default: bad_joins = {3, 4}, bad_removals = {leaf(40), leaf(44)}; break;
  }
  CAPTURE(bad_joins.size(), bad_removals.size());
  for (std::uint32_t i = 40; i < 45; ++i) REQUIRE(wishes.remove(leaf(i), steady_time{0}));

  // the group refuses whatever holds a bad wish
  std::size_t joined = 0, removed = 0, attempts = 0;
  steady_time now{0}, first_removal = steady_time::max();
  while (wishes.waiting() > 0 && now < steady_time{60'000}) {
    const auto todo = wishes.take(now, in);
    if (!todo) {
      now = wishes.due();
      continue;
    }
    REQUIRE(++attempts < 200);
    bool fine = true;
    for (const byte_view package : todo->joins)
      for (const std::size_t i : bad_joins) fine = fine && !equal(package, packages[i]);
    for (const mls::leaf_index i : todo->removals) fine = fine && !bad_removals.contains(i);
    if (!fine) {
      wishes.refused(now);
      continue;
    }
    joined += todo->joins.size();
    removed += todo->removals.size();
    if (!todo->removals.empty()) first_removal = std::min(first_removal, now);
    wishes.accepted(change_of(todo->removals), in, now);
  }
  CHECK(joined == 20 - bad_joins.size());
  CHECK(removed == 5 - bad_removals.size());
  CHECK(wishes.dropped() == bad_joins.size() + bad_removals.size());
  if (bad_removals.empty()) CHECK(first_removal == steady_time{0});  // bad company does not delay it
}

/// tampered(package): with another signature, which nobody has made.
bytes tampered(bytes package, std::uint8_t bit = 1) {
  package.back() ^= bit;
  return package;
}

TEST_CASE("M20: a forged key package does not take the place of the person it names") {
  gathering wishes;
  const members in = crowd(4);
  person ada("ada");
  const bytes good = ada.knocks();
  SECTION("it comes later") {
    REQUIRE(wishes.join(good, steady_time{0}));
    REQUIRE(wishes.join(tampered(good), steady_time{0}));
    CHECK(wishes.waiting() == 1);
    const auto todo = wishes.take(steady_time{0}, in);
    REQUIRE(todo);
    REQUIRE(todo->joins.size() == 1);
    CHECK(equal(todo->joins[0], good));
    if (GENERATE(true, false)) {
      wishes.accepted(change_of({}), in, steady_time{0});
    } else {
      wishes.withdraw(as_bytes(ada.key()));
      wishes.refused(steady_time{0});
    }
    CHECK(wishes.waiting() == 0);  // the forged one went with it
    CHECK(wishes.due() == steady_time::max());
  }
  SECTION("it came before, and another while it was tried") {
    REQUIRE(wishes.join(tampered(good), steady_time{0}));
    const auto todo = wishes.take(steady_time{0}, in);
    REQUIRE(todo);
    REQUIRE(wishes.join(good, steady_time{0}));
    CHECK(wishes.join(tampered(good, 2), steady_time{0}).error() == errc::over_limit);
    REQUIRE(wishes.join(good, steady_time{0}));  // has its place
    CHECK(equal(todo->joins[0], tampered(good)));
    wishes.refused(steady_time{0});
    CHECK(wishes.waiting() == 1);
    CHECK(wishes.dropped() == 1);
    const auto again = wishes.take(steady_time{0}, in);
    REQUIRE(again);
    REQUIRE(again->joins.size() == 1);
    CHECK(equal(again->joins[0], good));
    wishes.refused(steady_time{0});
    CHECK(wishes.waiting() == 0);
    CHECK(wishes.dropped() == 2);
  }
  SECTION("it came before, with a removal") {
    REQUIRE(wishes.join(tampered(good), steady_time{0}));
    REQUIRE(wishes.join(good, steady_time{0}));
    REQUIRE(wishes.remove(leaf(2), steady_time{0}));
    REQUIRE(wishes.take(steady_time{0}, in));
    wishes.refused(steady_time{0});
    REQUIRE(wishes.take(steady_time{0}, in));
    wishes.accepted(change_of({leaf(2)}), in, steady_time{0});
    const auto again = wishes.take(steady_time{0} + slot, in);
    REQUIRE(again);
    REQUIRE(again->joins.size() == 1);
    CHECK(equal(again->joins[0], good));
  }
}

TEST_CASE("M20: whatever is forged in somebody's name, a group lets that person in") {
  person host("host"), ada("ada");
  auto room = *meeting::create(host.env, host.who, "test");
  const bytes good = ada.knocks();
  gathering wishes;
  const bool forged_first = GENERATE(true, false);
  REQUIRE(wishes.join(forged_first ? tampered(good) : good, steady_time{0}));
  REQUIRE(wishes.join(forged_first ? good : tampered(good), steady_time{0}));
  for (int attempt = 0; attempt < 3 && room.size() == 1; ++attempt) {
    const auto todo = wishes.take(steady_time{0}, room.tree());
    REQUIRE(todo);
    auto change = room.commit(todo->request());
    if (!change) {
      wishes.refused(steady_time{0});
      continue;
    }
    const mls::epoch_change facts = change->facts();
    REQUIRE(room.apply(*std::move(change)));
    wishes.accepted(facts, room.tree(), steady_time{0});
  }
  CHECK(room.tree().find_member(as_bytes(ada.key())).has_value());
  CHECK(wishes.waiting() == 0);
  CHECK(wishes.dropped() == (forged_first ? 1 : 0));
}

TEST_CASE("M20: whoever knocks twice and is gone leaves no room taken") {
  gathering wishes;
  const members in = crowd(4);
  person ada(std::string(limits::name_bytes, 'a'));
  const bytes good = ada.knocks(), forged = tampered(good);
  const std::string key = ada.key();
  for (std::size_t round = 0; round * good.size() <= limits::waiting_join_bytes; ++round) {
    const steady_time now = static_cast<steady_time::rep>(round) * slot;
    for (int way = 0; way < 3; ++way) {
      REQUIRE(wishes.join(good, now));
      REQUIRE(wishes.join(forged, now));
      if (way == 0) {
        wishes.withdraw(as_bytes(key));
        continue;
      }
      REQUIRE(wishes.take(now, in));
      if (way == 2) {
        wishes.accepted(change_of({}), in, now);
        continue;
      }
      wishes.refused(now);
      REQUIRE(wishes.take(now, in));
      wishes.refused(now);
    }
    REQUIRE(wishes.waiting() == 0);
  }
}

TEST_CASE("M20: a suspicion ends with what it was about") {
  gathering wishes;
  members in = crowd(8);
  person ada("ada"), bela("bela");
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  SECTION("beside a removal") {
    REQUIRE(wishes.remove(leaf(2), steady_time{0}));
    REQUIRE(wishes.take(steady_time{0}, in));
    wishes.refused(steady_time{0});
    SECTION("who is suspected goes") {
      wishes.withdraw(as_bytes(ada.key()));
      const std::size_t others = GENERATE(0U, 1U);
      if (others == 1) REQUIRE(wishes.join(bela.knocks(), steady_time{0}));
      const auto todo = wishes.take(steady_time{0}, in);
      REQUIRE(todo);
      CHECK(todo->joins.size() == others);
      wishes.accepted(change_of({leaf(2)}), in, steady_time{0});
      CHECK(wishes.waiting() == 0);
      CHECK(wishes.dropped() == 1);  // who went
    }
    SECTION("who is suspected goes while the removal is tried") {
      REQUIRE(wishes.take(steady_time{0}, in));
      wishes.withdraw(as_bytes(ada.key()));
      const std::size_t others = GENERATE(0U, 1U);
      if (others == 1) REQUIRE(wishes.join(bela.knocks(), steady_time{0}));
      wishes.accepted(change_of({leaf(2)}), in, steady_time{0});
      CHECK(wishes.waiting() == others);
      CHECK(wishes.dropped() == 1);
      CHECK(wishes.take(steady_time{0} + slot, in).has_value() == (others == 1));
    }
    SECTION("another host removes") {
      wishes.follow(change_of({leaf(2)}), in, steady_time{0});
      const auto todo = wishes.take(steady_time{0} + slot, in);
      REQUIRE(todo);
      CHECK(todo->joins.size() == 1);
      wishes.accepted(change_of({}), in, steady_time{0} + slot);
      CHECK(wishes.dropped() == 0);
    }
    SECTION("who was to be removed is not there") {
      in.leaves.erase(leaf(2));
      if (GENERATE(false, true)) REQUIRE(wishes.remove(leaf(3), steady_time{0}));  // or nobody else is to go
      const auto todo = wishes.take(steady_time{0}, in);
      REQUIRE(todo);
      CHECK(todo->joins.size() == 1);
      wishes.accepted(change_of(todo->removals), in, steady_time{0});
      CHECK(wishes.waiting() == 0);
      CHECK(wishes.dropped() == 1);  // the removal
    }
    SECTION("it is about that removal and no other") {
      REQUIRE(wishes.remove(leaf(1), steady_time{0}));
      const auto todo = wishes.take(steady_time{0}, in);
      REQUIRE(todo);
      CHECK(todo->joins.empty());
      CHECK(todo->removals == std::vector{leaf(2)});
      wishes.refused(steady_time{0});  // it was that one's fault
      const auto rest = wishes.take(steady_time{0}, in);
      REQUIRE(rest);
      CHECK(rest->joins.size() == 1);
      CHECK(rest->removals == std::vector{leaf(1)});
    }
    SECTION("it was right, and spares who waits behind") {
      REQUIRE(wishes.join(bela.knocks(), steady_time{0}));
      REQUIRE(wishes.take(steady_time{0}, in));
      wishes.accepted(change_of({leaf(2)}), in, steady_time{0});
      CHECK(wishes.waiting() == 1);
      CHECK(wishes.dropped() == 1);
      const auto todo = wishes.take(steady_time{0} + slot, in);
      REQUIRE(todo);
      wishes.withdraw(as_bytes(ada.key()));  // has gone: nothing to withdraw
      wishes.accepted(change_of({}), in, steady_time{0} + slot);
      CHECK(wishes.waiting() == 0);
      CHECK(wishes.dropped() == 1);
    }
  }
  SECTION("beside a proposal") {
    wishes.proposed(mls::proposal_type::self_remove, steady_time{0});
    REQUIRE(wishes.take(steady_time{0}, in));
    wishes.refused(steady_time{0});
    SECTION("another host commits it") {
      wishes.follow(change_of({leaf(2)}), in, steady_time{0});
      const auto todo = wishes.take(steady_time{0} + slot, in);
      REQUIRE(todo);
      CHECK(todo->joins.size() == 1);
    }
    SECTION("who is suspected goes") {
      REQUIRE(wishes.take(steady_time{0}, in));
      wishes.withdraw(as_bytes(ada.key()));
      wishes.accepted(change_of({leaf(2)}), in, steady_time{0});
      CHECK(wishes.waiting() == 0);
      CHECK(wishes.due() == steady_time::max());
    }
  }
}

TEST_CASE("M20: a refusal of what another's commit has made void blames nobody") {
  gathering wishes;
  const members in = crowd(4);
  person ada("ada");
  REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
  wishes.refresh(steady_time{0});
  REQUIRE(wishes.take(steady_time{0}, in));
  wishes.follow(change_of({}), in, steady_time{0});
  wishes.refused(steady_time{0});
  wishes.withdraw(as_bytes(ada.key()));
  CHECK(wishes.take(steady_time{0} + slot, in));  // the refresh is still to come
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

/// The members of a meeting that came in by one commit, each with its cadence. run() returns when commits were made.
struct refreshing_crowd {
  std::vector<refresh_cadence> cadences;
  std::vector<steady_time> last;

  explicit refreshing_crowd(std::uint32_t n) : last(n, steady_time{0}) {
    for (std::uint32_t i = 0; i < n; ++i) cadences.emplace_back(leaf(i), n, n, 0x9e3779b9U * (i + 1), steady_time{0});
  }
  template <class Members>
  std::vector<steady_time> run(steady_time from, steady_time to, const Members& members) {
    std::vector<steady_time> commits;
    for (steady_time now = from; now < to; now += milliseconds{100}) {
      bool taken = false;  // one commit per tick: who comes second is overtaken
      const std::size_t n = members(now);
      for (std::size_t i = 0; i < n; ++i) {
        if (cadences[i].due(n, now) > now) continue;
        if (taken) {
          cadences[i].overtaken(now);
          continue;
        }
        taken = true;
        cadences[i].refreshed(now);
        last[i] = now;
        commits.push_back(now);
      }
    }
    return commits;
  }
};

std::size_t most_in_a_second(const std::vector<steady_time>& commits) {
  std::size_t most = 0;
  for (std::size_t i = 0, from = 0; i < commits.size(); ++i) {
    while (commits[i] - commits[from] >= milliseconds{1000}) ++from;
    most = std::max(most, i - from + 1);
  }
  return most;
}

TEST_CASE("M25: everybody refreshes once in a period, one after the other, however many they are") {
  for (const std::uint32_t n : {3U, 200U, 1000U}) {
    refreshing_crowd people(n);
    const steady_time period = refresh_period(n);
    CHECK(period == std::max<steady_time>(limits::refresh_period, n * limits::refresh_spacing));
    std::vector<steady_time> seen;
    for (int round = 1; round <= 3; ++round) {
      // a round of turns, and a few spacings of slack for each turn that jitter or a lost race moved
      const auto more = people.run((round - 1) * period, round * period, [&](steady_time) { return n; });
      seen.insert(seen.end(), more.begin(), more.end());
      for (const steady_time at : people.last) CHECK(at >= (round - 1) * period - 20 * limits::refresh_spacing);
    }
    CHECK(seen.size() >= 3 * n - n / 10);
    CHECK(seen.size() <= 3 * n + n / 10 + 1);
    CHECK(most_in_a_second(seen) <= 4);
  }
}

TEST_CASE("M25: a meeting that grows or shrinks does not make its members refresh all at once") {
  refreshing_crowd people(3000);
  (void)people.run(steady_time{0}, steady_time{900'000}, [](steady_time) { return std::size_t{3000}; });
  // most leave, and neighbours stay, whose turns would come within a minute
  const auto fewer =
      people.run(steady_time{900'000}, steady_time{2'100'000}, [](steady_time) { return std::size_t{100}; });
  CHECK(fewer.size() >= 200);
  CHECK(fewer.size() <= 230);
  CHECK(most_in_a_second(fewer) <= 4);
  for (std::size_t i = 0; i < 100; ++i) CHECK(people.last[i] > steady_time{1'500'000 - 2000});
  // a crowd comes in, ten a second
  for (std::uint32_t i = 100; i < 1000; ++i)
    people.cadences[i] = {leaf(i), 1000, 1000, 77 + i, steady_time{2'100'000 + (i - 100) * 100}};
  const auto more = people.run(steady_time{2'100'000}, steady_time{3'200'000}, [](steady_time now) {
    return std::min<std::size_t>(1000, 100 + static_cast<std::size_t>(now.count() - 2'100'000) / 100);
  });
  CHECK(more.size() >= 1000);
  CHECK(more.size() <= 1250);
  CHECK(most_in_a_second(more) <= 5);
}

TEST_CASE("M25: whoever keeps losing waits longer, and then refreshes") {
  refresh_cadence unlucky(leaf(0), 10, 10, 12345, steady_time{0});
  steady_time now{0}, longest{0};
  for (int i = 0; i < 50; ++i) {
    now = std::max(now, unlucky.due(10, now));
    unlucky.overtaken(now);
    const steady_time wait = unlucky.due(10, now) - now;
    CHECK(wait >= limits::commit_slot);
    CHECK(wait < limits::commit_slot + 16 * limits::refresh_spacing);
    longest = std::max(longest, wait);
  }
  CHECK(longest > 8 * limits::refresh_spacing);
  unlucky.refreshed(now);
  CHECK(unlucky.due(10, now) >= now + limits::refresh_period);
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
