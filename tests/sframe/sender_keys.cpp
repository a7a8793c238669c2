// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <conclave/sframe/sender_keys.hpp>

#include <sframe/memory.hpp>
#include <sframe/support.hpp>
#include <support/sframe_reference.hpp>

using namespace sframe_test;
using namespace std::chrono_literals;

namespace {

using mic_type = sframe::sender_key_sealer<default_provider>;
using ear_type = sframe::sender_key_opener<default_provider>;
constexpr auto suite3 = cipher_suite::aes_128_ctr_hmac_sha256_32;
constexpr unsigned R = 8;

mic_type mic_of(std::uint64_t generation, unsigned ratchet_bits = R, cipher_suite suite = suite4) {
  auto made = mic_type::make(suite, ratchet_bits, generation, numbered_base(generation));
  REQUIRE(made);
  return *std::move(made);
}

/// An opener that was given the key where `mic` stands now.
ear_type ear_of(const mic_type& mic, unsigned ratchet_bits = R, cipher_suite suite = suite4) {
  auto made = ear_type::make(suite, ratchet_bits);
  REQUIRE(made);
  REQUIRE(made->add_key(mic.kid(), mic.base().clone(), 0ms));
  return *std::move(made);
}

void step(mic_type& mic, std::uint64_t steps = 1) {
  for (std::uint64_t i = 0; i < steps; ++i) REQUIRE(mic.step_forward());
}

bytes frame_of(mic_type& mic) { return sealed(mic.frames(), noise(30)); }

errc open_code(ear_type& ear, byte_view frame, steady_time now = 0ms) {
  bytes out(frame.size());
  return outcome(ear.open(frame, {}, out, now));
}

}  // namespace

static_assert(!std::is_copy_constructible_v<mic_type>, "two counters on one key");

TEST_CASE("sender keys: every step seals what a slow second implementation seals") {
  for_each_served([]<class P>(cipher_suite suite) {
    const int number = static_cast<int>(suite);
    const auto given = numbered_base(5);
    bytes base = to_bytes(given.reveal());
    auto mic = sframe::sender_key_sealer<P>::make(suite, 3, 5, numbered_base(5));
    REQUIRE(mic);
    for (std::uint64_t i = 0; i < 20; ++i) {
      REQUIRE(equal(mic->base().reveal(), base));
      REQUIRE(mic->kid() == 5 * 8 + i % 8);
      for (std::uint64_t ctr = 0; ctr < 2; ++ctr)
        REQUIRE(equal(sealed(mic->frames(), noise(50), as_bytes("m")),
                      sframe_reference::encrypt(number, base, 5 * 8 + i % 8, ctr, as_bytes("m"), noise(50))));
      REQUIRE(mic->step_forward());
      base = sframe_reference::ratcheted(number, base);
    }
  });
}

TEST_CASE("sender keys: what a slow second implementation sealed opens, some steps ahead") {
  for_each_served([]<class P>(cipher_suite suite) {
    const int number = static_cast<int>(suite);
    auto ear = sframe::sender_key_opener<P>::make(suite, 3);
    REQUIRE(ear);
    REQUIRE(ear->add_key(5 * 8, numbered_base(5), 0ms));
    const auto given = numbered_base(5);
    bytes base = to_bytes(given.reveal());
    std::uint64_t at = 0;
    for (const std::uint64_t steps : {0U, 1U, 2U, 4U, 3U, 1U}) {
      for (std::uint64_t i = 0; i < steps; ++i) base = sframe_reference::ratcheted(number, base);
      at += steps;
      const std::uint64_t kid = 5 * 8 + at % 8;
      bytes out(50);
      const auto got =
          ear->open(sframe_reference::encrypt(number, base, kid, 9, as_bytes("m"), noise(50)), as_bytes("m"), out, 0ms);
      REQUIRE(got);
      CHECK(equal(got->bytes, noise(50)));
      CHECK(got->kid == kid);
      CHECK(got->counter == 9);
    }
  });
}

