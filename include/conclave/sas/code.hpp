// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The passive code: what every screen of an epoch shows, without anybody asking for it. Whoever sits between two halves
/// of a meeting chooses keys for both of them beforehand, until both show the same code: a collision, and the longer the
/// code, the more work. Each form states that work; a short form made in this way would be worth nothing, which is what
/// sas/verification.hpp is for.
#pragma once

#include <conclave/crypto/hkdf.hpp>
#include <conclave/limits.hpp>
#include <conclave/sas/digits.hpp>

#include <optional>

namespace conclave::inline CONCLAVE_ABI::sas {

/// comparison: what two screens tell. Codes of different epochs say nothing about each other: catch up and look again.
enum class comparison : std::uint8_t { same, different, another_epoch };

/// compare(a, b): of two codes of one form. `different` means that the meeting is split by somebody in between.
template <class Code>
[[nodiscard]] comparison compare(const Code& a, const Code& b) noexcept {
  if (a.epoch() != b.epoch()) return comparison::another_epoch;
  return a == b ? comparison::same : comparison::different;
}

/// expand_code<P>(hash, authenticator, form, out): ExpandWithLabel(authenticator, "conclave code", form, out.size()) with
/// the KDF of the epoch's suite (RFC 9420 8), for the forms that are longer than the authenticator.
template <crypto_provider P>
void expand_code(hash_id hash, byte_view authenticator, std::uint8_t form, byte_span out) {
  static constexpr std::string_view label = "MLS 1.0 conclave code";
  static_assert(label.size() < 64, "its length header has one byte");
  const std::array<std::uint8_t, 3> lengths{static_cast<std::uint8_t>(out.size() >> 8U),
                                            static_cast<std::uint8_t>(out.size()), label.size()};
  const std::array<std::uint8_t, 2> context{1, form};
  const std::array<byte_view, 3> info{lengths, as_bytes(label), context};
  hkdf_expand<P>(hash, authenticator, info, out);
}

/// security_code: 30 digits straight from the epoch authenticator (RFC 9420 8.7). A value; not secret.
class security_code {
 public:
  using digit_type = digit_groups<6>;
  static constexpr std::size_t authenticator_bytes = digit_type::source_bytes;

  /// make(authenticator, epoch): misuse where the authenticator has fewer than 30 bytes.
  [[nodiscard]] static result<security_code> make(byte_view authenticator, std::uint64_t epoch) noexcept {
    if (authenticator.size() < authenticator_bytes) return errc::misuse;
    security_code out;
    out.epoch_ = epoch;
    out.digits_ = digit_type{authenticator};
    return out;
  }

  /// strength_bits(): 49: about 2^50 trials find two halves with the same 30 digits. That stops the curious, not those
  /// who rent thousands of graphics cards; for them there are the longer forms and the verification run.
  [[nodiscard]] static constexpr unsigned strength_bits() noexcept { return digit_type::collision_bits; }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  /// digits(): "12345 67890 ...", six groups, to read aloud.
  [[nodiscard]] std::string digits() const { return digits_.text(); }

  /// ==: the same digits for the same epoch; compare() also says which of the two differs.
  friend bool operator==(const security_code&, const security_code&) noexcept = default;

 private:
  std::uint64_t epoch_ = 0;
  digit_type digits_;
};

/// long_security_code: 60 digits, for those who have the patience. A value; not secret.
class long_security_code {
 public:
  using digit_type = digit_groups<12>;

  /// make<P>(hash, authenticator, epoch): `hash` is that of the suite's KDF.
  template <crypto_provider P>
  [[nodiscard]] static long_security_code make(hash_id hash, byte_view authenticator, std::uint64_t epoch) {
    std::array<std::uint8_t, digit_type::source_bytes> source;
    expand_code<P>(hash, authenticator, 1, source);
    long_security_code out;
    out.epoch_ = epoch;
    out.digits_ = digit_type{source};
    return out;
  }

  /// strength_bits(): 99: about 2^100 trials.
  [[nodiscard]] static constexpr unsigned strength_bits() noexcept { return digit_type::collision_bits; }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] std::string digits() const { return digits_.text(); }
  friend bool operator==(const long_security_code&, const long_security_code&) noexcept = default;

 private:
  std::uint64_t epoch_ = 0;
  digit_type digits_;
};

/// machine_code: the code for cameras: the payload of a QR code that one device shows and another one reads: version
/// (1), epoch (8 bytes), 32 bytes derived from the authenticator. A value; not secret.
class machine_code {
 public:
  static constexpr std::uint8_t version = 1;
  static constexpr std::size_t payload_bytes = 41;

  template <crypto_provider P>
  [[nodiscard]] static machine_code make(hash_id hash, byte_view authenticator, std::uint64_t epoch) {
    machine_code out;
    out.payload_[0] = version;
    store_be(epoch, byte_span{out.payload_}.subspan(1));
    expand_code<P>(hash, authenticator, 2, byte_span{out.payload_}.subspan(9));
    return out;
  }
  /// read(payload): what a camera saw. Errors: malformed (length), unsupported (version).
  [[nodiscard]] static result<machine_code> read(byte_view payload) noexcept {
    if (payload.size() != payload_bytes) return errc::malformed;
    if (payload[0] != version) return errc::unsupported;
    machine_code out;
    std::ranges::copy(payload, out.payload_.begin());
    return out;
  }

  /// strength_bits(): 128, as much as the 32 bytes of the shortest authenticator allow.
  [[nodiscard]] static constexpr unsigned strength_bits() noexcept { return 128; }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return load_be<std::uint64_t>(byte_view{payload_}.subspan(1)); }
  [[nodiscard]] byte_view payload() const& noexcept { return payload_; }
  byte_view payload() const&& = delete;
  friend bool operator==(const machine_code&, const machine_code&) noexcept = default;

 private:
  std::array<std::uint8_t, payload_bytes> payload_{};
};

/// code_screen: what a screen shows at a given time: nothing, which is to be called "updating", while an epoch is so
/// young that others may still be in the one before; then its code. Time is passed in.
template <class Code = security_code>
class code_screen {
 public:
  /// enter(code, now): a new epoch began.
  void enter(const Code& code, steady_time now) noexcept {
    code_ = code;
    settled_ = now + limits::code_settling;
  }
  /// visible(now): the code to show, or nothing while it is updating.
  [[nodiscard]] std::optional<Code> visible(steady_time now) const noexcept {
    return now < settled_ ? std::nullopt : code_;
  }

 private:
  std::optional<Code> code_;
  steady_time settled_{};
};

}  // namespace conclave::sas
