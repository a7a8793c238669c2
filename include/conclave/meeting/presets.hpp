// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The rules of a meeting in one piece, and three sets of them to start from: what two products ask of their end-to-end
/// encrypted meetings, and what conclave asks. Facts about the products, as their documentation said in 2023 to 2025:
///
///   [W1] help.webex.com/article/5h5d8ab  End-to-end encryption with identity verification for Webex meetings
///   [W2] help.webex.com/article/nedfu0h  Deploy Zero-Trust Meetings
///   [T1] learn.microsoft.com/microsoftteams/end-to-end-encrypted-meetings
///   [T2] support.microsoft.com/office/a8326d15-d187-49c4-ac99-14c17dbd617c  Encryption of Teams meetings
///   [T3] learn.microsoft.com/microsoftteams/meeting-templates-sensitivity-labels-policies
///
/// The products change; a host that has to match one of them states its own figures (store/rules_json.hpp).
#pragma once

#include <conclave/meeting/admission.hpp>
#include <conclave/meeting/features.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// preset: the rules of Webex Zero-Trust meetings, of Teams end-to-end encrypted meetings, and no limits but our own.
enum class preset : std::uint8_t { webex, teams, open };
inline constexpr std::array<std::string_view, 3> preset_names{"webex", "teams", "open"};
[[nodiscard]] constexpr std::span<const std::string_view> names(preset) noexcept { return preset_names; }

/// meeting_rules: everything that is a rule and not a fact. Plain data: copy one and change it.
struct meeting_rules {
  preset origin{};  ///< what these rules started from
  encryption_requirements encryption;
  admission_rules admission;
  feature_rules features;
  friend constexpr bool operator==(const meeting_rules&, const meeting_rules&) noexcept = default;
};

namespace preset_rules {

constexpr void allow(meeting_rules& r, std::initializer_list<platform> all, const client_version& least = {}) noexcept {
  for (const platform p : all) r.admission.platforms[static_cast<std::size_t>(p)] = platform_rule::from(least);
}
constexpr void cover(meeting_rules& r, std::initializer_list<meeting_kind> all) noexcept {
  for (const meeting_kind k : all) r.admission.kinds[static_cast<std::size_t>(k)] = true;
}
constexpr void offer(meeting_rules& r, std::initializer_list<feature> all) noexcept {
  for (const feature f : all) r.features.uses[static_cast<std::size_t>(f)] = feature_use::always;
}

/// common(origin): what all presets share. Who is not verified waits for a host to look; who shows a bad certificate
/// stays out. What needs server access is offered to meetings without end-to-end encryption.
[[nodiscard]] constexpr meeting_rules common(preset origin) noexcept {
  meeting_rules r;
  r.origin = origin;
  r.features.uses.fill(feature_use::when_not_encrypted);
  r.admission.lobby = lobby_rule::unverified;
  r.admission.least_identity = identity_state::revocation_unknown;
  return r;
}

[[nodiscard]] constexpr meeting_rules webex() noexcept {
  meeting_rules r = common(preset::webex);
  r.encryption = {.premium_licence = false, .devices_enabled = true};  // W1: devices at site and at user level
  r.admission.participants = 200;                                      // W1; newer pages of W2 say 1000
  r.admission.participants_if_device_first = 200;
  r.admission.devices_among_first = 25;                                       // W1
  r.admission.app_participants = 20;                                          // W1, older editions
  cover(r, {meeting_kind::personal_room, meeting_kind::scheduled});           // W2
  allow(r, {platform::desktop_windows, platform::desktop_macos}, {{41, 7}});  // W2: Webex Meetings 41.7
  allow(r, {platform::mobile_ios, platform::mobile_android}, {{41, 7}});
  allow(r, {platform::room_device}, {{10, 6, 1}});  // W2: RoomOS of August 2021
  // W1: web app, SX, DX and MX, PSTN and SIP do not join; audio of the computer only
  offer(r, {feature::chat, feature::notes, feature::local_recording});  // W1: chat and notes are saved locally
  return r;
}

[[nodiscard]] constexpr meeting_rules teams() noexcept {
  meeting_rules r = common(preset::teams);
  r.encryption = {.premium_licence = true, .devices_enabled = false};  // T1
  r.admission.participants = 200;                                      // T1
  r.admission.participants_if_device_first = 50;                       // T1
  r.admission.devices_among_first = 200;
  r.admission.app_participants = 200;
  cover(r, {meeting_kind::scheduled, meeting_kind::channel});  // T1: not webinars, not town halls; T2: channel meetings
  allow(r, {platform::desktop_windows, platform::desktop_macos});  // T1: the latest version, without a number
  allow(r, {platform::mobile_ios, platform::mobile_android, platform::room_device});
  // T1: browsers, virtual desktops and video interoperability are blocked, and whoever must be recorded for compliance
  offer(r, {feature::chat, feature::notes});  // T2: no recording at all while encrypted
  return r;
}

[[nodiscard]] constexpr meeting_rules open() noexcept {
  meeting_rules r = common(preset::open);
  r.encryption = {.premium_licence = false, .devices_enabled = false};
  r.admission.participants = limits::leaves;
  r.admission.participants_if_device_first = limits::leaves;
  r.admission.devices_among_first = limits::leaves;
  r.admission.app_participants = limits::leaves;
  r.admission.admits_ucf = true;
  r.admission.kinds.fill(true);
  allow(r, {platform::unknown, platform::desktop_windows, platform::desktop_macos, platform::desktop_linux,
            platform::mobile_ios, platform::mobile_android, platform::room_device, platform::sx_series,
            platform::dx_series, platform::mx_series, platform::web, platform::vdi});
  offer(r, {feature::chat, feature::notes, feature::local_recording});
  offer(r, {feature::breakout_rooms});  // a group of their own, branched from the meeting's: RFC 9420 11.3
  return r;
}

inline constexpr std::array all{webex(), teams(), open()};

}  // namespace preset_rules

/// rules_of(preset): static storage.
[[nodiscard]] constexpr const meeting_rules& rules_of(preset p) noexcept {
  return preset_rules::all[known(p) ? static_cast<std::size_t>(p) : 0];
}

}  // namespace conclave
