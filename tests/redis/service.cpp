// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The delivery service on a real Redis server: the order of commits, what is not lost, what waits for one person.
#include "redis/server.hpp"

#include <set>

namespace redis_test {

TEST_CASE("eight who commit at once: each epoch has exactly one commit, and who was told so made it") {
  const server real;
  constexpr std::uint64_t epochs = 40;
  constexpr std::size_t people = 8;
  std::array<std::vector<bytes>, people> won;
  std::array<int, people> failed{}, lost{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < people; ++i)
    threads.emplace_back([&, i] {
      system_environment env;
      redis own = at(env, real.options());
      for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
        const bytes commit = a_commit(epoch, std::to_string(i));
        const auto outcome = own.offer(commit);
        // whoever is first or not, the next epoch has begun now
        if (!outcome || outcome->at != redis::place{epoch + 1, 0})
          ++failed[i];
        else if (outcome->accepted)
          won[i].push_back(commit);
        else
          ++lost[i];
      }
    });
  for (std::thread& each : threads) each.join();
  CHECK(failed == std::array<int, people>{});

  system_environment env;
  redis reader = at(env, real.options());
  const auto log = whole_log(reader);
  REQUIRE(log.size() == epochs);
  std::set<bytes> winners;
  std::size_t told = 0;
  int losers = 0;
  for (std::size_t i = 0; i < people; ++i) {
    winners.insert(won[i].begin(), won[i].end());
    told += won[i].size();
    losers += lost[i];
  }
  CHECK(told == epochs);
  CHECK(losers == static_cast<int>(epochs * (people - 1)));
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    CHECK(log[epoch].at == redis::place{epoch + 1, 0});
    CHECK(winners.contains(log[epoch].message));
  }
}

TEST_CASE("nobody skips ahead: a commit for an epoch that has not begun is refused, and the next one is taken") {
  const server real;
  system_environment env;
  redis own = at(env, real.options());
  const std::uint64_t ahead = GENERATE(std::uint64_t{1}, std::uint64_t{5}, (std::uint64_t{1} << 53U) - 1,
                                       std::uint64_t{1} << 53U, std::numeric_limits<std::uint64_t>::max());
  for (const auto& message : {a_commit(ahead, "x"), a_proposal(ahead, "x"), some_words(ahead, "x")}) {
    const auto outcome = own.offer(message);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().broken_rule() == &delivery::rules::redis_in_order);
  }
  CHECK(*own.position() == redis::place{0, 0});
  CHECK(*own.send(a_commit(0, "first")) == redis::place{1, 0});
}

TEST_CASE("what is sent in an epoch lies behind its commit without a gap, and nothing of an old epoch comes after it") {
  const server real;
  system_environment env;
  delivery::redis_keeping keeping;
  keeping.late_epochs = 2;
  redis own = at(env, real.options(), keeping);
  CHECK(*own.send(some_words(0, "one")) == redis::place{0, 1});
  CHECK(*own.send(a_proposal(0, "two")) == redis::place{0, 2});
  CHECK(*own.send(a_commit(0, "three")) == redis::place{1, 0});
  CHECK(own.send(a_proposal(0, "too late")).error() == errc::stale_epoch);
  CHECK(own.offer(a_commit(0, "too late"))->at == redis::place{1, 0});
  CHECK(own.send(a_commit(0, "too late")).error() == errc::stale_epoch);
  CHECK(*own.send(some_words(0, "late")) == redis::place{1, 1});
  CHECK(*own.send(a_commit(1, "five")) == redis::place{2, 0});
  CHECK(*own.send(some_words(0, "very late")) == redis::place{2, 1});
  CHECK(*own.send(a_commit(2, "six")) == redis::place{3, 0});
  CHECK(own.send(some_words(0, "too late")).error() == errc::stale_epoch);

  const auto log = whole_log(own);
  REQUIRE(log.size() == 7);
  CHECK(log[1].message == a_proposal(0, "two"));
  CHECK(log[6].at == redis::place{3, 0});
  CHECK((*own.read({1, 1}, {}, 1)).front().at == redis::place{2, 0});
  CHECK((*own.read({3, 0})).empty());
  CHECK((*own.read({3, 0}, steady_time{20})).empty());
  CHECK(*own.position() == redis::place{3, 0});
}

