// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Byte ranges and big-endian numbers.
#pragma once

#include <conclave/result.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <functional>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace conclave::inline CONCLAVE_ABI {

/// byte_view: bytes somebody else owns, to read. byte_span: to write. bytes: owned.
using byte_view = std::span<const std::uint8_t>;
using byte_span = std::span<std::uint8_t>;
using bytes = std::vector<std::uint8_t>;

/// as_bytes(text): the characters of `text` as bytes, without a terminator. The result points into `text`.
[[nodiscard]] inline byte_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// as_text(view): the same the other way.
[[nodiscard]] inline std::string_view as_text(byte_view view) noexcept {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

/// equal(a, b): for public data only; secrets and tags are compared with detail::ct_equal.
[[nodiscard]] constexpr bool equal(byte_view a, byte_view b) noexcept { return std::ranges::equal(a, b); }

/// append(out, view): adds bytes at the end.
inline void append(bytes& out, byte_view view) { out.insert(out.end(), view.begin(), view.end()); }

/// to_bytes(view): an owned copy.
[[nodiscard]] inline bytes to_bytes(byte_view view) { return {view.begin(), view.end()}; }

/// overlaps(a, b): true where the two ranges share a byte.
[[nodiscard]] inline bool overlaps(byte_view a, byte_view b) noexcept {
  return !a.empty() && !b.empty() && std::less<>{}(a.data(), b.data() + b.size()) &&
         std::less<>{}(b.data(), a.data() + a.size());
}

/// may_share(in, out): true where in-place work is well defined: no overlap, or both start at the same byte.
[[nodiscard]] inline bool may_share(byte_view in, byte_view out) noexcept {
  return in.data() == out.data() || !overlaps(in, out);
}

namespace detail {

/// big_endian(value): the number whose bytes in memory are those of `value`, the highest first.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T big_endian(T value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
#if CONCLAVE_WITH_GNU
  else if constexpr (sizeof(T) == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof(T) == 4)
    return __builtin_bswap32(value);
  else
    return __builtin_bswap64(value);
#else
  auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
  std::ranges::reverse(raw);
  return std::bit_cast<T>(raw);
#endif
}

}  // namespace detail

/// load_be<T>(from): the first sizeof(T) bytes as a big-endian number; `from` holds at least that many.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_be(byte_view from) noexcept {
  std::array<std::uint8_t, sizeof(T)> raw;
  std::copy_n(from.data(), sizeof(T), raw.data());
  return detail::big_endian(std::bit_cast<T>(raw));
}

/// store_be(value, to): writes sizeof(T) bytes, big-endian, at the front of `to`. It is one store: what is written byte
/// by byte cannot be read as a word until it has reached the cache.
template <std::unsigned_integral T>
constexpr void store_be(T value, byte_span to) noexcept {
  const auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(detail::big_endian(value));
  std::copy_n(raw.data(), sizeof(T), to.data());
}

/// inline_bytes<N>: up to N public bytes, held in place; for keys and hashes whose size depends on the suite.
template <std::size_t N>
class inline_bytes {
 public:
  static_assert(N <= 255);
  inline_bytes() noexcept = default;
  /// `size` zero bytes, to be filled through writable(). Panics over N, which no input reaches: sizes come from the
  /// suite.
  explicit inline_bytes(std::size_t size) noexcept : size_{static_cast<std::uint8_t>(size)} {
    if (size > N) CONCLAVE_PANIC();
  }
  /// copy_of(view): malformed where there are more than N bytes.
  [[nodiscard]] static result<inline_bytes> copy_of(byte_view view) noexcept {
    if (view.size() > N) return errc::malformed;
    inline_bytes out(view.size());
    std::ranges::copy(view, out.bytes_.begin());
    return out;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] byte_view view() const& noexcept { return byte_view{bytes_}.first(size_); }
  byte_view view() const&& = delete;
  [[nodiscard]] byte_span writable() & noexcept { return byte_span{bytes_}.first(size_); }
  friend bool operator==(const inline_bytes& a, const inline_bytes& b) noexcept { return equal(a.view(), b.view()); }

 private:
  std::array<std::uint8_t, N> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace conclave
