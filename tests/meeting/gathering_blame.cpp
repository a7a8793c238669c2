// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A gathering that the group refuses: who is to blame, and who is not.
#include "gathering.hpp"

#include <catch2/catch.hpp>

namespace gathering_test {

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
    CHECK(wishes.join(tampered(good), steady_time{0}).error() == errc::unauthentic);
    REQUIRE(wishes.join(ada.knocks(), steady_time{0}));
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
    CHECK(wishes.waiting() == 0);  // the newer one went with it
    CHECK(wishes.due() == steady_time::max());
  }
  SECTION("two came before") {
    REQUIRE(wishes.join(tampered(good), steady_time{0}));
    CHECK(wishes.join(tampered(good, 2), steady_time{0}).error() == errc::unauthentic);
    CHECK(wishes.waiting() == 1);
    bytes of_no_suite = good;
    // wire format and version stand before it (RFC 9420 6, 10)
    store_be(std::uint16_t{0xf00d}, byte_span{of_no_suite}.subspan(6, 2));
    CHECK(wishes.join(of_no_suite, steady_time{0}).error() == errc::unsupported);
    REQUIRE(wishes.join(good, steady_time{0}));
    REQUIRE(wishes.take(steady_time{0}, in));
    wishes.refused(steady_time{0});
    const auto todo = wishes.take(steady_time{0}, in);
    REQUIRE(todo);
    REQUIRE(todo->joins.size() == 1);
    CHECK(equal(todo->joins[0], good));
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
  CHECK(wishes.join(forged_first ? good : tampered(good), steady_time{0}).has_value() == forged_first);
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
  system_environment env;
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto ada = client_of(*identity::generate(env, "ada"));
  ada.credential.resize(limits::credential_bytes - 64, 'x');  // few knocks would fill the room
  const auto knocks = [&] {
    return (*mls::make_key_package(env, suite, ada, {std::chrono::hours{24}, false})).message;
  };
  const bytes good = knocks(), newer = knocks();
  for (std::size_t round = 0; round * good.size() <= limits::waiting_join_bytes; ++round) {
    const steady_time now = static_cast<steady_time::rep>(round) * slot;
    for (int way = 0; way < 3; ++way) {
      REQUIRE(wishes.join(good, now));
      REQUIRE(wishes.join(newer, now));
      if (way == 0) {
        wishes.withdraw(ada.signer.public_view());
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

}  // namespace gathering_test