TEST_CASE("only messages for the whole of this group are sent to everybody") {
  const server real;
  system_environment env;
  redis own = at(env, real.options());
  CHECK(own.send(an_entrance(0, "tag")).error() == errc::misuse);
  auto others = *redis::open(env, bytes{1, 2, 3}, real.options());
  CHECK(others.send(a_commit(0, "x")).error() == errc::misuse);
  CHECK(own.send(as_bytes("no message")).error() == errc::unsupported);
  CHECK(redis::open(env, {}, real.options()).error() == errc::misuse);
  CHECK(redis::open(env, bytes(256, 1), real.options()).error() == errc::over_limit);
  CHECK(*own.position() == redis::place{});
}

TEST_CASE("the same bytes are taken once, however often they are sent") {
  const server real;
  system_environment env;
  delivery::redis_keeping forgets;
  forgets.sent = steady_time{1};
  redis own = at(env, real.options()), forgetful = at(env, real.options(), forgets);
  CHECK(*own.send(some_words(0, "a")) == redis::place{0, 1});
  CHECK(*own.send(some_words(0, "a")) == redis::place{0, 1});
  CHECK(*forgetful.send(a_commit(0, "b")) == redis::place{1, 0});
  CHECK(*own.send(some_words(1, "c")) == redis::place{1, 1});
  std::this_thread::sleep_for(steady_time{5});
  CHECK(*own.send(a_commit(0, "b")) == redis::place{1, 0});  // it stands where it was
  CHECK(own.send(a_commit(0, "B")).error() == errc::stale_epoch);
  CHECK(whole_log(own).size() == 3);
}

TEST_CASE("an answer that was lost is resolved: what was sent counts once, and what was taken is not gone") {
  const server real;
  system_environment env;
  redis direct = at(env, real.options());
  REQUIRE(direct.publish_key_package("bob", as_bytes("a package")));
  // the server knows all scripts from here on: what is lost below is what they return
  REQUIRE(direct.fetch_key_package("nobody").error() == errc::unknown_key);
  REQUIRE(*direct.send(some_words(0, "hello")) == redis::place{0, 1});
  {
    const lossy relay(real, 1);
    redis own = at(env, relay.options());
    const auto commit = a_commit(0, "mine");
    CHECK(*own.send(commit) == redis::place{1, 0});
    CHECK(relay.served() == 2);
  }
  CHECK(direct.send(a_commit(0, "another's")).error() == errc::stale_epoch);
  {
    const lossy relay(real, 2);
    redis own = at(env, relay.options());
    CHECK(*own.send(some_words(1, "mine")) == redis::place{1, 1});
  }
  CHECK(whole_log(direct).size() == 3);
  {
    const lossy relay(real, 1);
    redis own = at(env, relay.options());
    CHECK(as_text(*own.fetch_key_package("bob")) == "a package");
    CHECK(own.fetch_key_package("bob").error() == errc::unknown_key);
  }
  {
    const lossy relay(real, 1);
    redis own = at(env, relay.options());
    REQUIRE(own.send_welcome("bob", as_bytes("come in")));
    CHECK(as_text(*own.fetch_welcome("bob")) == "come in");
    CHECK(own.fetch_welcome("bob").error() == errc::unknown_key);
  }
}

