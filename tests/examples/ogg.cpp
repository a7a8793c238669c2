// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <random>

using namespace conclave_test;

namespace {

/// page: an Ogg page as RFC 3533 section 6 draws it, put together without the part of libogg that is under test.
struct page {
  std::uint8_t flags = 0;  // 1: continued, 2: first, 4: last
  std::int64_t granule = 0;
  std::uint32_t number = 0;
  std::vector<bytes> packets;
  std::uint32_t serial = 7;
  bool unfinished = false;  // the last packet is a multiple of 255 and goes on
  std::uint8_t version = 0;

  [[nodiscard]] bytes encode() const {
    bytes header = conclave::to_bytes(conclave::as_bytes("OggS")), body, lacing;
    for (const bytes& packet : packets) {
      lacing.insert(lacing.end(), packet.size() / 255, 255);
      if (!unfinished || &packet != &packets.back()) lacing.push_back(static_cast<std::uint8_t>(packet.size() % 255));
      conclave::append(body, packet);
    }
    header.push_back(version);
    header.push_back(flags);
    append_le(header, static_cast<std::uint64_t>(granule));
    append_le(header, serial);
    append_le(header, number);
    append_le<std::uint32_t>(header, 0);
    header.push_back(static_cast<std::uint8_t>(lacing.size()));
    conclave::append(header, lacing);
    ogg_page raw{header.data(), static_cast<long>(header.size()), body.data(), static_cast<long>(body.size())};
    ogg_page_checksum_set(&raw);
    conclave::append(header, body);
    return header;
  }
};

bytes file_of(const std::vector<page>& pages) {
  bytes out;
  for (const page& p : pages) conclave::append(out, p.encode());
  return out;
}

const bytes head{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 1, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0};
const bytes tags{'O', 'p', 'u', 's', 'T', 'a', 'g', 's', 2, 0, 0, 0, 'm', 'e', 1, 0, 0, 0, 3, 0, 0, 0, 'a', '=', 'b'};
const bytes sound{8, 0x5a, 0x5b};  // SILK, 20 ms, one frame

/// small(): the headers, three packets, one packet of which 100 samples are dropped.
std::vector<page> small() {
  return {{2, 0, 0, {head}}, {0, 0, 1, {tags}}, {0, 2880, 2, {sound, sound, sound}}, {4, 3740, 3, {sound}}};
}

/// changed(change): the small file after `change` has been done to its pages.
template <class F>
auto changed(F&& change) {
  auto pages = small();
  change(pages);
  return read_ogg(file_of(pages));
}

}  // namespace

TEST_CASE("Ogg: the clip is what ffmpeg reads in it") {
  const auto stream = read_ogg(clip_file("standup.opus"));
  REQUIRE(stream);
  const auto about = read_opus_head(stream->head);
  REQUIRE(about);
  CHECK(about->channels == 1);
  CHECK(about->pre_skip == 312);
  CHECK(about->input_rate == 48000);
  CHECK(about->output_gain == 0);

  const auto facts = packet_facts("standup.opus.framehash");
  REQUIRE(facts.size() == 251);
  REQUIRE(stream->packets.size() == 251);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const auto& [position, data] = stream->packets[i];
    CHECK(static_cast<std::int64_t>(position) - about->pre_skip == facts[i].time);
    CHECK(data.size() == facts[i].size);
    CHECK(crc32(data) == facts[i].crc);
    const bool last = i + 1 == facts.size();
    CHECK((last ? stream->end - position : opus_samples(data).operator*()) == facts[i].duration);
  }
  CHECK(stream->end - about->pre_skip == 5 * opus_rate);
}

TEST_CASE("Ogg: written again, byte for byte") {
  const bytes file = clip_file("standup.opus");
  const auto stream = read_ogg(file);
  REQUIRE(stream);
  const auto again = write_ogg(*stream);
  REQUIRE(again);
  CHECK(*again == file);
}

TEST_CASE("Ogg: a file cut short anywhere is an error") {
  const bytes file = file_of(small());
  REQUIRE(read_ogg(file));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const bytes cut = conclave::to_bytes(byte_view{file}.first(size));
    INFO("cut to " << size);
    CHECK(broken(read_ogg(cut), rules::ogg_complete));
  }
}

