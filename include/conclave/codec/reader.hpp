// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Reading the presentation language of RFC 9420 (section 2) and RFC 8446 (section 3) without copying.
#pragma once

#include <conclave/codec/varint.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule no_trailing_bytes{"bytes are left over after the last field", "RFC 9420 2.1"};
}  // namespace rules

/// reader: a position in bytes that somebody else owns. A failed read leaves the position where it was. What it returns
/// points into those bytes and lives as long as they do.
class reader {
 public:
  explicit constexpr reader(byte_view input) noexcept : rest_{input} {}

  [[nodiscard]] constexpr byte_view rest() const noexcept { return rest_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return rest_.empty(); }

  /// take(n): the next n bytes. malformed where there are fewer.
  [[nodiscard]] constexpr result<byte_view> take(std::size_t n) noexcept {
    if (rest_.size() < n) return failure{errc::malformed, rules::complete_field};
    const byte_view taken = rest_.first(n);
    rest_ = rest_.subspan(n);
    return taken;
  }

  /// number<T>(): a big-endian number of sizeof(T) bytes.
  template <std::unsigned_integral T>
  [[nodiscard]] constexpr result<T> number() noexcept {
    CONCLAVE_TRY(const auto raw, take(sizeof(T)));
    return load_be<T>(raw);
  }

  /// opaque(): the content of an opaque<V>.
  [[nodiscard]] constexpr result<byte_view> opaque() noexcept {
    CONCLAVE_TRY(const auto length, load_varint(rest_));
    if (rest_.size() - length.size < length.value) return failure{errc::malformed, rules::complete_field};
    const byte_view content = rest_.subspan(length.size, length.value);
    rest_ = rest_.subspan(length.size + length.value);
    return content;
  }

  /// finish(): malformed unless everything has been read.
  [[nodiscard]] constexpr status finish() const noexcept {
    if (!rest_.empty()) return failure{errc::malformed, rules::no_trailing_bytes};
    return {};
  }

 private:
  byte_view rest_;
};

}  // namespace conclave