TEST_CASE("a server that is killed and comes back has all that it acknowledged; who reads and who sends goes on") {
  server real;
  system_environment env;
  redis own = at(env, real.options());
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) REQUIRE(own.send(a_commit(epoch, "before")));
  REQUIRE(own.publish_key_package("bob", as_bytes("a package")));

  std::vector<redis::entry> heard;
  std::thread waits([&] {
    redis reader = at(env, real.options());
    for (redis::place after{20, 0}; heard.size() < 2;) {
      const auto some = reader.read(after, steady_time{2000});
      if (!some || some->empty()) return;
      heard.insert(heard.end(), some->begin(), some->end());
      after = heard.back().at;
    }
  });
  std::this_thread::sleep_for(steady_time{20});
  real.kill();
  std::optional<redis::place> sent;
  std::thread sends([&] {
    if (const auto at_once = own.send(a_commit(20, "while it is away"))) sent = *at_once;
  });
  std::this_thread::sleep_for(steady_time{50});
  real.start_again();
  sends.join();
  CHECK(sent == redis::place{21, 0});
  CHECK(*own.send(some_words(21, "after")) == redis::place{21, 1});
  waits.join();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].message == a_commit(20, "while it is away"));
  CHECK(heard[1].message == some_words(21, "after"));
  const auto log = whole_log(own);
  REQUIRE(log.size() == 22);
  CHECK(log[19].message == a_commit(19, "before"));
  CHECK(as_text(*own.fetch_key_package("bob")) == "a package");
}

