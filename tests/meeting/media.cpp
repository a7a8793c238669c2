// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Senders and receivers across changes of the epoch.
#include <catch2/catch.hpp>
#include <conclave/conclave.hpp>

using namespace conclave;

namespace {

/// The system's randomness, and a clock the test moves.
class test_environment final : public environment {
 public:
  [[nodiscard]] status random(byte_span out) noexcept override { return system_.random(out); }
  [[nodiscard]] unix_time wall() noexcept override { return system_.wall(); }
  [[nodiscard]] steady_time steady() noexcept override { return now; }
  steady_time now{1000};

 private:
  system_environment system_;
};

/// A host and two guests who are in, and a frame on its way between them.
class three_people {
 public:
  three_people()
      : host{*meeting::create(env, *identity::generate(env, "host"), "test")},
        bob_{*knock::create(env, *identity::generate(env, "bob"))},
        carol_{*knock::create(env, *identity::generate(env, "carol"))} {
    const std::array wishes{bob_.key_package(), carol_.key_package()};
    auto add = *host.admit(wishes);
    bob.emplace(*meeting::join(std::move(bob_), add.welcome()));
    carol.emplace(*meeting::join(std::move(carol_), add.welcome()));
    if (!host.apply(std::move(add))) std::abort();
  }

  /// What the host commits, everybody who is in receives.
  void commit(meeting::change change) {
    const bytes message = to_bytes(change.commit());
    REQUIRE(host.apply(std::move(change)));
    REQUIRE(bob->receive(message));
    if (carol->active()) REQUIRE(carol->receive(message));
  }

  test_environment env;
  meeting host;
  std::optional<meeting> bob, carol;

 private:
  knock bob_, carol_;
};

bytes seal(meeting::sender& mic, std::string_view words) {
  bytes out(sealed_size(words.size()));
  const auto sealed = *mic.seal(as_bytes(words), {}, out);
  out.resize(sealed.size());
  return out;
}

result<sframe::opened> open(meeting::receiver& ear, const bytes& packet) {
  static bytes buffer;
  buffer.resize(packet.size());
  return ear.open(packet, {}, buffer);
}

}  // namespace

TEST_CASE("a frame of the old epoch opens late until the overlap is over") {
  three_people people;
  auto mic = *people.host.open_sender(0);
  auto ear = *people.bob->open_receiver();
  const bytes first = seal(mic, "one"), second = seal(mic, "two");
  people.commit(*people.host.refresh());
  people.env.now += limits::sframe_overlap - steady_time{1};
  const auto late = open(ear, first);
  REQUIRE(late);
  CHECK(late->late);
  people.env.now += steady_time{1};
  CHECK(open(ear, second).error() == errc::stale_epoch);
  const auto fresh = open(ear, seal(mic, "three"));
  REQUIRE(fresh);
  CHECK_FALSE(fresh->late);
  CHECK(as_text(fresh->bytes) == "three");
}

TEST_CASE("after a removal the old epoch closes sooner, and the removed person opens nothing new") {
  three_people people;
  auto mic = *people.host.open_sender(0);
  auto bob = *people.bob->open_receiver();
  auto carol = *people.carol->open_receiver();
  auto carols_mic = *people.carol->open_sender(0);
  const bytes before = seal(mic, "before"), last = seal(mic, "last");
  people.commit(*people.host.remove(*people.host.find("carol")));
  CHECK_FALSE(people.carol->active());
  CHECK(open(carol, before)->late);  // it was on its way
  people.env.now += limits::sframe_overlap_after_remove;
  CHECK(open(bob, before).error() == errc::stale_epoch);
  CHECK(open(carol, seal(mic, "secret")).error() == errc::unknown_key);  // not early: it never will open
  people.env.now += limits::sframe_overlap;
  CHECK(open(carol, last).error() == errc::stale_epoch);
  bytes out(sealed_size(3));
  CHECK(carols_mic.seal(as_bytes("hey"), {}, out).error() == errc::refused);
  CHECK(people.carol->open_sender(1).error() == errc::refused);
}

