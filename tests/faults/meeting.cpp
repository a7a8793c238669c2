// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meetings without memory and without randomness, and after crashes.
#include "bounds.hpp"

#include <conclave/meeting/lobby.hpp>
#include <conclave/meeting/presets.hpp>

#include <meeting/support.hpp>

#include <set>

namespace faults {
namespace meetings {

using meeting_test::table;

[[nodiscard]] mls::snapshot_key disk_key() { return *mls::snapshot_key::copy_of(bytes(32, 7)); }

/// seen(room): what a participant can see, and all that MLS keeps.
[[nodiscard]] auto seen(const meeting& room) {
  return std::tuple(meeting_test::state_of(room), room.epoch(), room.code().digits(), room.chat().messages().size(),
                    room.people().size());
}

}  // namespace meetings

using namespace meetings;

TEST_CASE("a meeting without memory or randomness is entered by another try", "[faults]") {
  table t(3);
  const auto who = *identity::generate(t.env, "newcomer");
  const auto state = [&] { return seen(t[0]); };

  std::optional<meeting> made;
  const auto creating = [&] {
    auto out = meeting::create(t.env, who, "another");
    const errc error = failed(out);
    if (out) made.emplace(*std::move(out));
    return error;
  };
  no_randomness("meeting: create", t.env, nothing_to_see{}, creating);
  made.reset();
  out_of_memory("meeting: create", nothing_to_see{}, creating);

  std::optional<knock> wish;
  const auto knocking = [&] {
    auto out = knock::create(t.env, who);
    const errc error = failed(out);
    if (out) wish.emplace(*std::move(out));
    return error;
  };
  no_randomness("meeting: knock", t.env, nothing_to_see{}, knocking);
  wish.reset();
  out_of_memory("meeting: knock", nothing_to_see{}, knocking);

  const auto observing = [&] { return std::tuple(t[0].epoch(), t[0].code().digits(), t[0].people().size()); };
  std::optional<meeting::change> add;
  const auto admitting = [&] {
    auto out = t[0].admit(wish->key_package());
    const errc error = failed(out);
    if (out) add.emplace(*std::move(out));
    return error;
  };
  no_randomness("meeting: admit", t.env, observing, admitting);  // uses up generations of PrivateMessages
  add.reset();
  out_of_memory("meeting: admit", observing, admitting);
  auto room = meeting::join(*std::move(wish), add->welcome());
  REQUIRE(room);
  t.commit(0, *std::move(add));
  CHECK(room->code() == t[0].code());

  bytes saved;
  out_of_memory("meeting: snapshot", observing, [&] {
    auto out = t[0].snapshot(disk_key());
    const errc error = failed(out);
    if (out) saved = *std::move(out);
    return error;
  });
  std::optional<meeting> back;
  const auto restoring = [&] {
    auto out = meeting::restore(t.env, disk_key(), t[0].sequence(), saved, t.seats[0].who);
    const errc error = failed(out);
    if (out) back.emplace(*std::move(out));
    return error;
  };
  no_randomness("meeting: restore", t.env, state, restoring);
  back.reset();
  out_of_memory("meeting: restore", state, restoring);
  CHECK(back->code() == t[0].code());

  const auto companion = *knock::create(t.env, t.seats[1].who);
  const byte_view package = companion.key_package();
  no_randomness("meeting: open a room", t.env, state, [&] { return failed(t[0].open_room({&package, 1}, "corner")); });

  std::optional<meeting::sender> mic;
  out_of_memory("meeting: open a sender", state, [&] {
    auto out = t[1].open_sender(0);
    const errc error = failed(out);
    if (out) mic.emplace(*std::move(out));
    return error;
  });
  std::optional<meeting::receiver> ear;
  out_of_memory("meeting: open a receiver", state, [&] {
    auto out = t[0].open_receiver();
    const errc error = failed(out);
    if (out) ear.emplace(*std::move(out));
    return error;
  });
  // the media thread follows an epoch: the sender's counters go on, the receiver opens what is said in it
  t.commit(2, *t[2].refresh());
  bytes frame(64), heard(64);
  std::size_t size = 0;
  out_of_memory(
      "meeting: seal in a new epoch", [&] { return mic->epoch(); },
      [&] {
        const auto out = mic->seal(as_bytes("abc"), {}, frame);
        if (out) size = out->size();
        return failed(out);
      });
  out_of_memory("meeting: open in a new epoch", nothing_to_see{},
                [&] { return failed(ear->open(byte_view{frame}.first(size), {}, heard)); });
  CHECK(ear->open(byte_view{frame}.first(size), {}, heard).error() == errc::replayed);
}

TEST_CASE("a meeting that was restored repeats no message and no frame, wherever it crashed", "[faults]") {
  // host 1 writes a snapshot before each third message; the disk is `saved`, what the others have heard is `sent`
  std::size_t points = 0;
  for (std::size_t crash_at = 0; crash_at < 60; ++crash_at) {
    table t(3, {}, 1 + crash_at);
    bytes saved = *t[1].snapshot(disk_key());
    std::uint64_t newest = t[1].sequence();
    REQUIRE(t[1].stored(newest));
    std::size_t step = 0;
    bool crashed = false;
    const auto goes_on = [&] {
      crashed = crashed || step++ == crash_at;
      return !crashed;
    };
    std::set<std::string> heard;
    const auto hear = [&](byte_view message) {
      const auto got = t[0].receive(message);
      REQUIRE(got);  // a generation that was used before would be replayed
      REQUIRE(heard.insert(std::string{as_text(message)}).second);
    };
    const auto live = [&](meeting& room) {
      for (int i = 0; i < 6; ++i) {
        if (i % 3 == 0) {
          bytes next = *room.snapshot(disk_key());
          if (!goes_on()) return;  // made, not stored
          saved = std::move(next);
          newest = room.sequence();
          REQUIRE(room.stored(newest));
          if (!goes_on()) return;  // stored
        }
        const auto said = room.say(as_bytes("words"));
        REQUIRE(said);
        if (!goes_on()) return;  // said, not sent
        hear(*said);
        if (!goes_on()) return;  // sent
      }
    };
    live(t[1]);
    if (!crashed) break;
    ++points;
    auto back = *meeting::restore(t.env, disk_key(), newest, saved, t.seats[1].who);
    CHECK(back.say(as_bytes("words")).error() == errc::exhausted);  // before its next snapshot
    CHECK(back.open_sender(0).error() == errc::refused);            // before the next epoch
    saved = *back.snapshot(disk_key());
    REQUIRE(back.stored(back.sequence()));
    for (int i = 0; i < 3; ++i) hear(*back.say(as_bytes("words")));
    auto change = *back.refresh();
    for (const std::size_t i : {0U, 2U}) REQUIRE(t[i].receive(change.commit()));
    REQUIRE(back.apply(std::move(change)));
    CHECK(back.code() == t[0].code());
    CHECK(back.open_sender(0));
  }
  CHECK(points == 16);
  summary("meeting: snapshot, say", "crash", points, "no generation and no counter used twice");
}

TEST_CASE("knocks and words cost what they weigh", "[bounds]") {
  costs("lobby", "n knocks", up_to(2048), {6, 262'144}, [](std::size_t n) {
    auto t = std::make_shared<table>(2);
    auto knocks = std::make_shared<std::vector<bytes>>();
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto who = *identity::generate(t->env, "x");
      knocks->push_back(to_bytes(knock::create(t->env, who)->key_package()));
      size += knocks->back().size();
    }
    return std::pair(size, [t, knocks] {
      lobby l(rules_of(preset::open).admission, meeting_kind::scheduled);
      for (const bytes& k : *knocks) succeeds(l.knock((*t)[0], k));
    });
  });
  costs("chat", "n messages of 1000 bytes", up_to(2048), {4, 262'144}, [](std::size_t n) {
    auto t = std::make_shared<table>(2);
    auto said = std::make_shared<std::vector<bytes>>();
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      auto saying = *(*t)[1].write(std::string(1000, 'x'));
      said->push_back(to_bytes(saying.message()));
      size += said->back().size();
    }
    return std::pair(size, [t, said] {
      for (const bytes& m : *said) succeeds((*t)[0].receive(m));
    });
  });
}

}  // namespace faults
