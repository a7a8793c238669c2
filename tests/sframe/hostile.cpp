// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A relay that forges, reflects, repeats, reorders and cuts what passes through it.
#include <sframe/memory.hpp>
#include <sframe/support.hpp>

#include <algorithm>

using namespace sframe_test;
using namespace std::chrono_literals;

TEST_CASE("a reflected frame is refused and does not disturb the sealer") {
  auto mic = sealer_for(300, tree_size, 0);
  auto own_ear = opener_for(300, tree_size, 0);
  auto other_ear = opener_for(300, tree_size, 1);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const bytes frame = sealed(mic, noise(60));
    bytes out(100);
    const auto back = own_ear.open(frame, {}, out, 0ms);
    REQUIRE_FALSE(back);
    CHECK(back.error() == errc::unknown_key);
    CHECK(back.error().broken_rule() == &sframe::rules::foreign_frame);
    CHECK(open_code(other_ear, frame) == errc{});
  }
  CHECK(own_ear.keys() == 0);
  CHECK(mic.counter() == 20);
}

TEST_CASE("one forged frame that names the victim's own key id does not block its sending") {
  auto mic = sealer_for(300, tree_size, 0);
  auto own_ear = opener_for(300, tree_size, 0);
  auto other_ear = opener_for(300, tree_size, 1);
  for (std::uint64_t ctr : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}}) {
    CHECK(open_code(own_ear, forged(mic.kid(), ctr)) == errc::unknown_key);
    CHECK(open_code(other_ear, forged(mic.kid(), ctr)) == errc::unauthentic);
  }
  for (int i = 0; i < 20; ++i) CHECK(open_code(other_ear, sealed(mic, noise(60))) == errc{});
}

TEST_CASE("300,000 forged key ids leave memory and keys as they were") {
  constexpr std::uint32_t crowd = 100000;
  auto ear = opener_for(300, crowd, 0);
  auto mic = sealer_for(300, crowd, 5);
  REQUIRE(open_code(ear, sealed(mic, noise(60))) == errc{});
  REQUIRE(open_code(ear, forged(kid_of(300, crowd, 6), 0)) == errc::unauthentic);  // whatever is made on first use

  bytes out(100);
  bytes frame(80);
  std::uint64_t unauthentic = 0;
  std::uint64_t refused = 0;
  const std::size_t before = live_bytes();
  const auto layout = *sframe::kid_layout::make(E, crowd);
  for (std::uint64_t i = 0; i < 300000; ++i) {
    // a third of them name a leaf and get as far as the tag; the rest name contexts, leaves and epochs that are not
    // there
    const std::uint64_t random = load_be<std::uint64_t>(noise(8, i));
    const std::uint64_t kid = i % 3 == 0   ? *layout.encode(300, static_cast<std::uint32_t>(1 + i / 3 % (crowd - 1)), 0)
                              : i % 3 == 1 ? (random & ~std::uint64_t{255}) + 300 % 256
                                           : random;
    (void)sframe::header{kid, random >> 40U}.encode(frame);
    const auto got = ear.open(frame, {}, out, 0ms);
    if (got) FAIL("a forged frame opened");
    ++(got.error() == errc::unauthentic ? unauthentic : refused);
  }
  const std::size_t after = live_bytes();
  CHECK(after == before);
  CHECK(unauthentic >= 90000);
  CHECK(refused >= 190000);
  CHECK(ear.keys() == 1);
  CHECK(open_code(ear, sealed(mic, noise(60))) == errc{});
}

TEST_CASE("failures are counted under keys that are held, and together for the others") {
  auto ear = opener_for(300, tree_size, 0);
  auto mic = sealer_for(300, tree_size, 5);
  const std::uint64_t silent = kid_of(300, tree_size, 6);
  CHECK(ear.failures(mic.kid(), 0ms) == 0);
  REQUIRE(open_code(ear, sealed(mic, noise(60))) == errc{});
  for (std::uint64_t ctr = 5; ctr < 8; ++ctr) CHECK(open_code(ear, forged(mic.kid(), ctr)) == errc::unauthentic);
  for (std::uint64_t ctr = 5; ctr < 10; ++ctr) CHECK(open_code(ear, forged(silent, ctr)) == errc::unauthentic);
  CHECK(ear.failures(mic.kid(), 0ms) == 3);
  CHECK(ear.failures(silent, 0ms) == 5);
  CHECK(ear.failures(kid_of(300, tree_size, 7), 0ms) == 5);
  CHECK(ear.failures(kid_of(299, tree_size, 6), 0ms) == 0);
}

