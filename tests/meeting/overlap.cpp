// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where epochs meet: what opens of the one before, what waits for the one after, and what a member who was removed can
// still say. Epochs are published by hand, as a meeting publishes them.
#include <catch2/catch.hpp>
#include <conclave/crypto/provider.hpp>
#include <conclave/meeting/early_frames.hpp>

namespace overlap_test {

using namespace conclave;
using std::chrono::milliseconds;
using receiver = basic_media_receiver<default_provider>;
using mic = sframe::sealer<default_provider>;

constexpr sframe::cipher_suite suite = sframe::cipher_suite::aes_128_gcm_sha256_128;
constexpr std::uint32_t leaves = 100;

class test_clock final : public environment {
 public:
  [[nodiscard]] status random(byte_span out) noexcept override { return system_.random(out); }
  [[nodiscard]] unix_time wall() noexcept override { return system_.wall(); }
  [[nodiscard]] steady_time steady() noexcept override { return now; }
  steady_time now{100'000};

 private:
  system_environment system_;
};

[[nodiscard]] sframe::base_key base_of(std::uint64_t epoch) {
  sframe::base_key out(16);
  store_be(epoch, out.writable());
  return out;
}

/// A receiver, and the side of the meeting that publishes to it.
struct listener {
  explicit listener(test_clock& time) : env{&time} {}
  void enter(std::uint64_t epoch, bool removal = false) {
    keys->publish({{epoch, suite, leaves, 0},
                   base_of(epoch),
                   removal ? limits::sframe_overlap_after_remove : limits::sframe_overlap,
                   env->now});
  }
  [[nodiscard]] receiver open() const { return *receiver::open(*env, keys); }
  test_clock* env;
  std::shared_ptr<media_keys> keys = std::make_shared<media_keys>();
};

/// A frame of a member in an epoch. Whoever knows the epoch's base key can make one for any leaf.
[[nodiscard]] bytes frame_of(std::uint64_t epoch, std::uint64_t counter = 0, std::uint32_t leaf = 1,
                             std::size_t size = 20) {
  const auto kid = *sframe::kid_layout::make(limits::sframe_epoch_bits, leaves)->encode(epoch, leaf, 0);
  auto talk = *mic::make(suite, kid, base_of(epoch), counter);
  const bytes plain(size, static_cast<std::uint8_t>(counter));
  bytes out(sealed_size(size));
  out.resize(talk.seal(plain, {}, out)->size());
  return out;
}

/// What becomes of a frame: errc{} where it opens in time.
struct heard {
  errc code{};
  bool late = false;
};
heard hear(receiver& ear, const bytes& frame) {
  bytes out(frame.size());
  const auto got = ear.open(frame, {}, out);
  if (!got) return {got.error().code(), false};
  return {errc{}, got->late};
}

/// Counters of the frames that a retry opened, in order.
std::vector<std::uint64_t> retried(early_frames& waiting, receiver& ear, const test_clock& time) {
  std::vector<std::uint64_t> out;
  const auto opened = waiting.retry(ear, time.now, [&](std::uint64_t, const sframe::opened& got) {
    out.push_back(got.counter);
    CHECK(std::ranges::count(got.bytes, static_cast<std::uint8_t>(got.counter)) == std::ssize(got.bytes));
  });
  REQUIRE(opened);
  CHECK(*opened == out.size());
  return out;
}

// ---- the window of a removed member ------------------------------------------------------------------------------

TEST_CASE("M23: a removed member is heard as anyone for 500 ms after the removal was applied, late, and no longer") {
  test_clock time;
  listener bob(time);
  bob.enter(5);
  auto ear = bob.open();
  bob.enter(6, true);  // mallory, leaf 9, was removed, and still has epoch 5
  const steady_time removed = time.now;
  std::uint64_t counter = 0;
  for (const std::uint32_t as_leaf : {9U, 1U, 42U}) {
    time.now = removed;
    const heard at_once = hear(ear, frame_of(5, counter++, as_leaf));
    CHECK(at_once.code == errc{});
    CHECK(at_once.late);
  }
  time.now = removed + limits::sframe_overlap_after_remove - milliseconds{1};
  CHECK(hear(ear, frame_of(5, counter++, 9)).late);
  time.now = removed + limits::sframe_overlap_after_remove;
  for (const std::uint32_t as_leaf : {9U, 1U, 42U})
    CHECK(hear(ear, frame_of(5, counter++, as_leaf)).code == errc::stale_epoch);
  CHECK(hear(ear, frame_of(6, 0, 1)).code == errc{});
  // what it seals with an old key under the key id of the new epoch opens nothing
  const auto kid = *sframe::kid_layout::make(limits::sframe_epoch_bits, leaves)->encode(6, 1, 0);
  auto forger = *mic::make(suite, kid, base_of(5), 77);
  bytes forged(sealed_size(3));
  forged.resize(forger.seal(bytes(3, 1), {}, forged)->size());
  CHECK(hear(ear, forged).code == errc::unauthentic);
}

TEST_CASE("M23: removals in a row close every epoch before them, for each at its own time") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  std::uint64_t counter = 0;
  const steady_time start = time.now;
  bob.enter(2);  // a join: epoch 1 has two seconds
  time.now = start + milliseconds{250};
  bob.enter(3, true);  // a removal: epochs 1 and 2 have until 750
  time.now = start + milliseconds{500};
  bob.enter(4, true);  // another: epoch 3 has until 1000
  time.now = start + milliseconds{749};
  for (const std::uint64_t epoch : {1U, 2U, 3U}) CHECK(hear(ear, frame_of(epoch, counter++)).late);
  time.now = start + milliseconds{750};
  CHECK(hear(ear, frame_of(1, counter++)).code == errc::stale_epoch);
  CHECK(hear(ear, frame_of(2, counter++)).code == errc::stale_epoch);
  CHECK(hear(ear, frame_of(3, counter++)).late);
  bob.enter(5);  // a join gives no time back
  time.now = start + milliseconds{1000};
  CHECK(hear(ear, frame_of(3, counter++)).code == errc::stale_epoch);
  CHECK(hear(ear, frame_of(4, counter++)).late);
}

TEST_CASE("M23: a receiver that is opened later learns no key that the others have given up") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  bob.enter(2);
  auto early_bird = bob.open();
  bob.enter(3, true);
  CHECK(bob.keys->after(std::nullopt).size() == 3);
  time.now += limits::sframe_overlap_after_remove;
  // epoch 1 would have had two seconds but for the removal
  enum what { nothing, another_epoch, a_receiver_notices };
  const what happens = GENERATE(nothing, another_epoch, a_receiver_notices);
  if (happens == another_epoch) {
    bob.enter(4);
    CHECK(bob.keys->after(std::nullopt).size() == 2);
  }
  if (happens == a_receiver_notices) {
    REQUIRE(early_bird.follow());
    CHECK(bob.keys->after(std::nullopt).size() == 1);
  }
  auto ear = bob.open();
  CHECK(hear(ear, frame_of(1)).code != errc{});
  CHECK(hear(ear, frame_of(2)).code != errc{});
  CHECK(hear(ear, frame_of(3)).code == errc{});
}

