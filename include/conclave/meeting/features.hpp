// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which features a meeting offers, and why not. What a server would have to hear or see to do cannot exist in a
/// meeting that is end-to-end encrypted, under any rules.
#pragma once

#include <conclave/meeting/names.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// feature: what people may look for in a meeting.
enum class feature : std::uint8_t {
  chat,
  notes,
  local_recording,
  breakout_rooms,
  assistant,
  live_captions,
  transcription,
  cloud_recording,
  cloud_notes,
  phone_dial_in,
  excel_live,
  powerpoint_live,
  request_control,
  together_mode,
  companion_mode,
  large_gallery,
  transcoding,
};
inline constexpr std::array<std::string_view, 17> feature_names{
    "chat",          "notes",           "local_recording", "breakout_rooms", "assistant",
    "live_captions", "transcription",   "cloud_recording", "cloud_notes",    "phone_dial_in",
    "excel_live",    "powerpoint_live", "request_control", "together_mode",  "companion_mode",
    "large_gallery", "transcoding"};
[[nodiscard]] constexpr std::span<const std::string_view> names(feature) noexcept { return feature_names; }

/// text(feature): its name, for people.
[[nodiscard]] constexpr const char* text(feature f) noexcept {
  switch (f) {
    case feature::chat: return "Chat";
    case feature::notes: return "Notes";
    case feature::local_recording: return "Local recording";
    case feature::breakout_rooms: return "Breakout rooms";
    case feature::assistant: return "Copilot or assistant";
    case feature::live_captions: return "Live captions";
    case feature::transcription: return "Transcription";
    case feature::cloud_recording: return "Cloud recording";
    case feature::cloud_notes: return "Cloud notes";
    case feature::phone_dial_in: return "Phone dial-in";
    case feature::excel_live: return "Excel Live";
    case feature::powerpoint_live: return "PowerPoint Live";
    case feature::request_control: return "Request control";
    case feature::together_mode: return "Together mode";
    case feature::companion_mode: return "Companion mode";
    case feature::large_gallery: return "Large gallery";
    case feature::transcoding: return "Transcoding";
  }
  return "An unknown feature";
}

/// server_would_have_to(feature): what a server does for it, which end-to-end encryption rules out; nullptr for what
/// the participants' own clients do.
[[nodiscard]] constexpr const char* server_would_have_to(feature f) noexcept {
  switch (f) {
    case feature::chat:
    case feature::notes:
    case feature::local_recording:
    case feature::breakout_rooms: return nullptr;
    case feature::assistant: return "listen to the meeting and read along";
    case feature::live_captions:
    case feature::transcription: return "hear what is said";
    case feature::cloud_recording: return "hear and see the meeting";
    case feature::cloud_notes: return "read the notes";
    case feature::phone_dial_in: return "decrypt the sound for the telephone network";
    case feature::excel_live:
    case feature::powerpoint_live: return "open the document";
    case feature::request_control: return "take part in the shared screen";
    case feature::together_mode: return "cut the people out of their pictures";
    case feature::companion_mode: return "join two devices of one person into one picture";
    case feature::large_gallery: return "put all pictures into one";
    case feature::transcoding: return "decode the pictures and encode them again";
  }
  return "know what this is";
}
[[nodiscard]] constexpr bool needs_server_access(feature f) noexcept { return server_would_have_to(f) != nullptr; }

/// feature_use: when a feature may be offered. `always` counts as when_not_encrypted for what needs server access.
enum class feature_use : std::uint8_t { off, when_not_encrypted, always };
inline constexpr std::array<std::string_view, 3> feature_use_names{"off", "when_not_encrypted", "always"};
[[nodiscard]] constexpr std::span<const std::string_view> names(feature_use) noexcept { return feature_use_names; }

/// feature_rules: the use of each feature; off unless listed.
struct feature_rules {
  std::array<feature_use, count<feature>()> uses{};

  [[nodiscard]] constexpr feature_use of(feature f) const noexcept {
    return known(f) ? uses[static_cast<std::size_t>(f)] : feature_use::off;
  }
  friend constexpr bool operator==(const feature_rules&, const feature_rules&) noexcept = default;
};

/// feature_reason: why a feature is not there.
enum class feature_reason : std::uint8_t { available, needs_server_access, not_when_encrypted, off };
inline constexpr std::array<std::string_view, 4> feature_reason_names{"available", "needs_server_access",
                                                                      "not_when_encrypted", "off"};
[[nodiscard]] constexpr std::span<const std::string_view> names(feature_reason) noexcept {
  return feature_reason_names;
}

/// availability(rules, feature, encrypted): available, or why not. That a feature is available says that the rules
/// allow it: server features are the product's to build.
[[nodiscard]] constexpr feature_reason availability(const feature_rules& rules, feature f, bool encrypted) noexcept {
  const feature_use use = rules.of(f);
  if (encrypted && needs_server_access(f)) return feature_reason::needs_server_access;
  if (use == feature_use::always || (use == feature_use::when_not_encrypted && !encrypted))
    return feature_reason::available;
  return use == feature_use::when_not_encrypted ? feature_reason::not_when_encrypted : feature_reason::off;
}

/// explain(feature, reason): what a help desk can read out.
[[nodiscard]] inline std::string explain(feature f, feature_reason why) {
  std::string out = text(f);
  switch (why) {
    case feature_reason::available: return out + ": available.";
    case feature_reason::needs_server_access:
      out += ": not available, because a server would have to ";
      out += needs_server_access(f) ? server_would_have_to(f) : "take part";
      return out + ", and the meeting is end-to-end encrypted.";
    case feature_reason::not_when_encrypted:
      return out + ": not available, because these rules offer it only in meetings that are not end-to-end encrypted.";
    case feature_reason::off: break;
  }
  return out + ": not available, because it is switched off.";
}

}  // namespace conclave
