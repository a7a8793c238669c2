// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// digit_groups<N>: bytes as decimal digits that people compare.
#pragma once

#include <conclave/bytes.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::sas {

/// digit_groups<N>: 5 N digits: N groups, each made of five bytes, a big-endian number modulo 10^5. A value; not secret.
template <std::size_t Groups>
class digit_groups {
 public:
  static constexpr std::size_t group_digits = 5;
  static constexpr std::size_t source_bytes = 5 * Groups;

  /// collision_bits: the logarithm, rounded down, of the work to find two sources with the same digits: half the length
  /// of the digits, log2(10^5) / 2 = 8.3048 bits for a group.
  static constexpr unsigned collision_bits = static_cast<unsigned>(Groups * 83048 / 10000);

  digit_groups() noexcept = default;
  /// digit_groups(source): of the first source_bytes bytes; there are at least that many.
  explicit digit_groups(byte_view source) noexcept {
    for (std::size_t g = 0; g < Groups; ++g) {
      std::uint64_t value = 0;
      for (const std::uint8_t b : source.subspan(5 * g, 5)) value = value << 8U | b;
      values_[g] = static_cast<std::uint32_t>(value % 100'000);
    }
  }

  /// text(): "12345 67890 ...".
  [[nodiscard]] std::string text() const {
    std::string out(Groups * (group_digits + 1) - 1, ' ');
    for (std::size_t g = 0; g < Groups; ++g) {
      std::uint32_t rest = values_[g];
      for (std::size_t i = group_digits; i-- > 0; rest /= 10)
        out[g * (group_digits + 1) + i] = static_cast<char>('0' + rest % 10);
    }
    return out;
  }

  friend bool operator==(const digit_groups&, const digit_groups&) noexcept = default;

 private:
  std::array<std::uint32_t, Groups> values_{};
};

}  // namespace conclave::sas
