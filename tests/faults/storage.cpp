// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Second factors and recordings without memory, without randomness, on stores that fail, and in programs that crash.
#include "support.hpp"

#include <support/folder.hpp>

#include <conclave/meeting/recording.hpp>
#include <conclave/otp/botan_hotp.hpp>
#include <conclave/store/memory.hpp>
#include <conclave/store/recording_file.hpp>
#include <conclave/store/sqlite.hpp>

namespace faults {
namespace storage {

namespace rec = conclave::recording;
using conclave_test::folder;

constexpr std::string_view user = "somebody";

[[nodiscard]] otp::second_factor factor(otp::store& on) {
  at_rest_key key(32);
  std::ranges::fill(key.writable(), std::uint8_t{7});
  return *otp::second_factor::make(on, std::move(key), {otp::organisation_mode::everybody, {}});
}
[[nodiscard]] std::string code_of(const otp::shared_secret& secret, unix_time now) {
  const otp::parameters p;
  const auto step = static_cast<std::uint64_t>(now.time_since_epoch() / p.period);
  std::string out = std::to_string(*otp::botan_hotp::hotp(p.algorithm, secret.reveal(), p.digits, step));
  return out.insert(0, p.digits - out.size(), '0');
}
[[nodiscard]] std::pair<std::uint64_t, bytes> record_in(otp::store& in) {
  const auto at = *in.load(user);
  return {at.version, at.record};
}

/// failing_store: its n-th operation fails, before it has done anything or after it has done all.
class failing_store final : public otp::store {
 public:
  explicit failing_store(otp::store& on) : on_{&on} {}
  std::size_t left = 0;
  bool afterwards = false;

  [[nodiscard]] result<otp::stored> load(std::string_view who) override {
    const bool fails = strikes();
    auto out = on_->load(who);
    if (fails) return errc::storage;
    return out;
  }
  [[nodiscard]] status save(std::string_view who, std::uint64_t version, byte_view record) override {
    const bool fails = strikes();
    if (fails && !afterwards) return errc::storage;
    CONCLAVE_CHECK(on_->save(who, version, record));
    return fails ? status{errc::storage} : status{};
  }

 private:
  [[nodiscard]] bool strikes() noexcept { return left != 0 && --left == 0; }
  otp::store* on_;
};

/// tape_sink: a disk whose n-th operation fails, half done.
class tape_sink final : public rec::sink {
 public:
  bytes content;
  std::size_t left = 0;
  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    const bool fails = strikes();
    if (fails) data = data.first(data.size() / 2);
    content.resize(std::max<std::size_t>(content.size(), offset + data.size()));
    std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(offset));
    return fails ? status{errc::storage} : status{};
  }
  [[nodiscard]] status sync() override { return strikes() ? status{errc::storage} : status{}; }

 private:
  [[nodiscard]] bool strikes() noexcept { return left != 0 && --left == 0; }
};
class tape_source final : public rec::source {
 public:
  explicit tape_source(byte_view content) : content_{content} {}
  std::size_t left = 0;
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content_.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    if (left != 0 && --left == 0) return errc::storage;
    std::ranges::copy(content_.subspan(offset, out.size()), out.begin());
    return {};
  }

 private:
  byte_view content_;
};

[[nodiscard]] hpke::key_pair listener() {
  return *hpke::derive_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(32, 1));
}
[[nodiscard]] rec::recorder recorder_on(environment& env, rec::sink& to) {
  const auto who = listener();
  const byte_view pub = who.pub.view();
  return *rec::recorder::create(env, to, {&pub, 1});
}
/// said(i): the i-th entry: so long that several fill a chunk, each of them other than the others.
[[nodiscard]] bytes said(std::size_t i) {
  bytes out(9000 + i);
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<std::uint8_t>(k * (2 * i + 1));
  return out;
}
[[nodiscard]] status add_to(rec::recorder& tape, std::size_t i) {
  return tape.add({rec::entry_kind::audio, 1000 * i, 1, 0, 0, {}, said(i)});
}
/// heard(from): how many entries there are, all of them said(0), said(1) and so on; whether they end as a whole.
struct heard_of {
  std::size_t entries = 0;
  bool whole = false;
};
[[nodiscard]] heard_of heard(rec::source& from) {
  auto tape = *rec::player::open(from, listener());
  heard_of out{0, !tape.truncated()};
  for (;;) {
    const auto e = *tape.next();
    if (!e) return out;
    CHECK(equal(e->data, said(out.entries)));
    ++out.entries;
  }
}

}  // namespace storage

