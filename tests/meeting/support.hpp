// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A meeting of several people in one process, with the delivery service between them.
#pragma once

#include <support/instantiation.hpp>
#include <support/mls_party.hpp>

#include <conclave/conclave.hpp>

#include <catch2/catch.hpp>

#include <deque>

namespace conclave::inline CONCLAVE_ABI {

/// meeting_testing: the window through which tests look into a meeting.
template <crypto_provider P>
struct meeting_testing {
  [[nodiscard]] static bytes state_of(const basic_meeting<P>& room) {
    return mls::group_testing<P>::state_of(room.group_);
  }
  /// group_of(room): the group without the rules of its owner's client.
  [[nodiscard]] static mls::basic_group<P>& group_of(basic_meeting<P>& room) { return room.group_; }
};

}  // namespace conclave

namespace meeting_test {

using namespace conclave;
using conclave_test::deterministic_environment;
using kind = enum meeting_event::kind;

[[nodiscard]] inline bytes state_of(const meeting& room) { return meeting_testing<default_provider>::state_of(room); }
[[nodiscard]] inline mls::group& group_of(meeting& room) { return meeting_testing<default_provider>::group_of(room); }

/// seat: somebody at the table, or somebody who has left it.
struct seat {
  identity who;
  meeting room;
};

/// table: the first person hosts. Whatever one commits, all the others who are in receive; all of them then have the same
/// code, and the epoch is one.
class table {
 public:
  explicit table(std::size_t people, const meeting_options& options = {}, std::uint64_t seed = 1)
      : env{seed}, options_{options} {
    auto host = *identity::generate(env, "person 0");
    auto room = *meeting::create(env, host, "test", options);
    seats.push_back({std::move(host), std::move(room)});
    while (seats.size() < people) REQUIRE(bring("person " + std::to_string(seats.size())));
    for (seat& s : seats) (void)s.room.take_events();
  }

  deterministic_environment env;
  std::deque<seat> seats;

  [[nodiscard]] meeting& operator[](std::size_t i) { return seats.at(i).room; }

  /// bring(name, host): somebody new, admitted by a host. The error of admit(), where it has one.
  [[nodiscard]] status bring(const std::string& name, std::size_t host = 0) {
    auto who = *identity::generate(env, name);
    auto wish = *knock::create(env, who, options_);
    CONCLAVE_TRY(auto add, seats[host].room.admit(wish.key_package()));
    auto room = *meeting::join(std::move(wish), add.welcome());
    commit(host, std::move(add));
    seats.push_back({std::move(who), std::move(room)});
    agree();
    return {};
  }
  /// commit(who, change): everybody else receives it, then its maker applies it.
  void commit(std::size_t who, meeting::change&& change) {
    const bytes message = to_bytes(change.commit());
    deliver(who, message);
    REQUIRE(seats[who].room.apply(std::move(change)));
    agree();
  }
  /// deliver(from, message): to everybody else who is in.
  void deliver(std::size_t from, byte_view message) {
    for (std::size_t i = 0; i < seats.size(); ++i)
      if (i != from && seats[i].room.active()) REQUIRE(seats[i].room.receive(message));
  }
  /// say(who, text): in the chat.
  void say(std::size_t who, std::string_view text, text_kind what = text_kind::chat) {
    auto saying = *seats[who].room.write(text, what);
    deliver(who, saying.message());
    seats[who].room.apply(std::move(saying));
  }
  /// agree(): one epoch, one code.
  void agree() {
    std::optional<sas::security_code> code;
    for (seat& s : seats) {
      if (!s.room.active()) continue;
      if (code) CHECK(s.room.code() == *code);
      code = s.room.code();
    }
  }
  /// refused_by_all(from, message, rule): by everybody but `from`, who all stay exactly as they were.
  void refused_by_all(std::size_t from, byte_view message, const rule& broken) {
    for (std::size_t i = 0; i < seats.size(); ++i) {
      if (i == from || !seats[i].room.active()) continue;
      const bytes before = state_of(seats[i].room);
      const auto got = seats[i].room.receive(message);
      REQUIRE_FALSE(got);
      CHECK(got.error().code() == errc::refused);
      CHECK(std::string{got.error().message()} == broken.name);
      CHECK(state_of(seats[i].room) == before);
    }
    agree();
  }

 private:
  meeting_options options_;
};

/// events_of(room): their kinds, in order.
[[nodiscard]] inline std::vector<kind> events_of(meeting& room) {
  std::vector<kind> out;
  for (const meeting_event& e : room.take_events()) out.push_back(e.what);
  return out;
}

/// fails_by(outcome, rule): refused by this rule.
template <class T>
void fails_by(const result<T>& outcome, const rule& broken) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == errc::refused);
  CHECK(std::string{outcome.error().message()} == broken.name);
}

}  // namespace meeting_test
