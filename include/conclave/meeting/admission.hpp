// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who may join an encrypted meeting: rules as data, and the decision with its reason. Whoever admits enforces it: the
/// host's client before it adds a key package. Much of what it judges a visitor claims itself (client.hpp).
#pragma once

#include <conclave/interfaces.hpp>
#include <conclave/limits.hpp>
#include <conclave/meeting/client.hpp>
#include <conclave/meeting/policy.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// meeting_kind: how a meeting came about, and how large it gets.
enum class meeting_kind : std::uint8_t { personal_room, scheduled, channel, webinar, town_hall };
inline constexpr std::array<std::string_view, 5> meeting_kind_names{"personal_room", "scheduled", "channel", "webinar",
                                                                    "town_hall"};
[[nodiscard]] constexpr std::span<const std::string_view> names(meeting_kind) noexcept { return meeting_kind_names; }

/// lobby_rule: who waits until a host lets them in.
enum class lobby_rule : std::uint8_t { nobody, unverified, everybody };
inline constexpr std::array<std::string_view, 3> lobby_names{"nobody", "unverified", "everybody"};
[[nodiscard]] constexpr std::span<const std::string_view> names(lobby_rule) noexcept { return lobby_names; }

inline constexpr std::array<std::string_view, 8> identity_state_names{
    "revoked",    "mismatch",          "untrusted",        "expired", "revocation_unknown",
    "unverified", "verified_internal", "verified_external"};
[[nodiscard]] constexpr std::span<const std::string_view> names(identity_state) noexcept {
  return identity_state_names;
}

/// platform_rule: refused, or admitted from a version on.
class platform_rule {
 public:
  constexpr platform_rule() noexcept = default;  ///< refused
  [[nodiscard]] static constexpr platform_rule from(const client_version& least) noexcept {
    platform_rule out;
    out.least_ = least;
    out.admitted_ = true;
    return out;
  }
  [[nodiscard]] static constexpr platform_rule any() noexcept { return from({}); }

  [[nodiscard]] constexpr bool admitted() const noexcept { return admitted_; }
  [[nodiscard]] constexpr const client_version& least() const noexcept { return least_; }
  friend constexpr bool operator==(const platform_rule&, const platform_rule&) noexcept = default;

 private:
  client_version least_;
  bool admitted_ = false;
};

/// admission_rules: who may join, as data. What is not listed is refused. No rule can admit what would be decrypted by
/// a server on the way: gateways and telephones.
struct admission_rules {
  std::uint32_t participants = 0;                  ///< at most so many, of any kind
  std::uint32_t participants_if_device_first = 0;  ///< the same where a room device came first
  std::uint32_t devices_among_first = 0;           ///< room devices only among the first so many participants
  std::uint32_t app_participants = 0;              ///< at most so many with client_experience::app
  lobby_rule lobby = lobby_rule::everybody;
  identity_state least_identity = identity_state::verified_external;  ///< below it nobody joins
  bool admits_must_be_recorded = false;
  bool admits_ucf = false;
  std::array<bool, count<meeting_kind>()> kinds{};
  std::array<platform_rule, count<platform>()> platforms{};

  [[nodiscard]] constexpr bool covers(meeting_kind kind) const noexcept {
    return known(kind) && kinds[static_cast<std::size_t>(kind)];
  }
  /// of(platform): its rule; that of platform::unknown for numbers that are not known here.
  [[nodiscard]] constexpr const platform_rule& of(platform p) const noexcept {
    return platforms[known(p) ? static_cast<std::size_t>(p) : 0];
  }
  friend constexpr bool operator==(const admission_rules&, const admission_rules&) noexcept = default;
};

/// meeting_facts: the meeting, as whoever admits sees it.
struct meeting_facts {
  meeting_kind kind = meeting_kind::scheduled;
  std::uint32_t present = 0;       ///< participants of any kind; the visitor would be the next one
  std::uint32_t app_present = 0;   ///< of them with client_experience::app
  bool device_came_first = false;  ///< the first participant was a room device
  bool locked = false;             ///< nobody joins unless a host lets them in
  device_permission devices = device_permission::allowed;  ///< of encryption_decision
};

