// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <random>

using namespace conclave_test;

namespace {

/// small_file(): three short frames at 0, 1 and 3 ticks; every place of it can be visited.
bytes small_file() {
  bytes out = conclave::to_bytes(byte_view{clip_file("standup.ivf")}.first(ivf_header_size));
  out[24] = 3;
  std::uint8_t size = 1;
  for (const std::uint64_t ticks : {0U, 1U, 3U}) {
    append_le<std::uint32_t>(out, size);
    append_le(out, ticks);
    out.insert(out.end(), size, 0x5a);
    size += 7;
  }
  return out;
}

/// with(place, number): the small file with a little-endian number written over some bytes.
template <class T>
bytes with(std::size_t place, T number) {
  bytes out = small_file(), field;
  append_le(field, number);
  std::ranges::copy(field, out.begin() + static_cast<std::ptrdiff_t>(place));
  return out;
}

constexpr std::size_t frame_1 = 32, frame_2 = 32 + 13, frame_3 = 32 + 13 + 20;

}  // namespace

TEST_CASE("IVF: the clip is what ffmpeg reads in it") {
  const bytes file = clip_file("standup.ivf");
  const auto clip = read_ivf(file);
  REQUIRE(clip);
  CHECK(conclave::as_text(clip->header.codec) == "VP80");
  CHECK(clip->header.width == 384);
  CHECK(clip->header.height == 240);
  CHECK(clip->header.rate == 20);
  CHECK(clip->header.scale == 1);
  CHECK(clip->header.frames == 100);

  const auto facts = packet_facts("standup.ivf.framehash");
  REQUIRE(facts.size() == 100);
  REQUIRE(clip->frames.size() == 100);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    CHECK(clip->frames[i].ticks == static_cast<std::uint64_t>(facts[i].time));
    CHECK(clip->frames[i].data.size() == facts[i].size);
    CHECK(crc32(clip->frames[i].data) == facts[i].crc);
  }
}

TEST_CASE("IVF: written again, byte for byte") {
  for (const bytes& file : {clip_file("standup.ivf"), small_file()}) {
    const auto clip = read_ivf(file);
    REQUIRE(clip);
    const auto again = write_ivf(*clip);
    REQUIRE(again);
    CHECK(*again == file);
  }
}

TEST_CASE("IVF: a file cut short anywhere is an error") {
  const bytes file = small_file();
  REQUIRE(read_ivf(file));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const bytes cut = conclave::to_bytes(byte_view{file}.first(size));  // sanitizers see every read beyond its end
    INFO("cut to " << size);
    if (size < 4)
      CHECK(broken(read_ivf(cut), rules::ivf_signature));
    else if (size < 32)
      CHECK(broken(read_ivf(cut), rules::ivf_header_complete));
    else if (size == frame_1 || size == frame_2 || size == frame_3)
      CHECK(broken(read_ivf(cut), rules::ivf_count));
    else
      CHECK(broken(read_ivf(cut), rules::ivf_frame_complete));
  }
}

TEST_CASE("IVF: headers that cannot be") {
  CHECK(broken(read_ivf(with<std::uint8_t>(0, 'd')), rules::ivf_signature));
  CHECK(broken(read_ivf(with<std::uint16_t>(4, 1)), rules::ivf_version));
  CHECK(read_ivf(with<std::uint16_t>(4, 1)).error() == errc::unsupported);
  CHECK(broken(read_ivf(with<std::uint16_t>(6, 33)), rules::ivf_version));
  CHECK(broken(read_ivf(with<std::uint8_t>(11, '7')), rules::ivf_codec));
  CHECK(read_ivf(with<std::uint8_t>(11, '7')).error() == errc::unsupported);
  for (const std::size_t side : {12U, 14U}) {
    CHECK(broken(read_ivf(with<std::uint16_t>(side, 0)), rules::ivf_picture));
    CHECK(broken(read_ivf(with<std::uint16_t>(side, 16384)), rules::ivf_picture));
    CHECK(read_ivf(with<std::uint16_t>(side, 16383)));
  }
  CHECK(broken(read_ivf(with<std::uint32_t>(16, 0)), rules::ivf_rate));
  CHECK(broken(read_ivf(with<std::uint32_t>(16, 1'000'001)), rules::ivf_rate));
  CHECK(read_ivf(with<std::uint32_t>(16, 1'000'000)));
  CHECK(broken(read_ivf(with<std::uint32_t>(20, 0)), rules::ivf_rate));
  CHECK(broken(read_ivf(with<std::uint32_t>(20, 21)), rules::ivf_rate));
  CHECK(broken(read_ivf(with<std::uint32_t>(24, 2)), rules::ivf_count));
  CHECK(broken(read_ivf(with<std::uint32_t>(24, 0xffffffff)), rules::ivf_count));
  CHECK(broken(read_ivf(with<std::uint32_t>(28, 1)), rules::ivf_unused));
}

TEST_CASE("IVF: frames that cannot be") {
  CHECK(broken(read_ivf(with<std::uint32_t>(frame_1, 0)), rules::ivf_frame_size));
  CHECK(broken(read_ivf(with<std::uint32_t>(frame_3, 16)), rules::ivf_frame_complete));
  CHECK(broken(read_ivf(with<std::uint32_t>(frame_3, 0xffffffff)), rules::ivf_frame_complete));
  CHECK(broken(read_ivf(with<std::uint64_t>(frame_2 + 4, 4)), rules::ivf_order));
  constexpr std::uint64_t day = 24 * 60 * 60 * 20;
  CHECK(read_ivf(with<std::uint64_t>(frame_3 + 4, day)));
  CHECK(broken(read_ivf(with<std::uint64_t>(frame_3 + 4, day + 1)), rules::ivf_order));
  CHECK(broken(read_ivf(with<std::uint64_t>(frame_3 + 4, ~std::uint64_t{0})), rules::ivf_order));
}

TEST_CASE("IVF: what is read from damaged files and garbage is what stands there") {
  std::mt19937 random{6386};
  const auto octet = [&] { return static_cast<std::uint8_t>(random()); };
  const bytes good = small_file();
  int read = 0, refused = 0;
  const auto visit = [&](const bytes& file) {
    const auto clip = read_ivf(file);
    if (!clip) {
      CHECK(clip.error().broken_rule() != nullptr);
      ++refused;
      return;
    }
    const auto again = write_ivf(*clip);
    REQUIRE(again);
    CHECK(*again == file);
    ++read;
  };
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes damaged = good;
      damaged[place] ^= static_cast<std::uint8_t>(1U << bit);
      visit(damaged);
    }
  }
  for (int i = 0; i < 500; ++i) {
    bytes garbage(random() % 100);
    std::ranges::generate(garbage, octet);
    visit(garbage);
    bytes tail = good;
    tail.resize(frame_1 + garbage.size());
    std::ranges::copy(garbage, tail.begin() + frame_1);
    visit(tail);
  }
  CHECK(read > 100);
  CHECK(refused > 1000);
}

TEST_CASE("IVF: the writer refuses what the reader would") {
  const bytes file = small_file(), empty;
  const auto clip = *read_ivf(file);
  auto bad = clip;
  bad.header.frames = 4;
  CHECK(broken(write_ivf(bad), rules::ivf_count));
  bad = clip;
  bad.header.rate = 0;
  CHECK(broken(write_ivf(bad), rules::ivf_rate));
  bad = clip;
  bad.frames[1].data = empty;
  CHECK(broken(write_ivf(bad), rules::ivf_frame_size));
  bad = clip;
  bad.frames[0].ticks = 2;
  CHECK(broken(write_ivf(bad), rules::ivf_order));
}
