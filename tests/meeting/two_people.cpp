// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A meeting of two over a delivery service, from first knock to last frame.
#include <catch2/catch.hpp>
#include <conclave/conclave.hpp>
#include <conclave/delivery/in_process.hpp>

namespace cv = conclave;

TEST_CASE("two people meet, speak, and one leaves") {
  cv::system_environment env;
  cv::delivery::in_process net;
  auto alice = *cv::identity::generate(env, "alice");
  auto bob = *cv::identity::generate(env, "bob");
  auto knock = *cv::knock::create(env, bob);
  auto room = *cv::meeting::create(env, alice, "standup");
  const auto lonely = room.code();

  auto add = *room.admit(knock.key_package());
  REQUIRE(net.send(add.commit()));
  const cv::bytes welcome = cv::to_bytes(add.welcome());
  REQUIRE(room.apply(std::move(add)));
  auto there = *cv::meeting::join(std::move(knock), welcome);
  CHECK(room.code() == there.code());
  CHECK(!(room.code() == lonely));
  CHECK(there.roster().size() == 2);

  auto mic = *room.open_sender(0);
  auto ear = *there.open_receiver();
  CHECK(room.open_sender(0).error() == cv::errc::misuse);
  const cv::bytes frame(1200, 7);
  std::array<std::uint8_t, cv::sealed_size(1200)> packet, heard;
  const auto sealed = *mic.seal(frame, {}, packet);
  const auto got = *ear.open(sealed, {}, heard);
  CHECK(cv::equal(got.bytes, frame));
  CHECK(got.sender == number(room.own_leaf()));
  CHECK(ear.open(sealed, {}, heard).error() == cv::errc::replayed);

  auto out = *room.remove(*room.find("bob"));
  REQUIRE(net.send(out.commit()));
  const cv::bytes goodbye = cv::to_bytes(out.commit());
  REQUIRE(room.apply(std::move(out)));
  const auto after = *mic.seal(frame, {}, packet);
  REQUIRE(there.receive(goodbye));
  CHECK(!there.active());
  CHECK(!ear.open(after, {}, heard));
}
