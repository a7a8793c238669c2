// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// churn_figures: what a simulated meeting of people who come and go is made of, and what came of it.
#pragma once

#include <conclave/environment.hpp>

#include <cstdio>

namespace demo {

using conclave::steady_time;

/// churn_options: who comes and goes, and how slow the network is.
struct churn_options {
  steady_time duration{20'000};
  std::size_t changes_per_second = 20;  ///< half of them joins, half of them leaves
  std::size_t stay = 12;                ///< people who stay; the first two are hosts
  std::size_t visitors = 20;            ///< people who are in at the beginning, and will leave
  std::size_t speakers = 4;             ///< of those who stay
  bool leaves = true;                   ///< false: people only come
  steady_time frame_every{20};          ///< of each speaker
  steady_time refresh_every{1000};      ///< somebody who stays renews its keys
  std::uint64_t seed = 1;

  // one way; frames go twice, to the relay and on
  steady_time distance{60};       ///< each participant's own share, at most
  steady_time frame_jitter{100};  ///< each frame's, at most: they overtake each other
  steady_time commit_jitter{80};  ///< each commit's, at most; commits stay in order
  steady_time commit_stall{100};  ///< one commit in 20 takes this much longer to get somewhere
};

/// churn_figures: what came of it.
struct churn_figures {
  std::size_t joins = 0, leaves = 0, commits = 0, refreshes = 0, races_lost = 0, largest = 0;
  std::size_t commit_bytes = 0, largest_commit = 0;
  std::size_t frames = 0, opened = 0, late = 0, waited = 0;  ///< waited: they overtook their commit
  std::size_t lost = 0;                                      ///< frames that had to open and did not
  std::size_t missed = 0;  ///< frames that came after their epoch had closed, as they may not open any more
  std::size_t refused_to_leavers = 0;
  steady_time longest_wait{0};  ///< from the wish that somebody goes to the commit at the delivery service
  std::size_t ghost_frames = 0, ghost_opened = 0;  ///< of removed people who go on talking
  steady_time ghost_longest{0};  ///< how long after a listener knew of the removal such a frame still opened there
};

/// print_churn(options, figures): on standard output.
inline void print_churn(const churn_options& options, const churn_figures& f) {
  const auto ms = [](steady_time t) { return static_cast<long long>(t.count()); };
  std::printf("  came, went      %zu, %zu; at most %zu at once\n", f.joins, f.leaves, f.largest);
  std::printf("  commits         %zu (%.1f a second), %zu to refresh keys; %zu came second and were made again\n",
              f.commits, 1000.0 * static_cast<double>(f.commits) / static_cast<double>(ms(options.duration)),
              f.refreshes, f.races_lost);
  std::printf("                  %zu bytes on average, %zu at most\n", f.commits ? f.commit_bytes / f.commits : 0,
              f.largest_commit);
  std::printf("  who goes        is out after %lld ms at most, from the wish to the accepted commit\n",
              ms(f.longest_wait));
  std::printf("  frames          %zu sealed, opened %zu times, each as it was sent\n", f.frames, f.opened);
  std::printf("  overlap         %zu opened after their epoch was over; %zu had overtaken their commit, and waited\n",
              f.late, f.waited);
  std::printf("  lost            %zu\n", f.lost);
  std::printf("  too late        %zu came when a removal had closed their epoch (%.2f %%)\n", f.missed,
              100.0 * static_cast<double>(f.missed) / static_cast<double>(f.missed + f.opened));
  std::printf("  after leaving   %zu frames offered to people who had left, none could be opened\n",
              f.refused_to_leavers);
  std::printf("  removed people  who go on: %zu of their %zu frames heard, the last one %lld ms after the removal\n\n",
              f.ghost_opened, f.ghost_frames, ms(f.ghost_longest));
}

}  // namespace demo
