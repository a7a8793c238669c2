// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

using namespace conclave_test;

namespace {

constexpr std::size_t all_entries = 12, per_chunk = 3;
const std::vector<std::uint8_t> two{1, 2};

/// cut_up(tape): its header, then its chunks, the index and the end among them.
std::vector<bytes> cut_up(const taped& tape) {
  std::vector<bytes> out;
  std::size_t from = 0;
  for (const std::size_t to : tape.chunks) {
    out.push_back(to_bytes(byte_view{tape.file}.subspan(from, to - from)));
    from = to;
  }
  return out;
}
bytes glue(const std::vector<bytes>& parts) {
  bytes out;
  for (const bytes& part : parts) append(out, part);
  return out;
}

}  // namespace

TEST_CASE("M12: every flipped bit of a recording is noticed, and all before it is read") {
  const taped tape = conclave_test::tape(all_entries, per_chunk, two);
  REQUIRE(play(tape.file).end == how::complete);
  std::size_t wrong = 0, damaged = 0, truncated = 0, refused = 0;
  for (std::size_t i = 0; i < 8 * tape.file.size(); ++i) {
    bytes bad = tape.file;
    bad[i / 8] ^= static_cast<std::uint8_t>(1U << i % 8);
    const found got = play(bad);
    // the chunk in which the bit stands is lost, and none before it
    std::size_t expected = 0;
    for (std::size_t c = 0; c < tape.chunks.size(); ++c)
      if (tape.chunks[c] <= i / 8) expected = tape.entries[c];
    const bool in_header = i / 8 < tape.chunks[0];
    const bool good = got.end != how::complete && is_prefix(got.lines) && got.lines.size() == expected &&
                      (got.end == how::refused) == in_header;
    wrong += good ? 0 : 1;
    damaged += got.end == how::damaged ? 1 : 0;
    truncated += got.end == how::truncated ? 1 : 0;
    refused += got.end == how::refused ? 1 : 0;
    if (!good) UNSCOPED_INFO("byte " << i / 8 << ", bit " << i % 8 << ": " << got.lines.size() << " entries");
  }
  CHECK(wrong == 0);
  CHECK(refused == 8 * tape.chunks[0]);
  CHECK(truncated == 0);  // the end still stands, so that nobody takes damage for an early stop
  CHECK(damaged == 8 * (tape.file.size() - tape.chunks[0]));
}

