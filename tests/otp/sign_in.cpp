// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is asked for next: the modes of an organisation, held against tables, and sessions that go on.
#include "support.hpp"

using namespace conclave_test;

namespace {

constexpr std::string_view selected_application = "meetings", other_application = "mail";

otp::policy policy_of(otp::organisation_mode mode) { return {mode, {"wiki", std::string{selected_application}}}; }

/// The columns of the table: what is remembered of a user.
otp::record column(std::size_t n, unix_time now) {
  otp::record r;
  r.wanted = n == 1 || n == 2 || n == 4;  // turned on by the user
  if (n >= 2) r.secret = otp::shared_secret(20);
  if (n >= 2) r.state = n == 6 ? otp::factor_state::active : otp::factor_state::pending;
  if (n == 2 || n == 3) r.pending_until = now + 1s;
  if (n == 4 || n == 5) r.pending_until = now;
  return r;
}

/// letter(step): s signed in, p password, c code, e enrol from the beginning, E enrol, already scanned, t throttled.
char letter(const otp::next_step& n) {
  switch (n.stage) {
    case otp::stage::password: return 'p';
    case otp::stage::code: return 'c';
    case otp::stage::enrol: return n.scanned ? 'E' : 'e';
    case otp::stage::throttled: return 't';
    case otp::stage::signed_in: return 's';
  }
  return '?';
}

struct row {
  otp::organisation_mode mode;
  bool uses_selected;
  // off, turned on, pending (turned on), pending (demanded), expired (turned on), expired (demanded), active
  const char* expected;
  const char* throttled;  ///< the same after too many wrong codes
};

using enum otp::organisation_mode;
constexpr row table[] = {
    {users_may_enable, false, "seEsesc", "setsest"},
    {users_may_enable, true, "seEsesc", "setsest"},
    {selected_applications, false, "seEsesc", "setsest"},
    {selected_applications, true, "eeEEeec", "eetteet"},
    {everybody, false, "eeEEeec", "eetteet"},
    {everybody, true, "eeEEeec", "eetteet"},
};

/// anns_code(): what check() gives for Ann.
otp::accepted anns_code() {
  office of;
  const auto offer = of.enrolled();
  auto done = of.factor.check(of.env, "ann", of.shown(offer));
  REQUIRE(done);
  return *std::move(done);
}

}  // namespace

TEST_CASE("T3: every mode, for every user, whatever is remembered, by a table") {
  deterministic_environment env(1);
  const unix_time now = env.wall();
  const otp::accepted ann = anns_code();
  int decided = 0;
  for (const row& t : table) {
    const std::string_view uses[] = {other_application, t.uses_selected ? selected_application : "calendar"};
    for (std::size_t n = 0; n < 7; ++n) {
      for (const bool throttled : {false, true}) {
        otp::record r = column(n, now);
        if (throttled) {
          r.failures = limits::otp_free_failures;
          r.last_failure = now;
        }
        // the same through the store
        faulty_store records;
        records.put("ann", {5, *otp::seal_record<default_provider>(env, host_key(), "ann", 5, r)});
        const auto factor = *otp::second_factor::make(records, host_key(), policy_of(t.mode));
        for (unsigned shown = 0; shown < 16; ++shown) {
          const bool own = (shown & 8U) != 0;
          const otp::person who{own ? "ann" : "bob", uses};
          const otp::evidence e{(shown & 1U) != 0, (shown & 2U) != 0, (shown & 4U) != 0 ? &ann : nullptr};
          char expected = (throttled ? t.throttled : t.expected)[n];
          if (!e.password) expected = 'p';
          if (e.code != nullptr && own && e.password && n == 6) expected = 's';  // active, and its own code
          if (e.token) expected = 's';
          INFO("mode " << static_cast<int>(t.mode) << ", column " << n << ", evidence " << shown << ", " << throttled);
          const auto step = otp::decide(policy_of(t.mode), who, r, e, now);
          CHECK(letter(step) == expected);
          if (expected == 't') CHECK(step.until == now + limits::otp_wait_first);
          if (own) CHECK(letter(*factor.next(who, e, now)) == expected);
          ++decided;
        }
      }
    }
  }
  CHECK(decided == 6 * 7 * 2 * 16);
}

