// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The epochs whose frames still open (RFC 9605 5.2).
#pragma once

#include <conclave/environment.hpp>
#include <conclave/sframe/keys.hpp>

#include <vector>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule open_epoch{"the key id names an epoch that is over", "RFC 9605 5.2"};
inline constexpr rule coming_epoch{"the key id names an epoch that is still to come", "RFC 9605 5.2"};
inline constexpr rule known_epoch{"the key id names no epoch that was open here", "RFC 9605 5.2"};
}  // namespace rules

/// epoch_parameters: what a receiver has to know of an epoch besides its base key.
struct epoch_parameters {
  std::uint64_t epoch;
  cipher_suite suite;
  std::uint32_t leaves;     ///< leaves of the tree, blank ones included
  std::uint32_t own_index;  ///< the receiver's own leaf
};

/// live_epoch: one epoch that is open.
struct live_epoch {
  epoch_parameters known;
  kid_layout layout;
  std::uint8_t tag_size;
  sframe_secret secret;
  steady_time closes = steady_time::max();
  bool late = false;
  std::uint64_t failures = 0;  ///< wrong tags under key ids of which no frame has opened

  [[nodiscard]] std::uint64_t number() const noexcept { return known.epoch; }
};

/// epoch_window: the open epochs, at most limits::sframe_open_epochs and never two with equal low E bits.
class epoch_window {
 public:
  explicit epoch_window(unsigned epoch_bits) noexcept
      : epoch_bits_{epoch_bits}, mask_{(std::uint64_t{1} << epoch_bits) - 1} {}

  /// layout(leaves): of key ids in an epoch with that many leaves; errors as kid_layout::make.
  [[nodiscard]] result<kid_layout> layout(std::uint32_t leaves) const noexcept {
    return kid_layout::make(epoch_bits_, leaves);
  }

  /// add(epoch): opens an epoch newer than all before; misuse otherwise. Epochs that are 2^E or more behind it close,
  /// and the oldest where too many are open.
  [[nodiscard]] status add(live_epoch epoch) {
    if (began_ && epoch.number() <= newest_) return errc::misuse;
    epochs_.reserve(limits::sframe_open_epochs);
    const std::uint64_t number = epoch.number();
    std::erase_if(epochs_, [&](const live_epoch& old) { return number - old.number() > mask_; });
    if (epochs_.size() == limits::sframe_open_epochs) epochs_.erase(epochs_.begin());
    epochs_.push_back(std::move(epoch));
    if (!began_) first_ = number;
    began_ = true;
    newest_ = number;
    return {};
  }

  /// retire_before(epoch, deadline): frames of all older epochs are late from now on, and those epochs close at the
  /// deadline unless they close earlier already.
  void retire_before(std::uint64_t epoch, steady_time deadline) noexcept {
    for (live_epoch& old : epochs_) {
      if (old.number() >= epoch) return;
      retire(old, deadline);
    }
  }

  /// end(deadline): no epoch follows. All are retired, and frames of later ones are unknown_key from now on.
  void end(steady_time deadline) noexcept {
    ended_ = true;
    for (live_epoch& epoch : epochs_) retire(epoch, deadline);
  }

  /// purge(now): forgets the epochs that have closed, with their secrets. Returns when the next one closes;
  /// steady_time::max() where none will.
  steady_time purge(steady_time now) noexcept {
    std::erase_if(epochs_, [&](const live_epoch& epoch) { return epoch.closes <= now; });
    steady_time next = steady_time::max();
    for (const live_epoch& epoch : epochs_) next = std::min(next, epoch.closes);
    return next;
  }

  /// find(kid, now): the open epoch whose low E bits `kid` carries.
  /// Errors: early, where they name one of the limits::sframe_early_epochs after the newest; stale_epoch, where an
  /// epoch with these bits was open once; unknown_key.
  [[nodiscard]] result<live_epoch*> find(std::uint64_t kid, steady_time now) noexcept {
    for (std::size_t i = epochs_.size(); i > 0; --i) {
      live_epoch& epoch = epochs_[i - 1];
      if (((epoch.number() ^ kid) & mask_) != 0) continue;
      if (epoch.closes <= now) return failure{errc::stale_epoch, rules::open_epoch};
      return &epoch;
    }
    if (!began_) return failure{errc::unknown_key, rules::known_epoch};
    // with few epoch bits, half of the values look forward and half look back
    const std::uint64_t ahead = (kid - newest_) & mask_;
    const std::uint64_t half = mask_ / 2 + (mask_ & 1U);
    if (!ended_ && ahead != 0 && ahead <= std::min<std::uint64_t>(limits::sframe_early_epochs, half))
      return failure{errc::early, rules::coming_epoch};
    const std::uint64_t behind = (newest_ - kid) & mask_;
    if (behind <= newest_ - first_) return failure{errc::stale_epoch, rules::open_epoch};
    return failure{errc::unknown_key, rules::known_epoch};
  }

  /// holds(number): true where this very epoch is open.
  [[nodiscard]] bool holds(std::uint64_t number) const noexcept {
    return std::ranges::find(epochs_, number, &live_epoch::number) != epochs_.end();
  }

 private:
  static void retire(live_epoch& epoch, steady_time deadline) noexcept {
    epoch.late = true;
    epoch.closes = std::min(epoch.closes, deadline);
  }

  unsigned epoch_bits_;
  std::uint64_t mask_;
  std::vector<live_epoch> epochs_;  // oldest first
  std::uint64_t first_ = 0;
  std::uint64_t newest_ = 0;
  bool began_ = false;
  bool ended_ = false;
};

}  // namespace conclave::sframe
