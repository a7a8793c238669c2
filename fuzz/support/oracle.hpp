// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What fuzzers share: how an oracle objects, and inputs that are scripts.
#pragma once

#include <conclave/bytes.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace conclave_fuzz {

/// require(good, what): ends the program where the library has broken a promise.
inline void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// script: an input read as instructions; zeros where it has ended.
class script {
 public:
  explicit script(conclave::byte_view rest) noexcept : rest_{rest} {}
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t b = rest_[0];
    rest_ = rest_.subspan(1);
    return b;
  }
  /// number(): up to eight bytes, the first of the script says how many.
  [[nodiscard]] std::uint64_t number() noexcept {
    std::uint64_t value = 0;
    for (unsigned n = byte() % 9U; n > 0; --n) value = value << 8U | byte();
    return value;
  }
  [[nodiscard]] conclave::byte_view take(std::size_t n) noexcept {
    const conclave::byte_view taken = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  conclave::byte_view rest_;
};

/// edit(content, in): some bytes changed, put in or taken out.
inline void edit(conclave::bytes& content, script& in) {
  for (unsigned edits = in.byte() % 4U; edits > 0; --edits) {
    const std::size_t high = in.byte(), low = in.byte();
    const std::size_t at = content.empty() ? 0 : (high << 8U | low) % content.size();
    const auto from = content.begin() + static_cast<std::ptrdiff_t>(at);
    switch (in.byte() % 4) {
      case 0: content.insert(from, in.byte()); break;
      case 1: content.erase(from, content.end()); break;
      case 2:
        content.erase(from,
                      from + static_cast<std::ptrdiff_t>(std::min<std::size_t>(in.byte() % 8U, content.size() - at)));
        break;
      default:
        if (!content.empty()) content[at] ^= in.byte();
        break;
    }
  }
}

}  // namespace conclave_fuzz
