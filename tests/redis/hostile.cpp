// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Servers that are broken or hostile: whatever they answer is an error of its kind, in bounded time and memory.
#include "redis/server.hpp"

namespace redis_test {
namespace hostile {

struct lie {
  std::string answer;
  errc means;
};

std::string bulk(std::string_view text) {
  return '$' + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}
std::string list(std::initializer_list<std::string> items) {
  std::string out = '*' + std::to_string(items.size()) + "\r\n";
  for (const std::string& item : items) out += item;
  return out;
}
std::string entry(std::string_view id, std::string_view field = "m", std::string_view message = "x") {
  return list({bulk(id), list({bulk(field), bulk(message)})});
}
const std::string our_log = "conclave:{c00c1afe}:log";

redis with(environment& env, const liar& server, int patience = 300) {
  auto options = server.options();
  options.patience = steady_time{patience};
  options.answer = steady_time{patience / 2};
  return at(env, options);
}

}  // namespace hostile

using namespace hostile;

TEST_CASE("what no command is answered with is an error, whichever the command") {
  const auto lie = GENERATE(values<hostile::lie>({
      {"hello\r\n", errc::malformed},
      {std::string("\0\0\0\0", 4), errc::malformed},
      {"*1000000000\r\n", errc::over_limit},
      {"*4000\r\n*4000\r\n", errc::over_limit},
      {"*99999999999999999999\r\n", errc::malformed},
      {"*-2\r\n", errc::malformed},
      {"$-2\r\n", errc::malformed},
      {"$99999999999999999999\r\n", errc::malformed},
      {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", errc::malformed},
      {":12\r\n", errc::malformed},
      {"*0\r\n:1\r\n", errc::malformed},
      {"+what?\r\n", errc::malformed},
      {"-ERR no such command\r\n", errc::storage},
      {"-NOAUTH Authentication required.\r\n", errc::refused},
      {"-NOPERM this user has no permissions\r\n", errc::refused},
      {"-MOVED 1 somewhere\r\n", errc::malformed},
      {"-MOVED 1 127.0.0.1:0\r\n", errc::malformed},
      {"-MOVED 1 127.0.0.1:99999999999\r\n", errc::malformed},
      {"-MOVED 1 127.0.0.1:%\r\n", errc::storage},
      {"-ASK 1 :%\r\n", errc::storage},
      {"-MOVED 1 /tmp/socket:1\r\n", errc::malformed},
      {"-LOADING Redis is loading the dataset in memory\r\n", errc::storage},
      {"-CLUSTERDOWN The cluster is down\r\n", errc::storage},
      {"-NOSCRIPT No matching script.\r\n", errc::storage},
  }));
  CAPTURE(lie.answer);
  const liar server(lie.answer);
  system_environment env;
  CHECK(with(env, server).read({}).error() == lie.means);
  CHECK(with(env, server).send(a_commit(0, "x")).error() == lie.means);
}

TEST_CASE("nodes that send each other's way are left after a few") {
  const liar server("-MOVED 1 127.0.0.1:%\r\n");
  system_environment env;
  const auto outcome = with(env, server, 5000).send(a_commit(0, "x"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().broken_rule() == &delivery::rules::redis_redirects);
  CHECK(server.served() == static_cast<int>(limits::redis_redirections) + 1);
}

TEST_CASE("a node that is down is waited for, however often the others send there") {
  const liar server("-MOVED 1 127.0.0.1:1\r\n");
  system_environment env;
  const auto outcome = with(env, server, 1500).send(a_commit(0, "x"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().broken_rule() == &delivery::rules::redis_is_there);
  CHECK(server.served() > static_cast<int>(limits::redis_redirections) + 1);
}

TEST_CASE("a server that says nothing, hangs up, or stops in the middle is one that is not there") {
  const std::string answer = GENERATE("", "*2\r\n$8\r\nacc", "$100\r\nx", "*");
  const bool hangs_up = GENERATE(false, true);
  CAPTURE(answer, hangs_up);
  const liar server(answer, hangs_up);
  system_environment env;
  const auto outcome = with(env, server, 60).send(a_commit(0, "x"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().broken_rule() == &delivery::rules::redis_is_there);
}

TEST_CASE("an endless answer is given up") {
  const liar server("$67108900\r\n" + std::string(67108900, 'x') + "\r\n");
  system_environment env;
  CHECK(with(env, server, 20'000).read({}).error() == errc::over_limit);
}

TEST_CASE("a verdict is one of those there are, with a place") {
  system_environment env;
  const auto verdict = [&](const std::string& answer) { return with(env, liar(answer)).offer(a_commit(0, "x")); };
  CHECK(verdict(list({bulk("accepted"), bulk("1-0")}))->accepted);
  CHECK_FALSE(verdict(list({bulk("superseded"), bulk("1-0")}))->accepted);
  for (const std::string& answer :
       {list({bulk("accepted")}), list({bulk("yes"), bulk("1-0")}), list({bulk("accepted"), bulk("1")}),
        list({bulk("accepted"), bulk("1-")}), list({bulk("accepted"), bulk("-1-0")}),
        list({bulk("accepted"), bulk("1-0 ")}), list({bulk("accepted"), bulk("")}),
        list({bulk("accepted"), bulk("99999999999999999999-0")}), list({bulk("accepted"), ":1\r\n"}),
        list({bulk("accepted"), bulk("9007199254740992-0")}), list({list({}), bulk("1-0")}),
        list({bulk("accepted"), bulk("1-0"), bulk("1-0")}), bulk("accepted"), std::string{"$-1\r\n"}}) {
    CAPTURE(answer);
    CHECK(verdict(answer).error() == errc::malformed);
  }
}

TEST_CASE("what is read is the meeting's own log, goes up, and has no gap") {
  system_environment env;
  const auto read = [&](const std::string& answer) { return with(env, liar(answer)).read({3, 2}, {}, 3); };
  const auto log = [](std::initializer_list<std::string> entries) {
    return list({list({bulk(our_log), list(entries)})});
  };
  CHECK((*read(log({entry("3-3"), entry("4-0"), entry("4-1")}))).size() == 3);
  CHECK((*read("*-1\r\n")).empty());
  for (const std::string& gap : {log({entry("3-4")}), log({entry("4-1")}), log({entry("5-0")}),
                                 log({entry("3-3"), entry("5-0")}), log({entry("3-3"), entry("3-5")})}) {
    const auto outcome = read(gap);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().broken_rule() == &delivery::rules::redis_is_whole);
  }
  for (const std::string& answer :
       {log({entry("3-2")}), log({entry("3-1")}), log({entry("2-9")}), log({entry("3-3"), entry("3-3")}), log({}),
        log({entry("3-3"), entry("4-0"), entry("5-0"), entry("6-0")}), log({entry("3-3", "n")}), log({bulk("3-3")}),
        log({list({bulk("3-3"), list({bulk("m")})})}), log({list({bulk("3-3"), bulk("m")})}),
        log({list({bulk("3-3"), list({bulk("m"), ":1\r\n"})})}),
        list({list({bulk("conclave:{00}:log"), list({entry("3-3")})})}), list({list({bulk(our_log)})}),
        list({bulk(our_log), list({entry("3-3")})}), list({})}) {
    CAPTURE(answer);
    CHECK(read(answer).error() == errc::malformed);
  }
}

TEST_CASE("a box holds bytes, or nothing") {
  system_environment env;
  CHECK(with(env, liar("$-1\r\n")).fetch_welcome("bob").error() == errc::unknown_key);
  CHECK(with(env, liar("*0\r\n")).fetch_welcome("bob").error() == errc::malformed);
  CHECK(with(env, liar(":1\r\n")).fetch_entrance().error() == errc::malformed);
  CHECK(with(env, liar("+perhaps\r\n")).send_welcome("bob", as_bytes("x")).error() == errc::malformed);
  CHECK(with(env, liar("*-1\r\n")).position().error() == errc::malformed);
}

}  // namespace redis_test