// ---- who is behind -----------------------------------------------------------------------------------------------

TEST_CASE("M23: a sender that has not followed is heard for as long as the overlap lasts") {
  for (const bool removal : {false, true}) {
    test_clock time;
    listener bob(time);
    bob.enter(7);
    auto ear = bob.open();
    bob.enter(8, removal);
    const milliseconds overlap = removal ? limits::sframe_overlap_after_remove : limits::sframe_overlap;
    const steady_time start = time.now;
    // a frame each 20 ms; the sender learns of the commit 700 ms after this receiver, its frames take 60 ms
    std::size_t lost = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
      const milliseconds sealed{20 * i};
      time.now = start + sealed + milliseconds{60};
      const bool followed = sealed >= milliseconds{700};
      const heard got = hear(ear, frame_of(followed ? 8 : 7, i));
      lost += got.code == errc{} ? 0 : 1;
      CHECK((got.code == errc{}) == (followed || sealed + milliseconds{60} < overlap));
    }
    // sealed from 440 to 680 ms: the sender's delay, and the frame's, less the overlap
    CHECK(lost == (removal ? 13 : 0));
  }
}

TEST_CASE("M23: a receiver that is up to eight epochs behind keeps what comes, and opens all of it in order") {
  test_clock time;
  listener bob(time);
  bob.enter(10);
  auto ear = bob.open();
  early_frames waiting;
  std::vector<std::uint64_t> sent;
  std::uint64_t counter = 0;
  for (std::uint64_t epoch = 11; epoch <= 10 + limits::sframe_early_epochs; ++epoch, time.now += milliseconds{200})
    for (int i = 0; i < 3; ++i) {
      const bytes frame = frame_of(epoch, counter);
      REQUIRE(hear(ear, frame).code == errc::early);
      REQUIRE(waiting.keep(1, frame, {}, time.now));
      sent.push_back(counter++);
    }
  const auto too_far = hear(ear, frame_of(11 + limits::sframe_early_epochs, 0)).code;
  CHECK(too_far == errc::unknown_key);
  CHECK(retried(waiting, ear, time).empty());
  // half of the commits arrive, then the others
  for (std::uint64_t epoch = 11; epoch <= 14; ++epoch) bob.enter(epoch);
  CHECK(retried(waiting, ear, time) == std::vector(sent.begin(), sent.begin() + 12));
  CHECK(waiting.size() == 12);
  for (std::uint64_t epoch = 15; epoch <= 18; ++epoch) bob.enter(epoch, true);
  CHECK(retried(waiting, ear, time) == std::vector(sent.begin() + 12, sent.end()));
  CHECK(waiting.size() == 0);
  CHECK(waiting.dropped() == 0);
}

