// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <map>

using namespace conclave_test;

namespace {

/// first_from(time, count): which of the first `count` lines a seek should find.
std::size_t first_from(std::uint64_t time, std::size_t count) {
  return std::min<std::size_t>(count, static_cast<std::size_t>((time + 999) / 1000));
}

/// check_seeks(file, count): every time finds its place, in any order.
void check_seeks(byte_view file, std::size_t count) {
  memory_source from(file);
  auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  deterministic_environment dice(5);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::uint64_t time = dice.below(count * 1000 + 3000);
    if (!player->seek(time)) ++wrong;
    std::size_t at = first_from(time, count);
    for (int steps = 0; steps < 5; ++steps, ++at) {
      const auto e = player->next();
      if (!e || e->has_value() != (at < count) || (*e && !(line(**e) == nth(at)))) ++wrong;
      if (!e || !*e) break;
    }
  }
  CHECK(wrong == 0);
}

/// sparse: a file of any size of which only some places were written.
class sparse final : public rec::source, public rec::sink {
 public:
  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    pieces_[offset] = to_bytes(data);
    end_ = std::max(end_, offset + data.size());
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }
  [[nodiscard]] result<std::uint64_t> size() override { return end_; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    ++reads;
    auto at = pieces_.upper_bound(offset);
    if (at == pieces_.begin()) return errc::storage;
    --at;
    const std::uint64_t inside = offset - at->first;
    if (inside > at->second.size() || out.size() > at->second.size() - inside) return errc::storage;
    std::copy_n(at->second.begin() + static_cast<std::ptrdiff_t>(inside), out.size(), out.begin());
    return {};
  }
  int reads = 0;

 private:
  std::map<std::uint64_t, bytes> pieces_;
  std::uint64_t end_ = 0;
};

/// chunk(key, mac, head, plaintext): sealed.
bytes chunk(const rec::file_key<default_provider>& key, const rec::header_mac& mac, rec::chunk_header head,
            byte_view plaintext) {
  auto cipher = *key.cipher();
  head.size = static_cast<std::uint32_t>(plaintext.size());
  bytes out(rec::chunk_framing + plaintext.size());
  head.write(out);
  std::ranges::copy(plaintext, out.begin() + rec::chunk_header_size);
  REQUIRE(rec::seal_chunk(cipher, mac, byte_span{out}));
  return out;
}

}  // namespace

TEST_CASE("M12: every time is found, by the index or, where the recording was cut, without") {
  const taped tape = conclave_test::tape(200, 3);
  check_seeks(tape.file, 200);
  check_seeks(byte_view{tape.file}.first(tape.chunks[20] + 7), 60);
  check_seeks(byte_view{tape.file}.first(tape.file.size() - 1), 200);  // an index, and no end that leads to it
  check_seeks(byte_view{tape.file}.first(tape.chunks[0]), 0);
}

TEST_CASE("M12: times that run backwards are found where they stand first") {
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  for (const std::uint64_t time : {10U, 40U, 20U, 30U, 70U, 50U, 60U, 80U}) {
    line l = nth(1);
    l.time = time;
    REQUIRE(tape->add(l.view()));
    REQUIRE(tape->flush());
  }
  REQUIRE(tape->close());
  memory_source from(to.content);
  auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  for (const auto& [time, first] : {std::pair{0U, 10U}, {11U, 40U}, {40U, 40U}, {41U, 70U}, {55U, 70U}, {71U, 80U}}) {
    REQUIRE(player->seek(time));
    const auto e = player->next();
    REQUIRE(e);
    REQUIRE(*e);
    CHECK((*e)->time == first);
  }
  REQUIRE(player->seek(81));
  CHECK_FALSE(*player->next());
}

