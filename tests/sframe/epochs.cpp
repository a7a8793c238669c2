// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/support.hpp>

#include <map>

using namespace sframe_test;
using namespace std::chrono_literals;
using sframe::opener;

namespace {

constexpr std::uint32_t epoch_leaves = 10;

void add(opener<default_provider>& ear, std::uint64_t epoch) {
  REQUIRE(ear.add_epoch({epoch, suite4, epoch_leaves, 0}, numbered_base(epoch)));
}

/// A frame of leaf 1 in an epoch.
bytes frame_of(std::uint64_t epoch) {
  static std::map<std::uint64_t, sframe::sealer<default_provider>> sealers;
  auto at = sealers.find(epoch);
  if (at == sealers.end()) at = sealers.emplace(epoch, sealer_for(epoch, epoch_leaves, 1)).first;
  return sealed(at->second, noise(20));
}

/// A frame of leaf 1 whose key id has few epoch bits.
bytes short_frame(unsigned epoch_bits, std::uint64_t epoch, std::uint64_t ctr) {
  const auto kid = sframe::kid_layout::make(epoch_bits, epoch_leaves)->encode(epoch, 1, 0);
  auto mic = sframe::sealer<default_provider>::make(suite4, *kid, numbered_base(epoch), ctr);
  REQUIRE(mic);
  return sealed(*mic, noise(20));
}

}  // namespace

TEST_CASE("frames before, in and after the window of epochs") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  add(ear, 1001);
  add(ear, 1002);
  CHECK(open_code(ear, frame_of(1000)) == errc{});
  CHECK(open_code(ear, frame_of(1001)) == errc{});
  CHECK(open_code(ear, frame_of(1002)) == errc{});
  for (std::uint64_t ahead = 1; ahead <= limits::sframe_early_epochs; ++ahead)
    CHECK(open_code(ear, frame_of(1002 + ahead)) == errc::early);
  CHECK(open_code(ear, frame_of(1002 + limits::sframe_early_epochs + 1)) == errc::unknown_key);
  CHECK(open_code(ear, frame_of(999)) == errc::unknown_key);  // before this member's time
  CHECK(open_code(ear, frame_of(900)) == errc::unknown_key);
}

TEST_CASE("an early frame opens when its epoch has come") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  bytes frame = frame_of(1001);
  const bytes copy = frame;
  const byte_span body = byte_span{frame}.subspan(sframe::header::decode(frame)->size());
  REQUIRE(outcome(ear.open(frame, {}, body, 0ms)) == errc::early);
  CHECK(frame == copy);
  add(ear, 1001);
  CHECK(ear.open(frame, {}, body, 0ms));
}

TEST_CASE("a retired epoch opens late until its deadline") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  add(ear, 1001);
  ear.retire_before(1001, 2000ms);
  bytes out(100);
  const auto in_time = ear.open(frame_of(1000), {}, out, 1999ms);
  REQUIRE(in_time);
  CHECK(in_time->late);
  CHECK(in_time->epoch == 1000);
  CHECK(open_code(ear, frame_of(1000), 2000ms) == errc::stale_epoch);
  const auto current = ear.open(frame_of(1001), {}, out, 2000ms);
  REQUIRE(current);
  CHECK_FALSE(current->late);
}

TEST_CASE("a removal shortens the overlap of every epoch before it, and nothing lengthens it") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  add(ear, 1001);
  ear.retire_before(1001, 2000ms);
  add(ear, 1002);
  ear.retire_before(1002, 600ms);  // a member went: epochs 1000 and 1001 end
  add(ear, 1003);
  ear.retire_before(1003, 2200ms);
  for (const std::uint64_t epoch : {1000U, 1001U}) {
    CHECK(open_code(ear, frame_of(epoch), 599ms) == errc{});
    CHECK(open_code(ear, frame_of(epoch), 600ms) == errc::stale_epoch);
  }
  CHECK(open_code(ear, frame_of(1002), 2199ms) == errc{});
  CHECK(open_code(ear, frame_of(1002), 2200ms) == errc::stale_epoch);
  CHECK(open_code(ear, frame_of(1003), 1000000ms) == errc{});
}

TEST_CASE("after the last epoch nothing is early, and no key stays") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  add(ear, 1001);
  ear.retire_before(1001, 500ms);
  ear.end(2000ms);
  CHECK(open_code(ear, frame_of(1002)) == errc::unknown_key);
  CHECK(open_code(ear, frame_of(1000), 499ms) == errc{});
  CHECK(open_code(ear, frame_of(1000), 500ms) == errc::stale_epoch);  // not a later deadline than it had
  CHECK(open_code(ear, frame_of(1001), 1999ms) == errc{});
  CHECK(open_code(ear, frame_of(1001), 2000ms) == errc::stale_epoch);
  CHECK(ear.purge(2000ms) == steady_time::max());
  CHECK(ear.keys() == 0);
}

