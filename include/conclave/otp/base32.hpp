// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Base32 (RFC 4648, section 6) without padding, as secrets travel in URIs: one form only, and no table that a secret
/// would index.
#pragma once

#include <conclave/detail/ct.hpp>

namespace conclave::inline CONCLAVE_ABI::otp {

namespace rules {
inline constexpr rule base32_form{
    "this is not Base32, or not in its one form: capitals, no padding, zero bits at the end", "RFC 4648 3.5, 6"};
}  // namespace rules

/// base32_size(n): characters for n bytes. base32_bytes(n): whole bytes in n characters.
[[nodiscard]] constexpr std::size_t base32_size(std::size_t n) noexcept { return (8 * n + 4) / 5; }
[[nodiscard]] constexpr std::size_t base32_bytes(std::size_t n) noexcept { return 5 * n / 8; }

namespace detail {

/// below(a, b): all ones where a < b, else zero; both less than 2^31.
[[nodiscard]] constexpr std::uint32_t below(std::uint32_t a, std::uint32_t b) noexcept { return 0 - ((a - b) >> 31U); }

}  // namespace detail

/// base32_encode(in, out): `out` has base32_size(in.size()) bytes, and does not overlap `in`. misuse otherwise.
[[nodiscard]] inline status base32_encode(byte_view in, byte_span out) noexcept {
  if (out.size() != base32_size(in.size())) return errc::misuse;
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  auto to = out.begin();
  const auto put = [&](std::uint32_t v) {  // A to Z, 2 to 7
    *to++ = static_cast<std::uint8_t>((('A' + v) & detail::below(v, 26)) | (('2' + v - 26) & ~detail::below(v, 26)));
  };
  for (const std::uint8_t b : in) {
    buffer = (buffer << 8U | b) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) put(buffer >> (bits - 5) & 31U);
  }
  if (bits > 0) put(buffer << (5 - bits) & 31U);
  return {};
}

/// base32_decode(in, out): `out` has base32_bytes(in.size()) bytes, and does not overlap `in`; on failure it is zeroed.
/// Errors: malformed, misuse (size).
[[nodiscard]] inline status base32_decode(byte_view in, byte_span out) noexcept {
  if (out.size() != base32_bytes(in.size())) return errc::misuse;
  std::uint32_t buffer = 0, bad = 0;
  unsigned bits = 0;
  auto to = out.begin();
  for (const std::uint8_t c : in) {
    const std::uint32_t letter = detail::below('A' - 1, c) & detail::below(c, 'Z' + 1);
    const std::uint32_t digit = detail::below('2' - 1, c) & detail::below(c, '7' + 1);
    bad |= ~(letter | digit);
    buffer = (buffer << 5U | ((letter & (std::uint32_t{c} - 'A')) | (digit & (std::uint32_t{c} - '2' + 26)))) & 0xfff;
    if ((bits += 5) >= 8) *to++ = static_cast<std::uint8_t>(buffer >> (bits -= 8));
  }
  // what is left is less than a character, and zero
  bad |= buffer & ((1U << bits) - 1);
  conclave::detail::unpoison(&bad, sizeof bad);
  if (bad == 0 && bits < 5) return {};
  std::ranges::fill(out, std::uint8_t{0});
  return failure{errc::malformed, rules::base32_form};
}

}  // namespace conclave::otp
