// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The second factor of an organisation's users: off, then pending while a QR code is on the screen, active from its
/// first right code on, and off again by a new password only.
#pragma once

#include <conclave/otp/sign_in.hpp>
#include <conclave/otp/store.hpp>
#include <conclave/otp/uri.hpp>

namespace conclave::inline CONCLAVE_ABI::otp {

namespace rules {
inline constexpr rule self_service{"the organisation demands a second factor of everybody: there is nothing to turn on",
                                   "enrolment"};
inline constexpr rule not_active{"the second factor is active: only a new password makes room for another one",
                                 "enrolment"};
inline constexpr rule enrolment_due{"neither the organisation nor the user asked for a second factor", "enrolment"};
inline constexpr rule enrolment_pending{"no QR code is on the screen, or not any more", "enrolment"};
inline constexpr rule is_active{"the user has no second factor", "sign-in"};
inline constexpr rule attempts{"too many wrong codes: no code is looked at yet", "RFC 4226 7.3"};
inline constexpr rule record_is_newest{"the record of a second factor is older than the newest one, or gone",
                                       "record format 1"};
inline constexpr rule race_won{"the record kept changing meanwhile", "record format 1"};
}  // namespace rules

/// offer: what a person needs for enrolling, once. Show its URI as a QR code, and keep it nowhere.
struct offer {
  shared_secret secret;
  otp::parameters parameters;
  unix_time until;  ///< the first code has to be typed before

  /// uri(label): Errors: refused.
  [[nodiscard]] result<secret_bytes> uri(const label& who) const { return make_uri(who, secret, parameters); }
};

/// basic_second_factor: on a library for codes and a provider for the seal. begin(), confirm() and check() are for
/// somebody whose password the host has found right in this sign-in, and for nobody else: that is what keeps strangers
/// from making a user wait.
///
/// Every change is computed on a copy, saved, and only then heard of: a code is spent even where the program ends
/// before it can say so; of several attempts at once with one code one succeeds. Errors of each function: storage (of
/// the store; also for a record that does not open, by the rule of open_record, or is not the newest,
/// record_is_newest), over_limit and refused (user_name), stale_epoch (race_won); those that change something:
/// no_entropy. What fails signs nobody in, and has changed nothing but the count of wrong codes, or, where saving
/// failed, perhaps what it meant to change. A record that does not open keeps its user out until the host deletes it,
/// with the tools of its store.
///
/// Threads: any, on several objects or one. Lifetime: store and floor outlive it.
template <class L, class P>
class basic_second_factor {
  static_assert(hotp_library<L> && crypto_provider<P>);

 public:
  /// make(store, key, policy, parameters, floor): `parameters` are for whoever enrols from now on. Without a floor,
  /// whoever can write to the store can put an old record back, or delete one (version_floor). Errors: misuse (key
  /// size), refused (parameters).
  [[nodiscard]] static result<basic_second_factor> make(store& records, at_rest_key&& key, policy demands,
                                                        const parameters& p = {}, version_floor* floor = nullptr) {
    if (key.size() != 32) return errc::misuse;
    CONCLAVE_CHECK(p.check());
    return basic_second_factor(records, std::move(key), std::move(demands), p, floor);
  }

  /// next(who, evidence, now): what to ask for.
  [[nodiscard]] result<next_step> next(const person& who, const evidence& e, unix_time now) const {
    if (!needs_record(e)) return decide(demands_, who, {}, e, now);
    CONCLAVE_CHECK(time_step(now, parameters_));
    CONCLAVE_TRY(const loaded at, load(who.name));
    return decide(demands_, who, at.value, e, now);
  }
  /// state(user): for the settings that the user or an administrator sees.
  [[nodiscard]] result<factor_state> state(std::string_view user) const {
    CONCLAVE_TRY(const loaded at, load(user));
    return at.value.state;
  }

  /// enable(env, user): the user turns it on, in a session; it takes effect at the next sign-in. Errors: refused
  /// (self_service, not_active).
  [[nodiscard]] status enable(environment& env, std::string_view user) const {
    if (!demands_.self_service()) return failure{errc::refused, rules::self_service};
    return change(env, user, [](record& r) -> outcome<void> {
      if (r.state == factor_state::active) return {failure{errc::refused, rules::not_active}, false};
      const bool news = !std::exchange(r.wanted, true);
      return {status{}, news};
    });
  }

  /// begin(env, who): a fresh secret, in place of one that was only shown. Errors: refused (not_active, enrolment_due).
  [[nodiscard]] result<offer> begin(environment& env, const person& who) const {
    const unix_time now = env.wall();
    CONCLAVE_CHECK(time_step(now, parameters_));
    const bool mandatory = demands_.mandatory_for(who.applications);
    return change(env, who.name, [&](record& r) -> outcome<offer> {
      if (r.state == factor_state::active) return {failure{errc::refused, rules::not_active}, false};
      if (!mandatory && !r.wanted) return {failure{errc::refused, rules::enrolment_due}, false};
      auto fresh = generate(env, parameters_.algorithm);
      if (!fresh) return {fresh.error(), false};
      r.state = factor_state::pending;
      r.parameters = parameters_;
      r.secret = *std::move(fresh);
      r.pending_until = now + limits::otp_enrolment;
      r.last_step.reset();
      return {offer{r.secret.clone(), r.parameters, r.pending_until}, true};
    });
  }

