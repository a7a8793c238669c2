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
    CHECK(back.open_sender(0).error() == errc::refused);            // before a commit of its own
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

namespace meetings {

/// ledger: under which key and counter every frame of one participant was sealed, in all of its lives.
class ledger {
 public:
  explicit ledger(meeting::receiver& ear) : ear_{ear} {}

  /// seal(room, mic): a frame, which opens elsewhere, under a key and counter that no other one had.
  void seal(meeting& room, meeting::sender& mic) {
    bytes out(64), plain(64);
    const auto frame = mic.seal(as_bytes("picture"), {}, out);
    REQUIRE(frame);
    const auto header = *sframe::header::decode(*frame);
    bytes base(16);
    REQUIRE(meeting_test::group_of(room).export_secret("SFrame 1.0 Base Key", {}, base));
    REQUIRE(seen_.insert({base, header.kid, header.ctr}).second);
    const auto got = ear_.open(*frame, {}, plain);
    CAPTURE(got ? "" : got.error().message());
    REQUIRE(got);  // a receiver refuses a counter that it has seen
  }
  /// tries(room): as seal(), where the meeting gives a sender at all.
  bool tries(meeting& room, std::uint32_t stream) {
    auto mic = room.open_sender(stream);
    if (mic) seal(room, *mic);
    return mic.has_value();
  }

 private:
  meeting::receiver& ear_;
  std::set<std::tuple<bytes, std::uint64_t, std::uint64_t>> seen_;
};

}  // namespace meetings

TEST_CASE("a meeting that was restored repeats no frame of any epoch that it has followed, wherever it crashed",
          "[faults]") {
  // member 1 speaks in two streams, follows the commits of others and makes one of its own; the delivery service keeps all
  struct letter {
    bytes message;
    bool commit_of_1;
  };
  std::size_t points = 0;
  for (std::size_t crash_at = 0; crash_at < 60; ++crash_at) {
    CAPTURE(crash_at);
    table t(3, {}, 1 + crash_at);
    auto ear = *t[0].open_receiver();
    ledger frames(ear);
    std::vector<letter> log;
    bytes saved;
    std::size_t read = 0, saved_read = 0;
    std::uint64_t newest = 0;
    std::size_t step = 0;
    const auto goes_on = [&] { return step++ != crash_at; };
    const auto save = [&](meeting& room) {
      saved = *room.snapshot(disk_key());
      newest = room.sequence();
      saved_read = read;
      REQUIRE(room.stored(newest));
    };
    const auto others_commit = [&](std::size_t who) {
      auto change = *t[who].refresh();
      REQUIRE(t[2 - who].receive(change.commit()));
      log.push_back({to_bytes(change.commit()), false});
      REQUIRE(t[who].apply(std::move(change)));
    };
    const auto to_others = [&](byte_view message) {
      for (const std::size_t i : {0U, 2U}) REQUIRE(t[i].receive(message));
    };
    save(t[1]);
    auto mic = *t[1].open_sender(0);
    const auto live = [&](meeting& room) {
      for (std::size_t round = 0; round < 4; ++round) {
        frames.seal(room, mic);
        if (!goes_on()) return false;
        if (round == 2) {
          auto change = *room.refresh();
          to_others(change.commit());
          log.push_back({to_bytes(change.commit()), true});
          if (!goes_on()) return false;  // sent, not applied
          REQUIRE(room.apply(std::move(change)));
        } else {
          others_commit(round == 1 ? 2 : 0);
          if (!goes_on()) return false;  // not received
          REQUIRE(room.receive(log.back().message));
        }
        ++read;
        frames.seal(room, mic);
        REQUIRE(frames.tries(room, 1));
        CHECK(room.say(as_bytes("words")).error() == errc::exhausted);  // a new epoch, and no snapshot of it
        if (!goes_on()) return false;                                   // no snapshot of what was sealed in
        if (round != 2) save(room);
        if (!goes_on()) return false;
      }
      return true;
    };
    if (live(t[1])) break;
    ++points;

    // it may crash once more before it has spoken, and starts with the same snapshot or one that it made meanwhile
    for (const bool saves_again : {false, true}) {
      auto back = *meeting::restore(t.env, disk_key(), newest, saved, t.seats[1].who);
      CHECK_FALSE(frames.tries(back, 0));
      for (read = saved_read; read < log.size() && !log[read].commit_of_1; ++read) {
        REQUIRE(back.receive(log[read].message));
        CHECK_FALSE(frames.tries(back, 0));
        CHECK_FALSE(frames.tries(back, 1));
      }
      if (saves_again) save(back);
    }
    auto back = *meeting::restore(t.env, disk_key(), newest, saved, t.seats[1].who);
    if (read < log.size()) {  // its own commit, which only the life before could apply
      CHECK(back.receive(log[read].message).error() == errc::refused);
      auto again = *back.come_back(*t[0].entrance());
      to_others(again.commit);
      REQUIRE(again.room.continue_from(std::move(back)));
      back = std::move(again.room);
    } else {
      CHECK_FALSE(frames.tries(back, 0));
      CHECK(back.open_sender(0).error().broken_rule() == &conclave::rules::fresh_epoch);
      save(back);
      auto change = *back.refresh();
      to_others(change.commit());
      REQUIRE(back.apply(std::move(change)));
    }
    CHECK(back.code() == t[0].code());
    for (int i = 0; i < 2; ++i) {
      CHECK(frames.tries(back, 0));
      CHECK(frames.tries(back, 1));
      others_commit(0);  // whatever follows from an epoch that is new is new as well
      REQUIRE(back.receive(log.back().message));
    }
    CHECK(frames.tries(back, 0));
  }
  CHECK(points == 16);
  summary("meeting: seal, follow, commit, snapshot", "crash", points, "no counter used twice");
}

TEST_CASE("knocks and words cost what they weigh", "[bounds]") {
  costs("lobby", "n knocks", up_to(2048), {6, 262'144}, [](std::size_t n) {
    auto t = std::make_shared<table>(2);
    auto knocks = std::make_shared<std::vector<bytes>>();
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto who = *identity::generate(t->env, "x");
      knocks->push_back(to_bytes((*knock::create(t->env, who)).key_package()));
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
