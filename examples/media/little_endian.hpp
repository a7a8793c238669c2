// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Little-endian numbers, as media files have them.
#pragma once

#include <conclave/bytes.hpp>

namespace demo {

/// load_le<T>(from): the first sizeof(T) bytes as a little-endian number; `from` holds at least that many.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(conclave::byte_view from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) value = value << 8U | from[i];
  return static_cast<T>(value);
}

/// append_le(out, value): adds the sizeof(T) bytes of `value` at the end.
template <std::unsigned_integral T>
void append_le(conclave::bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::uint8_t>(std::uint64_t{value} >> 8U * i));
}

}  // namespace demo
