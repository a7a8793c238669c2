// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// TOTP (RFC 6238): passwords that a person's authenticator and a server compute from a shared secret and the time.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/detail/wipe.hpp>
#include <conclave/limits.hpp>

#include <optional>

namespace conclave::inline CONCLAVE_ABI::otp {

namespace rules {
inline constexpr rule parameters_served{"an algorithm, number of digits or period that is not served here",
                                        "RFC 6238 1.2, 5.2"};
inline constexpr rule secret_size{"the shared secret is shorter than 160 bits, or longer than 64 bytes", "RFC 4226 4"};
inline constexpr rule time_after_epoch{"a time before T0, 1970", "RFC 6238 4.2"};
inline constexpr rule code_form{"what was typed is no code: other characters than digits, or another number of them",
                                "RFC 4226 5.3"};
inline constexpr rule code_matches{"the code belongs to none of the steps that are accepted", "RFC 6238 5.2"};
inline constexpr rule code_is_fresh{"the code, or a later one, was accepted before", "RFC 6238 5.2"};
}  // namespace rules

/// algorithm: the hash below the HMAC (RFC 6238, section 1.2).
enum class algorithm : std::uint8_t { sha1 = 1, sha256 = 2, sha512 = 3 };

[[nodiscard]] constexpr hash_id hash_of(algorithm a) noexcept {
  switch (a) {
    case algorithm::sha1: return hash_id::sha1;
    case algorithm::sha256: return hash_id::sha256;
    case algorithm::sha512: break;
  }
  return hash_id::sha512;
}

/// parameters: what server and authenticator agree on beside the secret. The defaults are what every authenticator
/// understands; some ignore the others and compute wrong codes, which enrolment then shows.
struct parameters {
  otp::algorithm algorithm = otp::algorithm::sha1;
  std::uint8_t digits = 6;          ///< 6 or 8
  std::chrono::seconds period{30};  ///< X, the time step

  friend bool operator==(const parameters&, const parameters&) = default;

  /// check(): refused where they are not served.
  [[nodiscard]] constexpr status check() const noexcept {
    const bool known =
        algorithm == otp::algorithm::sha1 || algorithm == otp::algorithm::sha256 || algorithm == otp::algorithm::sha512;
    const bool served = known && (digits == 6 || digits == 8) && period >= limits::otp_period_least &&
                        period <= limits::otp_period_most;
    return served ? status{} : failure{errc::refused, rules::parameters_served};
  }
};

/// shared_secret: K. As many bytes as the hash has, where it was generated here.
using shared_secret = secret<struct shared_secret_tag>;

/// check(secret): refused below 160 bits.
[[nodiscard]] inline status check(const shared_secret& k) noexcept {
  return k.size() >= limits::otp_secret_least ? status{} : failure{errc::refused, rules::secret_size};
}

/// generate(env, algorithm): Errors: no_entropy.
[[nodiscard]] inline result<shared_secret> generate(environment& env, algorithm a) {
  shared_secret out(hash_size(hash_of(a)));
  CONCLAVE_CHECK(env.random(out.writable()));
  return out;
}

/// hotp_library: who computes HOTP(K, C) (RFC 4226, section 5.3) under any of the hashes, as a number of `digits`
/// digits. Threads: any. Errors: what it cannot do is unsupported.
template <class L>
concept hotp_library = requires(algorithm a, byte_view key, unsigned digits, std::uint64_t counter) {
  { L::hotp(a, key, digits, counter) } -> std::same_as<result<std::uint32_t>>;
};

/// time_step(now, parameters): T, whole periods since 1970 (RFC 6238, section 4.2). refused for times before.
[[nodiscard]] constexpr result<std::uint64_t> time_step(unix_time now, const parameters& p) noexcept {
  CONCLAVE_CHECK(p.check());
  if (now.time_since_epoch().count() < 0) return failure{errc::refused, rules::time_after_epoch};
  return static_cast<std::uint64_t>(now.time_since_epoch() / p.period);
}

/// read_code(typed, digits): the number that somebody typed, with spaces wherever. malformed for anything else: it is
/// not one of the codes, so that nothing is learnt from refusing it.
[[nodiscard]] constexpr result<std::uint32_t> read_code(std::string_view typed, unsigned digits) noexcept {
  std::uint32_t value = 0;
  unsigned seen = 0;
  for (const char c : typed) {
    if (c == ' ') continue;
    if (c < '0' || c > '9' || ++seen > digits) return failure{errc::malformed, rules::code_form};
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (seen != digits) return failure{errc::malformed, rules::code_form};
  return value;
}

namespace detail {

/// candidate: one step that is looked at, and its code.
struct candidate {
  std::uint64_t step = 0;
  std::uint32_t value = 0;
};

/// comparison: one more than the newest step after the last used one whose code was given, or 0; and whether the code
/// of another one was.
struct comparison {
  std::uint64_t found = 0, used = 0;
};

/// compare(candidates, given, last_used): all of them, whichever is equal. No code decides a branch.
[[nodiscard]] inline comparison compare(std::span<const candidate> candidates, std::uint32_t given,
                                        std::optional<std::uint64_t> last_used) noexcept {
  using conclave::detail::value_barrier;
  comparison out;
  for (const candidate& c : candidates) {
    const std::uint64_t same = value_barrier(std::uint64_t{value_barrier(c.value ^ given) == 0});
    if (last_used && c.step <= *last_used)
      out.used |= same;
    else
      out.found = (out.found & ~(0 - same)) | ((c.step + 1) & (0 - same));
  }
  return out;
}

}  // namespace detail

/// verify<L>(secret, parameters, given, now, last_used): the step that the code belongs to, one of that before, this
/// and that after `now`, because clocks drift and people are slow. All three are computed and compared. Where two of
/// them have the same code, it counts for the newer one, so that it is not accepted again. Errors: unauthentic (no such
/// code), replayed (not after last_used), refused (secret, parameters, time), unsupported. Source: RFC 6238, sections
/// 5.2, 6.
template <hotp_library L>
[[nodiscard]] result<std::uint64_t> verify(const shared_secret& k, const parameters& p, std::uint32_t given,
                                           unix_time now, std::optional<std::uint64_t> last_used) {
  CONCLAVE_CHECK(check(k));
  CONCLAVE_TRY(const std::uint64_t current, time_step(now, p));
  std::array<detail::candidate, 3> storage;
  const conclave::detail::wipe_guard wipe({reinterpret_cast<std::uint8_t*>(storage.data()), sizeof storage});
  const auto candidates = current == 0 ? std::span{storage}.subspan(1) : std::span{storage};
  for (std::uint64_t step = current == 0 ? 0 : current - 1; detail::candidate & c : candidates) {
    CONCLAVE_TRY(c.value, L::hotp(p.algorithm, k.reveal(), p.digits, step));
    c.step = step++;
  }
  const detail::comparison verdict = detail::compare(candidates, given, last_used);
  if (verdict.found != 0) return verdict.found - 1;
  if (verdict.used != 0) return failure{errc::replayed, rules::code_is_fresh};
  return failure{errc::unauthentic, rules::code_matches};
}

}  // namespace conclave::otp
