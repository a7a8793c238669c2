// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole meetings that people enter and leave all the time, over networks of all kinds.
#include <catch2/catch.hpp>
#include <demo/churn.hpp>
#include <support/deterministic_environment.hpp>

namespace churn_test {

using namespace conclave;

/// Frames of 100 to 1,000 bytes.
struct talk {
  talk() {
    for (std::size_t i = 0; i < 64; ++i) frames.emplace_back(100 + i * 14, static_cast<std::uint8_t>(i));
    views.assign(frames.begin(), frames.end());
  }
  std::vector<bytes> frames;
  std::vector<byte_view> views;
};

demo::churn_figures run(const demo::churn_options& options) {
  conclave_test::deterministic_environment chance(options.seed);
  const talk said;
  demo::churn meeting(chance, options);
  const std::string bad = meeting.run(said.views);
  INFO(bad);
  REQUIRE(bad.empty());
  return meeting.figures();
}

TEST_CASE("M23: with 20 joins and leaves a second no frame is lost, and whoever left opens nothing new") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    demo::churn_options options;
    options.duration = steady_time{6000};
    options.seed = seed;
    const auto f = run(options);
    CHECK(f.joins >= 45);
    CHECK(f.leaves >= 40);
    CHECK(f.largest < 50);
    CHECK(f.opened > 30'000);
    CHECK(f.late > 1000);
    CHECK(f.waited > 10);
    CHECK(f.races_lost > 0);
    CHECK(f.lost == 0);
    CHECK(f.missed == 0);
    CHECK(f.refused_to_leavers > 1000);
    // somebody who was removed and goes on talking is heard for the window, and not to its last millisecond by chance
    CHECK(f.ghost_opened > 100);
    CHECK(f.ghost_longest < limits::sframe_overlap_after_remove);
    CHECK(f.ghost_longest > steady_time{400});
    // gathered: the changes of a second in at most four commits of the hosts, and one of somebody who refreshes
    CHECK(f.commits <= 6 * 5 + 5);
    CHECK(f.longest_wait < steady_time{2000});
  }
}

TEST_CASE("M23: commits that come a second late cost the frames whose epoch a removal has closed, and no others") {
  demo::churn_options options;
  options.duration = steady_time{6000};
  options.commit_stall = steady_time{1200};
  const auto f = run(options);
  CHECK(f.lost == 0);
  CHECK(f.waited > 500);  // listeners who are behind
  CHECK(f.missed > 100);  // speakers who are behind
  CHECK(f.missed < f.opened / 5);
  CHECK(f.ghost_longest < limits::sframe_overlap_after_remove);
}

TEST_CASE("M23: joins alone leave speakers two seconds to follow") {
  demo::churn_options options;
  options.duration = steady_time{6000};
  options.commit_stall = steady_time{1200};
  options.visitors = 0;  // nobody there to leave
  options.leaves = false;
  const auto f = run(options);
  CHECK(f.joins >= 45);
  CHECK(f.leaves == 0);
  CHECK(f.lost == 0);
  CHECK(f.missed == 0);
  CHECK(f.waited > 500);
}

}  // namespace churn_test
