// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What operator new gives out in this program, and when it stops doing so (memory.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace faults {

/// usage: of a stretch of the program. `peak` is what was held at most beyond what was held before, `hashed` how many
/// blocks of SHA-256 were computed meanwhile.
struct usage {
  std::uint64_t allocations = 0, allocated = 0, peak = 0, hashed = 0;
};

/// measure(work): what work() uses. Not nested.
void begin_measuring() noexcept;
[[nodiscard]] usage end_measuring() noexcept;
template <class F>
[[nodiscard]] usage measure(F&& work) {
  begin_measuring();
  work();
  return end_measuring();
}

/// after_allocations: while it lives, the n-th call of operator new fails, or ends the program at once, as a crash would;
/// those of library code that can do without their memory are not counted.
class after_allocations {
 public:
  enum class then { bad_alloc, crash };
  after_allocations(std::uint64_t n, then what) noexcept;
  after_allocations(const after_allocations&) = delete;
  after_allocations& operator=(const after_allocations&) = delete;
  ~after_allocations();
};
/// struck(): the last one of them has come to its n-th call.
[[nodiscard]] bool struck() noexcept;

/// crash_code: how a program ends that after_allocations or a test has crashed.
inline constexpr int crash_code = 99;

}  // namespace faults