TEST_CASE("purging forgets closed epochs and their keys, and no others") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  add(ear, 1001);
  CHECK(open_code(ear, frame_of(1000)) == errc{});
  CHECK(open_code(ear, frame_of(1001)) == errc{});
  CHECK(ear.keys() == 2);
  CHECK(ear.purge(0ms) == steady_time::max());
  ear.retire_before(1001, 500ms);
  CHECK(ear.purge(499ms) == 500ms);
  CHECK(ear.keys() == 2);
  CHECK(ear.purge(500ms) == steady_time::max());
  CHECK(ear.keys() == 1);
  CHECK(open_code(ear, frame_of(1000), 0ms) == errc::stale_epoch);  // not even if the clock went back
  CHECK(open_code(ear, frame_of(1001)) == errc{});
}

TEST_CASE("everything retired leaves nothing open, and the next epoch is still early") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  ear.retire_before(1001, 100ms);
  ear.purge(100ms);
  CHECK(open_code(ear, frame_of(1000)) == errc::stale_epoch);
  CHECK(open_code(ear, frame_of(1001)) == errc::early);
  add(ear, 1001);
  CHECK(open_code(ear, frame_of(1001)) == errc{});
}

TEST_CASE("adding a key that is there is refused, not ignored: an epoch is added once, and only forwards") {
  auto ear = opener_for(1000, epoch_leaves, 0);
  for (const std::uint64_t again : {1000U, 999U, 0U})
    CHECK(outcome(ear.add_epoch({again, suite4, epoch_leaves, 0}, numbered_base(77))) == errc::misuse);
  CHECK(open_code(ear, frame_of(1000)) == errc{});  // the first key is still the one
  REQUIRE(ear.add_epoch({1005, suite4, epoch_leaves, 0}, numbered_base(1005)));
  CHECK(open_code(ear, frame_of(1005)) == errc{});
  CHECK(open_code(ear, frame_of(1003)) == errc::stale_epoch);  // passed over
}

TEST_CASE("an epoch with equal low bits replaces the old one") {
  auto ear = opener<default_provider>::make(2);
  REQUIRE(ear);
  std::uint64_t ctr = 0;
  const auto frame_at = [&](std::uint64_t epoch) { return short_frame(2, epoch, ctr++); };
  for (std::uint64_t epoch = 4; epoch <= 7; ++epoch) add(*ear, epoch);
  const bytes old = frame_at(4);
  CHECK(open_code(*ear, old) == errc{});
  add(*ear, 8);
  CHECK(ear->keys() == 0);
  CHECK(open_code(*ear, old) == errc::unauthentic);  // its bits mean epoch 8 now
  CHECK(open_code(*ear, frame_at(8)) == errc{});
  for (std::uint64_t epoch = 5; epoch <= 7; ++epoch) CHECK(open_code(*ear, frame_at(epoch)) == errc{});
  add(*ear, 10);  // 6 goes, and 5, which lies further back
  CHECK(open_code(*ear, frame_at(7)) == errc{});
  CHECK(open_code(*ear, frame_at(8)) == errc{});
  CHECK(open_code(*ear, frame_at(10)) == errc{});
  CHECK(open_code(*ear, frame_at(6)) == errc::unauthentic);
  CHECK(open_code(*ear, frame_at(9)) == errc::stale_epoch);   // passed over
  CHECK(open_code(*ear, frame_at(11)) == errc::unauthentic);  // looks like 7
}

TEST_CASE("without epoch bits one epoch is open at a time") {
  auto ear = opener<default_provider>::make(0);
  REQUIRE(ear);
  std::uint64_t ctr = 0;
  const auto frame_at = [&](std::uint64_t epoch) { return short_frame(0, epoch, ctr++); };
  add(*ear, 1);
  CHECK(open_code(*ear, frame_at(1)) == errc{});
  add(*ear, 2);
  CHECK(open_code(*ear, frame_at(1)) == errc::unauthentic);
  CHECK(open_code(*ear, frame_at(2)) == errc{});
}

TEST_CASE("no more epochs are open than the limit says") {
  auto ear = opener_for(0, epoch_leaves, 0);
  for (std::uint64_t epoch = 1; epoch < limits::sframe_open_epochs; ++epoch) add(ear, epoch);
  CHECK(open_code(ear, frame_of(0)) == errc{});
  CHECK(open_code(ear, frame_of(limits::sframe_open_epochs - 1)) == errc{});
  CHECK(ear.keys() == 2);
  add(ear, limits::sframe_open_epochs);
  CHECK(ear.keys() == 1);
  CHECK(open_code(ear, frame_of(0)) == errc::stale_epoch);
  CHECK(open_code(ear, frame_of(1)) == errc{});
}

TEST_CASE("epochs differ in suite and in the size of the tree") {
  auto ear = opener_for(1000, 10, 0);
  REQUIRE(ear.add_epoch({1001, suite5, 200, 150}, numbered_base(1001)));
  auto small = sealer_for(1000, 10, 9);
  auto large = sealer_for(1001, 200, 199, 3, suite5);
  bytes out(100);
  const auto a = ear.open(sealed(small, noise(9)), {}, out, 0ms);
  REQUIRE(a);
  CHECK(a->sender == 9);
  const auto b = ear.open(sealed(large, noise(9)), {}, out, 0ms);
  REQUIRE(b);
  CHECK(b->sender == 199);
  CHECK(b->context == 3);
}