TEST_CASE("a server that is not there is an error in bounded time, and nothing is lost by it") {
  server real;
  system_environment env;
  auto options = real.options();
  options.patience = steady_time{50};
  redis own = at(env, options);
  real.kill();
  const auto outcome = own.send(a_commit(0, "x"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error() == errc::storage);
  CHECK(own.read({}).error() == errc::storage);
  options.nodes = {};
  CHECK(at(env, options).position().error() == errc::misuse);
  real.start_again();
  options.patience = steady_time{10'000};
  options.nodes = {{"127.0.0.1", 1}, {real.socket(), 0}};  // the first of them is nobody
  redis again = at(env, options);
  CHECK(*again.send(a_commit(0, "x")) == redis::place{1, 0});
}

TEST_CASE("a user who may do what docs/delivery-redis.md names, and nothing else, can do all of it") {
  const server real;
  system_environment env;
  delivery::redis_link link(env, real.options());
  const std::array rights{as_bytes("ACL"),     as_bytes("SETUSER"),     as_bytes("meetings"), as_bytes("on"),
                          as_bytes(">secret"), as_bytes("~conclave:*"), as_bytes("+eval"),    as_bytes("+evalsha"),
                          as_bytes("+xadd"),   as_bytes("+xread"),      as_bytes("+xrange"),  as_bytes("+xrevrange"),
                          as_bytes("+get"),    as_bytes("+set"),        as_bytes("+exists"),  as_bytes("+rpush"),
                          as_bytes("+lpop"),   as_bytes("+llen"),       as_bytes("+pexpire"), as_bytes("+asking")};
  REQUIRE(link.call(rights));
  auto options = real.options();
  options.user = "meetings";
  options.password = "secret";
  redis own = at(env, options);
  CHECK(*own.send(some_words(0, "x")) == redis::place{0, 1});
  CHECK(*own.send(a_commit(0, "x")) == redis::place{1, 0});
  CHECK(*own.position() == redis::place{1, 0});
  CHECK(own.send(a_commit(0, "y")).error() == errc::stale_epoch);
  CHECK((*own.read({}, steady_time{10})).size() == 2);
  CHECK(own.publish_entrance(an_entrance(1, "x")));
  CHECK(own.fetch_entrance());
  CHECK(own.send_welcome("bob", as_bytes("x")));
  CHECK(own.fetch_welcome("bob"));
  const std::array others{as_bytes("CONFIG"), as_bytes("GET"), as_bytes("dir")};
  delivery::redis_link limited(env, options);
  CHECK(limited.call(others).error() == errc::refused);
  options.password = "guess";
  redis guesses = at(env, options);
  CHECK(guesses.read({}).error() == errc::refused);
}

TEST_CASE("key packages and Welcomes wait for one person each, in order, and are handed out once") {
  const server real;
  system_environment env;
  redis own = at(env, real.options()), other = at(env, real.options());
  const std::string strange = std::string{"b\0b} {", 6};
  for (const std::string& owner : {std::string{"bob"}, strange}) {
    REQUIRE(own.publish_key_package(owner, as_bytes("first")));
    REQUIRE(own.publish_key_package(owner, as_bytes(std::string_view{"sec\0nd\r\n", 8})));
    REQUIRE(own.publish_key_package(owner, as_bytes("first")));  // it has been published already
    CHECK(as_text(*other.fetch_key_package(owner)) == "first");
    CHECK(as_text(*own.fetch_key_package(owner)) == std::string_view{"sec\0nd\r\n", 8});
    CHECK(own.fetch_key_package(owner).error() == errc::unknown_key);
    CHECK(own.fetch_welcome(owner).error() == errc::unknown_key);
  }
  for (std::size_t i = 0; i < limits::redis_welcomes; ++i)
    REQUIRE(own.send_welcome("bob", as_bytes(std::to_string(i))));
  const auto full = own.send_welcome("bob", as_bytes("one more"));
  REQUIRE_FALSE(full);
  CHECK(full.error().broken_rule() == &delivery::rules::redis_box_has_room);
  CHECK(as_text(*own.fetch_welcome("bob")) == "0");
  CHECK(own.publish_key_package("bob", bytes(limits::redis_key_package_bytes + 1)).error() == errc::over_limit);
  CHECK(own.publish_key_package(std::string(limits::name_bytes + 1, 'b'), as_bytes("x")).error() == errc::over_limit);
}

TEST_CASE("what waits for one person is not taken for what waits for another, whatever the bytes") {
  const server real;
  system_environment env;
  redis own = at(env, real.options());
  // "b" is 62 in the name of a key, and "bo" 626f
  REQUIRE(own.publish_key_package("b", as_bytes("6fpackage")));
  REQUIRE(own.publish_key_package("bo", as_bytes("package")));
  CHECK(as_text(*own.fetch_key_package("b")) == "6fpackage");
  const auto fetched = own.fetch_key_package("bo");
  REQUIRE(fetched);
  CHECK(as_text(*fetched) == "package");
}

TEST_CASE("the entrance is that of the present epoch") {
  const server real;
  system_environment env;
  redis own = at(env, real.options());
  CHECK(own.fetch_entrance().error() == errc::unknown_key);
  REQUIRE(own.publish_entrance(an_entrance(0, "zero")));
  REQUIRE(own.send(a_commit(0, "x")));
  CHECK(own.publish_entrance(an_entrance(0, "old")).error() == errc::stale_epoch);
  CHECK(own.publish_entrance(an_entrance(2, "ahead")).error() == errc::refused);
  CHECK(*own.fetch_entrance() == an_entrance(0, "zero"));
  REQUIRE(own.publish_entrance(an_entrance(1, "one")));
  CHECK(*own.fetch_entrance() == an_entrance(1, "one"));
  CHECK(own.publish_entrance(a_commit(1, "x")).error() == errc::misuse);
}

TEST_CASE("who waits for ever gets what comes next") {
  const server real;
  system_environment env;
  redis own = at(env, real.options());
  std::thread later([&] {
    system_environment its_own;
    redis other = at(its_own, real.options());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    (void)other.send(a_commit(0, "first"));
  });
  const auto got = own.read({}, steady_time::max());
  later.join();
  REQUIRE(got);
  REQUIRE(got->size() == 1);
  CHECK(got->front().at == redis::place{1, 0});
}

TEST_CASE("a log that was cut says so to who is behind, and long messages come one at a time") {
  const server real;
  system_environment env;
  delivery::redis_keeping keeping;
  keeping.log_entries = 1;
  redis own = at(env, real.options(), keeping);
  const std::string page(8192, 'x');
  for (int i = 0; i < 70; ++i) REQUIRE(own.send(some_words(0, page + std::to_string(i))));
  const auto behind = own.read({});
  REQUIRE_FALSE(behind);
  CHECK(behind.error().broken_rule() == &delivery::rules::redis_is_whole);
  CHECK((*own.read({0, 69})).front().at == redis::place{0, 70});

  redis keeps = at(env, real.options());
  REQUIRE(keeps.send(a_commit(0, "x")));
  const std::string large(std::size_t{1} << 24U, 'x');
  for (int i = 0; i < 4; ++i) REQUIRE(keeps.send(some_words(1, large + std::to_string(i))));
  const auto some = keeps.read({1, 0});  // more than fits into one answer
  REQUIRE(some);
  CHECK(some->size() == 1);
}

}  // namespace redis_test
