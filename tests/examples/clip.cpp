// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include "support/folder.hpp"

using namespace conclave_test;

namespace {

const std::string video = clip_folder + "standup.ivf", audio = clip_folder + "standup.opus";

clip loaded() {
  clip out;
  REQUIRE(out.load(video, audio).empty());
  return out;
}

}  // namespace

TEST_CASE("clip: both files as one line in time order") {
  const clip both = loaded();
  const auto frames = both.frames();
  REQUIRE(frames.size() == 351);
  CHECK(std::ranges::is_sorted(frames, {}, &media_frame::microseconds));
  const auto sounds = packet_facts("standup.opus.framehash"), pictures = packet_facts("standup.ivf.framehash");
  std::size_t sound = 0, picture = 0;
  for (const auto& [kind, microseconds, data] : frames) {
    if (kind == media_kind::audio) {
      CHECK(microseconds == 20'000 * sound);
      CHECK(crc32(data) == sounds.at(sound++).crc);
    } else {
      CHECK(microseconds == 50'000 * picture);
      CHECK(crc32(data) == pictures.at(picture++).crc);
    }
  }
  CHECK(sound == 251);
  CHECK(picture == 100);
  CHECK(frames[0].kind == media_kind::audio);  // at the same time, audio first
  CHECK(frames[1].kind == media_kind::video);
}

TEST_CASE("clip: written again, byte for byte") {
  const clip both = loaded();
  clip_writer writer{both.format()};
  for (const media_frame& frame : both.frames()) REQUIRE(writer.add(frame));
  const folder out;
  CHECK(writer.save(out / "v.ivf", out / "a.opus").empty());
  CHECK(*read_file(out / "v.ivf", 1U << 20U) == clip_file("standup.ivf"));
  CHECK(*read_file(out / "a.opus", 1U << 20U) == clip_file("standup.opus"));
  CHECK(out.names() == std::vector<std::string>{"a.opus", "v.ivf"});
}

TEST_CASE("clip: the part between a late start and an early end") {
  const clip both = loaded();
  const auto part = both.frames().subspan(140, 105);
  clip_writer writer{both.format()};
  for (const media_frame& frame : part) REQUIRE(writer.add(frame));
  const folder out;
  REQUIRE(writer.save(out / "v", out / "a").empty());
  clip again;
  REQUIRE(again.load(out / "v", out / "a").empty());
  CHECK(std::ranges::equal(again.frames(), part, [](const media_frame& a, const media_frame& b) {
    return a.kind == b.kind && a.microseconds == b.microseconds && conclave::equal(a.data, b.data);
  }));
}

TEST_CASE("clip: a writer takes no frame that cannot follow, and goes on without it") {
  const clip both = loaded();
  clip_writer writer{both.format()};
  const bytes packet{8, 0}, nothing;
  constexpr auto sound = media_kind::audio, picture = media_kind::video;
  REQUIRE(writer.add({sound, 20'000, packet}));
  CHECK(broken(writer.add({sound, 20'000, packet}), rules::ogg_gap));
  CHECK(broken(writer.add({sound, 60'000, packet}), rules::ogg_gap));
  CHECK(broken(writer.add({sound, 40'000, nothing}), rules::opus_packet));
  REQUIRE(writer.add({sound, 40'000, packet}));
  REQUIRE(writer.add({picture, 100'000, packet}));
  CHECK(broken(writer.add({picture, 50'000, packet}), rules::ivf_order));
  CHECK(broken(writer.add({picture, 150'000, nothing}), rules::ivf_frame_size));
  for (const auto kind : {sound, picture})
    for (const std::uint64_t far : {std::uint64_t{86'400'000'001}, ~std::uint64_t{0}})
      CHECK(broken(writer.add({kind, far, packet}), rules::clip_time));
  REQUIRE(writer.add({picture, 150'000, packet}));

  const auto sounds = read_ogg(*writer.audio_file());
  REQUIRE(sounds);
  CHECK(sounds->packets.size() == 2);
  CHECK(sounds->packets[0].position == 960);
  const bytes file = *writer.video_file();
  const auto pictures = read_ivf(file);
  REQUIRE(pictures);
  CHECK(pictures->frames.size() == 2);
  CHECK(pictures->frames[1].ticks == 3);

  clip_writer unknown{clip_format{}};
  CHECK(unknown.add({picture, 0, packet}).error() == errc::malformed);
}

TEST_CASE("clip: a file that does not load is named, and the clip stays as it was") {
  clip both = loaded();
  CHECK(both.load(audio, audio) == audio + ": this is not an IVF file (IVF header, bytes 0 to 3)");
  CHECK_THAT(both.load(video, video), Catch::StartsWith(video + ": this is not an Ogg file"));
  const folder out;
  CHECK_THAT(both.load(video, out / "none"), Catch::StartsWith(out / "none: there is no such file"));
  CHECK(both.frames().size() == 351);
  CHECK(conclave::equal(both.frames()[0].data, loaded().frames()[0].data));

  clip_writer writer{both.format()};
  CHECK_THAT(writer.save(out / "v", out / "a"), Catch::StartsWith(out / "a: the Ogg file holds no audio"));
  for (const media_frame& frame : both.frames()) REQUIRE(writer.add(frame));
  CHECK_THAT(writer.save(out / "none/v", out / "a"),
             Catch::StartsWith(out / "none/v: there is no such file or folder"));
}

TEST_CASE("clip: rounding to microseconds can be undone on every clock") {
  for (const auto& [rate, scale] : {std::pair{30'000U, 1001U},
                                    {15U, 1U},
                                    {48'000U, 1U},
                                    {90'000U, 1U},
                                    {1'000'000U, 1U},
                                    {1'000'000U, 999'999U},
                                    {7U, 3U},
                                    {1U, 1U}}) {
    const std::uint64_t day = std::uint64_t{86'400} * rate / scale;
    for (std::uint64_t ticks = 0; ticks <= day; ticks += 1 + day / 999) {
      const std::uint64_t time = demo::detail::to_microseconds(ticks, rate, scale);
      CHECK(demo::detail::to_ticks(time, rate, scale) == ticks);
    }
  }
}
