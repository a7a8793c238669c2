// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Ogg Opus files (RFC 7845 in RFC 3533), through libogg: one stream of Opus, read strictly and written with about a
/// second of sound on each page.
#pragma once

#include "opus.hpp"

#include <conclave/result.hpp>

#include <cstring>
#include <optional>

#include <ogg/ogg.h>

namespace demo {

namespace rules {
inline constexpr conclave::rule ogg_capture{"this is not an Ogg file, or other bytes stand between its pages",
                                            "RFC 3533 6"};
inline constexpr conclave::rule ogg_checksum{"the checksum of an Ogg page is wrong", "RFC 3533 6"};
inline constexpr conclave::rule ogg_complete{"the Ogg file is cut short", "RFC 3533 6"};
inline constexpr conclave::rule ogg_one_stream{"the Ogg file holds more than one stream, or goes on after its end",
                                               "RFC 7845 3"};
inline constexpr conclave::rule ogg_sequence{"an Ogg page is missing, repeated or out of order", "RFC 3533 6"};
inline constexpr conclave::rule ogg_headers{"the Opus headers do not stand on pages of their own", "RFC 7845 3"};
inline constexpr conclave::rule ogg_granule{"an Ogg page's position differs from what its packets last", "RFC 7845 4"};
inline constexpr conclave::rule ogg_audio{"the Ogg file holds no audio", "RFC 7845 3"};
inline constexpr conclave::rule ogg_gap{"an audio packet does not begin where the one before ends", "RFC 7845 4.1"};
}  // namespace rules

/// max_opus_position: a day. Beyond it a position is damage.
inline constexpr std::uint64_t max_opus_position = std::uint64_t{86'400} * opus_rate;

/// opus_packet: one encoded packet, and how many samples lie between the start of the stream and its first one. The
/// position counts what a decoder makes, pre-skip included: packet 0 usually has position 0.
struct opus_packet {
  std::uint64_t position;
  conclave::bytes data;
};

/// opus_stream: all that an Ogg Opus file says. Each packet begins where the one before ends, and `end` is the position
/// after the last sample that is played; what the last packet holds beyond it is dropped (RFC 7845 4.4).
struct opus_stream {
  std::uint32_t serial = 0;
  conclave::bytes head;  ///< read_opus_head accepts it
  conclave::bytes tags;  ///< check_opus_tags accepts it
  std::vector<opus_packet> packets;
  std::uint64_t end = 0;
};

namespace detail {

/// ogg_pages: the pages of a file, one right after the other.
class ogg_pages {
 public:
  explicit ogg_pages(conclave::byte_view file) noexcept : rest_{file} { ogg_sync_init(&state_); }
  ~ogg_pages() { ogg_sync_clear(&state_); }
  ogg_pages(const ogg_pages&) = delete;
  ogg_pages& operator=(const ogg_pages&) = delete;

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  /// next(): the next page, valid until the next call. Errors: malformed; over_limit for a file libogg cannot hold.
  [[nodiscard]] conclave::result<ogg_page> next() {
    using conclave::errc, conclave::failure;
    if (rest_.empty()) return failure{errc::malformed, rules::ogg_complete};
    const auto pattern = conclave::as_text(rest_.first(std::min<std::size_t>(4, rest_.size())));
    if (!std::string_view{"OggS"}.starts_with(pattern)) return failure{errc::malformed, rules::ogg_capture};
    if (state_.storage == 0) {  // the first time: all at once
      char* const buffer = ogg_sync_buffer(&state_, static_cast<long>(rest_.size()));
      if (buffer == nullptr) return errc::over_limit;
      std::memcpy(buffer, rest_.data(), rest_.size());
      ogg_sync_wrote(&state_, static_cast<long>(rest_.size()));
    }
    ogg_page page;
    const long size = ogg_sync_pageseek(&state_, &page);
    if (size == 0) return failure{errc::malformed, rules::ogg_complete};
    if (size < 0) return failure{errc::malformed, rules::ogg_checksum};
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return page;
  }

 private:
  ogg_sync_state state_;
  conclave::byte_view rest_;
};

/// ogg_packets: libogg's state between pages and packets, in either direction.
class ogg_packets {
 public:
  explicit ogg_packets(std::uint32_t serial) noexcept { ogg_stream_init(&state_, static_cast<int>(serial)); }
  ~ogg_packets() { ogg_stream_clear(&state_); }
  ogg_packets(const ogg_packets&) = delete;
  ogg_packets& operator=(const ogg_packets&) = delete;

  [[nodiscard]] ogg_stream_state* get() noexcept { return &state_; }

 private:
  ogg_stream_state state_;
};

/// opus_reader: takes the pages of a file in order and checks what each says against what it holds.
class opus_reader {
 public:
  /// take(page): adds its packets to the stream. Errors: malformed, unsupported.
  [[nodiscard]] conclave::status take(ogg_page& page) {
    using conclave::errc, conclave::failure;
    const auto serial = static_cast<std::uint32_t>(ogg_page_serialno(&page));
    const bool first = !packets_, headers = stream_.tags.empty();
    if (first) packets_.emplace(stream_.serial = serial);
    if (serial != stream_.serial) return failure{errc::malformed, rules::ogg_one_stream};
    if ((ogg_page_bos(&page) != 0) != first || (ogg_page_continued(&page) != 0) != unfinished_ ||
        ogg_stream_pagein(packets_->get(), &page) != 0)
      return failure{errc::malformed, rules::ogg_sequence};
    if (page.header_len > 27) unfinished_ = page.header[page.header_len - 1] == 255;  // RFC 3533 6: lacing values

    std::size_t completed = 0;
    ogg_packet packet;
    // libogg itself finds that a page is missing: packetout says so with a negative number
    for (int got = 0; (got = ogg_stream_packetout(packets_->get(), &packet)) != 0; ++completed) {
      if (got < 0) return failure{errc::malformed, rules::ogg_sequence};
      CONCLAVE_CHECK(take(conclave::byte_view{packet.packet, static_cast<std::size_t>(packet.bytes)}));
    }
    const std::int64_t granule = ogg_page_granulepos(&page);
    ended_ = ogg_page_eos(&page) != 0;
    if (ended_ && unfinished_) return failure{errc::malformed, rules::ogg_complete};
    // RFC 7845 3: the first page holds OpusHead and nothing else; OpusTags ends the page on which it ends
    if (headers && (first || completed != 0)) {
      if (completed != 1 || unfinished_ || granule != 0) return failure{errc::malformed, rules::ogg_headers};
      return {};
    }
    return completed == 0 && granule == -1 ? conclave::status{} : place(granule);
  }

  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// finish(): the stream, after its last page. Errors: malformed where it has no audio.
  [[nodiscard]] conclave::result<opus_stream> finish() && {
    if (stream_.packets.empty()) return conclave::failure{conclave::errc::malformed, rules::ogg_audio};
    for (opus_packet& packet : stream_.packets) packet.position += *start_;
    return std::move(stream_);
  }

 private:
  [[nodiscard]] conclave::status take(conclave::byte_view packet) {
    if (stream_.head.empty()) {
      CONCLAVE_CHECK(read_opus_head(packet));
      stream_.head = conclave::to_bytes(packet);
    } else if (stream_.tags.empty()) {
      CONCLAVE_CHECK(check_opus_tags(packet));
      stream_.tags = conclave::to_bytes(packet);
    } else {
      CONCLAVE_TRY(const auto samples, opus_samples(packet));
      stream_.packets.push_back({samples_, conclave::to_bytes(packet)});
      samples_ += samples;
    }
    return {};
  }

  // RFC 7845 4: a page's granule position is the number of samples up to the end of its last whole packet. The first
  // one tells where the stream starts (4.3); the last one may be smaller, to drop samples (4.4), and where it is also
  // the first one and less than what it holds, the stream starts at 0 (4.5).
  [[nodiscard]] conclave::status place(std::int64_t granule) {
    const conclave::failure wrong{conclave::errc::malformed, rules::ogg_granule};
    if (granule < 0 || granule > static_cast<std::int64_t>(max_opus_position)) return wrong;
    const auto end = static_cast<std::uint64_t>(granule);
    if (!start_) stream_.end = start_.emplace(end < samples_ ? 0 : end - samples_);
    const std::uint64_t held = *start_ + samples_;
    if (ended_ ? end > held || end < stream_.end : end != held) return wrong;
    stream_.end = end;
    return {};
  }

  std::optional<ogg_packets> packets_;
  bool unfinished_ = false;  // the last packet goes on on the next page
  bool ended_ = false;
  std::uint64_t samples_ = 0;
  std::optional<std::uint64_t> start_;
  opus_stream stream_;
};

}  // namespace detail

/// read_ogg(file): the Opus stream of a file that holds nothing else, from its first page to its last. Errors:
/// malformed for everything that is damaged, cut short or left over; unsupported for another version or channel
/// mapping.
[[nodiscard]] inline conclave::result<opus_stream> read_ogg(conclave::byte_view file) {
  detail::ogg_pages pages{file};
  detail::opus_reader stream;
  while (!stream.ended()) {
    CONCLAVE_TRY(ogg_page page, pages.next());
    CONCLAVE_CHECK(stream.take(page));
  }
  if (!pages.empty()) return conclave::failure{conclave::errc::malformed, rules::ogg_one_stream};
  return std::move(stream).finish();
}

/// write_ogg(stream): the bytes of a file that read_ogg reads as `stream`. Errors: as read_ogg, for what it would
/// refuse.
[[nodiscard]] inline conclave::result<conclave::bytes> write_ogg(const opus_stream& stream) {
  using conclave::errc, conclave::failure;
  CONCLAVE_CHECK(read_opus_head(stream.head));
  CONCLAVE_CHECK(check_opus_tags(stream.tags));
  if (stream.packets.empty()) return failure{errc::malformed, rules::ogg_audio};

  conclave::bytes out;
  detail::ogg_packets packets{stream.serial};
  const auto put = [&](conclave::byte_view data, std::uint64_t granule, bool last) {
    ogg_packet packet{const_cast<unsigned char*>(data.data()), static_cast<long>(data.size()), 0, last, 0, 0};
    packet.granulepos = static_cast<ogg_int64_t>(granule);
    return ogg_stream_packetin(packets.get(), &packet) == 0;
  };
  const auto flush = [&] {
    for (ogg_page page; ogg_stream_flush_fill(packets.get(), &page, 255 * 255) != 0;) {
      conclave::append(out, {page.header, static_cast<std::size_t>(page.header_len)});
      conclave::append(out, {page.body, static_cast<std::size_t>(page.body_len)});
    }
  };
  for (const conclave::bytes* header : {&stream.head, &stream.tags}) {
    if (!put(*header, 0, false)) return errc::over_limit;
    flush();
  }
  const std::uint64_t start = stream.packets.front().position;
  std::uint64_t position = start, page_start = start;
  for (const opus_packet& packet : stream.packets) {
    CONCLAVE_TRY(const auto samples, opus_samples(packet.data));
    if (packet.position != position) return failure{errc::malformed, rules::ogg_gap};
    position += samples;
    const bool first = &packet == &stream.packets.front(), last = &packet == &stream.packets.back();
    const std::uint64_t granule = last ? stream.end : position;
    if (granule > position || granule < page_start || granule > max_opus_position ||
        (first && last && start != 0 && granule != position))
      return failure{errc::malformed, rules::ogg_granule};
    if (!put(packet.data, granule, last)) return errc::over_limit;
    // a first page that is also the last cannot tell where the stream starts (RFC 7845 4.5), so it ends early if need
    // be
    if (last || position - page_start >= opus_rate || (first && start != 0)) {
      flush();
      page_start = position;
    }
  }
  return out;
}

}  // namespace demo