TEST_CASE("after too many wrong guesses at a short tag a key id opens nothing more in its epoch") {
  constexpr auto suite = cipher_suite::aes_128_ctr_hmac_sha256_32;
  auto ear = opener_for(300, tree_size, 0, suite);
  auto victim = sealer_for(300, tree_size, 5, 0, suite);
  auto other = sealer_for(300, tree_size, 6, 0, suite);
  auto silent = sealer_for(300, tree_size, 7, 0, suite);
  REQUIRE(open_code(ear, sealed(victim, noise(9))) == errc{});
  REQUIRE(open_code(ear, sealed(other, noise(9))) == errc{});
  const std::uint64_t most = limits::forgeries_per_key(4);
  for (std::uint64_t i = 1; i < most; ++i) REQUIRE(open_code(ear, forged(victim.kid(), 99 + i)) == errc::unauthentic);
  CHECK(open_code(ear, sealed(victim, noise(9))) == errc{});
  REQUIRE(open_code(ear, forged(victim.kid(), 99)) == errc::unauthentic);
  for (const bytes& frame : {sealed(victim, noise(9)), forged(victim.kid(), 98)}) {
    bytes out(100, 0xaa);
    const auto got = ear.open(frame, {}, out, 0ms);
    REQUIRE_FALSE(got);
    CHECK(got.error() == errc::over_limit);
    CHECK(got.error().broken_rule() == &sframe::rules::few_forgeries);
    CHECK(equal(byte_view{out}.first(frame.size()), bytes(frame.size())));
  }
  CHECK(ear.failures(victim.kid(), 0ms) == most);
  CHECK(open_code(ear, sealed(other, noise(9))) == errc{});

  // key ids of which no frame has opened are counted together
  for (std::uint64_t i = 0; i < most; ++i)
    REQUIRE(open_code(ear, forged(kid_of(300, tree_size, static_cast<std::uint32_t>(10 + i % 20)), i)) ==
            errc::unauthentic);
  CHECK(open_code(ear, sealed(silent, noise(9))) == errc::over_limit);
  CHECK(open_code(ear, sealed(other, noise(9))) == errc{});

  REQUIRE(ear.add_epoch({301, suite, tree_size, 0}, numbered_base(301)));
  for (const std::uint32_t index : {5U, 7U}) {
    auto again = sealer_for(301, tree_size, index, 0, suite);
    CHECK(open_code(ear, sealed(again, noise(9))) == errc{});
  }
  CHECK(open_code(ear, sealed(victim, noise(9))) == errc::over_limit);
}

TEST_CASE("a key id with too many wrong tags is not forgotten when its key gives way") {
  constexpr auto suite = cipher_suite::aes_128_ctr_hmac_sha256_32;
  constexpr std::uint32_t crowd = limits::receiving_keys + 10;
  auto ear = opener_for(300, crowd, 0, suite);
  auto victim = sealer_for(300, crowd, 1, 0, suite);
  REQUIRE(open_code(ear, sealed(victim, noise(9))) == errc{});
  for (std::uint64_t i = 0; i < limits::forgeries_per_key(4); ++i)
    REQUIRE(open_code(ear, forged(victim.kid(), 9 + i)) == errc::unauthentic);
  for (std::uint32_t i = 0; i < limits::receiving_keys; ++i) {
    auto other = sealer_for(300, crowd, i + 2, 0, suite);
    REQUIRE(open_code(ear, sealed(other, noise(9))) == errc{});
  }
  CHECK(ear.failures(victim.kid(), 0ms) == 0);  // its key is gone
  CHECK(open_code(ear, sealed(victim, noise(9))) == errc::over_limit);
}

// Wrong guesses of 8 and of 10 bytes would take hours to count to their limits.
static_assert(limits::forgeries_per_key(4) == 1U << 10U && limits::forgeries_per_key(8) == 1U << 24U);
static_assert(limits::forgeries_per_key(10) == std::uint64_t{1} << 40U);
static_assert(limits::forgeries_per_key(16) == std::uint64_t{1} << 52U);

TEST_CASE("a replayed frame is not accepted: a frame opens once") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  std::vector<bytes> recorded;
  for (int i = 0; i < 100; ++i) {
    recorded.push_back(sealed(mic, noise(60)));
    CHECK(open_code(ear, recorded.back()) == errc{});
    CHECK(open_code(ear, recorded.back()) == errc::replayed);
  }
  for (const bytes& frame : recorded) CHECK(open_code(ear, frame) == errc::replayed);
}

TEST_CASE("frames may arrive in any order within the window, and not beyond it") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  std::vector<bytes> frames;
  for (std::size_t i = 0; i < limits::replay_window + 2; ++i) frames.push_back(sealed(mic, noise(20)));
  CHECK(open_code(ear, frames.back()) == errc{});
  CHECK(open_code(ear, frames[0]) == errc::replayed);
  CHECK(open_code(ear, frames[1]) == errc::replayed);
  for (std::size_t i = 2; i + 1 < frames.size(); ++i) {
    const std::size_t shuffled = 2 + (i * 577) % (frames.size() - 3);
    REQUIRE(open_code(ear, frames[shuffled]) == errc{});
  }
  for (const bytes& frame : frames) REQUIRE(open_code(ear, frame) == errc::replayed);
}

