// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Reading DER (ITU-T X.690, section 10): one encoding per value, everything else is malformed.
#pragma once

#include <conclave/environment.hpp>

#include <optional>

namespace conclave::inline CONCLAVE_ABI::der {

inline constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04,
                              object_identifier = 0x06, enumerated = 0x0a, utf8_string = 0x0c, printable_string = 0x13,
                              ia5_string = 0x16, utc_time = 0x17, generalized_time = 0x18, sequence = 0x30, set = 0x31;
/// context(n): the tag [n], primitive; nested(n): constructed.
[[nodiscard]] constexpr std::uint8_t context(unsigned n) noexcept { return static_cast<std::uint8_t>(0x80U | n); }
[[nodiscard]] constexpr std::uint8_t nested(unsigned n) noexcept { return static_cast<std::uint8_t>(0xa0U | n); }

/// element: one value. Views into what was read.
struct element {
  std::uint8_t tag = 0;
  byte_view content;
  byte_view whole;  ///< with tag and length
};

/// is_object_identifier(content): each of its numbers ends, and none begins with zeros (X.690 8.19.2).
[[nodiscard]] inline bool is_object_identifier(byte_view content) noexcept {
  bool begins = true;
  for (const std::uint8_t b : content) {
    if (begins && b == 0x80) return false;
    begins = b < 0x80;
  }
  return begins && !content.empty();
}

/// reader: values one after the other. Every error is malformed.
class reader {
 public:
  explicit reader(byte_view in) noexcept : rest_{in} {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  /// at(tag): the next value has this tag.
  [[nodiscard]] bool at(std::uint8_t tag) const noexcept { return !rest_.empty() && rest_[0] == tag; }

  [[nodiscard]] result<element> next() noexcept {
    if (rest_.size() < 2 || (rest_[0] & 0x1fU) == 0x1fU) return errc::malformed;  // tags above 30 do not occur
    std::size_t size = rest_[1], header = 2;
    if (size >= 0x80) {
      const std::size_t digits = size - 0x80;
      if (digits == 0 || digits > 3 || rest_.size() < 2 + digits) return errc::malformed;
      size = 0;
      for (std::size_t i = 0; i < digits; ++i) size = size << 8U | rest_[header++];
      if (size < 0x80 || size >> (8 * (digits - 1)) == 0) return errc::malformed;
    }
    if (rest_.size() - header < size) return errc::malformed;
    const element out{rest_[0], rest_.subspan(header, size), rest_.first(header + size)};
    if (out.tag == object_identifier && !is_object_identifier(out.content)) return errc::malformed;
    rest_ = rest_.subspan(header + size);
    return out;
  }
  [[nodiscard]] result<element> next(std::uint8_t tag) noexcept {
    if (!at(tag)) return errc::malformed;
    return next();
  }
  /// take(tag): the content of the next value, which has this tag.
  [[nodiscard]] result<byte_view> take(std::uint8_t tag) noexcept {
    CONCLAVE_TRY(const element e, next(tag));
    return e.content;
  }
  /// enter(tag): a reader of that content.
  [[nodiscard]] result<reader> enter(std::uint8_t tag) noexcept {
    CONCLAVE_TRY(const byte_view content, take(tag));
    return reader(content);
  }
  [[nodiscard]] status end() const noexcept { return rest_.empty() ? status{} : errc::malformed; }

 private:
  byte_view rest_;
};

/// only(in, tag): the single value that `in` is.
[[nodiscard]] inline result<element> only(byte_view in, std::uint8_t tag) noexcept {
  reader r(in);
  CONCLAVE_TRY(const element e, r.next(tag));
  CONCLAVE_CHECK(r.end());
  return e;
}

/// true_or_absent(reader): BOOLEAN DEFAULT FALSE, of which DER knows two encodings.
[[nodiscard]] inline result<bool> true_or_absent(reader& in) noexcept {
  if (!in.at(boolean)) return false;
  CONCLAVE_TRY(const byte_view b, in.take(boolean));
  if (b.size() != 1 || b[0] != 0xff) return errc::malformed;
  return true;
}

/// natural(content): the bytes of an INTEGER that is not negative, as they stand.
[[nodiscard]] inline result<byte_view> natural(byte_view content) noexcept {
  if (content.empty() || content[0] >= 0x80) return errc::malformed;
  if (content.size() > 1 && content[0] == 0 && content[1] < 0x80) return errc::malformed;
  return content;
}

/// small_natural(content): its value, where that is below 2^31.
[[nodiscard]] inline result<std::uint32_t> small_natural(byte_view content) noexcept {
  CONCLAVE_TRY(const byte_view n, natural(content));
  if (n.size() > 4) return errc::malformed;
  std::uint32_t out = 0;
  for (const std::uint8_t b : n) out = out << 8U | b;
  return out;
}

/// whole_bytes(content): what a BIT STRING holds that has no unused bits.
[[nodiscard]] inline result<byte_view> whole_bytes(byte_view content) noexcept {
  if (content.empty() || content[0] != 0) return errc::malformed;
  return content.subspan(1);
}

/// time(element): UTCTime or GeneralizedTime in the forms of RFC 5280, section 4.1.2.5: to the second, in Zulu time.
[[nodiscard]] inline result<unix_time> time(const element& e) noexcept {
  const std::size_t year_digits = e.tag == utc_time ? 2 : 4;
  if ((e.tag != utc_time && e.tag != generalized_time) || e.content.size() != year_digits + 11 ||
      e.content.back() != 'Z')
    return errc::malformed;
  if (!std::ranges::all_of(e.content.first(year_digits + 10), [](std::uint8_t c) { return c >= '0' && c <= '9'; }))
    return errc::malformed;
  const auto two = [&](std::size_t i) { return (e.content[i] - '0') * 10 + (e.content[i + 1] - '0'); };
  int year = two(0);
  if (year_digits == 2)
    year += year < 50 ? 2000 : 1900;
  else
    year = year * 100 + two(2);
  const std::size_t i = year_digits;
  const std::chrono::year_month_day day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(two(i))},
                                        std::chrono::day{static_cast<unsigned>(two(i + 2))}};
  if (!day.ok() || two(i + 4) > 23 || two(i + 6) > 59 || two(i + 8) > 59) return errc::malformed;
  return std::chrono::sys_days{day} + std::chrono::hours{two(i + 4)} + std::chrono::minutes{two(i + 6)} +
         std::chrono::seconds{two(i + 8)};
}

}  // namespace conclave::der
