// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

using namespace conclave_test;

namespace {

bool contains(byte_view where, std::string_view what) { return as_text(where).find(what) != std::string_view::npos; }

bytes tape_file_of(const std::vector<line>& said, std::uint64_t seed) {
  deterministic_environment env(seed);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  for (const line& l : said) REQUIRE(tape->add(l.view()));
  REQUIRE(tape->close());
  return to.content;
}

}  // namespace

TEST_CASE("M12: what was recorded is read back, and nothing of it stands in the clear") {
  deterministic_environment env(1);
  const auto me = person(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{me.pub.view()});
  REQUIRE(tape);
  std::vector<line> said;
  for (std::size_t i = 0; i < 500; ++i) said.push_back(nth(i));
  said[3].data = to_bytes(as_bytes("a sentence that must not stand in the clear"));
  said[3].name = "Somebody whose name must not either";
  said[10].data = bytes(300'000, 0x11);  // longer than a chunk usually is
  said[11].data = bytes(limits::frame_bytes, 0x22);
  said[12].name = std::string(limits::name_bytes, 'n');
  said[13].time = 5;  // earlier than those before
  for (const line& l : said) REQUIRE(tape->add(l.view()));
  CHECK(tape->entries() == 500);
  REQUIRE(tape->close());
  CHECK(to.syncs == 1);
  CHECK(to.content.size() < limits::frame_bytes + 300'000 + 80'000);

  memory_source from(to.content);
  auto player = rec::player::open(from, me);
  REQUIRE(player);
  CHECK_FALSE(player->truncated());
  CHECK(player->entries() == 500);
  CHECK(player->duration() == 499'000);
  const found got = play(*player);
  CHECK(got.end == how::complete);
  CHECK(got.lines == said);
  CHECK_FALSE(*player->next());  // the end stays the end
  player->rewind();
  CHECK(play(*player).lines == said);

  CHECK_FALSE(contains(to.content, "a sentence"));
  CHECK_FALSE(contains(to.content, "Somebody"));
  // two recordings of the same thing, under keys that were drawn at random, have nothing in common but their form
  const bytes first = tape_file_of(said, 1), second = tape_file_of(said, 2);
  REQUIRE(first.size() == second.size());
  std::size_t same = 0;
  for (std::size_t i = 54; i < 70'000; ++i) same += first[i] == second[i] ? 1 : 0;
  CHECK(same < 1000);  // 273 by chance
}

TEST_CASE("M12: a recorder refuses what no recording may hold, and is as before") {
  deterministic_environment env(1);
  const auto me = person(1);
  memory_sink to;
  CHECK(rec::recorder::create(env, to, {}).error() == errc::misuse);
  const std::vector<byte_view> many(limits::recording_recipients + 1, me.pub.view());
  CHECK(rec::recorder::create(env, to, many).error() == errc::over_limit);
  const bytes no_key(32), short_key(31, 9);
  CHECK(rec::recorder::create(env, to, std::array{byte_view{no_key}}).error() == errc::malformed);
  CHECK(rec::recorder::create(env, to, std::array{byte_view{short_key}}).error() == errc::malformed);
  env.fail_after(0);
  CHECK(rec::recorder::create(env, to, std::array{me.pub.view()}).error() == errc::no_entropy);
  env.recover();
  CHECK(to.content.empty());

  auto tape = rec::recorder::create(env, to, std::span{many}.first(limits::recording_recipients));
  REQUIRE(tape);
  REQUIRE(tape->add(nth(0).view()));
  line bad = nth(1);
  bad.data.resize(limits::frame_bytes + 1);
  CHECK(tape->add(bad.view()).error() == errc::over_limit);
  bad = nth(1);
  bad.name.assign(limits::name_bytes + 1, 'n');
  CHECK(tape->add(bad.view()).error() == errc::over_limit);
  REQUIRE(tape->add(nth(1).view()));
  REQUIRE(tape->close());
  CHECK(tape->add(nth(2).view()).error() == errc::misuse);
  REQUIRE(tape->close());
  const found got = play(to.content);
  CHECK(got.end == how::complete);
  CHECK(got.lines.size() == 2);
  CHECK(is_prefix(got.lines));
}

TEST_CASE("M12: nothing is in the file before its chunk is full, flushed or synced, and all of it afterwards") {
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  const std::size_t header = to.content.size();
  CHECK(header == rec::header_size(1));
  CHECK(play(to.content).end == how::truncated);
  REQUIRE(tape->flush());
  CHECK(to.content.size() == header);  // nothing to write
  REQUIRE(tape->add(nth(0).view()));
  CHECK(to.content.size() == header);
  REQUIRE(tape->sync());
  CHECK(to.syncs == 1);
  CHECK(play(to.content).lines.size() == 1);
  std::size_t i = 1;
  while (to.content.size() < header + limits::recording_chunk_target / 2) REQUIRE(tape->add(nth(i++).view()));
  const found got = play(to.content);  // one chunk has filled up by itself; the entry after it is not in it
  CHECK(got.end == how::truncated);
  CHECK(got.lines.size() == i - 1);
  CHECK(is_prefix(got.lines));
}

TEST_CASE("M12: a disk that is full loses nothing that is on it, and when there is room again the recording goes on") {
  const taped whole = tape(12, 3);
  for (std::size_t room = 0; room <= whole.file.size(); ++room) {
    deterministic_environment env(1);
    memory_sink to;
    to.room = room;
    const auto me = person(1);
    auto tape = rec::recorder::create(env, to, std::array{me.pub.view()});
    if (room < whole.chunks[0]) {
      REQUIRE(tape.error() == errc::storage);
      continue;
    }
    REQUIRE(tape);
    std::size_t i = 0;
    status last;
    const auto go_on = [&] {
      for (; i < 12; ++i) {
        if (i % 3 == 0 && !(last = tape->flush())) return;
        if (!(last = tape->add(nth(i).view()))) return;
      }
      last = tape->close();
    };
    go_on();
    const bool fits = room == whole.file.size();
    REQUIRE(last.has_value() == fits);
    if (!fits) {
      CHECK(last.error() == errc::storage);
      CHECK(tape->flush().error() == errc::storage);  // as long as it is full
      const found got = play(to.content);
      CHECK(got.end == how::truncated);
      CHECK(got.lines.size() == whole_before(whole, room));
      CHECK(is_prefix(got.lines));
      to.room = SIZE_MAX;
      go_on();
      REQUIRE(last);
    }
    CHECK(to.content == whole.file);  // under each nonce one chunk was sealed, whatever the disk did
  }
}

TEST_CASE("M12: without randomness nothing is sealed, and nothing is lost") {
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  REQUIRE(tape->add(nth(0).view()));
  const std::size_t before = to.content.size();
  for (const auto attempt : {0, 1, 2}) {
    env.fail_after(0);
    CHECK((attempt == 0 ? tape->flush() : attempt == 1 ? tape->sync() : tape->close()).error() == errc::no_entropy);
    CHECK(to.content.size() == before);
    env.recover();
  }
  for (std::uint64_t calls = 1; calls < 3; ++calls) {  // the chunk, the index, and not the end
    env.fail_after(1);
    CHECK(tape->close().error() == errc::no_entropy);
    CHECK(play(to.content).end == how::truncated);
    CHECK(play(to.content).lines.size() == 1);
  }
  env.recover();
  to.sync_fails = true;
  CHECK(tape->close().error() == errc::storage);
  to.sync_fails = false;
  REQUIRE(tape->close());
  CHECK(play(to.content).end == how::complete);
}
