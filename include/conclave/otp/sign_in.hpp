// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who needs a second factor, and what to ask somebody who signs in for next.
#pragma once

#include <conclave/otp/record.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI::otp {

template <class L, class P>
class basic_second_factor;

/// organisation_mode: for whom it is mandatory.
enum class organisation_mode : std::uint8_t {
  users_may_enable,       ///< nobody: users turn it on themselves
  selected_applications,  ///< users of certain applications; the others turn it on themselves
  everybody,              ///< everybody: there is nothing to turn on
};

/// policy: what an organisation demands. It has no default. A second factor that is active is asked for in every mode.
struct policy {
  organisation_mode mode;
  std::vector<std::string> selected{};  ///< for selected_applications

  /// mandatory_for(applications): for a user of these.
  [[nodiscard]] bool mandatory_for(std::span<const std::string_view> applications) const {
    switch (mode) {
      case organisation_mode::users_may_enable: return false;
      case organisation_mode::selected_applications:
        return std::ranges::any_of(
            applications, [&](std::string_view a) { return std::ranges::find(selected, a) != selected.end(); });
      case organisation_mode::everybody: break;
    }
    return true;
  }
  /// self_service(): users may turn it on.
  [[nodiscard]] bool self_service() const noexcept {
    return mode == organisation_mode::users_may_enable || mode == organisation_mode::selected_applications;
  }
};

/// person: a user, by a name that never changes hands, and the applications that this user uses. Views.
struct person {
  std::string_view name;
  std::span<const std::string_view> applications{};
};

/// accepted: that a code of this user was right. Only a second factor makes it.
class accepted {
 public:
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  /// step(): which one the code belonged to; every later code belongs to a later one.
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }
  /// failures(): wrong codes since the last right one. Show them: they mean that somebody else knows the password.
  [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }

 private:
  template <class L, class P>
  friend class basic_second_factor;
  accepted(std::string_view user, std::uint64_t step, std::uint32_t failures)
      : user_{user}, step_{step}, failures_{failures} {}

  std::string user_;
  std::uint64_t step_;
  std::uint32_t failures_;
};

/// evidence: what the host has found right in this sign-in so far, and never kept from an earlier one.
struct evidence {
  bool token = false;              ///< a session token that is valid: this is no sign-in, but a session that goes on
  bool password = false;           ///< the password
  const accepted* code = nullptr;  ///< what confirm() or check() returned
};

/// stage: what comes next.
enum class stage : std::uint8_t {
  password,   ///< ask for it
  code,       ///< ask for a code: check()
  enrol,      ///< show a QR code and ask for its first code: begin(), confirm()
  throttled,  ///< too many wrong codes: say until when none is looked at
  signed_in,  ///< nothing: a session may begin, or go on
};

[[nodiscard]] constexpr const char* text(stage s) noexcept {
  switch (s) {
    case stage::password: return "password";
    case stage::code: return "code";
    case stage::enrol: return "enrol";
    case stage::throttled: return "throttled";
    case stage::signed_in: return "signed_in";
  }
  return "unknown";
}

struct next_step {
  otp::stage stage;
  unix_time until{};     ///< throttled: until then
  bool scanned = false;  ///< enrol: a QR code was shown and still counts; confirm() will do without another begin()
};

/// needs_record(evidence): whether what comes next depends on the record at all. It does not before the password was
/// right, so that strangers learn nothing about a user; nor in a session that goes on, whatever has changed meanwhile:
/// what is demanded is demanded at the next sign-in.
[[nodiscard]] inline bool needs_record(const evidence& e) noexcept { return e.password && !e.token; }

/// decide(policy, person, record, evidence, now): what comes next; `record` is looked at where needs_record() says so.
[[nodiscard]] inline next_step decide(const policy& demands, const person& who, const record& r, const evidence& e,
                                      unix_time now) {
  if (e.token) return {stage::signed_in};
  if (!e.password) return {stage::password};
  const bool enrols = r.state != factor_state::active;
  if (enrols && !r.wanted && !demands.mandatory_for(who.applications)) return {stage::signed_in};
  if (!enrols && e.code != nullptr && e.code->user() == who.name) return {stage::signed_in};
  if (!enrols || r.is_pending(now))
    if (const auto until = throttled_until(r, now)) return {stage::throttled, *until};
  if (!enrols) return {stage::code};
  return {stage::enrol, {}, r.is_pending(now)};
}

}  // namespace conclave::otp
