// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A key that opens frames, and what has to be remembered of the frames it has seen.
#pragma once

#include <conclave/sframe/frame_key.hpp>
#include <conclave/sframe/replay.hpp>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule few_forgeries{"too many wrong tags came under this key id for the length of its tags",
                                    "RFC 9605 7.5"};
}  // namespace rules

/// few_forgeries(failures, Nt): over_limit after limits::forgeries_per_key(Nt) wrong tags.
[[nodiscard]] constexpr status few_forgeries(std::uint64_t failures, std::size_t tag_size) noexcept {
  if (failures < limits::forgeries_per_key(tag_size)) return {};
  return failure{errc::over_limit, rules::few_forgeries};
}

/// frame_history: which counters of a key have opened, and how many wrong tags came. Both outlive the key itself.
struct frame_history {
  replay_window<> replay{};
  std::uint64_t failures = 0;

  /// admits(ctr, Nt): whether a frame may be tried. over_limit after too many wrong tags, for good; replayed.
  [[nodiscard]] status admits(std::uint64_t ctr, std::size_t tag_size) const noexcept {
    CONCLAVE_CHECK(few_forgeries(failures, tag_size));
    return replay.check(ctr);
  }
  /// settle(ctr, done): a frame that was admitted has been tried.
  void settle(std::uint64_t ctr, const status& done) noexcept {
    if (done)
      replay.commit(ctr);
    else
      ++failures;
  }
};

/// receiving_key<P>: one key and its history. Threads: one at a time.
template <crypto_provider P>
struct receiving_key {
  std::uint64_t epoch;
  frame_key<P> key;
  frame_history history{};
};

}  // namespace conclave::sframe