/// visitor_facts: somebody who asks to join.
struct visitor_facts {
  client_claims claims;  ///< by its own account
  identity_state identity = identity_state::unverified;
  bool must_be_recorded = false;  ///< what the organisation's directory says; the visitor's own claim adds to it
  bool host_agrees = false;       ///< a host has looked and lets the visitor in: no more lobby, but all other rules
};

/// admission_verdict: what becomes of the visitor.
enum class admission_verdict : std::uint8_t { admitted, lobby, refused };
inline constexpr std::array<std::string_view, 3> admission_verdict_names{"admitted", "lobby", "refused"};
[[nodiscard]] constexpr std::span<const std::string_view> names(admission_verdict) noexcept {
  return admission_verdict_names;
}

/// admission_reason: the first rule that was broken, in the order in which they are asked.
enum class admission_reason : std::uint8_t {
  none,
  kind_not_covered,
  platform_unknown,
  platform_desktop,  ///< a desktop or mobile platform that these rules leave out
  platform_mobile,
  room_device,
  sx_series,
  dx_series,
  mx_series,
  web,
  vdi,
  cvi,
  sip,
  pstn,
  experience_unknown,
  ucf,
  version_too_old,
  devices_off_for_site,
  devices_off_for_user,
  devices_off_for_both,
  audio_unknown,
  audio_call_me,
  audio_call_in,
  must_be_recorded,
  identity_revoked,
  identity_mismatch,
  identity_untrusted,
  identity_expired,
  identity_revocation_unknown,
  identity_unverified,
  identity_internal,
  full,
  full_after_device,
  full_of_apps,
  device_too_late,
  // the lobby
  locked,
  waits_unverified,
  waits_with_everybody,
  // what a host decides
  turned_away,
};
inline constexpr std::array<std::string_view, 39> admission_reason_names{"none",
                                                                         "kind_not_covered",
                                                                         "platform_unknown",
                                                                         "platform_desktop",
                                                                         "platform_mobile",
                                                                         "room_device",
                                                                         "sx_series",
                                                                         "dx_series",
                                                                         "mx_series",
                                                                         "web",
                                                                         "vdi",
                                                                         "cvi",
                                                                         "sip",
                                                                         "pstn",
                                                                         "experience_unknown",
                                                                         "ucf",
                                                                         "version_too_old",
                                                                         "devices_off_for_site",
                                                                         "devices_off_for_user",
                                                                         "devices_off_for_both",
                                                                         "audio_unknown",
                                                                         "audio_call_me",
                                                                         "audio_call_in",
                                                                         "must_be_recorded",
                                                                         "identity_revoked",
                                                                         "identity_mismatch",
                                                                         "identity_untrusted",
                                                                         "identity_expired",
                                                                         "identity_revocation_unknown",
                                                                         "identity_unverified",
                                                                         "identity_internal",
                                                                         "full",
                                                                         "full_after_device",
                                                                         "full_of_apps",
                                                                         "device_too_late",
                                                                         "locked",
                                                                         "waits_unverified",
                                                                         "waits_with_everybody",
                                                                         "turned_away"};
[[nodiscard]] constexpr std::span<const std::string_view> names(admission_reason) noexcept {
  return admission_reason_names;
}

