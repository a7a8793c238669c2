// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wrong codes: counted, waited for, forgotten by a right one; and who can make whom wait.
#include "support.hpp"

#include <thread>

using namespace conclave_test;

TEST_CASE("T6: the wait doubles from the third wrong code on, up to its limit") {
  const std::chrono::seconds expected[] = {0s,   0s,   0s,    30s,   60s,   120s,   240s,
                                           480s, 960s, 1920s, 3840s, 7680s, 14400s, 14400s};
  for (std::uint32_t n = 0; n < std::size(expected); ++n) CHECK(otp::wait_after(n) == expected[n]);
  CHECK(otp::wait_after(std::numeric_limits<std::uint32_t>::max()) == std::chrono::hours{4});
}

TEST_CASE("T6: wrong codes are counted, then not looked at, then looked at again, to the second") {
  office of;
  const auto offer = of.enrolled();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    CHECK(of.next().stage == otp::stage::code);
    CHECK(fails(of.factor.check(of.env, "ann", of.wrong(offer)), errc::unauthentic, otp::rules::code_matches));
    CHECK(of.remembered().failures == n);
  }
  const auto before = of.content();
  CHECK(of.next().stage == otp::stage::throttled);
  CHECK(of.next().until == of.env.wall() + 30s);
  // right or wrong, nobody learns which
  CHECK(fails(of.factor.check(of.env, "ann", of.wrong(offer)), errc::early, otp::rules::attempts));
  CHECK(fails(of.factor.check(of.env, "ann", of.shown(offer)), errc::early, otp::rules::attempts));
  of.env.advance(29s);
  CHECK(fails(of.factor.check(of.env, "ann", of.shown(offer)), errc::early, otp::rules::attempts));
  CHECK(of.content() == before);
  of.env.advance(1s);
  CHECK(of.next().stage == otp::stage::code);
  CHECK(of.factor.check(of.env, "ann", of.wrong(offer)).error() == errc::unauthentic);
  CHECK(of.next().until == of.env.wall() + 60s);
  of.env.advance(60s);
  const auto done = of.factor.check(of.env, "ann", of.shown(offer));
  REQUIRE(done);
  CHECK(done->failures() == 4);
  CHECK(of.remembered().failures == 0);
  CHECK(of.next().stage == otp::stage::code);
}

TEST_CASE("T6: a first code that is wrong counts as well, and another QR code forgets nothing") {
  office of;
  auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  for (int n = 0; n < 3; ++n) CHECK(of.factor.confirm(of.env, "ann", of.wrong(*offer)).error() == errc::unauthentic);
  CHECK(of.next().stage == otp::stage::throttled);
  offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  CHECK(of.next().stage == otp::stage::throttled);
  CHECK(fails(of.factor.confirm(of.env, "ann", of.shown(*offer)), errc::early, otp::rules::attempts));
  of.env.advance(30s);
  CHECK(of.factor.confirm(of.env, "ann", of.shown(*offer)));
}

TEST_CASE("T6: what is no code, or was used, is no guess") {
  office of;
  const auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  REQUIRE(of.factor.confirm(of.env, "ann", of.shown(*offer)));
  const auto before = of.content();
  for (const char* typed : {"", "12345", "1234567", "abcdef"})
    CHECK(fails(of.factor.check(of.env, "ann", typed), errc::malformed, otp::rules::code_form));
  for (int i = 0; i < 5; ++i)
    CHECK(fails(of.factor.check(of.env, "ann", of.shown(*offer)), errc::replayed, otp::rules::code_is_fresh));
  CHECK(of.content() == before);
}

TEST_CASE("T6: the throttle survives a restart of everything but the store") {
  deterministic_environment env(1);
  faulty_store records;
  const auto fresh = [&] {
    return *otp::second_factor::make(records, host_key(), {otp::organisation_mode::everybody});
  };
  const auto offer = fresh().begin(env, {"ann"});
  REQUIRE(offer);
  REQUIRE(fresh().confirm(env, "ann", authenticator(offer->secret, {}, env.wall())));
  env.advance(30s);
  const std::string right = authenticator(offer->secret, {}, env.wall());
  const std::string wrong = right[0] == '0' ? "1" + right.substr(1) : "0" + right.substr(1);
  for (int n = 0; n < 3; ++n) CHECK(fresh().check(env, "ann", wrong).error() == errc::unauthentic);
  CHECK(fresh().check(env, "ann", right).error() == errc::early);
  CHECK(fresh().next({"ann"}, {false, true}, env.wall())->until == env.wall() + 30s);
}

TEST_CASE("T6: guessing for a year is 16 guesses on the first day and 6 on the others") {
  office of;
  const auto offer = of.enrolled();
  const unix_time start = of.env.wall();
  int first_day = 0, all = 0;
  std::chrono::seconds longest{};
  while (of.env.wall() < start + std::chrono::hours{24 * 365}) {
    const auto step = of.next();
    if (step.stage == otp::stage::throttled) {
      longest = std::max(longest, step.until - of.env.wall());
      of.env.advance(step.until - of.env.wall());
      continue;
    }
    REQUIRE(of.factor.check(of.env, "ann", of.wrong(offer)).error() == errc::unauthentic);
    ++all;
    first_day += of.env.wall() < start + std::chrono::hours{24} ? 1 : 0;
  }
  CHECK(first_day == 16);
  CHECK(all == 16 + 6 * 364);
  CHECK(longest == limits::otp_wait_most);
  CHECK(3e-6 * all < 0.007);
  // the user is in as soon as that wait is over
  of.env.advance(limits::otp_wait_most);
  const auto done = of.factor.check(of.env, "ann", of.shown(offer));
  REQUIRE(done);
  CHECK(done->failures() == static_cast<std::uint32_t>(all));
}

