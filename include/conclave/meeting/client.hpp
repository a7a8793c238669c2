// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a client says of itself: what it runs on, which version it is, how its sound travels. Everything here is
/// self-asserted: nobody detects a client that lies. Rules about it keep honest clients out of meetings they would
/// spoil; against others they protect nothing.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/meeting/names.hpp>

#include <compare>
#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// platform: what a client runs on, or what it comes through. Numbers travel (client_claims); never renumber them.
enum class platform : std::uint8_t {
  unknown,
  desktop_windows,
  desktop_macos,
  desktop_linux,
  mobile_ios,
  mobile_android,
  room_device,
  sx_series,  ///< SX, DX, MX: older video devices
  dx_series,
  mx_series,
  web,
  vdi,   ///< a virtual desktop
  cvi,   ///< a gateway for other vendors' video
  sip,   ///< a gateway for SIP
  pstn,  ///< a gateway for telephones
};
inline constexpr std::array<std::string_view, 15> platform_names{
    "unknown",   "windows",   "macos", "linux", "ios", "android", "room_device", "sx_series",
    "dx_series", "mx_series", "web",   "vdi",   "cvi", "sip",     "pstn"};
[[nodiscard]] constexpr std::span<const std::string_view> names(platform) noexcept { return platform_names; }

/// client_experience: which generation of client it is. `app` is one that is limited to a few participants, `ucf` one
/// with the unified client framework.
enum class client_experience : std::uint8_t { standard, app, ucf };
inline constexpr std::array<std::string_view, 3> experience_names{"standard", "app", "ucf"};
[[nodiscard]] constexpr std::span<const std::string_view> names(client_experience) noexcept { return experience_names; }

/// audio_route: how the sound travels. Only `computer` passes through the client, which can encrypt it; `call_me` and
/// `call_in` are telephones beside it.
enum class audio_route : std::uint8_t { computer, call_me, call_in, none };
inline constexpr std::array<std::string_view, 4> audio_names{"computer", "call_me", "call_in", "none"};
[[nodiscard]] constexpr std::span<const std::string_view> names(audio_route) noexcept { return audio_names; }

/// ends_at_a_gateway(platform), is_telephone(route): what comes through would be decrypted by a server on the way.
[[nodiscard]] constexpr bool ends_at_a_gateway(platform p) noexcept {
  return p == platform::cvi || p == platform::sip || p == platform::pstn;
}
[[nodiscard]] constexpr bool is_telephone(audio_route a) noexcept {
  return a == audio_route::call_me || a == audio_route::call_in;
}

/// is_video_device(platform): what the rules for room devices are about: the older series are room devices too.
[[nodiscard]] constexpr bool is_video_device(platform p) noexcept {
  return p == platform::room_device || p == platform::sx_series || p == platform::dx_series || p == platform::mx_series;
}

/// text(platform), text(route): for people.
[[nodiscard]] constexpr const char* text(platform p) noexcept {
  switch (p) {
    case platform::unknown: break;
    case platform::desktop_windows: return "Windows";
    case platform::desktop_macos: return "macOS";
    case platform::desktop_linux: return "Linux";
    case platform::mobile_ios: return "iOS";
    case platform::mobile_android: return "Android";
    case platform::room_device: return "a room device";
    case platform::sx_series: return "a video device of the SX series";
    case platform::dx_series: return "a video device of the DX series";
    case platform::mx_series: return "a video device of the MX series";
    case platform::web: return "a web browser";
    case platform::vdi: return "a virtual desktop";
    case platform::cvi: return "a gateway for other vendors' video";
    case platform::sip: return "a SIP gateway";
    case platform::pstn: return "a telephone";
  }
  return "an unknown platform";
}
[[nodiscard]] constexpr const char* text(audio_route a) noexcept {
  switch (a) {
    case audio_route::computer: return "computer audio";
    case audio_route::call_me: return "a telephone that the meeting calls";
    case audio_route::call_in: return "a telephone that calls the meeting";
    case audio_route::none: return "no audio";
  }
  return "an unknown kind of audio";
}