TEST_CASE("M12: a recording that was cut anywhere is read up to its last whole chunk, and says so") {
  const taped tape = conclave_test::tape(all_entries, per_chunk, two);
  std::size_t wrong = 0;
  for (std::size_t size = 0; size < tape.file.size(); ++size) {
    const found got = play(byte_view{tape.file}.first(size));
    const bool in_header = size < tape.chunks[0];
    const bool good = got.end == (in_header ? how::refused : how::truncated) && is_prefix(got.lines) &&
                      got.lines.size() == whole_before(tape, size) && (!in_header || got.why == errc::malformed);
    if (!good) UNSCOPED_INFO("cut to " << size << " bytes: " << got.lines.size() << " entries");
    wrong += good ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("M12: bits that flip in a recording that was cut are noticed too") {
  const taped tape = conclave_test::tape(all_entries, per_chunk);
  const bytes cut = to_bytes(byte_view{tape.file}.first(tape.chunks[3]));  // three chunks, no index, no end
  REQUIRE(play(cut).end == how::truncated);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    bytes bad = cut;
    bad[i] ^= 0x40;
    const found got = play(bad);
    // it was truncated already, and a length that grew tells a shorter story: but never the same, and never another one
    const bool good = got.end != how::complete && is_prefix(got.lines) && got.lines.size() == whole_before(tape, i);
    wrong += good ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("M12: whatever is added to a recording is noticed") {
  const taped tape = conclave_test::tape(all_entries, per_chunk);
  const auto parts = cut_up(tape);
  for (const bytes& more : {bytes{0}, bytes(68), bytes(1000, 0x5a), parts[1], parts.back()}) {
    bytes longer = tape.file;
    append(longer, more);
    const found got = play(longer);
    CHECK(got.end == how::damaged);
    CHECK(got.why == errc::unauthentic);
    CHECK(got.lines.size() == all_entries);
    CHECK(is_prefix(got.lines));
  }
}

TEST_CASE("M12: chunks that are missing, repeated, swapped or from another recording are noticed where they stand") {
  const taped tape = conclave_test::tape(all_entries, per_chunk);
  const auto parts = cut_up(tape);  // the header, four chunks of entries, the index, the end
  REQUIRE(parts.size() == 7);
  const auto expect = [&](const std::vector<bytes>& other, std::size_t entries, how end, const char* what) {
    INFO(what);
    const found got = play(glue(other));
    CHECK(got.end == end);
    CHECK(got.lines.size() == entries);
    CHECK(is_prefix(got.lines));
  };
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto other = parts;
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
    const bool last = i == parts.size() - 1;
    expect(other, std::min<std::size_t>((i - 1) * per_chunk, all_entries), last ? how::truncated : how::damaged,
           "missing");
    other = parts;
    other.insert(other.begin() + static_cast<std::ptrdiff_t>(i), parts[i]);
    expect(other, std::min<std::size_t>(i * per_chunk, all_entries), how::damaged, "repeated");
    for (std::size_t k = i + 1; k < parts.size(); ++k) {
      other = parts;
      std::swap(other[i], other[k]);
      const found got = play(glue(other));
      CHECK(got.end == how::damaged);
      CHECK(got.lines.size() == std::min<std::size_t>((i - 1) * per_chunk, all_entries));
      CHECK(is_prefix(got.lines));
    }
  }
  // the same entries of the same person, recorded a second time
  const auto foreign = cut_up(conclave_test::tape(all_entries, per_chunk, {1}, 2));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto other = parts;
    other[i] = foreign[i];
    expect(other, std::min<std::size_t>((i - 1) * per_chunk, all_entries), how::damaged, "from another recording");
  }
  auto other = parts;
  other[0] = foreign[0];
  expect(other, 0, how::damaged, "another header");
}

TEST_CASE("M12: what is no recording is refused, and lengths are believed up to a limit only") {
  CHECK(play(bytes{}).why == errc::malformed);
  CHECK(play(bytes(10'000)).why == errc::malformed);
  const taped tape = conclave_test::tape(all_entries, per_chunk);
  bytes bad = tape.file;
  bad[18] = 1;  // version 257
  CHECK(play(bad).why == errc::unsupported);
  bad = tape.file;
  store_be(std::uint16_t{0}, byte_span{bad}.subspan(52));
  CHECK(play(bad).why == errc::malformed);
  store_be(std::uint16_t{65}, byte_span{bad}.subspan(52));
  CHECK(play(bad).why == errc::malformed);

  // a chunk that says it has four gigabytes, or one byte more than any may have, in a file where they would fit
  class endless final : public rec::source {
   public:
    explicit endless(byte_view front) : front_{front} {}
    std::size_t most = 0;
    [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{1} << 40U; }
    [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
      most = std::max(most, out.size());
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = offset + i < front_.size() ? front_[offset + i] : 0;
      return {};
    }

   private:
    byte_view front_;
  };
  for (const std::uint32_t length :
       {std::uint32_t{0xffffffff}, static_cast<std::uint32_t>(limits::recording_chunk_bytes + 1)}) {
    bad = tape.file;
    store_be(length, byte_span{bad}.subspan(tape.chunks[0] + 32));
    endless from(bad);
    auto player = rec::player::open(from, person(1));
    REQUIRE(player);
    CHECK(player->next().error() == errc::unauthentic);
    CHECK(player->seek(5000).error() == errc::unauthentic);
    CHECK(from.most <= 1024);
  }
}