TEST_CASE("T6: who does not know the password cannot make anybody wait, and one user's wait is not another's") {
  office of;
  const auto ann = of.enrolled("ann"), bob = of.enrolled("bob");
  const auto before = of.content("ann");
  // a stranger is asked for the password, however often, and nothing is written
  for (int i = 0; i < 100; ++i) CHECK(of.next({false, false}).stage == otp::stage::password);
  CHECK(of.content("ann") == before);
  for (int n = 0; n < 3; ++n) CHECK(of.factor.check(of.env, "bob", of.wrong(bob)).error() == errc::unauthentic);
  CHECK(of.next({false, true}, "bob").stage == otp::stage::throttled);
  CHECK(of.next({false, true}, "ann").stage == otp::stage::code);
  CHECK(of.factor.check(of.env, "ann", of.shown(ann)));
  // and a new password ends the wait of who is made to
  REQUIRE(of.factor.password_was_reset(of.env, "bob"));
  CHECK(of.next({false, true}, "bob").stage == otp::stage::enrol);
}

TEST_CASE(
    "T6: clocks of several servers that differ a little make no guesses, one that was set back makes nobody wait") {
  otp::record r;
  r.failures = 5;  // two minutes
  r.last_failure = unix_time{1'000'000s};
  for (const auto& [now, waits] : {std::pair{-121s, false},
                                   {-120s, false},
                                   {-119s, true},
                                   {-1s, true},
                                   {0s, true},
                                   {119s, true},
                                   {120s, false},
                                   {-500'000s, false}}) {
    const auto until = otp::throttled_until(r, r.last_failure + now);
    CHECK(until.has_value() == waits);
    if (until) CHECK(*until == r.last_failure + 120s);
  }
}

TEST_CASE("T6: a time before 1970 is refused, and writes nothing") {
  office of;
  const auto offer = of.enrolled();
  const auto before = of.content();
  of.env.advance(std::chrono::seconds{-2'000'000'000});
  CHECK(fails(of.factor.check(of.env, "ann", "123456"), errc::refused, otp::rules::time_after_epoch));
  CHECK(fails(of.factor.begin(of.env, {"bob"}), errc::refused, otp::rules::time_after_epoch));
  CHECK(fails(of.factor.next({"ann"}, {false, true}, of.env.wall()), errc::refused, otp::rules::time_after_epoch));
  CHECK(of.content() == before);
  (void)offer;
}

TEST_CASE("T6: of many attempts at once with one right code exactly one succeeds") {
  for (int round = 0; round < 20; ++round) {
    store::memory records;
    const auto factor = *otp::second_factor::make(records, host_key(), {otp::organisation_mode::everybody});
    deterministic_environment env(static_cast<std::uint64_t>(round));
    const auto offer = factor.begin(env, {"ann"});
    REQUIRE(offer);
    const std::string code = authenticator(offer->secret, {}, env.wall());
    const bool first = round % 2 == 0;  // the code that activates, or one at sign-in
    if (!first) {
      env.advance(-30s);
      REQUIRE(factor.confirm(env, "ann", authenticator(offer->secret, {}, env.wall())));
      env.advance(30s);
    }
    std::atomic<int> accepted = 0, spent = 0, other = 0;
    std::vector<std::thread> crowd;
    for (std::uint64_t n = 0; n < 8; ++n)
      crowd.emplace_back([&, n] {
        deterministic_environment own(100 + n);
        const auto done = first ? factor.confirm(own, "ann", code) : factor.check(own, "ann", code);
        if (done)
          ++accepted;
        else if (done.error() == (first ? errc::refused : errc::replayed))  // active by then, or spent
          ++spent;
        else
          ++other;
      });
    for (std::thread& t : crowd) t.join();
    CHECK(accepted == 1);
    CHECK(spent == 7);
    CHECK(other == 0);
  }
}

TEST_CASE("T6: guessing in parallel is no more guesses") {
  for (int round = 0; round < 20; ++round) {
    store::memory records;
    const auto factor = *otp::second_factor::make(records, host_key(), {otp::organisation_mode::everybody});
    deterministic_environment env(static_cast<std::uint64_t>(round));
    const auto offer = factor.begin(env, {"ann"});
    REQUIRE(offer);
    REQUIRE(factor.confirm(env, "ann", authenticator(offer->secret, {}, env.wall())));
    std::atomic<int> looked_at = 0, throttled = 0, lost = 0, other = 0;
    std::vector<std::thread> crowd;
    for (std::uint64_t n = 0; n < 12; ++n)
      crowd.emplace_back([&, n] {
        deterministic_environment own(100 + n);
        for (int i = 0; i < 3; ++i) {
          const auto done = factor.check(own, "ann", digits_of(static_cast<std::uint32_t>(n), 6));
          if (done || done.error() == errc::unauthentic)
            ++looked_at;
          else if (done.error() == errc::early)
            ++throttled;
          else if (done.error() == errc::stale_epoch)
            ++lost;
          else
            ++other;
        }
      });
    for (std::thread& t : crowd) t.join();
    CHECK(looked_at == 3);
    CHECK(throttled + lost == 33);
    CHECK(other == 0);
  }
}
