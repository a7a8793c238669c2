// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chat and notes.
#include "support.hpp"

namespace meeting_test {
namespace chat {

std::vector<std::string> texts(const meeting& room) {
  std::vector<std::string> out;
  for (const chat_message& m : room.chat().messages()) out.push_back(m.text);
  return out;
}

}  // namespace chat

using namespace chat;

TEST_CASE("M11: chat and notes arrive with sender, order and epoch, the same for all") {
  table t(3);
  t.say(0, "hello");
  t.say(2, "grüezi 👋");
  t.commit(0, *t[0].refresh());
  t.say(1, "decided: Tuesday", text_kind::note);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& lines = t[i].chat().messages();
    REQUIRE(lines.size() == 3);
    CHECK(texts(t[i]) == std::vector<std::string>{"hello", "grüezi 👋", "decided: Tuesday"});
    CHECK(lines[0].name == "person 0");
    CHECK(lines[0].sender == t[0].own_leaf());
    CHECK(lines[1].name == "person 2");
    CHECK(lines[0].epoch + 1 == lines[2].epoch);
    CHECK(lines[1].kind == text_kind::chat);
    CHECK(lines[2].kind == text_kind::note);
    for (const chat_message& line : lines) CHECK(line.missing == 0);
  }
  const auto events = events_of(t[0]);
  CHECK(std::ranges::count(events, kind::said) == 2);  // its own is no news
}

TEST_CASE("M11: the relay reads nothing, and what it keeps back is missed") {
  table t(2);
  const std::string secret_text = "the merger is on";
  auto first = *t[0].write("one");
  auto second = *t[0].write(secret_text);
  auto third = *t[0].write("three");
  CHECK(std::search(second.message().begin(), second.message().end(), secret_text.begin(), secret_text.end()) ==
        second.message().end());
  REQUIRE(t[1].receive(first.message()));
  REQUIRE(t[1].receive(third.message()));
  CHECK(t[1].chat().messages().back().text == "three");
  CHECK(t[1].chat().messages().back().missing == 1);
  CHECK(t[1].receive(third.message()).error().code() == errc::replayed);
  REQUIRE(t[1].receive(second.message()));
  CHECK(texts(t[1]) == std::vector<std::string>{"one", "three", secret_text});
}

TEST_CASE("M11: what is no text is not said, and does no harm when somebody says it") {
  table t(2);
  for (const std::string_view bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    CHECK(t[0].write(bad).error().code() == errc::malformed);
  CHECK(t[0].write(std::string(limits::chat_bytes + 1, 'a')).error().code() == errc::over_limit);
  CHECK(t[0].write(std::string(limits::chat_bytes, 'a')));

  const bytes good = wire::encode(chat_content{text_kind::chat, 1, as_bytes("hi")});
  for (std::size_t n = 0; n < good.size(); ++n) {
    REQUIRE(t[1].receive(*t[0].say(byte_view{good}.first(n))));
    bytes spoiled = good;
    spoiled[n] = 0xff;
    REQUIRE(t[1].receive(*t[0].say(spoiled)));
  }
  bytes other_mark = good;
  other_mark[0] ^= 1;
  CHECK(wire::decode<chat_content>(other_mark).error() == errc::malformed);
  bytes longer = good;
  longer.push_back(0);
  REQUIRE(t[1].receive(*t[0].say(longer)));
  for (const chat_message& line : t[1].chat().messages()) CHECK(detail::is_utf8(as_bytes(line.text)));
  // only the number of the message can be anything
  CHECK(t[1].chat().messages().size() == 8);
  REQUIRE(t[1].receive(*t[0].say(good)));
  CHECK(texts(t[1]).back() == "hi");
}

TEST_CASE("M11: who comes later sees nothing of what was said before, who takes a place does not go on for another") {
  table t(3);
  t.say(2, "one");
  t.say(2, "two");
  t.commit(0, *t[0].remove(t[2].own_leaf()));
  REQUIRE(t.bring("somebody else"));
  CHECK(t[3].own_leaf() == mls::leaf_index{2});
  CHECK(t[3].chat().messages().empty());
  t.say(3, "hi");
  CHECK(t[0].chat().messages().back().name == "somebody else");
  CHECK(t[0].chat().messages().back().missing == 0);
}

TEST_CASE("the chat is bounded by its bytes as well as by its messages") {
  chat_history history;
  const std::string page(limits::chat_bytes, 'a');
  const auto kept = [&] {
    std::size_t bytes_kept = 0;
    for (const chat_message& m : history.messages()) bytes_kept += m.text.size() + m.name.size();
    return bytes_kept;
  };
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    history.add({}, "flood", 1, {text_kind::chat, n, as_bytes(page)});
    REQUIRE(kept() <= limits::chat_history_bytes);
  }
  CHECK(history.messages().size() > 900);
  CHECK(history.messages().back().number == 2000);
  // short messages are as many as ever
  for (std::uint64_t n = 2001; n <= 2000 + limits::chat_messages + 1; ++n)
    history.add({}, "talk", 1, {text_kind::chat, n, as_bytes("hi")});
  CHECK(history.messages().size() == limits::chat_messages);
  CHECK(history.messages().front().text == "hi");
}

}  // namespace meeting_test
