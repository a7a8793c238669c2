// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A man in the middle: he has split a meeting in two halves with different keys and sits in both of them, in the place of
// everybody who is in the other half. He relays, drops, reorders, grinds, starts runs and gives them up. The number of
// codes is small here: people compare only the last 8 bits of theirs.
#include "support.hpp"

#include <cmath>
#include <unordered_map>

using namespace sas_test;

namespace {

constexpr unsigned l = 8;  // bits compared
[[nodiscard]] std::uint64_t compared(std::uint64_t code) { return code % (1U << l); }

/// half: one half of the meeting with its real members, and the interceptor in the place of all others.
class half {
 public:
  half(deterministic_environment& env, std::uint8_t side, const leaves& real, const leaves& played)
      : room{env, real, side}, env_{&env}, view_{make_epoch(0, side).view}, real_{real}, played_{played} {}

  hall room;

  /// invite(run): the first of his members starts a run with everybody, and each real user agrees.
  void invite(const sas::run_id& run) {
    everybody_ = real_;
    everybody_.insert(everybody_.end(), played_.begin(), played_.end());
    std::ranges::sort(everybody_);
    follow(played_[0], start_of(run, everybody_));
    room.agree();
    listen();
  }
  /// follow(from, start): a start, made by him or taken from the other half.
  void follow(std::uint32_t from, const bytes& start) {
    observe(start);
    room.give(from, start);
  }
  /// observe(start): what he notes of a start.
  void observe(const bytes& start) {
    const auto m = *wire::decode<message>(start);
    all_.clear();
    for (const std::uint32_t leaf : m.start.contributors) all_.push_back({leaf, {}, {}});
    binding_ = {sha256, m.run_id, digest(32), view_};
    const byte_view whole{start};
    default_provider::hash(sha256, byte_parts{&whole, 1}, binding_.start.writable());
  }
  /// listen(): reads what the real members have said since.
  void listen() {
    for (; heard_ < room.log.size(); ++heard_) {
      const auto m = *wire::decode<message>(room.log[heard_].data);
      if (m.type == message_type::start) observe(room.log[heard_].data);
      auto at = std::ranges::find(all_, room.log[heard_].from, &sas::contribution::leaf);
      if (at == all_.end() || m.run_id != binding_.run_id) continue;
      if (m.type == message_type::commit) at->commitment = *digest::copy_of(m.commitment);
      if (m.type == message_type::reveal) at->nonce = m.nonce;
    }
  }
  /// commit(): his members commit, whereupon the real ones reveal.
  void commit() {
    for (sas::contribution& mine : all_) {
      if (std::ranges::find(played_, mine.leaf) == played_.end()) continue;
      mine.nonce.emplace();
      REQUIRE(env_->random(*mine.nonce));
      mine.commitment = sas::commitment<default_provider>(binding_, mine.leaf, *mine.nonce);
      room.give(mine.leaf, encoded(message_type::commit, binding_.run_id,
                                   [&](message& m) { m.commitment = mine.commitment->view(); }));
    }
    room.deliver();
    listen();
  }
  /// open(run): a run up to the point where he knows the code of this half and its members do not. False where they
  /// refuse.
  [[nodiscard]] bool open(const sas::run_id& run) {
    invite(run);
    if (room[real_[0]].phase() != phase::committing) return false;
    commit();
    return room[real_[0]].phase() == phase::revealing;
  }
  [[nodiscard]] std::uint64_t predicted() const {
    return sas::code_value<default_provider>(binding_, form::emoji_5, all_);
  }
  /// reveal(): his members reveal what they committed to.
  void reveal() {
    for (const sas::contribution& mine : all_)
      if (std::ranges::find(played_, mine.leaf) != played_.end())
        room.give(mine.leaf,
                  encoded(message_type::reveal, binding_.run_id, [&](message& m) { m.nonce = *mine.nonce; }));
  }
  void give_up() {
    room.give(played_[0], encoded(message_type::abort, binding_.run_id,
                                  [](message& m) { m.abort = {abort_reason::cancelled, 0}; }));
  }
  [[nodiscard]] std::uint64_t shown() { return room[real_[0]].show(room.now)->value(); }
  /// failures(): in how many runs the first real member has revealed in vain.
  [[nodiscard]] std::size_t failures() { return room[real_[0]].failures().size(); }
  [[nodiscard]] std::vector<sas::contribution>& contributions() { return all_; }
  [[nodiscard]] const sas::run_binding& binding() const { return binding_; }