TEST_CASE("a forged frame does not move the replay window") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  const bytes first = sealed(mic, noise(20));
  const bytes second = sealed(mic, noise(20));
  CHECK(open_code(ear, first) == errc{});
  CHECK(open_code(ear, forged(mic.kid(), 1)) == errc::unauthentic);
  CHECK(open_code(ear, forged(mic.kid(), ~std::uint64_t{0})) == errc::unauthentic);
  CHECK(open_code(ear, second) == errc{});
}

TEST_CASE("a frame cut anywhere does not open, and the whole one still does") {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{70000}}) {
    auto mic = sealer_for(300, tree_size, 5, 2, suite4, first);
    auto ear = opener_for(300, tree_size, 0);
    const bytes frame = sealed(mic, noise(40));
    const std::size_t head = sframe::header::decode(frame)->size();
    for (std::size_t n = 0; n < frame.size(); ++n)
      REQUIRE(open_code(ear, byte_view{frame}.first(n)) == (n < head + 16 ? errc::malformed : errc::unauthentic));
    for (std::size_t n = 1; n < head; ++n) REQUIRE(open_code(ear, byte_view{frame}.subspan(n)) != errc{});
    bytes longer = frame;
    longer.push_back(0);
    REQUIRE(open_code(ear, longer) == errc::unauthentic);
    REQUIRE(open_code(ear, frame) == errc{});
  }
}

TEST_CASE("a frame with any bit changed does not open, and the whole one still does") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  bytes frame = sealed(mic, noise(40));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    frame[bit / 8] ^= mask;
    REQUIRE(open_code(ear, frame) != errc{});
    frame[bit / 8] ^= mask;
  }
  CHECK(ear.keys() == 0);
  CHECK(open_code(ear, frame) == errc{});
}

TEST_CASE("no plaintext is left where a tag was wrong") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  REQUIRE(open_code(ear, sealed(mic, noise(60))) == errc{});
  bytes frame = sealed(mic, noise(1200));
  frame.back() ^= 1;
  bytes out(1300, 0xaa);
  CHECK(outcome(ear.open(frame, {}, out, 0ms)) == errc::unauthentic);
  CHECK(std::ranges::all_of(byte_view{out}.first(frame.size()), [](std::uint8_t b) { return b == 0; }));
  const byte_span body = byte_span{frame}.subspan(sframe::header::decode(frame)->size());
  CHECK(outcome(ear.open(frame, {}, body, 0ms)) == errc::unauthentic);
  CHECK(std::ranges::all_of(body.first(1200), [](std::uint8_t b) { return b == 0; }));
}

TEST_CASE("every failure leaves zeros where the plaintext would have been") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  const bytes frame = sealed(mic, noise(60));
  REQUIRE(open_code(ear, frame) == errc{});
  const bytes early = forged(kid_of(301, tree_size, 5), 1);
  const bytes outside = forged(kid_of(300, tree_size, tree_size), 1);
  for (const byte_view bad : {byte_view{frame}, byte_view{early}, byte_view{outside}, byte_view{frame}.first(10)}) {
    bytes out(100, 0xaa);
    CHECK_FALSE(ear.open(bad, {}, out, 0ms));
    CHECK(std::ranges::all_of(byte_view{out}.first(bad.size()), [](std::uint8_t b) { return b == 0; }));
    CHECK(out[bad.size()] == 0xaa);
  }
}

TEST_CASE("keys are bounded, the silent one gives way, and what it had opened does not open again") {
  constexpr std::uint32_t crowd = limits::receiving_keys + 10;
  auto ear = opener_for(300, crowd, 0);
  std::vector<sframe::sealer<default_provider>> mics;
  std::vector<bytes> skipped;  // a frame of each that is behind, and opens only where the replay window is still known
  for (std::uint32_t i = 0; i < limits::receiving_keys; ++i) {
    mics.push_back(sealer_for(300, crowd, i + 1));
    skipped.push_back(sealed(mics.back(), noise(9)));
    REQUIRE(open_code(ear, sealed(mics.back(), noise(9))) == errc{});
  }
  REQUIRE(ear.keys() == limits::receiving_keys);
  for (const std::size_t heard : {0U, 1U, 3U}) REQUIRE(open_code(ear, sealed(mics[heard], noise(9))) == errc{});

  auto newcomer = sealer_for(300, crowd, crowd - 1);
  CHECK(open_code(ear, sealed(newcomer, noise(9))) == errc{});
  CHECK(ear.keys() == limits::receiving_keys);
  for (const std::size_t kept : {0U, 1U, 3U, 5U}) CHECK(open_code(ear, skipped[kept]) == errc{});
  CHECK(open_code(ear, skipped[2]) == errc::replayed);  // silent longest: its key is gone, its last counter is not
  CHECK(open_code(ear, sealed(mics[2], noise(9))) == errc{});
  CHECK(open_code(ear, skipped[4]) == errc::replayed);  // the next one went for it
  CHECK(open_code(ear, sealed(mics[4], noise(9))) == errc{});
  CHECK(ear.keys() == limits::receiving_keys);
}
