// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

using namespace conclave_test;

TEST_CASE("Opus: how long packets last (RFC 6716 3.1, table 2)") {
  // 2.5 ms are 120 samples; the table in units of that
  static constexpr std::uint32_t frame[32] = {4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8,
                                              1, 2, 4,  8,  1, 2, 4,  8,  1, 2, 4,  8,  1, 2, 4, 8};
  for (unsigned toc = 0; toc < 256; ++toc) {
    const std::uint32_t one = 120 * frame[toc >> 3U];
    for (unsigned count = 0; count < 256; ++count) {
      const bytes packet{static_cast<std::uint8_t>(toc), static_cast<std::uint8_t>(count), 0};
      const std::uint32_t frames = (toc & 3U) == 0 ? 1 : (toc & 3U) == 3 ? count % 64 : 2;
      if (frames == 0 || frames * one > 5760)
        CHECK(broken(opus_samples(packet), rules::opus_packet));
      else
        CHECK(*opus_samples(packet) == frames * one);
    }
  }
  CHECK(broken(opus_samples({}), rules::opus_packet));
  CHECK(broken(opus_samples(bytes{3}), rules::opus_packet));
  CHECK(*opus_samples(bytes{1}) == 960);
}

TEST_CASE("Opus: the identification header (RFC 7845 5.1)") {
  const bytes good{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2, 0x0f, 0x01, 0x44, 0xac, 0, 0, 0x00, 0xff, 0};
  const auto head = read_opus_head(good);
  REQUIRE(head);
  CHECK(head->channels == 2);
  CHECK(head->pre_skip == 271);
  CHECK(head->input_rate == 44100);
  CHECK(head->output_gain == 0xff00);  // -1 dB

  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(broken(read_opus_head(conclave::to_bytes(byte_view{good}.first(size))), rules::opus_head));
  const auto with = [&](std::size_t place, int value) {
    bytes bad = good;
    bad[place] = static_cast<std::uint8_t>(value);
    return read_opus_head(bad);
  };
  CHECK(broken(with(7, 'D'), rules::opus_head));
  for (const int version : {0, 2, 16}) CHECK(with(8, version).error() == errc::unsupported);
  for (const int channels : {0, 3, 255}) CHECK(broken(with(9, channels), rules::opus_mapping));
  for (const int family : {1, 255}) CHECK(with(18, family).error() == errc::unsupported);
  bytes longer = good;
  longer.push_back(0);
  CHECK(broken(read_opus_head(longer), rules::opus_head));
}

TEST_CASE("Opus: the comment header (RFC 7845 5.2)") {
  const bytes good{'O', 'p', 'u', 's', 'T', 'a', 'g', 's', 2,   0,   0, 0, 'm', 'e', 2,
                   0,   0,   0,   3,   0,   0,   0,   'a', '=', 'b', 0, 0, 0,   0};
  CHECK(check_opus_tags(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(broken(check_opus_tags(conclave::to_bytes(byte_view{good}.first(size))), rules::opus_tags));
  for (const std::size_t length : {8U, 14U, 18U, 25U}) {  // every length, far too long
    bytes bad = good;
    bad[length + 3] = 0xff;
    CHECK(broken(check_opus_tags(bad), rules::opus_tags));
  }
  bytes padded = good;
  padded.push_back(0);
  CHECK(check_opus_tags(padded));
}
