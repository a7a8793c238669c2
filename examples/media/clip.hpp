// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A clip: a video file and an audio file as one line of encoded frames in time order, and the way back into two files.
#pragma once

#include "file.hpp"
#include "ivf.hpp"
#include "ogg.hpp"

#include <iterator>
#include <utility>

namespace demo {

namespace rules {
inline constexpr conclave::rule clip_time{"a frame's time is beyond a day", "the longest clip"};
}  // namespace rules

enum class media_kind : std::uint8_t { audio, video };

/// media_frame: one encoded frame. Time counts from the start of the clip; an audio frame's is that of the first sample
/// a decoder makes of it, pre-skip included.
struct media_frame {
  media_kind kind;
  std::uint64_t microseconds;
  conclave::byte_view data;
};

/// clip_format: what the two files say besides the frames. The end of the sound is a position in samples.
struct clip_format {
  ivf_header video;
  std::uint32_t serial = 0;
  conclave::bytes head, tags;
  std::uint64_t audio_end = 0;
};

namespace detail {

// A clock of `rate` ticks in `scale` seconds; none is faster than a microsecond, so that rounding can be undone.
[[nodiscard]] constexpr std::uint64_t to_microseconds(std::uint64_t ticks, std::uint64_t rate, std::uint64_t scale) {
  return (ticks * scale * 1'000'000 + rate / 2) / rate;
}
[[nodiscard]] constexpr std::uint64_t to_ticks(std::uint64_t microseconds, std::uint64_t rate, std::uint64_t scale) {
  return (microseconds * rate + scale * 500'000) / (scale * 1'000'000);
}

}  // namespace detail

/// clip: the content of two files. Movable; the frames are views into it and live as long as it does.
class clip {
 public:
  clip() = default;
  clip(clip&&) noexcept = default;
  clip& operator=(clip&&) noexcept = default;

  /// load(video, audio): replaces the content by that of an IVF and an Ogg Opus file, of at most 256 MiB each. Empty,
  /// or "file: message" after a failure; the clip is as it was then.
  [[nodiscard]] std::string load(const std::string& video, const std::string& audio) {
    static constexpr std::size_t cap = std::size_t{1} << 28U;
    clip fresh;
    auto pictures = read_file(video, cap);
    if (!pictures) return explain(video, pictures.error());
    fresh.video_ = *std::move(pictures);
    const auto seen = read_ivf(fresh.video_);
    if (!seen) return explain(video, seen.error());
    const auto sound = read_file(audio, cap);
    if (!sound) return explain(audio, sound.error());
    auto heard = read_ogg(*sound);
    if (!heard) return explain(audio, heard.error());
    fresh.merge(*seen, *std::move(heard));
    *this = std::move(fresh);
    return {};
  }

  [[nodiscard]] const clip_format& format() const noexcept { return format_; }
  /// frames(): by time; at the same time, audio first.
  [[nodiscard]] std::span<const media_frame> frames() const noexcept { return frames_; }

 private:
  void merge(const ivf_clip& seen, opus_stream&& heard) {
    format_ = {seen.header, heard.serial, std::move(heard.head), std::move(heard.tags), heard.end};
    audio_ = std::move(heard.packets);
    std::vector<media_frame> sound, pictures;
    for (const auto& [position, data] : audio_)
      sound.push_back({media_kind::audio, detail::to_microseconds(position, opus_rate, 1), data});
    for (const auto& [ticks, data] : seen.frames)
      pictures.push_back(
          {media_kind::video, detail::to_microseconds(ticks, seen.header.rate, seen.header.scale), data});
    constexpr auto time = &media_frame::microseconds;
    std::ranges::merge(sound, pictures, std::back_inserter(frames_), {}, time, time);
  }

  conclave::bytes video_;
  std::vector<opus_packet> audio_;
  std::vector<media_frame> frames_;
  clip_format format_;
};

/// clip_writer: takes the frames of a clip, each kind in order, and makes the two files again. It may start late and
/// end early, but sound has no holes.
class clip_writer {
 public:
  explicit clip_writer(clip_format format) : format_{std::move(format)} { format_.video.frames = 0; }

  /// add(frame): keeps a copy. Errors: malformed for a frame that cannot follow those that are there; nothing is kept.
  [[nodiscard]] conclave::status add(const media_frame& frame) {
    if (frame.microseconds > longest) return conclave::failure{conclave::errc::malformed, rules::clip_time};
    return frame.kind == media_kind::audio ? add_audio(frame) : add_video(frame);
  }

  /// video_file(), audio_file(): the bytes of the two files. Errors: malformed for sound without a packet.
  [[nodiscard]] conclave::result<conclave::bytes> video_file() const {
    ivf_clip out{format_.video, {}};
    for (const auto& [ticks, data] : video_) out.frames.push_back({ticks, data});
    return write_ivf(out);
  }
  [[nodiscard]] conclave::result<conclave::bytes> audio_file() const {
    return write_ogg({format_.serial, format_.head, format_.tags, audio_, std::min(audio_end_, format_.audio_end)});
  }

  /// save(video, audio): writes both files, each whole or not at all. Empty, or "file: message" after a failure.
  [[nodiscard]] std::string save(const std::string& video, const std::string& audio) const {
    for (const auto& [path, content] : {std::pair{video, video_file()}, std::pair{audio, audio_file()}}) {
      if (!content) return explain(path, content.error());
      if (const auto written = write_file(path, *content); !written) return explain(path, written.error());
    }
    return {};
  }

 private:
  static constexpr std::uint64_t longest = 86'400'000'000;  // a day; in larger numbers the clocks would overflow

  struct picture {
    std::uint64_t ticks;
    conclave::bytes data;
  };

  [[nodiscard]] conclave::status add_audio(const media_frame& frame) {
    const std::uint64_t position = detail::to_ticks(frame.microseconds, opus_rate, 1);
    CONCLAVE_TRY(const auto samples, opus_samples(frame.data));
    if (!audio_.empty() && position != audio_end_) return conclave::failure{conclave::errc::malformed, rules::ogg_gap};
    audio_.push_back({position, conclave::to_bytes(frame.data)});
    audio_end_ = position + samples;
    return {};
  }

  [[nodiscard]] conclave::status add_video(const media_frame& frame) {
    CONCLAVE_CHECK(check_ivf(format_.video));
    const std::uint64_t ticks = detail::to_ticks(frame.microseconds, format_.video.rate, format_.video.scale);
    if (frame.data.empty()) return conclave::failure{conclave::errc::malformed, rules::ivf_frame_size};
    CONCLAVE_CHECK(check_ivf(format_.video, ticks, video_.empty() ? 0 : video_.back().ticks));
    video_.push_back({ticks, conclave::to_bytes(frame.data)});
    ++format_.video.frames;
    return {};
  }

  clip_format format_;
  std::vector<picture> video_;
  std::vector<opus_packet> audio_;
  std::uint64_t audio_end_ = 0;
};

}  // namespace demo