TEST_CASE("M23: a receiver that missed many commits mistakes no epoch for another, and hears again once it follows") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  // everybody else goes on: over two rounds of the epoch bits. Frames of far epochs are lost, none opens wrongly
  for (std::uint64_t ahead = 1; ahead <= 600; ++ahead) {
    const errc code = hear(ear, frame_of(1 + ahead, ahead)).code;
    CHECK(code != errc{});
    if (ahead % 256 != 0) CHECK(code != errc::unauthentic);
  }
  // the commits come all at once; what is still in flight of the last 64 epochs opens
  for (std::uint64_t epoch = 2; epoch <= 601; ++epoch) bob.enter(epoch);
  for (std::uint64_t epoch = 601; epoch > 601 - limits::sframe_open_epochs; --epoch)
    CHECK(hear(ear, frame_of(epoch, 5000 + epoch)).code == errc{});
  CHECK(hear(ear, frame_of(601 - limits::sframe_open_epochs)).code == errc::stale_epoch);
}

TEST_CASE("M23: commits at twice the intended rate leave the overlap whole") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  std::map<std::uint64_t, steady_time> began{{1, time.now}};
  std::uint64_t counter = 0;
  for (std::uint64_t epoch = 2; epoch < 300; ++epoch) {
    time.now += limits::commit_slot / 2;
    bob.enter(epoch);
    began[epoch] = time.now;
    for (std::uint64_t old = epoch > 30 ? epoch - 30 : 1; old < epoch; ++old) {
      const bool open = time.now < began[old + 1] + limits::sframe_overlap;
      CHECK((hear(ear, frame_of(old, counter++)).code == errc{}) == open);
    }
  }
}

TEST_CASE("M23: key ids have as many epoch bits as the meeting says") {
  for (const unsigned bits : {limits::sframe_epoch_bits_least, 8U, limits::sframe_epoch_bits_most}) {
    test_clock time;
    listener alice(time), bob(time);
    alice.keys = std::make_shared<media_keys>(bits);
    bob.keys = std::make_shared<media_keys>(bits);
    const std::uint64_t epoch = 0x12345;
    alice.keys->publish({{epoch, suite, leaves, 3}, base_of(epoch), limits::sframe_overlap, time.now});
    bob.keys->publish({{epoch, suite, leaves, 0}, base_of(epoch), limits::sframe_overlap, time.now});
    auto talk = *basic_media_sender<default_provider>::open(alice.keys, 2);
    auto ear = bob.open();
    bytes frame(sealed_size(4));
    frame.resize(talk.seal(bytes(4, 9), {}, frame)->size());
    // RFC 9605 5.2: S = 7 for 100 leaves
    const std::uint64_t expected =
        (std::uint64_t{2} << (7 + bits)) + (std::uint64_t{3} << bits) + (epoch & ((1U << bits) - 1));
    CHECK(sframe::header::decode(frame)->kid == expected);
    CHECK(hear(ear, frame).code == errc{});
  }
}

// ---- early frames ------------------------------------------------------------------------------------------------