using namespace storage;

TEST_CASE("a second factor without memory or randomness is asked again", "[faults]") {
  deterministic_environment env(1);
  store::memory records;
  const auto with = factor(records);
  const auto state = [&] { return record_in(records); };
  std::optional<otp::offer> shown;
  const auto beginning = [&] {
    auto out = with.begin(env, {user, {}});
    const errc error = failed(out);
    if (out) shown.emplace(*std::move(out));
    return error;
  };
  no_randomness("otp: begin", env, state, beginning);
  out_of_memory("otp: begin", state, beginning);

  const std::string first = code_of(shown->secret, env.wall());
  out_of_memory("otp: confirm", state, [&] { return failed(with.confirm(env, user, first)); });
  env.advance(std::chrono::seconds{60});
  const std::string second = code_of(shown->secret, env.wall());
  no_randomness("otp: check", env, state, [&] { return failed(with.check(env, user, second)); });
  CHECK(with.check(env, user, second).error() == errc::replayed);
  env.advance(std::chrono::seconds{60});
  const std::string third = code_of(shown->secret, env.wall());
  out_of_memory("otp: check", state, [&] { return failed(with.check(env, user, third)); });
  CHECK(with.check(env, user, third).error() == errc::replayed);
  out_of_memory("otp: new password", state, [&] { return failed(with.password_was_reset(env, user)); });
}

TEST_CASE("a code is accepted at most once, whichever operation of its store fails", "[faults]") {
  const bool afterwards = GENERATE(false, true);
  std::size_t points = 0;
  for (std::size_t n = 1;; ++n, ++points) {
    deterministic_environment env(1);
    store::memory records;
    failing_store on(records);
    on.afterwards = afterwards;
    const auto with = factor(on);
    const auto shown = *with.begin(env, {user, {}});
    REQUIRE(with.confirm(env, user, code_of(shown.secret, env.wall())));
    env.advance(std::chrono::seconds{60});
    const std::string code = code_of(shown.secret, env.wall());
    on.left = n;
    const auto got = with.check(env, user, code);
    if (got) break;
    REQUIRE(got.error() == errc::storage);
    const auto again = with.check(env, user, code);
    const bool was_saved = afterwards && n == 2;
    CHECK(again.has_value() == !was_saved);
    if (!again) CHECK(again.error() == errc::replayed);
    CHECK(with.check(env, user, code).error() == errc::replayed);
  }
  CHECK(points == 2);
  summary("otp: check", afterwards ? "store fails afterwards" : "store fails", points,
          "storage, accepted once at most");
}

TEST_CASE("a code is accepted at most once, wherever the program crashes", "[faults]") {
  const folder at;
  deterministic_environment env(1);
  auto records = *store::sqlite::open(at / "otp");
  const auto with = factor(*records);
  const auto shown = *with.begin(env, {user, {}});
  REQUIRE(with.confirm(env, user, code_of(shown.secret, env.wall())));
  records.reset();  // a connection does not cross fork()

  std::size_t points = 0, spent = 0;
  for (std::uint64_t n = 1;; ++n, ++points) {
    env.advance(std::chrono::seconds{60});
    const std::string code = code_of(shown.secret, env.wall());
    bool accepted = false;
    int said_so[2];
    REQUIRE(::pipe(said_so) == 0);
    const bool crashed = in_child([&] {
      auto open = *store::sqlite::open(at / "otp");
      const auto inside = factor(*open);
      const after_allocations limit(n, after_allocations::then::crash);
      if (inside.check(env, user, code) && ::write(said_so[1], "!", 1) != 1) _exit(1);
    });
    ::close(said_so[1]);
    char got = 0;
    accepted = ::read(said_so[0], &got, 1) == 1;
    ::close(said_so[0]);
    auto open = *store::sqlite::open(at / "otp");
    const auto inside = factor(*open);
    const bool again = inside.check(env, user, code).has_value();
    CHECK((!accepted || !again));
    CHECK(inside.check(env, user, code).error() == errc::replayed);
    spent += again ? 0 : 1;
    if (!crashed) {
      CHECK(accepted);
      break;
    }
  }
  CHECK(points > 5);
  CHECK(spent > 0);
  summary("otp: check, sqlite", "crash", points, "accepted once at most");
}