TEST_CASE("Ogg: every flipped bit is found") {
  const bytes file = file_of(small());
  for (std::size_t place = 0; place < file.size(); ++place) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes damaged = file;
      damaged[place] ^= static_cast<std::uint8_t>(1U << bit);
      const auto stream = read_ogg(damaged);
      REQUIRE_FALSE(stream);
      CHECK(stream.error().broken_rule() != nullptr);
    }
  }
  bytes damaged = clip_file("standup.opus");
  damaged[5000] ^= 1;
  CHECK(broken(read_ogg(damaged), rules::ogg_checksum));
}

TEST_CASE("Ogg: garbage, and bytes between, before and after the pages") {
  CHECK(broken(read_ogg({}), rules::ogg_complete));
  CHECK(broken(read_ogg(clip_file("standup.ivf")), rules::ogg_capture));
  std::mt19937 random{3533};
  const bytes file = file_of(small());
  for (int i = 0; i < 500; ++i) {
    bytes garbage(4 + random() % 300);
    std::ranges::generate(garbage, [&] { return static_cast<std::uint8_t>(random()); });
    CHECK(broken(read_ogg(garbage), rules::ogg_capture));
    bytes before = garbage;
    conclave::append(before, file);
    CHECK(broken(read_ogg(before), rules::ogg_capture));
    bytes after = file;
    conclave::append(after, garbage);
    CHECK(broken(read_ogg(after), rules::ogg_one_stream));
    bytes between = small()[0].encode();
    conclave::append(between, garbage);
    conclave::append(between, byte_view{file}.subspan(small()[0].encode().size()));
    CHECK(broken(read_ogg(between), rules::ogg_capture));
  }
}

TEST_CASE("Ogg: pages that are missing, repeated, out of order or of another stream") {
  using pages = std::vector<page>;
  CHECK(broken(changed([](pages& p) { p.erase(p.begin()); }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p.erase(p.begin() + 1); }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p.erase(p.begin() + 2); }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p.pop_back(); }), rules::ogg_complete));
  CHECK(broken(changed([](pages& p) { p.insert(p.begin() + 2, p[2]); }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { std::swap(p[1], p[2]); }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p[1].flags = 2; }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p[0].flags = 0; }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p[2].flags = 1; }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p[2].version = 1; }), rules::ogg_sequence));
  CHECK(broken(changed([](pages& p) { p[2].serial = 8; }), rules::ogg_one_stream));
  CHECK(broken(changed([](pages& p) { p.push_back(p[0]); }), rules::ogg_one_stream));
}

TEST_CASE("Ogg: a packet may go on on the next page, and must then be finished") {
  const bytes start(255, 8), rest(10, 8);
  const auto split = [&](std::uint8_t next_flags, std::uint8_t last_flags) {
    return std::vector<page>{{2, 0, 0, {head}},
                             {0, 0, 1, {tags}},
                             {0, 960, 2, {sound, start}, 7, true},
                             {next_flags, 1920, 3, {rest}},
                             {last_flags, 2880, 4, {sound}}};
  };
  const auto stream = read_ogg(file_of(split(1, 4)));
  REQUIRE(stream);
  REQUIRE(stream->packets.size() == 3);
  CHECK(stream->packets[1].data == bytes(265, 8));
  CHECK(stream->packets[2].position == 1920);
  CHECK(broken(read_ogg(file_of(split(0, 4))), rules::ogg_sequence));
  auto open_end = split(1, 4);
  open_end[2].flags = 4;
  open_end.resize(3);
  CHECK(broken(read_ogg(file_of(open_end)), rules::ogg_complete));
}

TEST_CASE("Ogg: header packets stand on pages of their own") {
  using pages = std::vector<page>;
  CHECK(broken(changed([](pages& p) { p[0].packets = {bytes{1, 'v', 'o', 'r', 'b', 'i', 's'}}; }), rules::opus_head));
  CHECK(broken(changed([](pages& p) { p[0].packets.push_back(tags); }), rules::ogg_headers));
  CHECK(broken(changed([](pages& p) { p[0].packets.clear(); }), rules::ogg_headers));
  CHECK(broken(changed([](pages& p) {
                 bytes padded = tags;
                 padded.resize(300);
                 p[0].packets.emplace_back(padded.begin(), padded.begin() + 255);
                 p[0].unfinished = true;
                 p[1].packets = {{padded.begin() + 255, padded.end()}};
                 p[1].flags = 1;
               }),
               rules::ogg_headers));
  CHECK(broken(changed([](pages& p) { p[0].granule = 1; }), rules::ogg_headers));
  CHECK(broken(changed([](pages& p) { p[1].packets.push_back(sound); }), rules::ogg_headers));
  CHECK(broken(changed([](pages& p) { p[1].granule = 960; }), rules::ogg_headers));
  CHECK(broken(changed([](pages& p) { p[1].packets = {sound}; }), rules::opus_tags));
  CHECK(broken(changed([](pages& p) {
                 p.resize(2);
                 p[1].flags = 4;
               }),
               rules::ogg_audio));
}