TEST_CASE("sender keys: key ids") {
  const auto layout = sframe::sender_kid_layout::make(3);
  REQUIRE(layout);
  CHECK(*layout->encode(5, 2) == 42);
  CHECK(*layout->encode(5, 10) == 42);
  CHECK(layout->generation(42) == 5);
  CHECK(layout->step_bits(42) == 2);
  CHECK(*layout->encode(~std::uint64_t{0} >> 3U, 7) == ~std::uint64_t{0});
  CHECK(outcome(layout->encode((~std::uint64_t{0} >> 3U) + 1, 0)) == errc::over_limit);
  CHECK(outcome(sframe::sender_kid_layout::make(64)) == errc::over_limit);
  CHECK(*sframe::sender_kid_layout::make(0)->encode(~std::uint64_t{0}, 5) == ~std::uint64_t{0});
  CHECK(*sframe::sender_kid_layout::make(63)->encode(1, 5) == (std::uint64_t{1} << 63U) + 5);
  CHECK(outcome(mic_type::make(suite4, 60, 16, numbered_base(1))) == errc::over_limit);
  CHECK(outcome(mic_type::make(suite4, 64, 0, numbered_base(1))) == errc::over_limit);
  CHECK(outcome(ear_type::make(suite4, 64)) == errc::over_limit);
}

TEST_CASE("sender keys: what was sealed before the ratchet moved opens for a while") {
  auto mic = mic_of(0);
  auto ear = ear_of(mic);
  const bytes before = frame_of(mic);
  const bytes also_before = frame_of(mic);
  step(mic);
  const bytes between = frame_of(mic);
  step(mic);
  CHECK(open_code(ear, frame_of(mic), 100ms) == errc{});
  CHECK(ear.keys() == 3);
  CHECK(open_code(ear, before, 100ms) == errc{});
  const steady_time end = 100ms + limits::sframe_overlap;
  CHECK(open_code(ear, between, end - 1ms) == errc{});
  CHECK(open_code(ear, also_before, end) == errc::stale_epoch);
  CHECK(ear.purge(end - 1ms) == end);
  CHECK(ear.purge(end) == steady_time::max());
  CHECK(ear.keys() == 1);
  CHECK(open_code(ear, also_before, 0ms) == errc::stale_epoch);  // not even if the clock went back
  CHECK(open_code(ear, frame_of(mic), end) == errc{});
}

TEST_CASE("sender keys: few steps stay open, whatever the clock says") {
  auto mic = mic_of(0);
  auto ear = ear_of(mic);
  std::vector<bytes> frames;
  for (std::size_t i = 0; i < 20; ++i) {
    frames.push_back(frame_of(mic));
    if (i < 19) step(mic);
  }
  REQUIRE(open_code(ear, frames[19]) == errc{});
  CHECK(ear.keys() == limits::sframe_open_steps);
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(open_code(ear, frames[i]) == (i == 19                              ? errc::replayed
                                        : i + limits::sframe_open_steps > 19 ? errc{}
                                                                             : errc::stale_epoch));
}

TEST_CASE("sender keys: a newcomer opens nothing that was sealed before") {
  auto mic = mic_of(3);
  step(mic, 4);
  const bytes before = frame_of(mic);
  step(mic);
  auto ear = ear_of(mic);
  CHECK(open_code(ear, before) == errc::unknown_key);
  CHECK(open_code(ear, frame_of(mic)) == errc{});
  step(mic, 2);
  CHECK(open_code(ear, frame_of(mic)) == errc{});
  CHECK(open_code(ear, before) == errc::unknown_key);
}

TEST_CASE("sender keys: the ratchet moves no further for one frame than the limit says") {
  auto mic = mic_of(0);
  auto near = ear_of(mic);
  auto far = ear_of(mic);
  step(mic, limits::sframe_ratchet_forward);
  CHECK(open_code(near, frame_of(mic)) == errc{});
  step(mic);
  CHECK(open_code(far, frame_of(mic)) == errc::unknown_key);
  CHECK(open_code(near, frame_of(mic)) == errc{});
}

TEST_CASE("sender keys: a forged step ahead changes nothing") {
  auto mic = mic_of(0);
  auto ear = ear_of(mic);
  const bytes first = frame_of(mic);
  const bytes second = frame_of(mic);
  REQUIRE(open_code(ear, first) == errc{});
  REQUIRE(open_code(ear, forged(1, 0)) == errc::unauthentic);  // whatever is made on first use
  bytes out(100);
  bytes frame = forged(1, 0);
  const std::size_t before = live_bytes();
  for (std::uint64_t i = 0; i < 2000; ++i) {
    (void)sframe::header{i % 256, i % 4 + 8}.encode(frame);
    if (ear.open(frame, {}, out, 0ms)) FAIL("a forged frame opened");
  }
  const std::size_t after = live_bytes();
  CHECK(after == before);
  CHECK(ear.keys() == 1);
  CHECK(ear.failures() > 400);
  CHECK(open_code(ear, second) == errc{});
  CHECK(open_code(ear, first) == errc::replayed);
  step(mic);
  CHECK(open_code(ear, frame_of(mic)) == errc{});
}

