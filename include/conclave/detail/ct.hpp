// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Constant-time helpers: their running time and memory accesses depend on lengths only.
#pragma once

#include <conclave/bytes.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

/// value_barrier(x): x, but the optimiser no longer knows anything about it, so it cannot turn masks into branches.
template <std::unsigned_integral T>
[[nodiscard]] inline T value_barrier(T x) noexcept {
#if defined(__GNUC__)
  __asm__("" : "+r"(x));
  return x;
#else
  volatile T hidden = x;
  return hidden;
#endif
}

/// ct_equal(a, b): true where lengths and bytes agree. The lengths are public, the bytes are not.
[[nodiscard]] inline bool ct_equal(byte_view a, byte_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return value_barrier(difference) == 0;
}

/// ct_is_zero(a): true where every byte is zero.
[[nodiscard]] inline bool ct_is_zero(byte_view a) noexcept {
  unsigned any = 0;
  for (const std::uint8_t b : a) any |= b;
  return value_barrier(any) == 0;
}

}  // namespace conclave::detail
