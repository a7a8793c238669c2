// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Frames without memory: what was sealed is never sealed again, what was opened never opens again.
#include "support.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/meeting/early_frames.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sender_keys.hpp>

#include <set>

namespace faults {
namespace media {

using P = default_provider;
namespace sf = conclave::sframe;
constexpr auto suite = sf::cipher_suite::aes_128_gcm_sha256_128;
constexpr steady_time now{1000};

[[nodiscard]] sf::base_key base(std::uint8_t fill = 1) {
  sf::base_key out(16);
  std::ranges::fill(out.writable(), fill);
  return out;
}
[[nodiscard]] sf::opener<P> ear(std::uint32_t leaves) {
  auto out = *sf::opener<P>::make(8);
  REQUIRE(out.add_epoch({1, suite, leaves, 0}, base()));
  return out;
}
[[nodiscard]] bytes frame_of(std::uint32_t leaves, std::uint32_t sender, std::uint64_t context, std::uint64_t counter) {
  const auto layout = *sf::kid_layout::make(8, leaves);
  auto mic = *sf::sealer<P>::make(suite, *layout.encode(1, sender, context), base(), counter);
  bytes out(sf::sealed_size(3));
  out.resize(mic.seal(as_bytes("abc"), {}, out)->size());
  return out;
}
[[nodiscard]] bool all_zero(byte_view v) {
  return std::ranges::all_of(v, [](std::uint8_t b) { return b == 0; });
}

/// An ear that needs memory for each frame.
struct busy_ear {
  std::uint64_t epoch = 1;
  std::vector<std::uint8_t> scratch;

