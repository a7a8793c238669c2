// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Variable-size length headers (RFC 9420, section 2.1.2).
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// The largest length a header can hold: 30 bits.
inline constexpr std::uint32_t max_varint = (1U << 30U) - 1;

namespace rules {
inline constexpr rule minimal_length_header{"a vector length is encoded in more bytes than it needs", "RFC 9420 2.1.2"};
inline constexpr rule known_length_prefix{"a vector length has the prefix 11, which is not used", "RFC 9420 2.1.2"};
inline constexpr rule complete_field{"the input ends inside a field", "RFC 9420 2.1"};
}  // namespace rules

/// varint_size(value): bytes that `value`, at most max_varint, takes: 1, 2 or 4.
[[nodiscard]] constexpr std::size_t varint_size(std::size_t value) noexcept {
  return value < (1U << 6U) ? 1 : value < (1U << 14U) ? 2 : 4;
}

/// store_varint(value, to): writes varint_size(value) bytes at the front of `to` and returns how many.
constexpr std::size_t store_varint(std::uint32_t value, byte_span to) noexcept {
  switch (varint_size(value)) {
    case 1: to[0] = static_cast<std::uint8_t>(value); return 1;
    case 2: store_be(static_cast<std::uint16_t>(value | 0x4000U), to); return 2;
    default: store_be(value | 0x8000'0000U, to); return 4;
  }
}

struct decoded_varint {
  std::uint32_t value;
  std::size_t size;  ///< bytes it took
};

/// load_varint(from): the length header at the front of `from`.
/// Errors: malformed for a cut, a prefix of 11, or a value that would have fitted a shorter form.
[[nodiscard]] constexpr result<decoded_varint> load_varint(byte_view from) noexcept {
  if (from.empty()) return failure{errc::malformed, rules::complete_field};
  const unsigned prefix = from[0] >> 6U;
  if (prefix == 3) return failure{errc::malformed, rules::known_length_prefix};
  const std::size_t size = std::size_t{1} << prefix;
  if (from.size() < size) return failure{errc::malformed, rules::complete_field};
  std::uint32_t value = from[0] & 0x3fU;
  for (std::size_t i = 1; i < size; ++i) value = (value << 8U) | from[i];
  if (varint_size(value) != size) return failure{errc::malformed, rules::minimal_length_header};
  return decoded_varint{value, size};
}

}  // namespace conclave