 private:
  deterministic_environment* env_;
  digest view_;
  leaves real_, played_, everybody_;
  sas::run_binding binding_;
  std::vector<sas::contribution> all_;
  std::size_t heard_ = 0;
};

/// at_most(x, n, p): the probability of x successes or fewer among n, each with probability p.
[[nodiscard]] double at_most(std::size_t x, std::size_t n, double p) {
  double sum = 0;
  for (std::size_t i = 0; i <= x; ++i) {
    const auto a = static_cast<double>(i), b = static_cast<double>(n - i), all = static_cast<double>(n);
    sum +=
        std::exp(std::lgamma(all + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) + a * std::log(p) + b * std::log1p(-p));
  }
  return sum;
}

/// check_rate(wins, meetings, bound, play): with 99.9 % confidence he wins less often than the bound of the protocol; and
/// as often as his play should, so that he is no straw man.
void check_rate(std::size_t wins, std::size_t meetings, double bound, double play) {
  CAPTURE(wins, meetings, bound, play);
  CHECK(at_most(wins, meetings, bound) < 0.001);
  CHECK(at_most(wins, meetings, play) > 0.0005);
  CHECK((wins == 0 ? 1 : 1 - at_most(wins - 1, meetings, play)) > 0.0005);
}

[[nodiscard]] sas::run_id fresh_run(deterministic_environment& env) {
  sas::run_id out;
  REQUIRE(env.random(out));
  return out;
}

/// digits_of(side, i, n): the first n digits that one half shows for the i-th key he tries there.
[[nodiscard]] std::uint64_t digits_of(std::uint8_t side, std::uint64_t i, std::size_t n) {
  std::array<std::uint8_t, 9> input{side};
  store_be(i, byte_span{input}.subspan(1));
  std::array<std::uint8_t, 32> authenticator;
  const std::array<byte_view, 1> parts{input};
  default_provider::hash(sha256, parts, authenticator);
  std::string digits = sas::security_code::make(authenticator, 1)->digits();
  std::erase(digits, ' ');
  return std::stoull(digits.substr(0, n));
}

/// trials_against(n): how many keys he tries for each half until both show the same n digits.
[[nodiscard]] std::uint64_t trials_against(std::size_t n) {
  std::unordered_map<std::uint64_t, std::uint64_t> left;
  std::unordered_map<std::uint64_t, std::uint64_t> right;
  for (std::uint64_t i = 0;; ++i) {
    const auto a = digits_of(0, i, n), b = digits_of(1, i, n);
    left.emplace(a, i);
    right.emplace(b, i);
    if (left.contains(b) || right.contains(a)) return i + 1;
  }
}

}  // namespace

