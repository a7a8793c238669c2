// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What has to be known of Opus to carry it: its two header packets (RFC 7845 5) and how long a packet lasts (RFC 6716
/// 3). The clock of Opus always counts 48000 samples a second.
#pragma once

#include "little_endian.hpp"

#include <conclave/codec/reader.hpp>

namespace demo {

namespace rules {
inline constexpr conclave::rule opus_head{"this is not Opus, or its identification header is damaged", "RFC 7845 5.1"};
inline constexpr conclave::rule opus_mapping{"the audio is not plain mono or stereo Opus", "RFC 7845 5.1.1.1"};
inline constexpr conclave::rule opus_tags{"the comment header of the Opus file is damaged", "RFC 7845 5.2"};
inline constexpr conclave::rule opus_packet{"an audio packet is empty, or lasts more than 120 ms", "RFC 6716 3.4"};
}  // namespace rules

inline constexpr std::uint32_t opus_rate = 48'000;

/// opus_head: what a player needs before the first packet.
struct opus_head {
  std::uint8_t channels;
  std::uint16_t pre_skip;     ///< samples at the start that are decoded and not played
  std::uint32_t input_rate;   ///< of the recording, for information
  std::uint16_t output_gain;  ///< two's complement, 1/256 dB
};

/// read_opus_head(packet): version 1 with channel mapping family 0. Errors: malformed; unsupported for other versions
/// and mappings.
[[nodiscard]] inline conclave::result<opus_head> read_opus_head(conclave::byte_view packet) {
  using conclave::errc, conclave::failure;
  if (packet.size() < 19 || conclave::as_text(packet.first(8)) != "OpusHead")
    return failure{errc::malformed, rules::opus_head};
  const opus_head head{packet[9], load_le<std::uint16_t>(packet.subspan(10)),
                       load_le<std::uint32_t>(packet.subspan(12)), load_le<std::uint16_t>(packet.subspan(16))};
  if (packet[8] != 1 || packet[18] != 0) return failure{errc::unsupported, rules::opus_mapping};
  if (head.channels == 0 || head.channels > 2) return failure{errc::malformed, rules::opus_mapping};
  if (packet.size() != 19) return failure{errc::malformed, rules::opus_head};
  return head;
}

/// check_opus_tags(packet): malformed unless all the lengths fit. What follows the last comment is padding.
[[nodiscard]] inline conclave::status check_opus_tags(conclave::byte_view packet) {
  conclave::reader in{packet};
  const auto number = [&]() -> conclave::result<std::uint32_t> {
    CONCLAVE_TRY(const auto raw, in.take(4));
    return load_le<std::uint32_t>(raw);
  };
  const auto text = [&]() -> conclave::status {
    CONCLAVE_TRY(const auto size, number());
    CONCLAVE_CHECK(in.take(size));
    return {};
  };
  const auto all = [&]() -> conclave::status {
    CONCLAVE_TRY(const auto magic, in.take(8));
    if (conclave::as_text(magic) != "OpusTags") return conclave::errc::malformed;
    CONCLAVE_CHECK(text());  // the vendor
    CONCLAVE_TRY(const auto comments, number());
    for (std::uint32_t i = 0; i < comments; ++i) CONCLAVE_CHECK(text());
    return {};
  };
  if (!all()) return conclave::failure{conclave::errc::malformed, rules::opus_tags};
  return {};
}

/// opus_samples(packet): how many samples a decoder makes of it, 120 to 5760. Errors: malformed for a packet
/// that is empty, holds no frame or lasts too long.
[[nodiscard]] inline conclave::result<std::uint32_t> opus_samples(conclave::byte_view packet) {
  const conclave::failure bad{conclave::errc::malformed, rules::opus_packet};
  if (packet.empty()) return bad;
  // RFC 6716 3.1: the TOC octet has 5 bits of configuration, 1 bit for stereo, 2 bits of frame count code
  const unsigned configuration = packet[0] >> 3U;
  std::uint32_t frame = 0;
  if (configuration < 12)  // SILK: 10, 20, 40, 60 ms
    frame = configuration % 4 == 3 ? 2880 : 480U << configuration % 4;
  else if (configuration < 16)  // hybrid: 10, 20 ms
    frame = 480U << configuration % 2;
  else  // CELT: 2.5, 5, 10, 20 ms
    frame = 120U << configuration % 4;
  // RFC 6716 3.2: one frame, two, or as many as the second octet says
  const unsigned code = packet[0] & 3U;
  if (code == 3 && packet.size() < 2) return bad;
  const std::uint32_t frames = code == 0 ? 1U : code < 3 ? 2U : packet[1] & 63U;
  if (frames == 0 || frames * frame > 5760) return bad;
  return frames * frame;
}

}  // namespace demo