TEST_CASE("a recording without memory or randomness goes on where it stopped", "[faults]") {
  constexpr std::size_t entries = 30;
  deterministic_environment env(1);
  tape_sink to;
  const auto who = listener();
  const byte_view pub = who.pub.view();
  const auto creating = [&] {
    tape_sink unused;
    return failed(rec::recorder::create(env, unused, {&pub, 1}));
  };
  no_randomness("recording: create", env, nothing_to_see{}, creating);
  out_of_memory("recording: create", nothing_to_see{}, creating);
  auto tape = recorder_on(env, to);
  const auto count = [&] { return tape.entries(); };
  for (std::size_t i = 0; i < entries; ++i) {
    const bytes data = said(i);
    const rec::entry e{rec::entry_kind::audio, 1000 * i, 1, 0, 0, {}, data};
    for (std::uint64_t n = 1;; ++n) {  // rarely is there anything to fail
      errc error = success;
      try {
        const after_allocations limit(n, after_allocations::then::bad_alloc);
        error = failed(tape.add(e));
      } catch (const std::bad_alloc&) {
        error = errc::storage;
      }
      if (error == success) break;
      REQUIRE(tape.entries() == i);
    }
  }
  no_randomness("recording: flush", env, count, [&] { return failed(tape.flush()); });
  REQUIRE(add_to(tape, entries));
  REQUIRE(tape.close());
  tape_source from(to.content);
  const auto all = heard(from);
  CHECK(all.entries == entries + 1);
  CHECK(all.whole);

  std::optional<rec::player> player;
  out_of_memory("recording: open", nothing_to_see{}, [&] {
    auto opened = rec::player::open(from, who);
    const errc error = failed(opened);
    if (opened) player.emplace(*std::move(opened));
    return error;
  });
  out_of_memory("recording: next", nothing_to_see{}, [&] { return failed(player->next()); });
  CHECK((*player->next())->time == 1000);
  out_of_memory("recording: seek", nothing_to_see{}, [&] { return failed(player->seek(25'000)); });
  CHECK((*player->next())->time == 25'000);
}

TEST_CASE("the index of a recording is right, whatever memory was missing on the way", "[faults]") {
  constexpr std::size_t chunks = 5000;  // their places need more memory than a chunk
  deterministic_environment env(1);
  tape_sink to;
  auto tape = recorder_on(env, to);
  std::size_t points = 0;
  const bytes word(1);
  for (std::size_t i = 0; i < chunks; ++i) {
    REQUIRE(tape.add({rec::entry_kind::audio, 1000 * i, 1, 0, 0, {}, word}));
    for (std::uint64_t n = 1;; ++n, ++points) {
      try {
        const after_allocations limit(n, after_allocations::then::bad_alloc);
        if (tape.flush()) break;
      } catch (const std::bad_alloc&) {}
      REQUIRE(n < 100);
    }
  }
  CHECK(points > 5);
  summary("recording: flush", "allocation fails", points, "bad_alloc, then nothing lost");
  out_of_memory("recording: close", [&] { return tape.entries(); }, [&] { return failed(tape.close()); });
  tape_source from(to.content);
  auto player = *rec::player::open(from, listener());
  CHECK(player.entries() == chunks);
  for (const std::uint64_t i : {1U, 999U, 2500U, 4999U}) {
    REQUIRE(player.seek(1000 * i));
    CHECK((*player.next())->time == 1000 * i);
  }
}

TEST_CASE("a recording loses nothing where its disk fails", "[faults]") {
  constexpr std::size_t entries = 20;
  std::size_t points = 0;
  for (std::size_t n = 1;; ++n, ++points) {
    deterministic_environment env(1);
    tape_sink to;
    auto tape = recorder_on(env, to);
    to.left = n;
    bool failed_once = false;
    const auto insist = [&](auto&& work) {
      const status first = work();
      if (first) return;
      REQUIRE(first.error() == errc::storage);
      REQUIRE_FALSE(std::exchange(failed_once, true));
      REQUIRE(work());
    };
    for (std::size_t i = 0; i < entries; ++i) insist([&] { return add_to(tape, i); });
    insist([&] { return tape.sync(); });
    insist([&] { return tape.close(); });
    tape_source from(to.content);
    const auto all = heard(from);
    CHECK(all.entries == entries);
    CHECK(all.whole);
    if (!failed_once) break;
  }
  CHECK(points > 4);
  summary("recording: add, sync, close", "disk fails, half written", points, "storage, then nothing lost");
}

TEST_CASE("a recording is read on from where its disk failed", "[faults]") {
  deterministic_environment env(1);
  tape_sink to;
  auto tape = recorder_on(env, to);
  for (std::size_t i = 0; i < 20; ++i) REQUIRE(add_to(tape, i));
  REQUIRE(tape.flush());  // without an index, which nobody has to read
  tape_source from(to.content);
  std::optional<rec::player> player;
  const auto disk_fails = [&](const char* operation, auto&& work) {
    std::size_t points = 0;
    for (;; ++points) {
      from.left = points + 1;
      const errc error = work();
      INFO(operation << ", read " << points + 1);
      if (std::exchange(from.left, 0) != 0) {
        REQUIRE(error == success);
        break;
      }
      REQUIRE(error == errc::storage);
    }
    CHECK(points > 0);
    summary(operation, "disk fails", points, "storage, unchanged");
  };
  disk_fails("recording: open", [&] {
    auto opened = rec::player::open(from, listener());
    const errc error = failed(opened);
    if (opened) player.emplace(*std::move(opened));
    return error;
  });
  disk_fails("recording: next", [&] { return failed(player->next()); });
  CHECK((*player->next())->time == 1000);
  disk_fails("recording: seek", [&] { return failed(player->seek(15'000)); });
  CHECK((*player->next())->time == 15'000);
}

TEST_CASE("a recording loses nothing that was synced, wherever the program crashes", "[faults]") {
  constexpr std::size_t entries = 20, synced = 9;
  const folder at;
  std::size_t points = 0;
  for (std::uint64_t n = 1;; ++n, ++points) {
    const std::string path = at / ("tape" + std::to_string(n));
    deterministic_environment env(n);
    const bool crashed = in_child([&] {
      store::recording_sink to;
      if (!to.create(path)) _exit(1);
      auto tape = recorder_on(env, to);
      for (std::size_t i = 0; i < synced; ++i)
        if (!add_to(tape, i)) _exit(1);
      if (!tape.sync()) _exit(1);
      const after_allocations limit(n, after_allocations::then::crash);
      for (std::size_t i = synced; i < entries; ++i)
        if (!add_to(tape, i)) _exit(1);
      if (!tape.close()) _exit(1);
    });
    store::recording_source from;
    REQUIRE(from.open(path));
    const auto all = heard(from);
    CHECK(all.entries >= synced);
    CHECK(all.whole == !crashed);
    if (!crashed) {
      CHECK(all.entries == entries);
      break;
    }
  }
  CHECK(points > 4);
  summary("recording: add, close", "crash", points, "nothing lost that was synced");
}

}  // namespace faults