TEST_CASE("sender keys: no plaintext is left where a tag was wrong, one step ahead or not") {
  auto mic = mic_of(0);
  auto ear = ear_of(mic);
  for (int i = 0; i < 2; ++i) {
    bytes frame = frame_of(mic);
    frame.back() ^= 1;
    const byte_span body = byte_span{frame}.subspan(sframe::header::decode(frame)->size());
    CHECK(outcome(ear.open(frame, {}, body, 0ms)) == errc::unauthentic);
    CHECK(equal(body.first(30), bytes(30)));
    step(mic);
  }
}

TEST_CASE("sender keys: wrong guesses ahead of a short tag end in over_limit, until the next generation") {
  auto mic = mic_of(0, R, suite3);
  auto ear = ear_of(mic, R, suite3);
  for (std::uint64_t i = 0; i < limits::forgeries_per_key(4); ++i)
    REQUIRE(open_code(ear, forged(1, i)) == errc::unauthentic);
  CHECK(open_code(ear, frame_of(mic)) == errc{});  // the step that is current has its own count
  step(mic);
  CHECK(open_code(ear, frame_of(mic)) == errc::over_limit);
  auto next = mic_of(1, R, suite3);
  REQUIRE(ear.add_key(next.kid(), next.base().clone(), 0ms));
  step(next);
  CHECK(open_code(ear, frame_of(next)) == errc{});
}

TEST_CASE("sender keys: a new generation retires the one before, and no key is replaced") {
  auto first = mic_of(7);
  auto ear = ear_of(first);
  step(first, 2);
  const bytes old = frame_of(first);
  const bytes older = frame_of(first);
  REQUIRE(open_code(ear, old) == errc{});
  for (const std::uint64_t again : {7U, 6U})
    CHECK(outcome(ear.add_key(again << R, numbered_base(99), 0ms)) == errc::misuse);
  CHECK(open_code(ear, frame_of(first)) == errc{});

  auto second = mic_of(8);
  const bytes early = frame_of(second);
  CHECK(open_code(ear, early) == errc::early);
  REQUIRE(ear.add_key(second.kid(), second.base().clone(), 500ms));
  CHECK(open_code(ear, early) == errc{});
  CHECK(open_code(ear, older, 499ms) == errc{});
  CHECK(open_code(ear, frame_of(first), 500ms) == errc::stale_epoch);
  step(first);
  CHECK(open_code(ear, frame_of(first)) == errc::stale_epoch);  // nobody follows it any more
  ear.purge(500ms);
  CHECK(ear.keys() == 1);
  auto later = mic_of(8 + limits::sframe_early_epochs + 1);
  CHECK(open_code(ear, frame_of(later)) == errc::unknown_key);
}

TEST_CASE("sender keys: one bit of the ratchet step is enough to follow, none is not") {
  auto mic = mic_of(1, 1);
  auto ear = ear_of(mic, 1);
  for (int i = 0; i < 10; ++i) {
    CHECK(open_code(ear, frame_of(mic)) == errc{});
    CHECK(ear.keys() == 1);
    step(mic);
  }
  auto fixed = mic_of(1, 0);
  CHECK(outcome(fixed.step_forward()) == errc::misuse);
  auto other = ear_of(fixed, 0);
  CHECK(open_code(other, frame_of(fixed)) == errc{});
}

TEST_CASE("sender keys: frames that are cut, doubled or too large do not open") {
  auto mic = mic_of(0);
  auto ear = ear_of(mic);
  const bytes frame = frame_of(mic);
  for (std::size_t n = 0; n < frame.size(); ++n) REQUIRE(open_code(ear, byte_view{frame}.first(n)) != errc{});
  bytes small(29, 0xaa);
  CHECK(outcome(ear.open(frame, {}, small, 0ms)) == errc::no_space);
  CHECK(small == bytes(29));
  CHECK(outcome(ear.open(frame, bytes(limits::frame_metadata_bytes + 1), small, 0ms)) == errc::over_limit);
  bytes buffer = frame;
  CHECK(outcome(ear.open(buffer, {}, byte_span{buffer}.subspan(2), 0ms)) == errc::misuse);
  CHECK(open_code(ear, frame) == errc{});
  CHECK(open_code(ear, frame) == errc::replayed);
  auto empty = ear_type::make(suite4, R);
  CHECK(open_code(*empty, frame) == errc::unknown_key);
  CHECK(outcome(empty->add_key(0, {}, 0ms)) == errc::misuse);
}