/// text(reason): for people, without the numbers that explain() adds.
[[nodiscard]] constexpr const char* text(admission_reason r) noexcept {
  switch (r) {
    case admission_reason::none: return "nothing stands against it";
    case admission_reason::kind_not_covered: return "meetings of this kind cannot be encrypted under these rules";
    case admission_reason::platform_unknown: return "what the client runs on is not known here";
    case admission_reason::platform_desktop: return "this desktop system cannot join encrypted meetings";
    case admission_reason::platform_mobile: return "this mobile system cannot join encrypted meetings";
    case admission_reason::room_device: return "room devices cannot join encrypted meetings";
    case admission_reason::sx_series: return "video devices of the SX series cannot join encrypted meetings";
    case admission_reason::dx_series: return "video devices of the DX series cannot join encrypted meetings";
    case admission_reason::mx_series: return "video devices of the MX series cannot join encrypted meetings";
    case admission_reason::web: return "web browsers cannot join encrypted meetings; the desktop or mobile app can";
    case admission_reason::vdi:
      return "virtual desktops cannot join encrypted meetings; the app on the computer itself can";
    case admission_reason::cvi: return "gateways for other vendors' video would decrypt the meeting";
    case admission_reason::sip: return "SIP gateways would decrypt the meeting";
    case admission_reason::pstn: return "the telephone network would carry the meeting in the clear";
    case admission_reason::experience_unknown: return "this generation of client is not known here";
    case admission_reason::ucf: return "clients with the UCF experience cannot join encrypted meetings";
    case admission_reason::version_too_old: return "the client is too old and needs an update";
    case admission_reason::devices_off_for_site: return "encryption on devices is switched off for the site";
    case admission_reason::devices_off_for_user: return "encryption on devices is switched off for the organizer";
    case admission_reason::devices_off_for_both:
      return "encryption on devices is switched off for the site and for the organizer";
    case admission_reason::audio_unknown: return "how the sound would travel is not known here";
    case admission_reason::audio_call_me:
      return "a telephone that the meeting calls would carry the sound in the clear; computer audio is encrypted";
    case admission_reason::audio_call_in:
      return "a telephone that calls the meeting would carry the sound in the clear; computer audio is encrypted";
    case admission_reason::must_be_recorded:
      return "this person must be recorded for compliance, and no server can record an encrypted meeting";
    case admission_reason::identity_revoked: return "the certificate is revoked";
    case admission_reason::identity_mismatch: return "the certificate is somebody else's";
    case admission_reason::identity_untrusted: return "the certificate is from nobody who is trusted here";
    case admission_reason::identity_expired: return "the certificate is not valid now";
    case admission_reason::identity_revocation_unknown: return "it is not known whether the certificate is revoked";
    case admission_reason::identity_unverified: return "nobody vouches for who this is";
    case admission_reason::identity_internal: return "only the organisation itself vouches for who this is";
    case admission_reason::full: return "the meeting is full";
    case admission_reason::full_after_device: return "the meeting is full: a room device came first";
    case admission_reason::full_of_apps: return "no more clients of this generation can join";
    case admission_reason::device_too_late:
      return "room devices can join only as one of the first participants; later, a server would have to transcode for "
             "them";
    case admission_reason::locked: return "the meeting is locked";
    case admission_reason::waits_unverified: return "nobody vouches for who this is, so a host has to look first";
    case admission_reason::waits_with_everybody: return "everybody waits until a host lets them in";
    case admission_reason::turned_away: return "a host has decided so";
  }
  return "a reason that is not known here";
}

/// admission_decision: the verdict, the rule behind it, and the figures of that rule.
struct admission_decision {
  admission_verdict verdict = admission_verdict::refused;
  admission_reason reason{};
  std::uint32_t limit = 0;  ///< the number of participants that the rule names, where it names one
  client_version least;     ///< reason version_too_old
};

namespace detail {

/// reason_of(platform): why it is refused, where it is.
[[nodiscard]] constexpr admission_reason reason_of(platform p) noexcept {
  switch (p) {
    case platform::unknown: break;
    case platform::desktop_windows:
    case platform::desktop_macos:
    case platform::desktop_linux: return admission_reason::platform_desktop;
    case platform::mobile_ios:
    case platform::mobile_android: return admission_reason::platform_mobile;
    case platform::room_device: return admission_reason::room_device;
    case platform::sx_series: return admission_reason::sx_series;
    case platform::dx_series: return admission_reason::dx_series;
    case platform::mx_series: return admission_reason::mx_series;
    case platform::web: return admission_reason::web;
    case platform::vdi: return admission_reason::vdi;
    case platform::cvi: return admission_reason::cvi;
    case platform::sip: return admission_reason::sip;
    case platform::pstn: return admission_reason::pstn;
  }
  return admission_reason::platform_unknown;
}

/// reason_of(state): why somebody in it is refused, where the rules ask for more.
[[nodiscard]] constexpr admission_reason reason_of(identity_state s) noexcept {
  switch (s) {
    case identity_state::revoked: return admission_reason::identity_revoked;
    case identity_state::mismatch: return admission_reason::identity_mismatch;
    case identity_state::untrusted: return admission_reason::identity_untrusted;
    case identity_state::expired: return admission_reason::identity_expired;
    case identity_state::revocation_unknown: return admission_reason::identity_revocation_unknown;
    case identity_state::unverified: return admission_reason::identity_unverified;
    case identity_state::verified_internal: return admission_reason::identity_internal;
    case identity_state::verified_external: break;
  }
  return admission_reason::none;
}

}  // namespace detail

