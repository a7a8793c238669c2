// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/support.hpp>

#include <set>

using namespace sframe_test;
using sframe::replay_window;

namespace {

/// The same window as a set of everything ever seen.
template <std::size_t Window>
struct slow_window {
  std::set<std::uint64_t> seen;
  [[nodiscard]] bool fresh(std::uint64_t ctr) const {
    const std::uint64_t newest = seen.empty() ? 0 : *seen.rbegin();
    return !seen.contains(ctr) && (ctr > newest || newest - ctr < Window);
  }
};

template <std::size_t Window>
void compare(std::uint64_t start, std::uint64_t spread) {
  replay_window<Window> window;
  slow_window<Window> slow;
  std::uint64_t newest = start;
  for (std::size_t round = 0; round < 5000; ++round) {
    const std::uint64_t r = load_be<std::uint64_t>(noise(8, round * 31 + spread));
    const std::uint64_t ctr = newest - std::min(newest, r % spread) + (r >> 32U) % (spread / 4 + 2);
    REQUIRE(window.check(ctr).has_value() == slow.fresh(ctr));
    if (!slow.fresh(ctr)) continue;
    window.commit(ctr);
    slow.seen.insert(ctr);
    newest = *slow.seen.rbegin();
    REQUIRE(window.newest() == newest);
  }
}

}  // namespace

TEST_CASE("a window agrees with a set of all counters seen") {
  for (const std::uint64_t spread : {3U, 64U, 65U, 200U, 1100U, 5000U}) {
    compare<64>(0, spread);
    compare<128>(100, spread);
    compare<1024>(0, spread);
    compare<1024>(std::uint64_t{1} << 60U, spread);
  }
}

TEST_CASE("a counter passes once, and down to the edge of the window") {
  replay_window<1024> window;
  CHECK(window.check(0));
  window.commit(0);
  CHECK(outcome(window.check(0)) == errc::replayed);
  window.commit(5000);
  CHECK(window.check(5000 - 1023));
  CHECK(outcome(window.check(5000 - 1024)) == errc::replayed);
  CHECK(window.check(5000 - 1024).error().broken_rule() == &sframe::rules::recent_counter);
  window.commit(5000 - 1023);
  CHECK(window.check(5000 - 1023).error().broken_rule() == &sframe::rules::fresh_counter);
}

TEST_CASE("checking a counter does not move the window") {
  replay_window<64> window;
  window.commit(10);
  CHECK(window.check(~std::uint64_t{0}));
  CHECK(window.check(11));
  CHECK(window.check(9));
  CHECK(window.newest() == 10);
}

TEST_CASE("the last counter of all is a counter like any other") {
  constexpr std::uint64_t last = ~std::uint64_t{0};
  replay_window<1024> window;
  window.commit(3);
  window.commit(last);
  CHECK(outcome(window.check(last)) == errc::replayed);
  CHECK(outcome(window.check(3)) == errc::replayed);
  CHECK(outcome(window.check(0)) == errc::replayed);
  CHECK(window.check(last - 1));
  CHECK(window.check(last - 1023));
  CHECK(outcome(window.check(last - 1024)) == errc::replayed);
}

TEST_CASE("a window that starts closed lets only later counters pass") {
  for (const std::uint64_t floor : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{63}, std::uint64_t{64},
                                    std::uint64_t{1023}, std::uint64_t{70000}, ~std::uint64_t{0} - 2}) {
    auto window = replay_window<1024>::closed_up_to(floor);
    for (std::uint64_t back = 0; back <= std::min<std::uint64_t>(floor, 1100); ++back)
      REQUIRE_FALSE(window.check(floor - back));
    REQUIRE(window.check(floor + 1));
    REQUIRE(window.check(floor + 2));
    window.commit(floor + 2);
    REQUIRE(window.check(floor + 1));
    REQUIRE_FALSE(window.check(floor));
    REQUIRE_FALSE(window.check(floor + 2));
  }
}