TEST_CASE("M12: a seek is not misled by what nobody vouches for, and goes past damage by the index") {
  const taped tape = conclave_test::tape(30, 3);
  for (std::size_t c = 0; c < 10; ++c) {
    for (std::size_t byte = 0; byte < rec::chunk_header_size; ++byte) {
      for (const std::uint8_t flip : {std::uint8_t{0x01}, std::uint8_t{0x80}}) {
        bytes bad = tape.file;
        bad[tape.chunks[c] + byte] ^= flip;
        memory_source from(bad);
        auto player = rec::player::open(from, person(1));
        REQUIRE(player);
        for (const std::uint64_t time : {0U, 5500U, 14'000U, 29'000U, 40'000U}) {
          REQUIRE(player->seek(0).has_value() == (c != 0));
          const auto went = player->seek(time);
          if (!went) {
            CHECK(went.error() == errc::unauthentic);
            continue;
          }
          const auto e = player->next();
          if (e && *e && !(line(**e) == nth(first_from(time, 30))))
            FAIL_CHECK("chunk " << c << ", byte " << byte << ": " << time << " found " << (*e)->time);
          if (e && !*e && first_from(time, 30) < 30) FAIL_CHECK("an end in the middle");
        }
      }
    }
  }
  // damage in the first chunk hides the rest from nobody who seeks
  bytes bad = tape.file;
  bad[tape.chunks[0] + 40] ^= 1;
  memory_source from(bad);
  auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  CHECK(player->next().error() == errc::unauthentic);
  REQUIRE(player->seek(6000));
  const found got = play(*player);
  CHECK(got.end == how::complete);
  REQUIRE(got.lines.size() == 24);
  CHECK(got.lines[0] == nth(6));

  // and a failed seek leaves the player where it was
  REQUIRE(player->seek(10'000));
  CHECK(line(**player->next()) == nth(10));
  CHECK(player->seek(0).error() == errc::unauthentic);
  CHECK(line(**player->next()) == nth(11));
  CHECK(line(**player->next()) == nth(12));

  // without an index that can be read, a whole recording is searched like a cut one
  bad = tape.file;
  bad[tape.chunks[10] + 50] ^= 1;
  memory_source other(bad);
  player = rec::player::open(other, person(1));
  REQUIRE(player);
  CHECK_FALSE(player->truncated());
  REQUIRE(player->seek(21'000));
  const found rest = play(*player);
  CHECK(rest.end == how::damaged);
  CHECK(rest.lines.size() == 9);
}

TEST_CASE("M12: the index of a recording of many chunks is thinned out and still leads to every place") {
  constexpr std::size_t chunks = 2 * limits::recording_index_points + 1000;  // thinned out twice
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  line l;
  l.kind = rec::entry_kind::audio;
  for (std::size_t i = 0; i < chunks; ++i) {
    l.time = i;
    if (!tape->add(l.view()) || !tape->flush()) FAIL("entry " << i);
  }
  const std::size_t index = to.content.size();
  REQUIRE(tape->close());
  CHECK(to.content.size() - index < 16 * limits::recording_index_points);

  struct counting final : rec::source {
    explicit counting(byte_view content) : inner{content} {}
    memory_source inner;
    int reads = 0;
    [[nodiscard]] result<std::uint64_t> size() override { return inner.size(); }
    [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
      ++reads;
      return inner.read(offset, out);
    }
  };
  counting from(to.content);
  auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  REQUIRE(player->seek(0));
  for (const std::uint64_t time :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{4}, std::uint64_t{65'535},
        std::uint64_t{65'536}, std::uint64_t{100'003}, std::uint64_t{chunks - 2}, std::uint64_t{chunks - 1}}) {
    from.reads = 0;
    REQUIRE(player->seek(time));
    CHECK(from.reads < 20);
    const auto e = player->next();
    REQUIRE((e && *e));
    CHECK((*e)->time == time);
  }
  REQUIRE(player->seek(chunks));
  CHECK_FALSE(*player->next());
}

TEST_CASE("M12: a seek in a recording of a terabyte reads a few places of it") {
  // real chunks, far apart; between them is nothing, and nobody may look there
  deterministic_environment env(1);
  sparse file;
  const auto me = person(1);
  {
    auto tape = rec::recorder::create(env, file, std::array{me.pub.view()});
    REQUIRE(tape);
  }
  auto opened = rec::player::open(file, me);
  REQUIRE(opened);
  const auto& key = opened->key();
  rec::header_mac mac;
  REQUIRE(file.read(rec::header_size(1) - mac.size(), mac));

  constexpr std::uint64_t apart = (std::uint64_t{1} << 34U) + 12'345, stride = std::uint64_t{1} << 18U, points = 64;
  bytes index;
  writer w{index};
  w.number(stride);
  for (std::uint64_t p = 0; p < points; ++p) {
    const std::uint64_t offset = rec::header_size(1) + p * apart;
    for (std::uint64_t k = 0, at = offset; k < 2; ++k) {  // each place that the index knows, and the chunk behind it
      line l;
      l.kind = rec::entry_kind::note;
      l.time = 1000 * p + 10 * k;
      rec::chunk_header head;
      head.number = p * stride + k;
      head.until = l.time;
      const bytes sealed = chunk(key, mac, head, wire::encode(l.view()));
      REQUIRE(file.write(at, sealed));
      at += sealed.size();
    }
    wire::write(w, rec::index_point{offset, 1000 * p});
  }
  const std::uint64_t index_offset = rec::header_size(1) + points * apart;
  CHECK(index_offset > std::uint64_t{1} << 40U);
  rec::chunk_header head;
  head.number = points * stride;
  head.until = 1000 * points;
  head.kind = rec::chunk_kind::index;
  const bytes sealed_index = chunk(key, mac, head, index);
  REQUIRE(file.write(index_offset, sealed_index));
  ++head.number;
  head.kind = rec::chunk_kind::end;
  REQUIRE(file.write(index_offset + sealed_index.size(),
                     chunk(key, mac, head, wire::encode(rec::end_of_recording{index_offset, 2 * points}))));

  auto player = rec::player::open(file, me);
  REQUIRE(player);
  CHECK_FALSE(player->truncated());
  for (std::uint64_t p = 0; p < points; ++p) {
    file.reads = 0;
    REQUIRE(player->seek(1000 * p + 1));
    const auto e = player->next();
    REQUIRE((e && *e));
    CHECK((*e)->time == 1000 * p + 10);
    CHECK(file.reads < 12);
  }
}