  [[nodiscard]] result<std::uint64_t> follow() const { return epoch; }
  [[nodiscard]] result<sf::opened> open(byte_view frame, byte_view, byte_span out) {
    scratch = std::vector<std::uint8_t>(frame.begin(), frame.end());
    return sf::opened{out, 0, epoch, 0, 0, false};
  }
};
/// room_for(place, size): how many frames of this size it keeps of a new source before anything gives way.
[[nodiscard]] std::size_t room_for(early_frames& place, std::size_t size) {
  const auto before = place.dropped();
  std::size_t n = 0;
  while (place.keep(1000, bytes(size), {}, now) && place.dropped() == before) ++n;
  return n;
}

}  // namespace media

using namespace media;

TEST_CASE("a frame that could not be opened for want of memory opens once later", "[faults]") {
  auto e = ear(4);
  const bytes frame = frame_of(4, 2, 0, 7);
  bytes out(frame.size(), 0xee);
  const auto state = [&] { return std::pair(e.keys(), e.failures(0, now)); };
  bool was_zero = true;
  out_of_memory("open the first frame of a key", state, [&] {
    was_zero = was_zero && (out[0] == 0xee || all_zero(byte_view{out}.first(3)));
    return failed(e.open(frame, {}, out, now));
  });
  CHECK(was_zero);
  CHECK(e.open(frame, {}, out, now).error() == errc::replayed);
  // from here on nothing is allocated
  const bytes next = frame_of(4, 2, 0, 8);
  bool opened = false;
  CHECK(measure([&] { opened = e.open(next, {}, out, now).has_value(); }).allocations == 0);
  CHECK(opened);
}

TEST_CASE("a key that gives way while memory runs out leaves its counter behind", "[faults]") {
  constexpr std::uint32_t leaves = 128;
  auto e = ear(leaves);
  bytes out(64);
  const auto open_one = [&](std::size_t i) {
    return e.open(frame_of(leaves, static_cast<std::uint32_t>(1 + i / limits::streams), i % limits::streams, 5), {},
                  out, now);
  };
  for (std::size_t i = 0; i < limits::receiving_keys; ++i) REQUIRE(open_one(i));
  const bytes frame = frame_of(leaves, 100, 0, 0);
  const auto state = [&] { return e.keys(); };
  out_of_memory("open a frame where a key gives way", state, [&] { return failed(e.open(frame, {}, out, now)); });
  // the first one was silent longest
  CHECK(open_one(0).error() == errc::replayed);
  CHECK(open_one(1).error() == errc::replayed);
}

TEST_CASE("receivers take up epochs and steps without memory, or stay as they were", "[faults]") {
  auto e = *sf::opener<P>::make(8);
  out_of_memory("add an epoch of frames", nothing_to_see{},
                [&] { return failed(e.add_epoch({2, suite, 4, 0}, base(2))); });

  auto mic = *sf::sender_key_sealer<P>::make(suite, 8, 0, base(3));
  auto receiver = *sf::sender_key_opener<P>::make(suite, 8);
  const auto held = [&] { return receiver.keys(); };
  out_of_memory("add a sender's key", held, [&] { return failed(receiver.add_key(mic.kid(), base(3), now)); });
  bytes frame(64), out(64);
  const auto sealed = [&] { return mic.frames().seal(as_bytes("abc"), {}, frame); };
  const bytes first(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(sealed()->size()));
  const bytes late = [&] {
    const auto s = sealed();
    return bytes(s->begin(), s->end());
  }();
  for (int i = 0; i < 9; ++i) REQUIRE(mic.step_forward());
  const bytes ahead = [&] {
    const auto s = sealed();
    return bytes(s->begin(), s->end());
  }();
  REQUIRE(receiver.open(late, {}, out, now));
  out_of_memory("open a frame of a step ahead", held, [&] { return failed(receiver.open(ahead, {}, out, now)); });
  CHECK(receiver.open(ahead, {}, out, now).error() == errc::replayed);
  CHECK(receiver.open(late, {}, out, now + limits::sframe_overlap).error() == errc::stale_epoch);

  out_of_memory(
      "step a sender's ratchet forward", [&] { return mic.kid(); }, [&] { return failed(mic.step_forward()); });
}

TEST_CASE("a sealer that was restored after a crash never uses a counter again", "[faults]") {
  // A host that has reserved counters durably ahead of use, as sealer::make() asks for: `mark` is what is on its disk.
  // It crashes at each step of sealing 7 frames with 3 counters reserved at a time, and starts again.
  constexpr std::uint64_t reserve = 3;
  std::size_t points = 0;
  for (std::size_t crash_at = 0; crash_at < 40; ++crash_at) {
    std::uint64_t mark = 0;
    std::set<std::uint64_t> used;
    std::size_t step = 0;
    bool once = true;
    // true while the program goes on
    const auto goes_on = [&] {
      if (!once || step++ != crash_at) return true;
      once = false;
      ++points;
      return false;
    };
    const auto run = [&] {
      auto mic = *sf::sealer<P>::make(suite, 1, base(), mark);
      bytes frame(64);
      for (int i = 0; i < 7; ++i) {
        if (mic.counter() == mark) {
          if (!goes_on()) return;  // before the disk
          mark += reserve;
          if (!goes_on()) return;  // after it
        }
        const auto sealed = mic.seal(as_bytes("abc"), {}, frame);
        REQUIRE(sealed);
        if (!goes_on()) return;  // sealed, not sent: nobody knows
        REQUIRE(used.insert(sf::header::decode(*sealed)->ctr).second);
        if (!goes_on()) return;  // sent
      }
    };
    run();
    if (once) break;
    run();
    CHECK(used.size() >= 7);
  }
  CHECK(points == 20);
  summary("seal, counters reserved ahead", "crash", points, "no counter used twice");
}

TEST_CASE("an early frame that could not be kept for want of memory takes up no place", "[faults]") {
  constexpr std::size_t size = limits::early_bytes / 8;
  early_frames place;
  const bytes frame(size - 8, 1), metadata(8, 2);
  for (std::size_t source = 0; source < 2; ++source) {
    out_of_memory(
        source == 0 ? "keep an early frame" : "keep one of another source",
        [&] { return std::pair(place.size(), place.dropped()); },
        [&] { return failed(place.keep(source, frame, metadata, now)); });
  }
  CHECK(place.size() == 2);
  CHECK(room_for(place, size) == 6);

  // when they are old, all of the place is there again
  early_frames after;
  out_of_memory("keep the first early frame", nothing_to_see{},
                [&] { return failed(after.keep(5, frame, metadata, now)); });
  REQUIRE(after.keep(6, frame, metadata, now + limits::early_age));
  CHECK(after.size() == 1);
  CHECK(after.dropped() == 1);
}

TEST_CASE("early frames that could not be opened for want of memory are opened later, each once", "[faults]") {
  constexpr std::size_t size = limits::early_bytes / 8;
  early_frames place;
  for (std::size_t source = 0; source < 3; ++source) REQUIRE(place.keep(source, bytes(size), {}, now));
  busy_ear ear;
  std::vector<std::uint64_t> heard;
  heard.reserve(3);
  std::size_t points = 0;
  for (bool thrown = true; thrown; ++points) {
    thrown = false;
    const after_allocations limit(points + 1, after_allocations::then::bad_alloc);
    try {
      (void)place.retry(ear, now, [&](std::uint64_t source, const sf::opened&) { heard.push_back(source); });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
  }
  CHECK(points > 1);
  CHECK(heard == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(place.size() == 0);
  CHECK(room_for(place, size) == 8);
}

}  // namespace faults
