// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// security_code: the passive code that every screen of an epoch shows.
#pragma once

#include <conclave/bytes.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::sas {

/// security_code: 30 digits taken from an epoch authenticator (RFC 9420 8.7): six groups of five bytes, each a
/// big-endian number modulo 10^5. Equal on all screens of an epoch; another value for the same epoch means that the
/// meeting is split in two by somebody in between. Codes of different epochs say nothing about each other. A value; not
/// secret.
class security_code {
 public:
  static constexpr std::size_t groups = 6;
  static constexpr std::size_t group_digits = 5;
  static constexpr std::size_t authenticator_bytes = 5 * groups;

  /// make(authenticator, epoch): misuse where the authenticator has fewer than 30 bytes.
  [[nodiscard]] static result<security_code> make(byte_view authenticator, std::uint64_t epoch) noexcept {
    if (authenticator.size() < authenticator_bytes) return errc::misuse;
    security_code out;
    out.epoch_ = epoch;
    for (std::size_t g = 0; g < groups; ++g) {
      std::uint64_t value = 0;
      for (const std::uint8_t b : authenticator.subspan(5 * g, 5)) value = value << 8U | b;
      out.values_[g] = static_cast<std::uint32_t>(value % 100'000);
    }
    return out;
  }

  /// strength_bits(): the logarithm of the work to find two halves of a split meeting that show the same code: somebody
  /// in between searches for a collision, so it is half the length of the code (99.6 bits).
  [[nodiscard]] static constexpr unsigned strength_bits() noexcept { return 49; }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  /// digits(): "12345 67890 ...", six groups, to read aloud.
  [[nodiscard]] std::string digits() const {
    std::string out(groups * (group_digits + 1) - 1, ' ');
    for (std::size_t g = 0; g < groups; ++g) {
      std::uint32_t rest = values_[g];
      for (std::size_t i = group_digits; i-- > 0; rest /= 10)
        out[g * (group_digits + 1) + i] = static_cast<char>('0' + rest % 10);
    }
    return out;
  }

  /// ==: the same digits for the same epoch.
  friend bool operator==(const security_code&, const security_code&) noexcept = default;

 private:
  std::uint64_t epoch_ = 0;
  std::array<std::uint32_t, groups> values_{};
};

}  // namespace conclave::sas
