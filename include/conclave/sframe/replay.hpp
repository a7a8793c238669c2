// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which counters of one key have been seen (RFC 9605 9.3).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/result.hpp>

#include <algorithm>
#include <array>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule fresh_counter{"the counter of a frame was accepted before", "RFC 9605 9.3"};
inline constexpr rule recent_counter{"the counter of a frame is older than the replay window", "RFC 9605 9.3"};
}  // namespace rules

/// replay_window<Window>: a sliding window over the last `Window` counters up to the newest accepted one. check()
/// before a frame is authenticated, commit() after: a forged frame moves nothing.
/// The bits stand in a ring of words with one word to spare, so that the window moves by clearing whole words and
/// nothing is ever shifted. Source: RFC 6479.
template <std::size_t Window = limits::replay_window>
class replay_window {
 public:
  static_assert(Window >= 64 && Window % 64 == 0, "whole words");

  constexpr replay_window() noexcept = default;

  /// closed_up_to(ctr): a window in which `ctr` and everything before it counts as seen.
  [[nodiscard]] static constexpr replay_window closed_up_to(std::uint64_t ctr) noexcept {
    replay_window out;
    out.newest_ = ctr;
    out.seen_.fill(~std::uint64_t{0});
    out.word(ctr) >>= 63 - ctr % 64;  // the counters behind it in the same word are still to come
    return out;
  }

  /// check(ctr): replayed where `ctr` was committed before, or is `Window` or more behind the newest.
  [[nodiscard]] constexpr status check(std::uint64_t ctr) const noexcept {
    if (ctr > newest_) return {};
    if (newest_ - ctr >= Window) return failure{errc::replayed, rules::recent_counter};
    if ((seen_[ctr / 64 % words] & bit_of(ctr)) != 0) return failure{errc::replayed, rules::fresh_counter};
    return {};
  }

  /// commit(ctr): marks a counter that check() has let pass, and moves the window up to it.
  constexpr void commit(std::uint64_t ctr) noexcept {
    if (ctr > newest_) {
      const std::uint64_t ahead = ctr / 64 - newest_ / 64;
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(ahead, words); ++i) seen_[(ctr / 64 - i) % words] = 0;
      newest_ = ctr;
    }
    word(ctr) |= bit_of(ctr);
  }

  /// newest(): the highest counter committed; 0 before the first.
  [[nodiscard]] constexpr std::uint64_t newest() const noexcept { return newest_; }

 private:
  static constexpr std::size_t words = Window / 64 + 1;

  [[nodiscard]] static constexpr std::uint64_t bit_of(std::uint64_t ctr) noexcept {
    return std::uint64_t{1} << ctr % 64;
  }
  [[nodiscard]] constexpr std::uint64_t& word(std::uint64_t ctr) noexcept { return seen_[ctr / 64 % words]; }

  std::uint64_t newest_ = 0;
  std::array<std::uint64_t, words> seen_{};
};

}  // namespace conclave::sframe
