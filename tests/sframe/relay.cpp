// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A whole meeting over a relay that does everything a relay can do, while the epochs go on.
#include <sframe/memory.hpp>
#include <sframe/support.hpp>

#include <algorithm>
#include <map>

using namespace sframe_test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t relay_leaves = 12;
constexpr std::uint64_t first_epoch = 1000;

/// begin_of(epoch): they follow each other every five seconds.
steady_time begin_of(std::uint64_t epoch) { return steady_time{5000 * static_cast<std::int64_t>(epoch)}; }

/// A frame on its way: sent once, seen by the relay for ever.
struct sent {
  bytes frame, plaintext;
  std::uint32_t sender;
  std::uint64_t epoch;
  int opened = 0;
};

/// The member under attack, and the others it hears.
class scene {
 public:
  explicit scene(cipher_suite suite) : suite_{suite}, ear_{opener_for(first_epoch, relay_leaves, 0, suite)} {
    speak_from(first_epoch);
  }

  /// Everybody's sealers move to an epoch; the member's own opener follows by follow().
  void speak_from(std::uint64_t epoch) {
    epoch_ = epoch;
    mics_.clear();
    for (std::uint32_t i = 0; i < relay_leaves; ++i) mics_.push_back(sealer_for(epoch, relay_leaves, i, 0, suite_));
  }
  void follow(steady_time now) {
    REQUIRE(ear_.add_epoch({epoch_, suite_, relay_leaves, 0}, numbered_base(epoch_)));
    ear_.retire_before(epoch_, now + limits::sframe_overlap);
  }

  sent speak(std::uint32_t sender) {
    sent out{{}, noise(40, ++spoken_), sender, epoch_};
    out.frame = sealed(mics_[sender], out.plaintext);
    return out;
  }

  /// What the member makes of a frame. Whatever opens is what its sender said, and is opened once.
  errc hear(sent& from, byte_view frame, steady_time now) {
    bytes out(frame.size());
    const auto got = ear_.open(frame, {}, out, now);
    if (!got) return got.error().code();
    REQUIRE(++from.opened == 1);
    REQUIRE(equal(got->bytes, from.plaintext));
    REQUIRE(got->sender == from.sender);
    REQUIRE(got->epoch == from.epoch);
    return errc{};
  }
  errc hear(sent& from, steady_time now) { return hear(from, from.frame, now); }

  [[nodiscard]] sframe::opener<default_provider>& ear() noexcept { return ear_; }
  [[nodiscard]] std::uint64_t own_counter() const noexcept { return mics_[0].counter(); }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  cipher_suite suite_;
  sframe::opener<default_provider> ear_;
  std::vector<sframe::sealer<default_provider>> mics_;
  std::uint64_t epoch_ = 0, spoken_ = 0;
};

/// One epoch of the meeting: everybody speaks, and the relay does its worst.
void one_epoch(scene& meeting, std::uint64_t forgeries, std::map<errc, std::uint64_t>& forged) {
  const steady_time now = begin_of(meeting.epoch());
  constexpr std::uint64_t rounds = 10;
  std::vector<sent> held_back, heard;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // the member itself is never kept from sending, and what comes back to it opens nothing
    const std::uint64_t counter = meeting.own_counter();
    sent own = meeting.speak(0);
    REQUIRE(meeting.own_counter() == counter + 1);
    REQUIRE(meeting.hear(own, now) == errc::unknown_key);

    for (std::uint32_t who = 1; who < relay_leaves; ++who) {
      sent s = meeting.speak(who);
      for (std::size_t n = round == 0 ? 0 : s.frame.size() - 1; n < s.frame.size(); ++n)
        REQUIRE(meeting.hear(s, byte_view{s.frame}.first(n), now) != errc{});
      if ((who + round) % 4 == 0) {
        held_back.push_back(std::move(s));
        continue;
      }
      REQUIRE(meeting.hear(s, now) == errc{});
      REQUIRE(meeting.hear(s, now) == errc::replayed);
      heard.push_back(std::move(s));
    }

    bytes frame(80), out(80);
    const std::size_t before = live_bytes();
    for (std::uint64_t i = 0; i < forgeries / rounds; ++i) {
      const std::uint64_t random = (meeting.epoch() * 1000003 + round * 10007 + i) * 0x9e3779b97f4a7c15U;
      // leaves of this epoch, anything in this epoch, and anything at all
      const auto leaf = static_cast<std::uint32_t>(1 + (random >> 32U) % (relay_leaves - 1));
      const std::uint64_t kid = i % 3 == 0   ? kid_of(meeting.epoch(), relay_leaves, leaf, random >> 62U)
                                : i % 3 == 1 ? (random & ~std::uint64_t{255}) + meeting.epoch() % 256
                                             : random;
      (void)sframe::header{kid, random >> 40U}.encode(frame);
      const auto got = meeting.ear().open(frame, {}, out, now);
      if (got) FAIL("a forged frame opened");
      ++forged[got.error().code()];
    }
    const std::size_t after = live_bytes();
    CHECK(after == before);
  }
  for (auto s = held_back.rbegin(); s != held_back.rend(); ++s) REQUIRE(meeting.hear(*s, now) == errc{});
  for (auto* const seen : {&held_back, &heard})
    for (sent& s : *seen) REQUIRE(meeting.hear(s, now) == errc::replayed);
}

}  // namespace

TEST_CASE("a relay that forges 300,000 key ids, reflects, repeats, reorders and cuts gains nothing") {
  for (const cipher_suite suite : {suite4, cipher_suite::aes_128_ctr_hmac_sha256_80}) {
    constexpr std::uint64_t epochs = 15;
    scene meeting(suite);
    std::map<errc, std::uint64_t> forged{{errc::unauthentic, 0},
                                         {errc::unknown_key, 0},
                                         {errc::over_limit, 0},
                                         {errc::early, 0},
                                         {errc::stale_epoch, 0}};
    sent oldest = meeting.speak(1);
    REQUIRE(meeting.hear(oldest, begin_of(first_epoch)) == errc{});
    std::size_t settled = 0;
    for (std::uint64_t epoch = first_epoch; epoch < first_epoch + epochs; ++epoch) {
      const steady_time now = begin_of(epoch);
      if (epoch > first_epoch) {
        sent last = meeting.speak(1);
        sent too_late = meeting.speak(1);
        meeting.speak_from(epoch);
        sent ahead = meeting.speak(1);
        REQUIRE(meeting.hear(ahead, now) == errc::early);
        meeting.follow(now);
        REQUIRE(meeting.hear(ahead, now) == errc{});
        REQUIRE(meeting.hear(ahead, now) == errc::replayed);
        REQUIRE(meeting.hear(last, now) == errc{});
        REQUIRE(meeting.hear(too_late, now + limits::sframe_overlap) == errc::stale_epoch);
        meeting.ear().purge(now + limits::sframe_overlap);
        REQUIRE(meeting.hear(last, now) == errc::stale_epoch);
        REQUIRE(meeting.hear(oldest, now) == errc::stale_epoch);
      }
      one_epoch(meeting, 300000 / epochs, forged);
      CHECK(meeting.ear().keys() == relay_leaves - 1);
      if (epoch == first_epoch + 2) settled = live_bytes();
      if (epoch > first_epoch + 2) CHECK(live_bytes() == settled);
    }
    CHECK(forged.size() == 5);
    for (const auto& [code, count] : forged) CHECK(count > 0);
    CHECK(forged[errc::unauthentic] > 90000);
    CHECK(forged[errc::unknown_key] + forged[errc::over_limit] + forged[errc::early] + forged[errc::stale_epoch] >
          150000);
  }
}