  /// confirm(env, user, typed): the first code: active from now on. Errors: unauthentic (code_matches: a wrong code,
  /// counted), malformed (code_form: none, not counted), early (attempts: not looked at, ask next() until when),
  /// replayed (code_is_fresh), refused (enrolment_pending).
  [[nodiscard]] result<accepted> confirm(environment& env, std::string_view user, std::string_view typed) const {
    return attempt(env, user, typed, [](const record& r, unix_time now) -> status {
      return r.is_pending(now) ? status{} : failure{errc::refused, rules::enrolment_pending};
    });
  }

  /// check(env, user, typed): a code at sign-in. Errors: those of confirm(), but refused with is_active.
  [[nodiscard]] result<accepted> check(environment& env, std::string_view user, std::string_view typed) const {
    return attempt(env, user, typed, [](const record& r, unix_time) -> status {
      return r.state == factor_state::active ? status{} : failure{errc::refused, rules::is_active};
    });
  }

  /// password_was_reset(env, user): a new phone, or a lost one: the secret is gone, and enrolment due at the next
  /// sign-in of a user who had a second factor. The host ends the user's sessions, and has asked for more than the old
  /// password: whoever can reset a password can enrol another authenticator.
  [[nodiscard]] status password_was_reset(environment& env, std::string_view user) const {
    return change(env, user, [](record& r) -> outcome<void> {
      record fresh;
      fresh.wanted = r.wanted || r.state == factor_state::active;
      const bool news = r.state != factor_state::off || r.failures != 0;
      r = std::move(fresh);
      return {status{}, news};
    });
  }

 private:
  struct loaded {
    std::uint64_t version;
    record value;
  };
  /// outcome: what is to be said, and whether the record has to be saved before.
  template <class T>
  struct outcome {
    result<T> said;
    bool save;
  };

  basic_second_factor(store& records, at_rest_key&& key, policy&& demands, const parameters& p, version_floor* floor)
      : store_{&records}, floor_{floor}, key_{std::move(key)}, demands_{std::move(demands)}, parameters_{p} {}

  [[nodiscard]] result<loaded> load(std::string_view user) const {
    if (user.empty()) return failure{errc::refused, rules::user_name};
    if (user.size() > limits::user_bytes) return failure{errc::over_limit, rules::user_name};
    // before the record: one that is saved meanwhile is not below it
    std::uint64_t least = 0;
    if (floor_ != nullptr) {
      CONCLAVE_TRY(least, floor_->least(user));
    }
    CONCLAVE_TRY(const stored at, store_->load(user));
    if (at.version < least) return failure{errc::storage, rules::record_is_newest};
    if (at.version == 0) return loaded{0, {}};
    auto value = open_record<P>(key_, user, at.version, at.record);
    if (value) return loaded{at.version, *std::move(value)};
    // not what was saved: never to be taken for a wrong code
    const rule* const broken = value.error().broken_rule();
    return broken != nullptr ? failure{errc::storage, *broken} : failure{errc::storage};
  }

  /// change(env, user, work): `work` on the newest record, as often as somebody else saves another one meanwhile.
  template <class F>
  [[nodiscard]] auto change(environment& env, std::string_view user, F&& work) const
      -> decltype(work(std::declval<record&>()).said) {
    for (std::size_t n = 0; n < limits::lost_races; ++n) {
      CONCLAVE_TRY(loaded at, load(user));
      auto done = work(at.value);
      if (!done.save) return std::move(done.said);
      CONCLAVE_TRY(const bytes sealed, seal_record<P>(env, key_, user, at.version + 1, at.value));
      if (const status saved = store_->save(user, at.version, sealed); !saved) {
        if (saved.error() == errc::stale_epoch) continue;
        return saved.error();
      }
      if (floor_ != nullptr) CONCLAVE_CHECK(floor_->raise(user, at.version + 1));
      return std::move(done.said);
    }
    return failure{errc::stale_epoch, rules::race_won};
  }

  template <class F>
  [[nodiscard]] result<accepted> attempt(environment& env, std::string_view user, std::string_view typed,
                                         F&& allowed) const {
    const unix_time now = env.wall();
    return change(env, user, [&](record& r) -> outcome<accepted> {
      if (const status may = allowed(r, now); !may) return {may.error(), false};
      if (throttled_until(r, now)) return {failure{errc::early, rules::attempts}, false};
      const auto given = read_code(typed, r.parameters.digits);
      if (!given) return {given.error(), false};
      const auto step = verify<L>(r.secret, r.parameters, *given, now, r.last_step);
      if (step) {
        r.state = factor_state::active;
        r.last_step = *step;
        r.last_failure = {};
        return {accepted(user, *step, std::exchange(r.failures, 0)), true};
      }
      if (!(step.error() == errc::unauthentic)) return {step.error(), false};
      r.failures += r.failures < std::numeric_limits<std::uint32_t>::max() ? 1 : 0;
      r.last_failure = now;
      return {step.error(), true};
    });
  }

  store* store_;
  version_floor* floor_;
  at_rest_key key_;
  policy demands_;
  parameters parameters_;
};

}  // namespace conclave::otp