TEST_CASE("a truncated code falls to a search of a moment") {
  // about the square root of the number of codes; each trial takes a microsecond or two
  CHECK(trials_against(6) < 10'000);
  CHECK(trials_against(9) < 300'000);
}

TEST_CASE("M19: relaying everything, an interceptor wins as often as he guesses right") {
  deterministic_environment env(101);
  static constexpr std::size_t meetings = 20'000;
  std::size_t wins = 0;
  for (std::size_t i = 0; i < meetings; ++i) {
    half alice(env, 0, {0}, {1}), bob(env, 1, {1}, {0});
    REQUIRE(alice.room.start(0, {1}));
    alice.room.deliver();
    alice.listen();
    bob.follow(0, alice.room.log[0].data);
    bob.room.agree();
    bob.listen();
    alice.commit();
    bob.commit();
    alice.reveal();
    bob.reveal();
    const auto a = alice.shown(), b = bob.shown();
    if (a != alice.predicted() || b != bob.predicted()) FAIL("he knows the codes he brings about");
    wins += compared(a) == compared(b);
  }
  // two views, one run revealed in each of them
  check_rate(wins, meetings, 2 * 2 / std::exp2(l), 1 / std::exp2(l));
}

TEST_CASE("M19: giving up runs on one side only, an interceptor wins no more often than the bound allows") {
  deterministic_environment env(102);
  static constexpr std::size_t meetings = 6000;
  static constexpr int per_epoch = limits::verification_failures_per_epoch;
  std::size_t wins = 0, runs = 0;
  for (std::size_t i = 0; i < meetings; ++i) {
    half alice(env, 0, {0}, {1}), bob(env, 1, {1}, {0});
    const auto wait = [&](steady_time d) { alice.room.now += d, bob.room.now += d; };
    const auto matches = [&] { return compared(alice.predicted()) == compared(bob.predicted()); };
    // he holds Alice's run open while Bob's fail one after the other, then holds Bob's last
    REQUIRE(alice.open(fresh_run(env)));
    REQUIRE(bob.open(fresh_run(env)));
    std::size_t q = 2;
    bool won = matches();
    for (half* moving : {&bob, &alice}) {
      for (int n = 1; n < per_epoch && !won; ++n, ++q) {
        moving->give_up();
        wait(limits::verification_back_off);
        if (!moving->open(fresh_run(env))) FAIL("a run was refused that should have been possible");
        won = matches();
      }
    }
    runs += q;
    if (won) {
      alice.reveal();
      bob.reveal();
      if (compared(alice.shown()) != compared(bob.shown())) FAIL("he knows the codes he brings about");
      ++wins;
    } else {
      alice.give_up();
      bob.give_up();
      CHECK(alice.failures() == per_epoch);
      wait(limits::verification_restart);
      if (alice.open(fresh_run(env)) || bob.open(fresh_run(env))) FAIL("a run more than the limit");
    }
  }
  CHECK(runs > 20'000);
  const double guesses = 2 * per_epoch - 1;
  check_rate(wins, meetings, 2 * 2 * per_epoch / std::exp2(l), 1 - std::pow(1 - 1 / std::exp2(l), guesses));
}

TEST_CASE("what was committed to in the other half does not fit") {
  deterministic_environment env(103);
  half alice(env, 0, {0}, {1}), bob(env, 1, {1}, {0});
  REQUIRE(alice.room.start(0, {1}));
  alice.room.deliver();
  bob.follow(0, alice.room.log[0].data);
  // each side's own messages, untouched, to the other: the same run, the same start, another view
  bob.room.give(0, alice.room.log[1].data);
  bob.room.agree();
  REQUIRE(bob.room.log.size() == 2);
  alice.room.give(1, bob.room.log[0].data);
  REQUIRE(alice.room[0].phase() == phase::revealing);
  alice.room.give(1, bob.room.log[1].data);
  REQUIRE(alice.room[0].last());
  CHECK(alice.room[0].last()->aborted.why.reason == abort_reason::wrong_commitment);
  CHECK(alice.room[0].last()->aborted.why.leaf == 1);
  CHECK(alice.room[0].failures().size() == 1);
}

TEST_CASE("having seen the other's reveal, an interceptor cannot change his own") {
  deterministic_environment env(104);
  half alice(env, 0, {0}, {1});
  REQUIRE(alice.open(fresh_run(env)));
  // he grinds for the code he wants, and finds it: without commitments he would have won
  sas::contribution& mine = alice.contributions()[1];
  const std::uint64_t wanted = 77;
  std::size_t tries = 0;
  while (compared(alice.predicted()) != wanted) {
    REQUIRE(++tries < 10'000);
    REQUIRE(env.random(*mine.nonce));
  }
  REQUIRE(tries > 0);
  alice.reveal();
  CHECK(alice.room[0].last()->aborted.why.reason == abort_reason::wrong_commitment);
  CHECK_FALSE(alice.room[0].show(alice.room.now));
}

TEST_CASE("a bystander's half can be ground, and bystanders see no code") {
  deterministic_environment env(105);
  // Alice verifies with Bob; Carol, alone in the other half with him, watches
  half alice(env, 0, {0}, {1, 2});
  half carol(env, 1, {2}, {0, 1});
  REQUIRE(alice.room.start(0, {1}));
  alice.room.deliver();
  alice.listen();
  alice.commit();
  alice.reveal();
  const auto code = alice.shown();
  carol.observe(alice.room.log[0].data);
  auto& all = carol.contributions();
  std::size_t tries = 0;
  do {
    REQUIRE(++tries < 10'000);
    for (auto& c : all) {
      c.nonce.emplace();
      REQUIRE(env.random(*c.nonce));
      c.commitment = sas::commitment<default_provider>(carol.binding(), c.leaf, *c.nonce);
    }
  } while (compared(carol.predicted()) != compared(code));
  carol.room.give(0, alice.room.log[0].data);
  for (const auto& c : all)
    carol.room.give(c.leaf, encoded(message_type::commit, carol.binding().run_id,
                                    [&](message& m) { m.commitment = c.commitment->view(); }));
  carol.reveal();
  CHECK(carol.room[2].phase() == phase::idle);
  CHECK_FALSE(carol.room[2].show(carol.room.now));
  CHECK_FALSE(carol.room[2].verified());
}

TEST_CASE("dropping and reordering ends runs, with a name") {
  deterministic_environment env(106);
  half alice(env, 0, {0}, {1});
  const auto run = fresh_run(env);
  SECTION("a commitment that never comes") {
    alice.invite(run);
    alice.room.now += limits::verification_phase;
    CHECK(alice.room[0].tick(alice.room.now));
    CHECK(alice.room[0].last()->missing == leaves{1});
    CHECK(alice.failures() == 0);
  }
  SECTION("a reveal that never comes") {
    REQUIRE(alice.open(run));
    alice.room.now += limits::verification_phase;
    CHECK(alice.room[0].tick(alice.room.now));
    CHECK(alice.room[0].last()->missing == leaves{1});
    CHECK(alice.room[0].left_out() == leaves{1});
    CHECK(alice.failures() == 1);
  }
  SECTION("a reveal that comes too late") {
    REQUIRE(alice.open(run));
    alice.room.now += limits::verification_phase;
    alice.reveal();
    CHECK(alice.room[0].phase() == phase::idle);
    CHECK(alice.room[0].last()->missing == leaves{1});
  }
  SECTION("a reveal before its commitment") {
    alice.invite(run);
    alice.room.give(1, encoded(message_type::reveal, run, [](message&) {}));
    CHECK(alice.room[0].last()->aborted.why.reason == abort_reason::out_of_turn);
    CHECK(alice.failures() == 0);
  }
  SECTION("a second run beside the first") {
    REQUIRE(alice.open(run));
    const bytes second = start_of(fresh_run(env), {0, 1});
    CHECK(alice.room[0].receive(1, 7, second, alice.room.now).error() == errc::refused);
    alice.reveal();
    CHECK(alice.room[0].phase() == phase::ready);
  }
}

TEST_CASE("M8: five people in two halves read different codes to each other") {
  deterministic_environment env(107);
  half left(env, 0, {0, 1, 2}, {3, 4}), right(env, 1, {3, 4}, {0, 1, 2});
  REQUIRE(left.room.start(0, {1, 2, 3, 4}, form::words_3));
  left.room.agree();
  left.listen();
  right.follow(0, left.room.log[0].data);
  right.room.agree();
  right.listen();
  left.commit();
  right.commit();
  left.reveal();
  right.reveal();
  const auto a = left.room[0].show(left.room.now)->text(), b = right.room[3].show(right.room.now)->text();
  CHECK(left.room[1].show(left.room.now)->text() == a);
  CHECK(left.room[2].show(left.room.now)->text() == a);
  CHECK(right.room[4].show(right.room.now)->text() == b);
  CHECK(a != b);
  for (const std::uint32_t i : {0U, 1U, 2U}) REQUIRE(left.room[i].decide(false, left.room.now));
  left.room.deliver();
  for (auto& s : left.room.seats()) CHECK_FALSE(s.app.verified());
}