TEST_CASE("Ogg: positions agree with what the packets last (RFC 7845 4)") {
  using pages = std::vector<page>;
  const auto stream = read_ogg(file_of(small()));
  REQUIRE(stream);
  REQUIRE(stream->packets.size() == 4);
  CHECK(stream->packets[3].position == 2880);
  CHECK(stream->end == 3740);
  // 4.3: a stream may start late, never before 0
  const auto late = changed([](pages& p) {
    p[2].granule += 5000;
    p[3].granule += 5000;
  });
  REQUIRE(late);
  CHECK(late->packets[0].position == 5000);
  CHECK(late->end == 8740);
  CHECK(broken(changed([](pages& p) { p[2].granule = 2879; }), rules::ogg_granule));
  // 4.4: the end may be earlier than the last packet's, but not before the page or after the packet
  for (const std::int64_t end : {2880, 3840})
    CHECK((*changed([&](pages& p) { p[3].granule = end; })).end == static_cast<std::uint64_t>(end));
  for (const std::int64_t end : {-1, 0, 2879, 3841, 1000000})
    CHECK(broken(changed([&](pages& p) { p[3].granule = end; }), rules::ogg_granule));
  // 4.5: a first page that is also the last and says less than it holds starts at 0
  const auto one_page = changed([](pages& p) {
    p.resize(3);
    p[2].flags = 4;
    p[2].granule = 2000;
  });
  REQUIRE(one_page);
  CHECK(one_page->packets[0].position == 0);
  CHECK(one_page->end == 2000);
  // the packets on a page are what its position counts; a page without one has none
  CHECK(broken(changed([](pages& p) { p[3].packets.push_back(sound), p[3].granule = 4801; }), rules::ogg_granule));
  for (const std::int64_t beyond : {0, 1}) {
    const auto at_midnight = changed([&](pages& p) {
      p[3].granule = std::int64_t{86'400} * 48'000 + beyond;
      p[2].granule = p[3].granule - 960;
    });
    CHECK((beyond == 0 ? at_midnight.has_value() : broken(at_midnight, rules::ogg_granule)));
  }
  CHECK(changed([](pages& p) {
    p.insert(p.begin() + 3, page{0, -1, 3, {}});
    p[4].number = 4;
  }));
}

TEST_CASE("Ogg: the writer refuses what the reader would, and starts late as the reader reads") {
  const opus_stream good = *read_ogg(file_of(small()));
  auto bad = good;
  bad.head[0] = 'o';
  CHECK(broken(write_ogg(bad), rules::opus_head));
  bad = good;
  bad.tags.pop_back();
  CHECK(broken(write_ogg(bad), rules::opus_tags));
  bad = good;
  bad.packets.clear();
  CHECK(broken(write_ogg(bad), rules::ogg_audio));
  bad = good;
  bad.packets.erase(bad.packets.begin() + 1);
  CHECK(broken(write_ogg(bad), rules::ogg_gap));
  bad = good;
  bad.packets[2].data.clear();
  CHECK(broken(write_ogg(bad), rules::opus_packet));
  bad = good;
  bad.end = 3841;
  CHECK(broken(write_ogg(bad), rules::ogg_granule));

  for (const std::uint64_t start : {0U, 1U, 960U, 100'000U}) {
    for (const std::size_t count : {1U, 2U, 3U, 60U, 200U}) {
      for (const std::uint64_t dropped : {0U, 100U}) {
        opus_stream stream{7, head, tags, {}, start + 960 * count - dropped};
        for (std::size_t i = 0; i < count; ++i) stream.packets.push_back({start + 960 * i, sound});
        INFO(count << " packets from " << start << ", " << dropped << " samples dropped");
        const auto file = write_ogg(stream);
        if (count == 1 && start != 0 && dropped != 0) {  // nothing in the file would say where it starts
          CHECK(broken(file, rules::ogg_granule));
          continue;
        }
        REQUIRE(file);
        const auto again = read_ogg(*file);
        REQUIRE(again);
        CHECK(again->end == stream.end);
        CHECK(std::ranges::equal(again->packets, stream.packets, [](const auto& a, const auto& b) {
          return a.position == b.position && a.data == b.data;
        }));
      }
    }
  }
}
