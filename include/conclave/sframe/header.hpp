// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The SFrame header (RFC 9605 4.3). It is authenticated but not hidden: a relay sees from the KID who sends on which
/// stream in which epoch, and from the CTR how many frames that has been.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

#include <bit>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule complete_header{"the frame ends inside its header", "RFC 9605 4.3"};
inline constexpr rule minimal_header{"a KID or CTR is encoded in more bytes than it needs", "RFC 9605 4.3"};
}  // namespace rules

/// max_header_size: the config byte, and a KID and a CTR of eight bytes each.
inline constexpr std::size_t max_header_size = 17;

/// header: the two numbers of a frame's header. It has one encoding, the shortest.
struct header {
  std::uint64_t kid;
  std::uint64_t ctr;

  /// size(): bytes of its encoding, 1 to max_header_size; in a decoded frame the ciphertext starts there.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return 1 + extended_size(kid) + extended_size(ctr); }

  /// encode(out): writes the header at the front of `out`, which has at least size() bytes, and returns the written
  /// part.
  constexpr byte_span encode(byte_span out) const noexcept {
    const std::size_t kid_size = extended_size(kid);
    const std::size_t ctr_size = extended_size(ctr);
    out[0] = static_cast<std::uint8_t>(config_bits(kid, kid_size) << 4U | config_bits(ctr, ctr_size));
    store(kid, out.subspan(1, kid_size));
    store(ctr, out.subspan(1 + kid_size, ctr_size));
    return out.first(1 + kid_size + ctr_size);
  }

  /// decode(frame): the header at the front of `frame`. malformed where the frame ends too early or a number is not in
  /// its shortest form: a value below 8 after the config byte, or a leading zero byte.
  [[nodiscard]] static constexpr result<header> decode(byte_view frame) noexcept {
    if (frame.empty()) return failure{errc::malformed, rules::complete_header};
    const std::uint8_t config = frame[0];
    byte_view rest = frame.subspan(1);
    CONCLAVE_TRY(const std::uint64_t kid, number(config >> 4U, rest));
    CONCLAVE_TRY(const std::uint64_t ctr, number(config & 0x0FU, rest));
    return header{kid, ctr};
  }

  friend constexpr bool operator==(const header&, const header&) noexcept = default;

 private:
  /// Bytes of a value outside the config byte: none below 8.
  [[nodiscard]] static constexpr std::size_t extended_size(std::uint64_t value) noexcept {
    return value < 8 ? 0 : (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8;
  }

  /// The four bits X K, or Y C: the value itself, or the flag and the number of bytes minus one.
  [[nodiscard]] static constexpr std::uint64_t config_bits(std::uint64_t value, std::size_t size) noexcept {
    return size == 0 ? value : 8U | (size - 1);
  }

  /// The low bytes of a value, as many as `out` has: two words that overlap.
  static constexpr void store(std::uint64_t value, byte_span out) noexcept {
    const std::size_t n = out.size();
    if (n >= 4) {
      store_be(static_cast<std::uint32_t>(value >> (8 * n - 32)), out);
      store_be(static_cast<std::uint32_t>(value), out.last(4));
    } else if (n >= 2) {
      store_be(static_cast<std::uint16_t>(value >> (8 * n - 16)), out);
      store_be(static_cast<std::uint16_t>(value), out.last(2));
    } else if (n == 1) {
      out[0] = static_cast<std::uint8_t>(value);
    }
  }
  /// Its inverse; there is at least one byte.
  [[nodiscard]] static constexpr std::uint64_t load(byte_view in) noexcept {
    const std::size_t n = in.size();
    if (n >= 4) return std::uint64_t{load_be<std::uint32_t>(in)} << (8 * n - 32) | load_be<std::uint32_t>(in.last(4));
    if (n >= 2) return std::uint64_t{load_be<std::uint16_t>(in)} << (8 * n - 16) | load_be<std::uint16_t>(in.last(2));
    return in[0];
  }

  /// The value that four bits of the config byte stand for; what it takes from `rest` is removed there.
  [[nodiscard]] static constexpr result<std::uint64_t> number(unsigned bits, byte_view& rest) noexcept {
    if ((bits & 8U) == 0) return std::uint64_t{bits};
    const std::size_t size = (bits & 7U) + 1;
    if (rest.size() < size) return failure{errc::malformed, rules::complete_header};
    const std::uint64_t value = load(rest.first(size));
    if (extended_size(value) != size) return failure{errc::malformed, rules::minimal_header};
    rest = rest.subspan(size);
    return value;
  }
};

/// header_size(kid, ctr): bytes of the header that holds them.
[[nodiscard]] constexpr std::size_t header_size(std::uint64_t kid, std::uint64_t ctr) noexcept {
  return header{kid, ctr}.size();
}

/// frame_view, frame_span: a frame whose header, ciphertext and tag stand in three places.
struct frame_view {
  byte_view header, body, tag;
};
struct frame_span {
  byte_span header, body, tag;

  operator frame_view() const noexcept { return {header, body, tag}; }
};

}  // namespace conclave::sframe