namespace rules {
inline constexpr rule version_number{"a version is one to four numbers with dots between them",
                                     "docs/rules.md, versions"};
inline constexpr rule claims_format{"the format of what a client says of itself is not known here",
                                    "docs/rules.md, what a client says of itself"};
inline constexpr rule claims_flag{"a flag is neither 0 nor 1", "docs/rules.md, what a client says of itself"};
}  // namespace rules

/// client_version: up to four numbers, compared from the left; what is not written is 0.
struct client_version {
  std::array<std::uint32_t, 4> parts{};

  friend constexpr auto operator<=>(const client_version&, const client_version&) noexcept = default;

  /// parse("41.7"): one to four decimal numbers below 2^32 without leading zeros, dots between them. malformed.
  [[nodiscard]] static constexpr result<client_version> parse(std::string_view written) noexcept {
    constexpr failure bad{errc::malformed, rules::version_number};
    client_version out;
    for (std::size_t i = 0; i < out.parts.size(); ++i) {
      std::uint64_t value = 0;
      std::size_t digits = 0;
      for (; digits < written.size() && written[digits] >= '0' && written[digits] <= '9'; ++digits) {
        value = value * 10 + static_cast<std::uint64_t>(written[digits] - '0');
        if (value > 0xffff'ffff || (digits > 0 && written[0] == '0')) return bad;
      }
      if (digits == 0) return bad;
      out.parts[i] = static_cast<std::uint32_t>(value);
      written.remove_prefix(digits);
      if (written.empty()) return out;
      if (written[0] != '.') return bad;
      written.remove_prefix(1);
    }
    return bad;
  }
};

/// text(version): as parse() reads it, without the zeros at its end, of which one stays: "41.7", "41".
[[nodiscard]] inline std::string text(const client_version& v) {
  std::size_t last = v.parts.size() - 1;
  while (last > 0 && v.parts[last] == 0) --last;
  std::string out = std::to_string(v.parts[0]);
  for (std::size_t i = 1; i <= last; ++i) out += '.' + std::to_string(v.parts[i]);
  return out;
}

/// client_claims: what a client says of itself, to travel beside its key package. Its encoding (wire::encode) is
/// `client_claims::size` bytes: the format, 1; platform, experience, audio and must_be_recorded, one byte each; the
/// version, four numbers of four bytes. Decoding (wire::decode) fails as malformed for any other length and for a flag
/// that is neither 0 nor 1, as unsupported for another format. Platforms, experiences and routes that newer clients
/// know keep their number, which known() tells; whoever admits treats them as unknown.
struct client_claims {
  static constexpr std::uint8_t format = 1;
  static constexpr std::size_t size = 5 + 4 * sizeof(std::uint32_t);

  conclave::platform platform = conclave::platform::unknown;
  client_experience experience = client_experience::standard;
  audio_route audio = audio_route::computer;
  bool must_be_recorded = false;  ///< this person may only be in meetings that are recorded for compliance
  client_version version;

  friend constexpr bool operator==(const client_claims&, const client_claims&) noexcept = default;

  [[nodiscard]] static constexpr result<client_claims> read(reader& in) {
    CONCLAVE_TRY(const auto version_of_format, in.number<std::uint8_t>());
    if (version_of_format != format) return failure{errc::unsupported, rules::claims_format};
    client_claims out;
    CONCLAVE_TRY(out.platform, wire::read<conclave::platform>(in));
    CONCLAVE_TRY(out.experience, wire::read<client_experience>(in));
    CONCLAVE_TRY(out.audio, wire::read<audio_route>(in));
    CONCLAVE_TRY(const auto recorded, in.number<std::uint8_t>());
    if (recorded > 1) return failure{errc::malformed, rules::claims_flag};
    out.must_be_recorded = recorded == 1;
    for (std::uint32_t& part : out.version.parts) {
      CONCLAVE_TRY(part, in.number<std::uint32_t>());
    }
    return out;
  }
  constexpr void write(auto& out) const {
    out.number(format);
    wire::write(out, platform);
    wire::write(out, experience);
    wire::write(out, audio);
    out.number(static_cast<std::uint8_t>(must_be_recorded));
    for (const std::uint32_t part : version.parts) out.number(part);
  }
};

}  // namespace conclave
