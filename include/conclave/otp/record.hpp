// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What is remembered of a user's second factor, and how it rests: sealed, and bound to its user and version.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/crypto/at_rest.hpp>
#include <conclave/otp/totp.hpp>

namespace conclave::inline CONCLAVE_ABI::otp {

namespace rules {
inline constexpr rule record_format{"this is no record of a second factor", "record format 1"};
inline constexpr rule user_name{"the name of a user is empty or too long", "record format 1"};
}  // namespace rules

/// factor_state: how far a user's second factor is.
enum class factor_state : std::uint8_t {
  off,      ///< there is no secret
  pending,  ///< a secret was shown, and no code of it has been typed yet: it proves nothing
  active,   ///< a code is asked for at every sign-in
};

/// record: all of it. Move-only, because it holds the secret.
struct record {
  factor_state state = factor_state::off;
  bool wanted =
      false;  ///< the user turned it on, or lost the authenticator: enrolment is due, whatever the policy says
  otp::parameters parameters;
  shared_secret secret;
  unix_time pending_until{};               ///< pending: when the secret is worth nothing any more
  std::optional<std::uint64_t> last_step;  ///< the newest step whose code was accepted
  std::uint32_t failures = 0;              ///< wrong codes since one was right
  unix_time last_failure{};

  /// is_pending(now): a code would still complete the enrolment.
  [[nodiscard]] bool is_pending(unix_time now) const noexcept {
    return state == factor_state::pending && now < pending_until;
  }
};

/// wait_after(failures): how long no code is looked at.
[[nodiscard]] constexpr std::chrono::seconds wait_after(std::uint32_t failures) noexcept {
  if (failures < limits::otp_free_failures) return {};
  std::chrono::seconds wait = limits::otp_wait_first;
  for (std::uint32_t n = limits::otp_free_failures; n < failures && wait < limits::otp_wait_most; ++n) wait *= 2;
  return std::min(wait, limits::otp_wait_most);
}

/// throttled_until(record, now): when a code is looked at again; nothing where it is now. A last failure that lies in
/// the future by less than the wait is another server's clock; by more, this one's was set back, which nobody shall
/// wait for.
[[nodiscard]] inline std::optional<unix_time> throttled_until(const record& r, unix_time now) noexcept {
  const std::chrono::seconds wait = wait_after(r.failures);
  const auto distance = now < r.last_failure ? r.last_failure - now : now - r.last_failure;
  if (distance >= wait) return std::nullopt;
  return r.last_failure + wait;
}

namespace detail {

// what is inside the seal
struct record_content {
  std::uint16_t version = 1;
  factor_state state{};
  std::uint8_t wanted = 0;
  otp::algorithm algorithm{};
  std::uint8_t digits = 0, period = 0;
  byte_view secret;
  std::uint64_t pending_until = 0;
  std::optional<std::uint64_t> last_step;
  std::uint32_t failures = 0;
  std::uint64_t last_failure = 0;

  static constexpr auto fields(auto& self) {
    return std::tie(self.version, self.state, self.wanted, self.algorithm, self.digits, self.period, self.secret,
                    self.pending_until, self.last_step, self.failures, self.last_failure);
  }
};

// what the seal is bound to
struct record_place {
  byte_view user;
  std::uint64_t version = 0;

  static constexpr auto fields(auto& self) { return std::tie(self.user, self.version); }
};

inline constexpr std::string_view record_label = "conclave otp record";

[[nodiscard]] inline std::uint64_t seconds_of(unix_time t) noexcept {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}
[[nodiscard]] inline unix_time time_of(std::uint64_t seconds) noexcept {
  return unix_time{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

}  // namespace detail

/// encode_record(record), decode_record(encoded): version 1. Errors of decoding: malformed.
[[nodiscard]] inline secret_bytes encode_record(const record& r) {
  static_assert(limits::otp_period_most.count() <= 255);
  detail::record_content out;
  out.state = r.state;
  out.wanted = r.wanted ? 1 : 0;
  out.algorithm = r.parameters.algorithm;
  out.digits = r.parameters.digits;
  out.period = static_cast<std::uint8_t>(r.parameters.period.count());
  out.secret = r.secret.reveal();
  out.pending_until = detail::seconds_of(r.pending_until);
  out.last_step = r.last_step;
  out.failures = r.failures;
  out.last_failure = detail::seconds_of(r.last_failure);
  return wire::encode_secret(out);
}
[[nodiscard]] inline result<record> decode_record(byte_view encoded) {
  const auto in = wire::decode<detail::record_content>(encoded);
  const failure broken{errc::malformed, rules::record_format};
  if (!in || in->version != 1 || in->state > factor_state::active || in->wanted > 1) return broken;
  record out;
  out.state = in->state;
  out.wanted = in->wanted == 1;
  out.parameters = {in->algorithm, in->digits, std::chrono::seconds{in->period}};
  auto secret = shared_secret::copy_of(in->secret);
  if (!secret || !out.parameters.check()) return broken;
  out.secret = *std::move(secret);
  const bool fits = out.state == factor_state::off ? out.secret.empty() : check(out.secret).has_value();
  if (!fits) return broken;
  out.pending_until = detail::time_of(in->pending_until);
  out.last_step = in->last_step;
  out.failures = in->failures;
  out.last_failure = detail::time_of(in->last_failure);
  return out;
}

/// seal_record<P>(env, key, user, version, record): `version` is the one it will be stored as. Errors: no_entropy,
/// unsupported, misuse (key size).
template <crypto_provider P>
[[nodiscard]] result<bytes> seal_record(environment& env, const at_rest_key& key, std::string_view user,
                                        std::uint64_t version, const record& r) {
  const bytes place = wire::encode(detail::record_place{as_bytes(user), version});
  return seal_at_rest<P>(env, key, detail::record_label, place, encode_record(r));
}

/// open_record<P>(key, user, version, sealed): Errors: unauthentic (damaged, another user's, another version's, sealed
/// under another key), malformed, unsupported, over_limit, misuse (key size).
template <crypto_provider P>
[[nodiscard]] result<record> open_record(const at_rest_key& key, std::string_view user, std::uint64_t version,
                                         byte_view sealed) {
  if (sealed.size() > limits::otp_record_bytes) return failure{errc::over_limit, rules::record_format};
  const bytes place = wire::encode(detail::record_place{as_bytes(user), version});
  CONCLAVE_TRY(const secret_bytes content, open_at_rest<P>(key, detail::record_label, place, sealed));
  return decode_record(content);
}

}  // namespace conclave::otp
