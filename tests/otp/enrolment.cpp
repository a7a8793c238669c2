// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The life of a second factor: off, asked for, pending, active, and off again by a new password.
#include "support.hpp"

using namespace conclave_test;

namespace {

const otp::policy by_choice{otp::organisation_mode::users_may_enable};

}  // namespace

TEST_CASE("T2: not active before the first right code, and then it is") {
  office of;
  CHECK(*of.factor.state("ann") == otp::factor_state::off);
  CHECK(of.next().stage == otp::stage::enrol);
  CHECK_FALSE(of.next().scanned);
  const auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  CHECK(offer->secret.size() == 20);
  CHECK(offer->until == of.env.wall() + limits::otp_enrolment);
  CHECK(*of.factor.state("ann") == otp::factor_state::pending);
  CHECK(of.next().stage == otp::stage::enrol);
  CHECK(of.next().scanned);

  // a right code is no sign-in while nothing is active, and a wrong one does not activate
  CHECK(fails(of.factor.check(of.env, "ann", of.shown(*offer)), errc::refused, otp::rules::is_active));
  CHECK(fails(of.factor.confirm(of.env, "ann", of.wrong(*offer)), errc::unauthentic, otp::rules::code_matches));
  CHECK(*of.factor.state("ann") == otp::factor_state::pending);

  const auto done = of.factor.confirm(of.env, "ann", of.shown(*offer));
  REQUIRE(done);
  CHECK(done->user() == "ann");
  CHECK(done->failures() == 1);
  CHECK(*of.factor.state("ann") == otp::factor_state::active);
  CHECK(of.next().stage == otp::stage::code);
  CHECK(of.next({false, true, &*done}).stage == otp::stage::signed_in);
}

TEST_CASE("T2: the code that confirmed is spent, and the next one signs in") {
  office of;
  const auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  REQUIRE(of.factor.confirm(of.env, "ann", of.shown(*offer)));
  CHECK(fails(of.factor.check(of.env, "ann", of.shown(*offer)), errc::replayed, otp::rules::code_is_fresh));
  of.env.advance(30s);
  CHECK(of.factor.check(of.env, "ann", of.shown(*offer)));
}

TEST_CASE("T2: a QR code that was not confirmed expires, to the second") {
  office of;
  const auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  of.env.advance(limits::otp_enrolment - 1s);
  CHECK(of.next().scanned);
  CHECK(fails(of.factor.confirm(of.env, "ann", of.wrong(*offer)), errc::unauthentic, otp::rules::code_matches));
  of.env.advance(1s);
  const auto before = of.content();
  CHECK(of.next().stage == otp::stage::enrol);
  CHECK_FALSE(of.next().scanned);
  CHECK(fails(of.factor.confirm(of.env, "ann", of.shown(*offer)), errc::refused, otp::rules::enrolment_pending));
  CHECK(of.content() == before);

  const auto again = of.factor.begin(of.env, {"ann"});
  REQUIRE(again);
  CHECK_FALSE(equal(again->secret.reveal(), offer->secret.reveal()));
  CHECK(of.factor.confirm(of.env, "ann", of.shown(*again)));
}

TEST_CASE("T2: another QR code replaces the one before") {
  office of;
  const auto first = of.factor.begin(of.env, {"ann"}), second = of.factor.begin(of.env, {"ann"});
  REQUIRE((first && second));
  CHECK(of.factor.confirm(of.env, "ann", of.shown(*first)).error() == errc::unauthentic);
  CHECK(of.factor.confirm(of.env, "ann", of.shown(*second)));
}

TEST_CASE("T2: what is active is not shown again, turned on again or replaced") {
  office of(by_choice);
  REQUIRE(of.factor.enable(of.env, "ann"));
  (void)of.enrolled();
  const auto before = of.content();
  CHECK(fails(of.factor.begin(of.env, {"ann"}), errc::refused, otp::rules::not_active));
  CHECK(fails(of.factor.enable(of.env, "ann"), errc::refused, otp::rules::not_active));
  CHECK(fails(of.factor.confirm(of.env, "ann", "123456"), errc::refused, otp::rules::enrolment_pending));
  CHECK(of.content() == before);
}

TEST_CASE("T3: who was not asked is not enrolled; who turned it on is, at the next sign-in") {
  office of(by_choice);
  CHECK(of.next().stage == otp::stage::signed_in);
  CHECK(fails(of.factor.begin(of.env, {"ann"}), errc::refused, otp::rules::enrolment_due));
  CHECK(of.records.saves == 0);
  REQUIRE(of.factor.enable(of.env, "ann"));
  CHECK(of.next({true, false}).stage == otp::stage::signed_in);
  CHECK(of.next().stage == otp::stage::enrol);
  const auto before = of.content();
  REQUIRE(of.factor.enable(of.env, "ann"));
  CHECK(of.content() == before);
  CHECK(of.factor.begin(of.env, {"ann"}));
  // another user is not concerned
  CHECK(of.next({false, true}, "bob").stage == otp::stage::signed_in);
}

