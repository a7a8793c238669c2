// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// refresh: when a member renews its keys, so that a state that was stolen is useless afterwards (RFC 9420 16.6).
#pragma once

#include <conclave/environment.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/types.hpp>

#include <algorithm>

namespace conclave::inline CONCLAVE_ABI {

/// refresh_period(members): how often each member of a meeting of this size renews its keys: so that all of them
/// together make one commit per limits::refresh_spacing, and no oftener than every limits::refresh_period.
[[nodiscard]] constexpr steady_time refresh_period(std::size_t members) noexcept {
  return std::max(limits::refresh_period, static_cast<steady_time::rep>(members) * limits::refresh_spacing);
}

/// refresh_cadence: the clock of one member. When it is due, the member makes a commit of its own, meeting.refresh()
/// or gathering.refresh(), and not an Update for somebody else to commit: an Update blanks all nodes above its leaf
/// (RFC 9420 12.3), so that every later commit gets longer, up to one ciphertext for each member; and each one travels
/// to everybody besides the commit. A commit fills the same nodes (7.5), which makes later ones shorter, and what its
/// committer lost is healed at once.
///
/// The members of a crowd that came in by one commit take their turns in the order of their leaves, a spacing apart;
/// from then on each keeps its turn, give or take a spacing. A meeting that grows or shrinks stretches or shortens the
/// time that is left, so the turns stay as even as they were; where less than half remain, and perhaps neighbours,
/// they draw new ones. Threads: one at a time. It reads no clock.
class refresh_cadence {
 public:
  /// refresh_cadence(own_leaf, leaves, members, draw, now): from joining on. `leaves` is the size of the tree, `draw`
  /// any random number: it need not be secret.
  refresh_cadence(mls::leaf_index own_leaf, std::uint32_t leaves, std::size_t members, std::uint32_t draw,
                  steady_time now) noexcept
      : random_{draw | 1U}, period_{refresh_period(members)}, spread_over_{period_} {
    const auto turn = static_cast<steady_time::rep>(number(own_leaf));
    due_ = now + period_ * turn / std::max<steady_time::rep>(leaves, 1) + jitter(limits::refresh_spacing);
  }

  /// due(members, now): when to refresh next, in a meeting of this size.
  [[nodiscard]] steady_time due(std::size_t members, steady_time now) noexcept {
    const steady_time wanted = refresh_period(members);
    if (wanted == period_) return due_;
    if (due_ > now) {
      const bool bunched = wanted < spread_over_ / 2;
      due_ = now + (bunched ? jitter(wanted) : (due_ - now) * wanted.count() / period_.count());
      spread_over_ = bunched ? wanted : std::max(spread_over_, wanted);
    }
    period_ = wanted;
    return due_;
  }

  /// refreshed(now): a commit of this member with an UpdatePath was accepted, for whatever reason it was made.
  void refreshed(steady_time now) noexcept {
    overtaken_ = 0;
    spread_over_ = period_;
    due_ = now + period_ + jitter(limits::refresh_spacing);
  }

  /// overtaken(now): another commit was faster. Whoever loses often waits longer, so that not the same ones meet
  /// again.
  void overtaken(steady_time now) noexcept {
    overtaken_ = std::min(overtaken_ + 1, 4U);
    due_ = now + limits::commit_slot + jitter(limits::refresh_spacing * (1U << overtaken_));
  }

 private:
  /// Evenly in [0, below): xorshift, for spreading only.
  [[nodiscard]] steady_time jitter(steady_time below) noexcept {
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 17U;
    random_ ^= random_ << 5U;
    return below * static_cast<steady_time::rep>(random_ >> 8U) / (1 << 24);
  }

  std::uint32_t random_;
  unsigned overtaken_ = 0;
  steady_time period_;
  steady_time spread_over_;  // the longest period since the turns were drawn
  steady_time due_{};
};

/// draw_turn(env): the random number for it. Errors: no_entropy.
[[nodiscard]] inline result<std::uint32_t> draw_turn(environment& env) {
  std::array<std::uint8_t, 4> raw;
  CONCLAVE_CHECK(env.random(raw));
  return load_be<std::uint32_t>(raw);
}

}  // namespace conclave
