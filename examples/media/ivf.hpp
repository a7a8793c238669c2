// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// IVF, the file format of VP8, VP9 and AV1 test clips: a header of 32 bytes, then frames, each with its size and time
/// before it; everything little-endian. It has no standard: the layout is that of libvpx (ivfdec.c, ivfenc.c).
#pragma once

#include "little_endian.hpp"

#include <conclave/result.hpp>

#include <array>
#include <limits>

namespace demo {

namespace rules {
inline constexpr conclave::rule ivf_signature{"this is not an IVF file", "IVF header, bytes 0 to 3"};
inline constexpr conclave::rule ivf_header_complete{"the header of the IVF file is cut short", "IVF header, 32 bytes"};
inline constexpr conclave::rule ivf_version{"the IVF header has another version or length", "IVF header, bytes 4 to 7"};
inline constexpr conclave::rule ivf_codec{"the video is not VP8, VP9 or AV1", "IVF header, bytes 8 to 11"};
inline constexpr conclave::rule ivf_picture{"the video has no or absurd dimensions", "IVF header, bytes 12 to 15"};
inline constexpr conclave::rule ivf_rate{"the video's clock is not between 1 us and 1 s", "IVF header, bytes 16 to 23"};
inline constexpr conclave::rule ivf_unused{"unused bytes of the IVF header are not zero", "IVF header, bytes 28 to 31"};
inline constexpr conclave::rule ivf_count{"the IVF file has not as many frames as it says",
                                          "IVF header, bytes 24 to 27"};
inline constexpr conclave::rule ivf_frame_complete{"a video frame is cut short", "IVF frame, bytes 0 to 3"};
inline constexpr conclave::rule ivf_frame_size{"a video frame is empty or larger than 2^32-1 bytes",
                                               "IVF frame, bytes 0 to 3"};
inline constexpr conclave::rule ivf_order{"a video frame's time is before its predecessor's or beyond a day",
                                          "IVF frame, bytes 4 to 11"};
}  // namespace rules

/// ivf_header: what the header says. `rate` ticks of the clock are `scale` seconds.
struct ivf_header {
  std::array<std::uint8_t, 4> codec{'V', 'P', '8', '0'};
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint32_t rate = 0;
  std::uint32_t scale = 0;
  std::uint32_t frames = 0;
};

/// ivf_frame: one encoded picture and its time in ticks.
struct ivf_frame {
  std::uint64_t ticks = 0;
  conclave::byte_view data;
};

/// ivf_clip: header.frames is the number of frames.
struct ivf_clip {
  ivf_header header;
  std::vector<ivf_frame> frames;
};

inline constexpr std::size_t ivf_header_size = 32, ivf_frame_header_size = 12;

/// check_ivf(header): malformed or unsupported where no IVF file of ours may say this.
[[nodiscard]] inline conclave::status check_ivf(const ivf_header& header) {
  using conclave::errc, conclave::failure;
  const auto codec = conclave::as_text(header.codec);
  if (codec != "VP80" && codec != "VP90" && codec != "AV01") return failure{errc::unsupported, rules::ivf_codec};
  constexpr unsigned max_side = (1U << 14U) - 1;  // what VP8 has bits for (RFC 6386 9.1)
  if (header.width == 0 || header.width > max_side || header.height == 0 || header.height > max_side)
    return failure{errc::malformed, rules::ivf_picture};
  constexpr std::uint32_t per_second = 1'000'000;
  if (header.scale == 0 || header.scale > header.rate || header.rate > per_second)
    return failure{errc::malformed, rules::ivf_rate};
  return {};
}

/// check_ivf(header, ticks, before): malformed where a frame cannot have this time after a frame at `before`.
[[nodiscard]] inline conclave::status check_ivf(const ivf_header& header, std::uint64_t ticks, std::uint64_t before) {
  constexpr std::uint64_t day = 86'400;
  if (ticks < before || ticks > day * header.rate / header.scale)
    return conclave::failure{conclave::errc::malformed, rules::ivf_order};
  return {};
}

/// read_ivf(file): the header and the frames, which are views into `file`. Errors: malformed for everything that is cut
/// short, left over or impossible; unsupported for another version or codec.
[[nodiscard]] inline conclave::result<ivf_clip> read_ivf(conclave::byte_view file) {
  using conclave::errc, conclave::failure;
  if (conclave::as_text(file.first(std::min<std::size_t>(4, file.size()))) != "DKIF")
    return failure{errc::malformed, rules::ivf_signature};
  if (file.size() < ivf_header_size) return failure{errc::malformed, rules::ivf_header_complete};
  if (load_le<std::uint16_t>(file.subspan(4)) != 0 || load_le<std::uint16_t>(file.subspan(6)) != ivf_header_size)
    return failure{errc::unsupported, rules::ivf_version};

  ivf_clip clip;
  std::ranges::copy(file.subspan(8, 4), clip.header.codec.begin());
  clip.header.width = load_le<std::uint16_t>(file.subspan(12));
  clip.header.height = load_le<std::uint16_t>(file.subspan(14));
  clip.header.rate = load_le<std::uint32_t>(file.subspan(16));
  clip.header.scale = load_le<std::uint32_t>(file.subspan(20));
  clip.header.frames = load_le<std::uint32_t>(file.subspan(24));
  CONCLAVE_CHECK(check_ivf(clip.header));
  if (load_le<std::uint32_t>(file.subspan(28)) != 0) return failure{errc::malformed, rules::ivf_unused};

  std::uint64_t before = 0;
  for (auto rest = file.subspan(ivf_header_size); !rest.empty();) {
    if (rest.size() < ivf_frame_header_size) return failure{errc::malformed, rules::ivf_frame_complete};
    const std::size_t size = load_le<std::uint32_t>(rest);
    const auto ticks = load_le<std::uint64_t>(rest.subspan(4));
    rest = rest.subspan(ivf_frame_header_size);
    if (size == 0) return failure{errc::malformed, rules::ivf_frame_size};
    if (size > rest.size()) return failure{errc::malformed, rules::ivf_frame_complete};
    CONCLAVE_CHECK(check_ivf(clip.header, ticks, before));
    clip.frames.push_back({ticks, rest.first(size)});
    rest = rest.subspan(size);
    before = ticks;
  }
  if (clip.frames.size() != clip.header.frames) return failure{errc::malformed, rules::ivf_count};
  return clip;
}

/// write_ivf(clip): the bytes of a file that read_ivf reads as `clip`. Errors: as read_ivf, for what it would refuse.
[[nodiscard]] inline conclave::result<conclave::bytes> write_ivf(const ivf_clip& clip) {
  using conclave::errc, conclave::failure;
  CONCLAVE_CHECK(check_ivf(clip.header));
  if (clip.frames.size() != clip.header.frames) return failure{errc::malformed, rules::ivf_count};
  conclave::bytes out = conclave::to_bytes(conclave::as_bytes("DKIF"));
  append_le<std::uint16_t>(out, 0);
  append_le<std::uint16_t>(out, ivf_header_size);
  conclave::append(out, clip.header.codec);
  append_le(out, clip.header.width);
  append_le(out, clip.header.height);
  append_le(out, clip.header.rate);
  append_le(out, clip.header.scale);
  append_le(out, clip.header.frames);
  append_le<std::uint32_t>(out, 0);

  std::uint64_t before = 0;
  for (const ivf_frame& frame : clip.frames) {
    if (frame.data.empty() || frame.data.size() > std::numeric_limits<std::uint32_t>::max())
      return failure{errc::malformed, rules::ivf_frame_size};
    CONCLAVE_CHECK(check_ivf(clip.header, frame.ticks, before));
    append_le(out, static_cast<std::uint32_t>(frame.data.size()));
    append_le(out, frame.ticks);
    conclave::append(out, frame.data);
    before = frame.ticks;
  }
  return out;
}

}  // namespace demo