TEST_CASE("a frame that overtakes its commit is early, and opens once the commit is here") {
  three_people people;
  auto mic = *people.host.open_sender(0);
  auto ear = *people.bob->open_receiver();
  auto change = *people.host.refresh();
  const bytes message = to_bytes(change.commit());
  REQUIRE(people.host.apply(std::move(change)));
  const bytes packet = seal(mic, "fast");
  CHECK(open(ear, packet).error() == errc::early);
  REQUIRE(people.bob->receive(message));
  CHECK(open(ear, packet));
}

TEST_CASE("frames of several people open together, with those of the epoch before") {
  three_people people;
  auto hosts_mic = *people.host.open_sender(0);
  auto carols_mic = *people.carol->open_sender(0);
  auto ear = *people.bob->open_receiver();
  std::vector<bytes> packets{seal(hosts_mic, "one")};
  people.commit(*people.host.refresh());
  packets.push_back(seal(carols_mic, "two"));
  packets.push_back(seal(hosts_mic, "three"));
  packets.push_back(packets[1]);

  std::vector<bytes> outs(packets.size(), bytes(20));
  std::vector<sframe::open_request> requests;
  for (std::size_t i = 0; i < packets.size(); ++i) requests.push_back({packets[i], {}, outs[i]});
  REQUIRE(ear.open_many(requests));
  const char* const words[] = {"one", "two", "three"};
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(requests[i].got);
    CHECK(as_text(requests[i].got->bytes) == words[i]);
    CHECK(requests[i].got->late == (i == 0));
  }
  CHECK(requests[0].got->sender == requests[2].got->sender);
  CHECK(requests[0].got->sender != requests[1].got->sender);
  REQUIRE_FALSE(requests[3].got);
  CHECK(requests[3].got.error() == errc::replayed);
}

TEST_CASE("a stream has one sender at a time, and no counter is used twice") {
  three_people people;
  auto ear = *people.bob->open_receiver();
  bytes first;
  {
    auto mic = *people.host.open_sender(0);
    CHECK(people.host.open_sender(0).error() == errc::misuse);
    CHECK(people.host.open_sender(limits::streams).error() == errc::over_limit);
    first = seal(mic, "one");
    auto moved = std::move(mic);
    CHECK(people.host.open_sender(0).error() == errc::misuse);
    CHECK(open(ear, seal(moved, "two")));
  }
  auto again = *people.host.open_sender(0);
  const auto got = open(ear, seal(again, "three"));
  REQUIRE(got);
  CHECK(got->counter == 2);
  CHECK(open(ear, first));
}

TEST_CASE("a change that is dropped leaves no trace, and one that comes second is stale") {
  three_people people;
  const auto code = people.host.code();
  const auto epoch = people.host.epoch();
  { const auto dropped = *people.host.refresh(); }
  CHECK(people.host.code() == code);
  CHECK(people.host.epoch() == epoch);
  auto slow = *people.host.refresh();
  people.commit(*people.host.refresh());
  const auto now = people.host.code();
  CHECK(people.host.apply(std::move(slow)).error() == errc::stale_epoch);
  CHECK(people.host.code() == now);
  CHECK(people.bob->code() == now);
}

TEST_CASE("a knock opens no door that was not opened for it") {
  three_people people;
  auto stranger = *knock::create(people.env, *identity::generate(people.env, "stranger"));
  auto guest = *knock::create(people.env, *identity::generate(people.env, "guest"));
  auto add = *people.host.admit(guest.key_package());
  CHECK(meeting::join(std::move(stranger), add.welcome()).error() == errc::unknown_key);
  bytes damaged = to_bytes(add.welcome());
  damaged.back() ^= 1;
  CHECK(meeting::join(std::move(guest), damaged).error() == errc::unauthentic);
  CHECK(meeting::join(std::move(guest), add.welcome()));  // a failure uses nothing up
}
