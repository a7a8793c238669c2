// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

using namespace conclave_test;
using rec::entry_kind;

TEST_CASE("M11: chat and notes are saved sealed, and come back in order with who said what") {
  deterministic_environment env(1);
  const auto me = person(1);
  memory_sink to;
  auto book = rec::recorder::create(env, to, std::array{me.pub.view()});
  REQUIRE(book);
  struct said {
    entry_kind kind;
    std::uint32_t sender;
    const char* name;
    const char* text;
  };
  const std::vector<said> all{{entry_kind::chat, 0, "Ada", "Shall we start?"},
                              {entry_kind::chat, 4, "Zo\xc3\xab", "\xe2\x9c\x93 \xf0\x9f\x91\x8d\nyes"},
                              {entry_kind::note, 0, "", "Decided: start on time."},
                              {entry_kind::chat, 4, "Zo\xc3\xab", ""}};
  std::uint64_t time = 0;
  for (const said& s : all) {
    const auto e = rec::text_entry(s.kind, time += 1'000'000, 7, s.sender, s.name, s.text);
    REQUIRE(e);
    REQUIRE(book->add(*e));
    REQUIRE(book->sync());  // a line of chat is rare, and worth it
  }
  REQUIRE(book->close());
  CHECK(as_text(to.content).find("start") == std::string_view::npos);
  CHECK(as_text(to.content).find("Ada") == std::string_view::npos);

  memory_source from(to.content);
  auto reading = rec::player::open(from, me);
  REQUIRE(reading);
  time = 0;
  for (const said& s : all) {
    const auto e = reading->next();
    REQUIRE((e && *e));
    CHECK((*e)->kind == s.kind);
    CHECK((*e)->sender == s.sender);
    CHECK((*e)->epoch == 7);
    CHECK((*e)->time == (time += 1'000'000));
    CHECK(as_text((*e)->name) == s.name);
    CHECK(*rec::text_of(**e) == s.text);
  }
  CHECK_FALSE(*reading->next());
  CHECK(play(to.content, 2).why == errc::unknown_key);
}

TEST_CASE("M11: what was said in a meeting is saved as it stands in its history") {
  chat_history history;
  history.add(mls::leaf_index{3}, "Ada", 9, {text_kind::chat, 1, as_bytes("hello")});
  history.add(mls::leaf_index{5}, "Bela", 10, {text_kind::note, 1, as_bytes("decided: Tuesday")});
  deterministic_environment env(1);
  memory_sink to;
  auto book = rec::recorder::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(book);
  for (const chat_message& m : history.messages()) {
    const auto e = rec::text_entry(5, m);
    REQUIRE(e);
    REQUIRE(book->add(*e));
  }
  REQUIRE(book->close());
  const found got = play(to.content);
  REQUIRE(got.lines.size() == 2);
  CHECK(got.lines[0].view().kind == entry_kind::chat);
  CHECK(got.lines[0].sender == 3);
  CHECK(got.lines[0].epoch == 9);
  CHECK(got.lines[0].name == "Ada");
  CHECK(*rec::text_of(got.lines[0].view()) == "hello");
  CHECK(got.lines[1].kind == entry_kind::note);
  CHECK(got.lines[1].sender == 5);
  CHECK(*rec::text_of(got.lines[1].view()) == "decided: Tuesday");
}

TEST_CASE("M11: what is not text is neither saved nor shown as text") {
  // RFC 3629: bytes that never appear, cut and overlong sequences, surrogates, beyond U+10FFFF
  for (const char* bad :
       {"\xff", "\xc0\xaf", "\xe2\x82", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    CHECK(rec::text_entry(entry_kind::chat, 0, 0, 0, "Ada", bad).error() == errc::malformed);
    CHECK(rec::text_entry(entry_kind::chat, 0, 0, 0, bad, "hello").error() == errc::malformed);
    rec::entry e{entry_kind::note, 0, 0, 0, 0, {}, as_bytes(bad)};
    CHECK(rec::text_of(e).error() == errc::malformed);
  }
  CHECK(rec::text_entry(entry_kind::video, 0, 0, 0, "Ada", "hello").error() == errc::misuse);
  const rec::entry frame{entry_kind::video, 0, 0, 0, 0, {}, as_bytes("hello")};
  CHECK(rec::text_of(frame).error() == errc::misuse);
  const auto odd = rec::text_entry(entry_kind::chat, 0, 0, 0, "Ada", "\x1b[2J\xe2\x80\xaehi");
  REQUIRE(odd);  // a text all the same; how it is shown is another matter
  CHECK(rec::printable(odd->data) == "\\1B[2J\\E2\\80\\AEhi");
}