TEST_CASE("T3: users turn it on themselves unless it is mandatory for everybody") {
  for (const auto& [mode, may] :
       {std::pair{users_may_enable, true}, {selected_applications, true}, {everybody, false}}) {
    office of(policy_of(mode));
    const auto done = of.factor.enable(of.env, "ann");
    CHECK(done.has_value() == may);
    if (!may) CHECK(fails(done, errc::refused, otp::rules::self_service));
    CHECK(of.records.saves == (may ? 1 : 0));
  }
}

TEST_CASE("T3: enrolment begins only where it is due, for the same table") {
  for (const row& t : table) {
    const std::string_view uses[] = {t.uses_selected ? selected_application : other_application};
    office of(policy_of(t.mode));
    const auto offer = of.factor.begin(of.env, {"ann", uses});
    CHECK(offer.has_value() == (t.expected[0] == 'e'));
    if (!offer) CHECK(fails(offer, errc::refused, otp::rules::enrolment_due));
  }
}

TEST_CASE("T3: a user of no application at all is none of a selected one") {
  const otp::policy p = policy_of(selected_applications);
  CHECK_FALSE(p.mandatory_for({}));
  CHECK_FALSE(otp::policy{selected_applications}.mandatory_for(std::array{selected_application}));
  CHECK_FALSE(p.mandatory_for(std::array{std::string_view{"meeting"}, std::string_view{"Meetings"}}));
  CHECK(p.mandatory_for(std::array{other_application, selected_application}));
}

TEST_CASE("T4: a session with a valid token stays signed in, whatever changes; the next sign-in asks") {
  office of({otp::organisation_mode::users_may_enable});
  const otp::evidence session{true, false};
  CHECK(of.next(session).stage == otp::stage::signed_in);
  REQUIRE(of.factor.enable(of.env, "ann"));
  CHECK(of.next(session).stage == otp::stage::signed_in);

  // the organisation demands it from now on, of everybody
  const auto stricter = *otp::second_factor::make(of.records, host_key(), {everybody});
  CHECK(stricter.next({"ann"}, session, of.env.wall())->stage == otp::stage::signed_in);
  CHECK(stricter.next({"bob"}, session, of.env.wall())->stage == otp::stage::signed_in);
  CHECK(stricter.next({"bob"}, {false, true}, of.env.wall())->stage == otp::stage::enrol);

  (void)of.enrolled();
  CHECK(of.next(session).stage == otp::stage::signed_in);
  CHECK(of.next().stage == otp::stage::code);
  REQUIRE(of.factor.password_was_reset(of.env, "ann"));
  CHECK(of.next(session).stage == otp::stage::signed_in);
  CHECK(of.next().stage == otp::stage::enrol);
}

TEST_CASE("T4: neither a session nor a stranger makes anybody read the store") {
  office of;
  of.records.next = faulty_store::fault::loading;
  CHECK(of.next({true, false}).stage == otp::stage::signed_in);
  CHECK(of.next({false, false}).stage == otp::stage::password);
  CHECK(of.factor.next({"ann"}, {false, true}, of.env.wall()).error() == errc::storage);
}

TEST_CASE("T4: the code of another user signs nobody in") {
  office of;
  const auto ann = of.enrolled("ann"), bob = of.enrolled("bob");
  const auto bobs = of.factor.check(of.env, "bob", of.shown(bob));
  REQUIRE(bobs);
  CHECK(of.next({false, true, &*bobs}, "bob").stage == otp::stage::signed_in);
  CHECK(of.next({false, true, &*bobs}, "ann").stage == otp::stage::code);
  CHECK(of.next({false, false, &*bobs}, "bob").stage == otp::stage::password);
  (void)ann;
}
