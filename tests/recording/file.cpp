// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Recordings in real files: a recorder that is killed, a disk that is full.
#include "support.hpp"
#include "support/folder.hpp"

#include <conclave/store/recording_file.hpp>

#include <csignal>

#include <sys/resource.h>
#include <sys/wait.h>

using namespace conclave_test;

namespace {

found play_file(const std::string& path) {
  store::recording_source from;
  REQUIRE(from.open(path));
  auto tape = rec::player::open(from, person(1));
  if (!tape) return {{}, how::refused, tape.error().code()};
  return play(*tape);
}

/// record_for_ever(path, acknowledge): what the victim does. Each number it writes is that of entries a sync has covered.
[[noreturn]] void record_for_ever(const std::string& path, int acknowledge) {
  const auto tell = [&](std::uint64_t n) {
    if (::write(acknowledge, &n, sizeof n) != sizeof n) ::_exit(3);
  };
  system_environment env;
  store::recording_sink to;
  if (!to.create(path)) ::_exit(4);
  const auto me = person(1);
  auto tape = rec::recorder::create(env, to, std::array{me.pub.view()});
  if (!tape) ::_exit(5);
  for (std::size_t i = 0;; ++i) {
    if (!tape->add(nth(i).view())) ::_exit(6);
    if (i % 11 == 3 && !tape->flush()) ::_exit(7);
    if (i % 64 != 63) continue;
    if (!tape->sync()) ::_exit(8);
    tell(i + 1);
  }
}

}  // namespace

TEST_CASE("M12: whatever moment a recorder is killed at, what it had synced is there, and what is there was recorded") {
  const folder here;
  deterministic_environment dice(7);
  std::size_t entries = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string path = here / ("round" + std::to_string(round));
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe[0]);
      record_for_ever(path, pipe[1]);
    }
    ::close(pipe[1]);
    std::uint64_t acknowledged = 0;
    // somewhere between two acknowledgements, after a random number of them
    for (std::size_t wait = 1 + dice.below(12); wait > 0; --wait)
      REQUIRE(::read(pipe[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    ::usleep(static_cast<useconds_t>(dice.below(1500)));
    REQUIRE(::kill(child, SIGKILL) == 0);
    int ended = 0;
    REQUIRE(::waitpid(child, &ended, 0) == child);
    REQUIRE(WIFSIGNALED(ended));
    while (::read(pipe[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {}
    ::close(pipe[0]);

    const found got = play_file(path);
    CHECK(got.end == how::truncated);
    CHECK(got.lines.size() >= acknowledged);
    CHECK(is_prefix(got.lines));
    entries += got.lines.size();
  }
  CHECK(entries > 20 * 64);
}

TEST_CASE("M12: a file is new, its owner's alone, and whole after close") {
  const folder here;
  {
    store::recording_sink to;
    REQUIRE(to.create(here / "a"));
    CHECK(to.create(here / "b").error() == errc::storage);  // once per object
    store::recording_sink other;
    CHECK(other.create(here / "a").error() == errc::storage);  // there already
    store::recording_sink nowhere;
    CHECK(nowhere.create(here / "none/a").error() == errc::storage);
    struct stat about{};
    REQUIRE(::stat((here / "a").c_str(), &about) == 0);
    CHECK((about.st_mode & 07777U) == 0600);
    system_environment env;
    const auto me = person(1);
    auto tape = rec::recorder::create(env, to, std::array{me.pub.view()});
    REQUIRE(tape);
    for (std::size_t i = 0; i < 1000; ++i) REQUIRE(tape->add(nth(i).view()));
    REQUIRE(tape->close());
  }
  const found got = play_file(here / "a");
  CHECK(got.end == how::complete);
  CHECK(got.lines.size() == 1000);
  CHECK(is_prefix(got.lines));

  store::recording_source missing, a_folder;
  CHECK(missing.open(here / "none").error() == errc::storage);
  REQUIRE(a_folder.open(here / ""));
  CHECK(a_folder.size().error() == errc::storage);
  store::recording_source whole;
  REQUIRE(whole.open(here / "a"));
  bytes beyond(10);
  CHECK(whole.read(*whole.size() - 5, beyond).error() == errc::storage);
  CHECK(whole.read(std::uint64_t{1} << 63U, beyond).error() == errc::storage);
}

TEST_CASE("M12: a real disk that is full") {
  const folder here;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 100'000;
  system_environment env;
  const auto me = person(1);
  store::recording_sink to;
  REQUIRE(to.create(here / "a"));
  auto tape = rec::recorder::create(env, to, std::array{me.pub.view()});
  REQUIRE(tape);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::size_t i = 0;
  status last;
  while (i < 10'000 && (last = tape->add(nth(i).view()))) ++i;
  const bool synced = tape->sync().has_value(), closed = tape->close().has_value();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(last);
  CHECK(last.error() == errc::storage);
  CHECK_FALSE(synced);
  CHECK_FALSE(closed);
  const found part = play_file(here / "a");
  CHECK(part.end == how::truncated);
  CHECK(is_prefix(part.lines));
  CHECK(part.lines.size() > 500);
  CHECK(part.lines.size() < i);

  REQUIRE(tape->add(nth(i).view()));  // there is room again: what waited in memory is written first
  REQUIRE(tape->close());
  const found whole = play_file(here / "a");
  CHECK(whole.end == how::complete);
  CHECK(whole.lines.size() == i + 1);
  CHECK(is_prefix(whole.lines));
}