TEST_CASE("M23: an early frame waits with its metadata, and opens once") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  early_frames waiting;
  const auto kid = *sframe::kid_layout::make(limits::sframe_epoch_bits, leaves)->encode(2, 1, 0);
  auto talk = *mic::make(suite, kid, base_of(2), 0);
  const bytes plain(50, 7), note(9, 3);
  bytes frame(sealed_size(50));
  frame.resize(talk.seal(plain, note, frame)->size());
  bytes forged = frame;
  forged.back() ^= 1;
  REQUIRE(waiting.keep(1, frame, note, time.now));
  REQUIRE(waiting.keep(1, forged, note, time.now));
  REQUIRE(waiting.keep(2, frame, {}, time.now));        // without its metadata
  REQUIRE(waiting.keep(2, bytes{0xff}, {}, time.now));  // no frame at all
  REQUIRE(waiting.keep(1, frame, note, time.now));      // the relay sent it twice
  bob.enter(2);
  std::size_t opened = 0;
  REQUIRE(waiting.retry(ear, time.now, [&](std::uint64_t source, const sframe::opened& got) {
    CHECK(source == 1);
    CHECK(equal(got.bytes, plain));
    ++opened;
  }));
  CHECK(opened == 1);
  CHECK(waiting.size() == 0);
}

TEST_CASE("M23: early frames get old, and a large one has no place") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  early_frames waiting;
  REQUIRE(waiting.keep(1, frame_of(2, 0), {}, time.now));
  time.now += milliseconds{1};
  REQUIRE(waiting.keep(1, frame_of(2, 1), {}, time.now));
  time.now += limits::early_age - milliseconds{1};
  bob.enter(2);
  CHECK(retried(waiting, ear, time) == std::vector<std::uint64_t>{1});
  CHECK(waiting.dropped() == 1);
  REQUIRE(waiting.keep(1, frame_of(3, 2), {}, time.now));
  for (const std::uint64_t source : {1U, 2U}) {
    CHECK(waiting.keep(source, bytes(limits::early_bytes + 1), {}, time.now).error() == errc::over_limit);
    CHECK(early_frames{}.keep(source, bytes(limits::early_bytes + 1), {}, time.now).error() == errc::over_limit);
  }
  CHECK(waiting.size() == 1);
  CHECK(waiting.dropped() == 3);
}

TEST_CASE("M23: somebody who joins keeps what comes before the Welcome") {
  test_clock time;
  early_frames waiting;
  REQUIRE(waiting.keep(1, frame_of(3, 0), {}, time.now));  // before its time
  REQUIRE(waiting.keep(1, frame_of(4, 1), {}, time.now));
  listener carol(time);
  carol.enter(4);
  auto ear = carol.open();
  CHECK(retried(waiting, ear, time) == std::vector<std::uint64_t>{1});
  CHECK(waiting.size() == 0);
}

TEST_CASE("M23: a flood displaces itself, and nobody below an even share") {
  test_clock time;
  listener bob(time);
  bob.enter(1);
  auto ear = bob.open();
  early_frames waiting;
  const std::uint64_t flooder = 99;
  // the flood is there first, in small packets, in large ones, and in both
  const std::size_t packet = GENERATE(std::size_t{30}, std::size_t{60'000}, limits::early_bytes + 0);
  const bytes flood(packet, 0xee);
  for (int i = 0; i < 20'000; ++i) (void)waiting.keep(flooder, flood, {}, time.now).has_value();
  CHECK(waiting.size() <= limits::early_frames);
  // four voices and a picture, each below a sixth of the place, while the flood goes on
  std::vector<std::uint64_t> sent;
  for (std::uint64_t counter = 0; counter < 100; ++counter)
    for (const std::uint64_t source : {1U, 2U, 3U, 4U, 5U}) {
      const auto frame = frame_of(2, counter, static_cast<std::uint32_t>(source), source == 5 ? 10'000 : 160);
      REQUIRE(waiting.keep(source, frame, {}, time.now));
      sent.push_back(counter);
      for (int i = 0; i < 20; ++i) (void)waiting.keep(flooder, flood, {}, time.now).has_value();
      CHECK(waiting.size() <= limits::early_frames);
    }
  bob.enter(2);
  CHECK(retried(waiting, ear, time) == sent);
  CHECK(waiting.size() == 0);
}

TEST_CASE("M23: what is above an even share gives way to what is below") {
  test_clock time;
  early_frames waiting;
  const std::size_t tenth = limits::early_bytes / 10;
  for (int i = 0; i < 10; ++i) REQUIRE(waiting.keep(1, bytes(tenth), {}, time.now));
  CHECK(waiting.keep(1, bytes(tenth), {}, time.now).error() == errc::over_limit);
  for (int i = 0; i < 5; ++i) REQUIRE(waiting.keep(2, bytes(tenth), {}, time.now));
  CHECK(waiting.keep(2, bytes(tenth), {}, time.now).error() == errc::over_limit);  // half is half
  REQUIRE(waiting.keep(3, bytes(tenth), {}, time.now));
  CHECK(waiting.size() == 10);
}

}  // namespace overlap_test
