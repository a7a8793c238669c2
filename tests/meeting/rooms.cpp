// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Breakout rooms.
#include "support.hpp"

namespace meeting_test {
namespace rooms {

bytes frame_of(meeting::sender& mic, std::string_view words) {
  bytes out(sealed_size(words.size()));
  out.resize(mic.seal(as_bytes(words), {}, out)->size());
  return out;
}
errc failure_of(meeting::receiver& ear, byte_view packet) {
  bytes out(packet.size());
  const auto got = ear.open(packet, {}, out);
  return got ? errc{} : got.error().code();
}

}  // namespace rooms

using namespace rooms;

TEST_CASE("M18: a room for some has its own keys: what is said inside does not open outside, nor the reverse") {
  table t(5);
  auto wish = *knock::create(t.env, t.seats[3].who);
  const byte_view package = wish.key_package();
  auto opened = *t[1].open_room({&package, 1}, "corner");
  meeting& corner = opened.room;
  auto guest = *t[3].enter_room(std::move(wish), opened.welcome, std::nullopt, "corner");
  CHECK(corner.code() == guest.code());
  CHECK(corner.code().digits() != t[0].code().digits());
  CHECK_FALSE(equal(corner.group_id(), t[0].group_id()));
  CHECK(corner.size() == 2);
  CHECK(t[0].size() == 5);

  auto inside = *corner.open_sender(0), outside = *t[1].open_sender(0);
  auto ear_inside = *guest.open_receiver(), ear_outside = *t[3].open_receiver(), host = *t[0].open_receiver();
  const bytes private_words = frame_of(inside, "between us"), public_words = frame_of(outside, "to everybody");
  CHECK(failure_of(ear_inside, private_words) == errc{});
  CHECK(failure_of(ear_outside, public_words) == errc{});
  CHECK(failure_of(host, public_words) == errc{});
  CHECK(failure_of(host, private_words) != errc{});
  CHECK(failure_of(ear_outside, private_words) != errc{});
  CHECK(failure_of(ear_inside, public_words) != errc{});

  // messages of one are not for the other
  auto note = *corner.write("a note");
  CHECK_FALSE(t[3].receive(note.message()));
  REQUIRE(guest.receive(note.message()));
}

TEST_CASE("M18: people move between rooms, and the main meeting is there all the time") {
  table t(5);
  const auto room_of = [&](std::size_t host, std::size_t guest) {
    auto wish = *knock::create(t.env, t.seats[guest].who);
    const byte_view package = wish.key_package();
    auto opened = *t[host].open_room({&package, 1}, "room");
    auto joined = *t[guest].enter_room(std::move(wish), opened.welcome);
    return std::pair{std::move(opened.room), std::move(joined)};
  };
  auto [left_host, left_guest] = room_of(1, 2);
  auto [right_host, right_guest] = room_of(3, 4);

  // person 2 moves from the left to the right
  auto out = *left_host.remove(left_guest.own_leaf());
  REQUIRE(left_guest.receive(out.commit()));
  REQUIRE(left_host.apply(std::move(out)));
  CHECK_FALSE(left_guest.active());
  auto wish = *knock::create(t.env, t.seats[2].who);
  auto in = *right_host.admit(wish.key_package());
  auto moved = *meeting::join(std::move(wish), in.welcome());
  REQUIRE(right_guest.receive(in.commit()));
  REQUIRE(right_host.apply(std::move(in)));
  CHECK(moved.code() == right_host.code());
  CHECK(right_guest.code() == right_host.code());
  CHECK(left_host.size() == 1);
  CHECK(right_host.size() == 3);

  // nobody has left the main meeting, and everybody hears it
  auto mic = *t[0].open_sender(0);
  const bytes call = frame_of(mic, "please come back");
  for (const std::size_t i : {1U, 2U, 3U, 4U}) {
    auto ear = *t[i].open_receiver();
    CHECK(failure_of(ear, call) == errc{});
  }
  t.commit(0, *t[0].refresh());
  CHECK(t[0].size() == 5);
}

TEST_CASE("M18: a room is for members of the meeting, and a Welcome to another group is none") {
  table t(3);
  const auto stranger = *identity::generate(t.env, "stranger");
  auto wish = *knock::create(t.env, stranger);
  const byte_view package = wish.key_package();
  CHECK(t[1].open_room({&package, 1}, "corner").error().code() == errc::refused);

  auto mine = *knock::create(t.env, t.seats[2].who);
  auto elsewhere = *meeting::create(t.env, stranger, "elsewhere");
  auto lure = *elsewhere.admit(mine.key_package());
  CHECK_FALSE(t[2].enter_room(std::move(mine), lure.welcome()));

  table other(2, {}, 2);
  auto theirs = *knock::create(other.env, other.seats[1].who);
  const byte_view their_package = theirs.key_package();
  auto opened = *other[0].open_room({&their_package, 1}, "corner");
  CHECK_FALSE(t[2].enter_room(std::move(theirs), opened.welcome));
}

TEST_CASE("M18: who is led into a room with a stranger in it does not enter") {
  table t(3);
  const auto impostor = *identity::generate(t.env, "person 0");  // another key under the name of a member
  auto mine = *knock::create(t.env, t.seats[2].who), theirs = *knock::create(t.env, impostor);
  const std::array packages{mine.key_package(), theirs.key_package()};
  meeting_parameters p = t[1].parameters();
  const encoded_roles roles = with_role({}, t.seats[1].who.key().public_view(), role::host);
  p.roles = roles.list();
  const auto branched =
      *group_of(t[1]).branch(t.env, client_of(t.seats[1].who), as_bytes("corner"), packages, with_parameters({}, p));
  fails_by(t[2].enter_room(std::move(mine), branched.welcomes.at(0)), rules::room_members);
}

TEST_CASE("M18: who opens a room hosts it") {
  table t(3);
  auto wish = *knock::create(t.env, t.seats[2].who);
  const byte_view package = wish.key_package();
  auto opened = *t[1].open_room({&package, 1}, "corner");
  auto guest = *t[2].enter_room(std::move(wish), opened.welcome);
  CHECK(opened.room.state().own_role == role::host);
  CHECK(guest.state().own_role == role::participant);
  fails_by(guest.remove(opened.room.own_leaf()), rules::may_remove);
  CHECK(t[1].state().own_role == role::participant);
}

}  // namespace meeting_test
