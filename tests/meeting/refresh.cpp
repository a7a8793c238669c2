// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cadence on which members renew their keys.
#include <conclave/conclave.hpp>

#include <catch2/catch.hpp>

namespace refresh_test {

using namespace conclave;
using std::chrono::milliseconds;

/// The members of a meeting that came in by one commit, each with its cadence. run() returns when commits were made.
struct refreshing_crowd {
  std::vector<refresh_cadence> cadences;
  std::vector<steady_time> last;

  explicit refreshing_crowd(std::uint32_t n) : last(n, steady_time{0}) {
    for (std::uint32_t i = 0; i < n; ++i)
      cadences.emplace_back(mls::leaf_index{i}, n, n, 0x9e3779b9U * (i + 1), steady_time{0});
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
    people.cadences[i] = {mls::leaf_index{i}, 1000, 1000, 77 + i, steady_time{2'100'000 + (i - 100) * 100}};
  const auto more = people.run(steady_time{2'100'000}, steady_time{3'200'000}, [](steady_time now) {
    return std::min<std::size_t>(1000, 100 + static_cast<std::size_t>(now.count() - 2'100'000) / 100);
  });
  CHECK(more.size() >= 1000);
  CHECK(more.size() <= 1250);
  CHECK(most_in_a_second(more) <= 5);
}

TEST_CASE("M25: whoever keeps losing waits longer, and then refreshes") {
  refresh_cadence unlucky(mls::leaf_index{0}, 10, 10, 12345, steady_time{0});
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

}  // namespace refresh_test