TEST_CASE("T5: a new password takes the secret away, and enrolment is due at the next sign-in, in every mode") {
  for (const auto mode : {otp::organisation_mode::users_may_enable, otp::organisation_mode::everybody}) {
    office of({mode});
    if (mode == otp::organisation_mode::users_may_enable) REQUIRE(of.factor.enable(of.env, "ann"));
    const auto old = of.enrolled();
    for (int i = 0; i < 3; ++i) CHECK(of.factor.check(of.env, "ann", of.wrong(old)).error() == errc::unauthentic);
    CHECK(of.next().stage == otp::stage::throttled);

    REQUIRE(of.factor.password_was_reset(of.env, "ann"));
    CHECK(*of.factor.state("ann") == otp::factor_state::off);
    CHECK(of.remembered().secret.empty());
    CHECK(of.remembered().failures == 0);
    CHECK(of.next().stage == otp::stage::enrol);
    CHECK(fails(of.factor.check(of.env, "ann", of.shown(old)), errc::refused, otp::rules::is_active));
    CHECK(fails(of.factor.confirm(of.env, "ann", of.shown(old)), errc::refused, otp::rules::enrolment_pending));

    const auto fresh = of.enrolled();
    CHECK_FALSE(equal(fresh.secret.reveal(), old.secret.reveal()));
    CHECK(of.next().stage == otp::stage::code);
    CHECK(of.factor.check(of.env, "ann", of.shown(old)).error() == errc::unauthentic);
    CHECK(of.factor.check(of.env, "ann", of.shown(fresh)));
  }
}

TEST_CASE("T5: a new password asks nothing of who had no second factor, and ends what was pending") {
  office of(by_choice);
  REQUIRE(of.factor.password_was_reset(of.env, "ann"));
  CHECK(of.records.saves == 0);
  CHECK(of.next().stage == otp::stage::signed_in);

  REQUIRE(of.factor.enable(of.env, "ann"));
  const auto offer = of.factor.begin(of.env, {"ann"});
  REQUIRE(offer);
  REQUIRE(of.factor.password_was_reset(of.env, "ann"));
  CHECK(of.factor.confirm(of.env, "ann", of.shown(*offer)).error() == errc::refused);
  CHECK(of.next().stage == otp::stage::enrol);  // it had been turned on
}

TEST_CASE("T5: who had to have one gets one again, even where nobody has to any more") {
  office of;
  (void)of.enrolled();
  const auto lenient = *otp::second_factor::make(of.records, host_key(), by_choice);
  CHECK(lenient.next({"ann"}, {false, true}, of.env.wall())->stage == otp::stage::code);
  REQUIRE(lenient.password_was_reset(of.env, "ann"));
  CHECK(lenient.next({"ann"}, {false, true}, of.env.wall())->stage == otp::stage::enrol);
  CHECK(lenient.begin(of.env, {"ann"}));
}

TEST_CASE("T5: nothing but a new password turns an active one off") {
  // a mode that demands nothing, a user of nothing: still asked
  office of(by_choice);
  REQUIRE(of.factor.enable(of.env, "ann"));
  (void)of.enrolled();
  CHECK(of.next().stage == otp::stage::code);
  of.env.advance(std::chrono::hours{24 * 3650});
  CHECK(of.next().stage == otp::stage::code);
}

TEST_CASE("T2: parameters are those of the enrolment, whatever is configured later") {
  deterministic_environment env(3);
  store::memory records;
  const auto at = [&](const otp::parameters& p) {
    return *otp::second_factor::make(records, host_key(), {otp::organisation_mode::everybody}, p);
  };
  const otp::parameters before{otp::algorithm::sha256, 8, 60s};
  const auto offer = at(before).begin(env, {"ann"});
  REQUIRE(offer);
  REQUIRE(at({}).confirm(env, "ann", authenticator(offer->secret, before, env.wall())));
  env.advance(60s);
  CHECK(at({}).check(env, "ann", authenticator(offer->secret, before, env.wall())));
}

TEST_CASE("T6: what is not configured rightly is not made, and names have bounds") {
  store::memory records;
  const otp::policy all{otp::organisation_mode::everybody};
  CHECK(otp::second_factor::make(records, at_rest_key(31), all).error() == errc::misuse);
  CHECK(otp::second_factor::make(records, host_key(), all, {otp::algorithm::sha1, 7}).error() == errc::refused);
  office of;
  const std::string longest(limits::user_bytes, 'x');
  CHECK(of.factor.begin(of.env, {longest}));
  CHECK(fails(of.factor.begin(of.env, {longest + 'x'}), errc::over_limit, otp::rules::user_name));
  CHECK(fails(of.factor.check(of.env, "", "123456"), errc::refused, otp::rules::user_name));
}