/// decide_admission(rules, here, who): the first reason against the visitor, what the visitor cannot change
/// before what it can; else the lobby, else in. Ask again when a host has agreed, and when the commit is made: others
/// may have come first.
[[nodiscard]] constexpr admission_decision decide_admission(const admission_rules& rules, const meeting_facts& here,
                                                            const visitor_facts& who) noexcept {
  using reason = admission_reason;
  const auto refused = [](reason why, std::uint32_t limit = 0, const client_version& least = {}) {
    return admission_decision{admission_verdict::refused, why, limit, least};
  };
  const client_claims& claims = who.claims;
  if (!rules.covers(here.kind)) return refused(reason::kind_not_covered);

  const platform_rule& runs_on = rules.of(claims.platform);
  if (!runs_on.admitted() || ends_at_a_gateway(claims.platform)) return refused(detail::reason_of(claims.platform));
  if (!known(claims.experience)) return refused(reason::experience_unknown);
  if (claims.experience == client_experience::ucf && !rules.admits_ucf) return refused(reason::ucf);
  if (claims.version < runs_on.least()) return refused(reason::version_too_old, 0, runs_on.least());

  const bool device = is_video_device(claims.platform);
  if (device && here.devices != device_permission::allowed) {
    if (here.devices == device_permission::off_for_site) return refused(reason::devices_off_for_site);
    if (here.devices == device_permission::off_for_user) return refused(reason::devices_off_for_user);
    return refused(reason::devices_off_for_both);
  }
  if (!known(claims.audio)) return refused(reason::audio_unknown);
  if (claims.audio == audio_route::call_me) return refused(reason::audio_call_me);
  if (claims.audio == audio_route::call_in) return refused(reason::audio_call_in);
  if ((who.must_be_recorded || claims.must_be_recorded) && !rules.admits_must_be_recorded)
    return refused(reason::must_be_recorded);
  if (who.identity < rules.least_identity) return refused(detail::reason_of(who.identity));

  if (here.present >= rules.participants) return refused(reason::full, rules.participants);
  if (here.device_came_first && here.present >= rules.participants_if_device_first)
    return refused(reason::full_after_device, rules.participants_if_device_first);
  if (claims.experience == client_experience::app && here.app_present >= rules.app_participants)
    return refused(reason::full_of_apps, rules.app_participants);
  if (device && here.present >= rules.devices_among_first)
    return refused(reason::device_too_late, rules.devices_among_first);

  const auto waits = [](reason why) { return admission_decision{admission_verdict::lobby, why, 0, {}}; };
  if (!who.host_agrees) {
    if (here.locked) return waits(reason::locked);
    if (rules.lobby == lobby_rule::everybody) return waits(reason::waits_with_everybody);
    if (rules.lobby == lobby_rule::unverified && !is_verified(who.identity)) return waits(reason::waits_unverified);
  }
  return {admission_verdict::admitted, reason::none, 0, {}};
}

/// explain(decision): what a help desk can read out.
[[nodiscard]] inline std::string explain(const admission_decision& d) {
  std::string out = d.verdict == admission_verdict::admitted ? "Admitted: "
                    : d.verdict == admission_verdict::lobby  ? "Waits in the lobby: "
                                                             : "Refused: ";
  out += text(d.reason);
  switch (d.reason) {
    case admission_reason::version_too_old: out += "; the first version that can join is " + text(d.least); break;
    case admission_reason::full:
    case admission_reason::full_after_device: out += "; it has room for " + std::to_string(d.limit); break;
    case admission_reason::full_of_apps: out += "; " + std::to_string(d.limit) + " can"; break;
    case admission_reason::device_too_late: out += "; the first " + std::to_string(d.limit) + " count"; break;
    default: break;
  }
  return out + '.';
}

}  // namespace conclave
